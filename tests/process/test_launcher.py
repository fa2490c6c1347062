"""The process layer on real processes: spawn, capture, time out, kill the group, reap."""

import errno
import fcntl
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Nobody, Place, alive, descriptors_left, process_state, until

from heat.errors import StartError
from heat.process.child import PosixChild
from heat.process.identity import Held, group_leader, identity
from heat.process.launcher import PosixLauncher
from heat.process.output import Printed
from heat.process.program import Output, Program, Status
from heat.process.reaper import reap_strangers
from heat.process.run import Callbacks, Run
from heat.runtime.loop import Loop, RealClock


class Bench(Nobody):
    """A loop with a launcher; runs one program after another to its end."""

    def __init__(self, script_output: Path) -> None:
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.script_output = script_output
        self.launcher = PosixLauncher(self.loop, os.environb)
        self.verdicts: list[str] = []
        self.outputs: list[Output] = []
        self.stuck: list[Run] = []
        self.left: list[tuple[Run, list[str]]] = []
        self.late: list[Output] = []
        self.printed: Callable[[], None] | None = None
        self.last_line = ""

    def open(self) -> int:
        return os.open(self.script_output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def start(
        self,
        *argv: str,
        timeout: float | None = 30.0,
        script: bool = False,
        path: str = "",
        **env: str,
    ) -> Run:
        program = Program(argv[0], path or argv[0], argv, self if script else None, env)
        told = Callbacks(
            *(self._ended, self._gone, self.stuck.append),
            printed=lambda run: self.late.append(run.output()),
            settled=lambda _run: self.loop.stop(),
            left=lambda run, processes: self.left.append((run, [*processes])),
        )
        return Run((self.clock, self.loop, self.launcher), program, timeout, told, self)

    def take(self) -> bytes:
        return self.script_output.read_bytes()

    def _ended(self, run: Run) -> None:
        self.verdicts.append("timed out" if run.timed_out else "ended")
        self.outputs.append(run.output())

    def _gone(self, run: Run) -> None:
        self.verdicts.append("gone")
        self.outputs.append(run.output())
        if run.settled:
            self.loop.stop()

    def run(self, *argv: str, timeout: float | None = 30.0, script: bool = False) -> Run:
        run = self.start(*argv, timeout=timeout, script=script)
        self.loop.run()
        return run

    def sh(self, line: str, timeout: float | None = 30.0) -> Run:
        return self.run("/bin/sh", "-c", line, timeout=timeout)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "out")
    before = descriptors()
    yield made
    assert descriptors() <= before
    made.launcher.close()
    made.loop.close()


def inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_what_it_is(bench: Bench, code: int) -> None:
    run = bench.sh(f"exit {code}")

    assert run.status == Status(code)
    assert bench.verdicts == ["ended", "gone"]


def test_a_signal_is_told_from_an_exit_code(bench: Bench) -> None:
    assert bench.sh("kill -9 $$").status == Status(None, signal.SIGKILL)
    assert bench.sh("exit 137").status == Status(137)


def test_both_streams_are_taken_apart(bench: Bench) -> None:
    bench.sh("echo out; echo err >&2; exit 1")

    assert bench.outputs[0] == Output(Printed(b"out\n", 4), Printed(b"err\n", 4))


def test_more_than_a_pipe_holds_is_taken_while_it_runs(bench: Bench) -> None:
    bench.sh("head -c 300000 /dev/zero | tr '\\0' x; echo end >&2; exit 3")

    stdout, stderr = bench.outputs[0]
    assert b"[234464 bytes cut here]" in stdout.within()
    assert stderr.within() == b"end\n"


def test_stdin_is_empty_and_the_group_is_its_own(bench: Bench) -> None:
    run = bench.sh("cat; ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat")

    assert bench.outputs[0].stdout.data.decode().split() == [str(run.pid)]


