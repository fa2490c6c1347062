"""The launcher: programs start with the right descriptors and signals, or say why not."""

import errno
import fcntl
import os
import resource
from pathlib import Path

import pytest
from bench import Bench, inheritable
from place import Place

from heat.errors import StartError
from heat.process.program import Status


def test_stdin_is_empty_and_the_group_is_its_own(bench: Bench) -> None:
    run = bench.sh("cat; ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat")

    assert bench.outputs[0].stdout.data.decode().split() == [str(run.pid)]


def test_nothing_but_the_three_descriptors_is_inherited(bench: Bench) -> None:
    # The test itself may have inherited some: HEAT opens none of that kind.
    before = {fd for fd in map(int, os.listdir("/proc/self/fd")) if inheritable(fd)}
    bench.run("/bin/ls", "/proc/self/fd")

    assert len({int(fd) for fd in bench.outputs[0].stdout.data.split()} - before - {0, 1, 2}) == 1


def test_dispositions_and_mask_are_reset(bench: Bench) -> None:
    bench.run("/bin/grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")

    internal = 1 << 31 | 1 << 32  # The C library ignores its own two in children of threads.
    values = [line.split()[1] for line in bench.outputs[0].stdout.data.splitlines()]
    assert [int(value, 16) & ~internal for value in values] == [0, 0]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("/no/such/program", "no such file"),
        ("/etc", "directory"),
        ("/etc/passwd", "not executable"),
    ],
)
def test_a_program_that_can_never_start_says_why(bench: Bench, program: str, reason: str) -> None:
    with pytest.raises(StartError, match=reason) as caught:
        bench.start(program)

    assert not caught.value.passing


def test_a_missing_interpreter_is_named(bench: Bench, place: Place) -> None:
    place.script("odd", "", "/no/such/interpreter")

    with pytest.raises(StartError, match="its interpreter /no/such/interpreter does not exist"):
        bench.start(str(place.folder / "odd"))


@pytest.mark.parametrize(
    "number",
    [
        *(errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY, errno.EIO),
        *(errno.ENOSPC, errno.ENOBUFS, errno.EUSERS, errno.EDQUOT),
    ],
)
@pytest.mark.parametrize("call", ["pipe", "set_blocking", "posix_spawn", "pidfd_open", "watch"])
def test_want_of_resources_is_passing_and_leaks_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fails(*_args: object, **_named: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(bench.loop if call == "watch" else os, call, fails)
    with pytest.raises(StartError) as caught:
        bench.start("/bin/sleep", "600")
    monkeypatch.undo()

    assert caught.value.passing
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    bench.run("/bin/true")

    assert bench.verdicts == ["ended", "gone"]


def test_the_second_pipe_failing_closes_the_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipes = iter([os.pipe])

    def pipe() -> tuple[int, int]:
        make = next(pipes, None)
        if make is None:
            raise OSError(errno.EMFILE, "Too many open files")
        return make()

    real = os.pipe
    pipes = iter([real])
    monkeypatch.setattr(os, "pipe", pipe)
    with pytest.raises(StartError):
        bench.start("/bin/true")


def test_a_text_file_that_is_being_written_is_busy_for_now(bench: Bench, tmp_path: Path) -> None:
    program = tmp_path / "true"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    with program.open("ab"), pytest.raises(StartError, match="busy") as caught:
        bench.start(str(program))

    assert caught.value.passing


def test_a_command_that_moved_along_path_is_found_again(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "probe"
    there.write_text("#!/bin/sh\nexit 4\n")
    there.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    run = bench.start("probe", path="/gone/probe")
    bench.loop.run()

    assert run.status == Status(4)


def test_an_environment_is_added_to_heats_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.start("/usr/bin/env", HEAT_NAME="größe")
    bench.loop.run()

    lines = bench.outputs[0].stdout.data.decode().splitlines()
    assert "HEAT_NAME=größe" in lines
    assert any(line.startswith("PATH=") for line in lines)
    monkeypatch.undo()


def test_a_limit_of_files_lowered_below_an_open_one_is_a_want_of_resources(tmp_path: Path) -> None:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)

    class Lowered(Bench):
        def open(self) -> int:
            low = super().open()
            high = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 200)
            os.close(low)
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, usual[1]))
            return high

    bench = Lowered(tmp_path / "out")
    try:
        with pytest.raises(StartError) as caught:
            bench.start("/bin/true", script=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
        bench.launcher.close()
        bench.loop.close()

    assert caught.value.passing