def test_nothing_but_the_three_descriptors_is_inherited(bench: Bench) -> None:
    # What the test itself was started with may be inherited: HEAT opens none of that kind.
    given = {fd for fd in map(int, os.listdir("/proc/self/fd")) if inheritable(fd)}
    bench.run("/bin/ls", "/proc/self/fd")

    assert len({int(fd) for fd in bench.outputs[0].stdout.data.split()} - given - {0, 1, 2}) == 1


def test_dispositions_and_mask_are_reset(bench: Bench) -> None:
    bench.run("/bin/grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")

    internal = 1 << 31 | 1 << 32  # The C library ignores its own two in children of threads.
    values = [line.split()[1] for line in bench.outputs[0].stdout.data.splitlines()]
    assert [int(value, 16) & ~internal for value in values] == [0, 0]


def test_a_hanging_check_fails_at_its_timeout_and_then_dies(bench: Bench) -> None:
    run = bench.sh("exec sleep 600", timeout=0.05)

    assert bench.verdicts == ["timed out", "gone"]
    assert run.timed_out
    assert not alive(run.pid)


def test_a_stopped_check_is_continued_to_die(bench: Bench) -> None:
    line = "trap 'echo TERM; exit 3' TERM; kill -STOP $$; sleep 600"
    run = bench.start("/bin/sh", "-c", line, timeout=None)
    until(lambda: process_state(run.pid) == "T", "the stop")
    run.limit_from_now(0.05)
    bench.loop.run()

    assert bench.verdicts == ["timed out", "gone"]
    printed = b"".join(output.stdout.data for output in bench.outputs)
    assert printed == b"TERM\n", "it was killed as it stood"
    assert run.status == Status(3)


def test_what_ignores_term_is_killed_with_its_whole_group(bench: Bench, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    began = time.monotonic()
    bench.sh(
        f"trap '' TERM; (trap '' TERM; sh -c 'echo $PPID' >>{pids}; sleep 600) & "
        f"echo $$ >>{pids}; while :; do sleep 1; done",
        timeout=0.2,
    )

    assert time.monotonic() - began >= 2.2
    for pid in pids.read_text().split():
        until(lambda pid=pid: not alive(int(pid)), f"the end of {pid}")  # type: ignore[misc]


def test_what_outlives_its_leader_is_killed_two_seconds_later(bench: Bench, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    bench.sh(
        f"(trap '' TERM; sh -c 'echo $PPID' >{pid}; while :; do sleep 1; done) & "
        "trap 'exit 0' TERM; while :; do sleep 0.1; done",
        timeout=0.3,
    )

    until(lambda: not alive(int(pid.read_text())), "the end of the grandchild")
    assert time.monotonic() - began >= 2.3


def test_a_grandchild_that_keeps_the_pipe_does_not_delay_the_verdict(bench: Bench) -> None:
    began = time.monotonic()
    run = bench.sh("sleep 600 & echo $!; exit 1")

    assert run.status == Status(1)
    assert time.monotonic() - began < 20
    left = int(bench.outputs[0].stdout.data)
    until(lambda: not alive(left), "the end of what the check left behind")


def test_a_child_that_escaped_does_not_delay_the_verdict_either(bench: Bench) -> None:
    run = bench.sh("setsid sleep 600 & echo $!; exit 1")

    assert run.status == Status(1)
    escaped = int(bench.outputs[0].stdout.data)
    os.kill(escaped, signal.SIGKILL)


LEFT = "sh -c 'echo $$ >left; exec sleep 600' & until [ -s left ]; do sleep 0.01; done"


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (f"setsid {LEFT}", True),
        (f"setsid {LEFT}; echo out", True),
        (f"setsid {LEFT}; echo err >&2; exit 1", True),
        (f"setsid {LEFT.replace(' &', ' >/dev/null 2>&1 &')}", False),
        (LEFT, False),
        (f"{LEFT}; kill $(cat left); wait", False),
        ("echo out; echo err >&2", False),
    ],
)
def test_a_process_that_left_the_group_of_a_check_is_seen_by_what_it_holds(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch, line: str, *, seen: bool
) -> None:
    monkeypatch.chdir(place.folder)
    run = bench.sh(line)

    for pid in place.words("left"):
        place.adopt(int(pid))
    assert bench.left == [(run, [])] * seen


def test_a_process_that_left_the_group_of_a_check_that_timed_out_is_seen_too(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    run = bench.sh(f"setsid {LEFT}; trap 'exit 1' TERM; while :; do sleep 0.1; done", timeout=0.5)

    place.adopt(int(place.await_words("left")[0]))
    assert bench.verdicts == ["timed out", "gone"]
    assert bench.left == [(run, [])]


def test_a_check_that_leaves_nothing_behind_is_not_looked_at_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    real = os.killpg

    def killpg(pid: int, signum: int) -> None:
        looks.append(signum)
        real(pid, signum)

    monkeypatch.setattr(os, "killpg", killpg)
    bench.sh("exit 1")
    bench.sh("echo out; echo err >&2")

    assert looks == [signal.SIGTERM, signal.SIGTERM]


@pytest.mark.parametrize("new", [True, False], ids=["by the pidfd", "before Linux 6.9"])
def test_what_is_left_of_a_group_is_killed_though_it_holds_no_output(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch, *, new: bool
) -> None:
    send = signal.pidfd_send_signal

    def old(pidfd: int, signum: int, info: None = None, flags: int = 0) -> None:
        if flags:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        send(pidfd, signum, info, flags)

    monkeypatch.setattr(PosixChild, "by_pidfd", True)
    if not new:
        monkeypatch.setattr(signal, "pidfd_send_signal", old)
    monkeypatch.chdir(place.folder)
    bench.sh(
        "sh -c 'trap \"\" TERM; echo $$ >left; while :; do sleep 0.01; done' >/dev/null 2>&1 &\n"
        "until [ -s left ]; do sleep 0.01; done"
    )

    assert not alive(place.adopt(int(place.words("left")[0])))
    assert PosixChild.by_pidfd is new
    assert bench.left == []


def test_what_a_script_leaves_behind_lives_on(bench: Bench, tmp_path: Path) -> None:
    ticks, pid = tmp_path / "ticks", tmp_path / "pid"
    line = f"(while :; do echo x >>{ticks}; echo y; sleep 0.01; done) & echo $! >{pid}"
    run = bench.run("/bin/sh", "-c", line, script=True)
    service = int(pid.read_text())
    try:
        until(ticks.exists, "the service's first work")
        size = ticks.stat().st_size
        until(lambda: ticks.stat().st_size > size + 10, "the service's work")

        assert run.status == Status(0)
        assert alive(service)
        assert bench.script_output.read_text().startswith("y\n")
    finally:
        os.kill(service, signal.SIGKILL)


def test_a_limit_from_now_is_not_moved_by_what_was_lost_before(bench: Bench) -> None:
    run = bench.start("sleep", "600", timeout=None)
    bench.loop.lost += 600  # HEAT was stopped meanwhile.
    run.limit_from_now(0.05)

    assert 0 < run.time_left <= 0.05
    bench.loop.run()
    assert bench.verdicts == ["timed out", "gone"]


def test_stop_kills_a_run_and_stop_hard_does_not_wait(bench: Bench) -> None:
    run = bench.start("/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    bench.loop.at(bench.clock.now() + 0.2, run.stop, bench)
    bench.loop.at(bench.clock.now() + 0.3, run.stop_hard, bench)
    bench.loop.run()

    assert bench.verdicts == ["gone"]
    assert run.stopped
    assert run.duration >= 0.3
    assert run.status == Status(None, signal.SIGKILL)

    run.stop()
    run.stop_hard()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("/no/such/program", "no such file"),
        ("/etc", "directory"),
        ("/etc/passwd", "not executable"),
    ],
)
def test_what_can_never_start_says_why(bench: Bench, program: str, said: str) -> None:
    with pytest.raises(StartError, match=said) as caught:
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


def test_a_lost_exit_status_is_unknown_and_never_0(bench: Bench) -> None:
    run = bench.start("/bin/true")
    os.waitpid(run.pid, 0)
    bench.loop.run()

    assert run.status == Status(None, None)


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


def test_behind_a_dead_program_that_is_kept_for_its_group_a_stranger_is_reaped(
    bench: Bench,
) -> None:
    run = bench.start("/bin/sh", "-c", "exit 7")
    os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOWAIT)
    stranger = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, stranger, os.WEXITED | os.WNOWAIT)
    reap_strangers(bench.launcher.own)

    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, stranger, os.WEXITED | os.WNOHANG)
    bench.loop.run()
    assert run.status == Status(7)


def test_of_many_dead_strangers_some_are_reaped_at_a_time(bench: Bench) -> None:
    strangers = [os.posix_spawn("/bin/true", ["true"], {}) for _ in range(300)]
    for pid in strangers:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    assert not reap_strangers(bench.launcher.own)
    assert os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    assert reap_strangers(bench.launcher.own)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_child_of_somebody_else_that_was_taken_up_is_reaped_by_nobody_but_its_run(
    bench: Bench,
) -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "600"], {}, setpgroup=0)
    pidfd = os.pidfd_open(pid)
    held = Held(pid, identity(pid, pidfd))
    os.close(pidfd)
    starter = bench.launcher.take_up(held)
    assert starter is not None
    child = starter.start(Program("sleep", "sleep", ("sleep",)), bench.loop.stop, bench)
    child.signal_group(signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    reap_strangers(bench.launcher.own)

    assert os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT) is not None
    bench.loop.run()
    child.reap()
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)


def test_without_descriptors_a_script_of_an_earlier_heat_is_not_taken_for_ended(
    bench: Bench,
) -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "600"], {"HEAT_NAME": "web"}, setpgroup=0)
    # The kernel lets the spawner go on a moment before it has put the environment in its place.
    until(lambda: bench.launcher.find({"HEAT_NAME": "web"}) is not None, "its environment")
    found = bench.launcher.find({"HEAT_NAME": "web"})
    assert found is not None
    for left in range(2):
        with descriptors_left(left), pytest.raises(OSError, match="Too many open files"):
            bench.launcher.take_up(found)
    with descriptors_left(0), pytest.raises(OSError, match="Too many open files"):
        group_leader(pid)
    starter = bench.launcher.take_up(found)
    assert starter is not None
    child = starter.start(Program("sleep", "sleep", ("sleep",)), bench.loop.stop, bench)
    child.signal_group(signal.SIGKILL)
    bench.loop.run()
    child.reap()


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs a pid namespace"
)
def test_as_process_1_heat_reaps_the_orphans_it_inherits(place: Place) -> None:
    place.script("orphan", "setsid sh -c 'sleep 0.05 & exec true' & wait; exit 0")
    place.script("zombies", "sleep 0.3; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l")
    place.script("both", "./orphan; ./zombies")
    heat = place.heat(
        *("-i", "0.4", "--count", "3", "-s", "./both"),
        prefix=("unshare", "--pid", "--fork", "--mount-proc"),
    )

    assert heat.wait() == 0
    counts = [line[2:] for line in heat.verbose().splitlines() if line[2:].isdigit()]
    assert counts == ["0", "0", "0"]


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


def test_without_descriptors_a_group_is_not_taken_for_empty(bench: Bench) -> None:
    child = bench.launcher.start(Program("true", "/bin/true", ("true",)), bench.loop.stop, bench)
    bench.loop.run()

    with descriptors_left(0):
        assert not child.alone()
    assert child.alone()
    child.reap()
    child.close()
