"""What fail and recovery scripts print to: a pipe, a file within bounds, a keeper."""

import builtins
import errno
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Nobody, alive, descriptors_left, until

from heat.process.bounded_file import BOUND, append
from heat.process.keeper import Keeper
from heat.process.launcher import PosixLauncher
from heat.process.program import Program
from heat.process.script_output import ScriptOutput
from heat.runtime.loop import Loop, RealClock


class Desk(Nobody):
    """A loop with a keeper, and the script output of one monitor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []
        self.loop = Loop(RealClock())
        self.launcher = PosixLauncher(self.loop, {})
        self.keeper = Keeper(self.loop, self.launcher.own, self.said.append, self)
        self.output = self.another()

    def another(self) -> ScriptOutput:
        """Another one for the same file, as after a restart."""
        world = self.loop, self
        return ScriptOutput(str(self.path), self.said.append, world, lambda: self.keeper)

    def open(self) -> int:
        fd = self.output.open()
        assert fd is not None
        return fd

    def kept_by(self) -> int:
        """The process id of the keeper."""
        return next(iter(self.launcher.own), 0)


def process_name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "heat.web.out")
    before = len(os.listdir("/proc/self/fd"))
    yield made
    until(lambda: not (made.output.take() or made.output.held), "the end of what was opened")
    made.keeper.close()
    assert len(os.listdir("/proc/self/fd")) == before
    made.launcher.close()
    made.loop.close()


def test_output_is_taken_and_kept_in_the_file(desk: Desk) -> None:
    desk.path.write_text("from before\n")
    output = desk.another()
    fd = output.open()
    assert fd is not None
    os.write(fd, b"one\n")

    assert output.take() == b"one\n"
    assert desk.path.read_text() == "from before\none\n"

    os.close(fd)
    until(lambda: output.take() == b"" and not output.held, "the end of the pipe")


def test_a_file_beyond_its_bound_keeps_its_latest_half(desk: Desk) -> None:
    for n in range(300):
        append(str(desk.path), b"%d %b\n" % (n, b"x" * 9_990))
        assert desk.path.stat().st_size <= BOUND

    kept = desk.path.read_text().splitlines()
    assert kept[-1].startswith("299 ")
    assert [len(line.split(" ")[1]) for line in kept] == [9_990] * len(kept)
    assert len(kept) > 40


def test_what_another_heats_keeper_appends_is_taken_too_and_in_order(desk: Desk) -> None:
    fd = desk.open()
    append(str(desk.path), b"theirs 1\n")
    os.write(fd, b"ours\n")
    desk.output.take()
    append(str(desk.path), b"theirs 2\n")

    assert desk.output.take() == b"theirs 2\n"
    assert desk.path.read_text() == "theirs 1\nours\ntheirs 2\n"
    os.close(fd)


def test_a_file_that_cannot_be_written_is_said_once_and_nothing_is_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "no" / "heat.web.out")
    fds = [desk.open(), desk.open()]
    for fd in fds:
        os.write(fd, b"line\n")
        os.close(fd)

    assert desk.output.take() == b"line\nline\n"
    (said,) = desk.said
    assert "heat.web.out: no such file or directory" in said
    assert "only in heat.verbose.log" in said

    desk.path.parent.mkdir()
    fd = desk.open()
    os.write(fd, b"again\n")
    os.close(fd)
    desk.output.take()
    assert desk.path.read_text() == "again\n"
    desk.keeper.close()
    desk.launcher.close()
    desk.loop.close()


def test_a_disk_that_stays_full_is_said_once_and_not_with_each_script(desk: Desk) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        for _ in range(2):
            fd = desk.open()  # An empty write is no trouble where there is no room.
            os.write(fd, b"line\n")
            os.close(fd)
            desk.output.take()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    (said,) = desk.said
    assert "heat.web.out: file too large" in said


def test_a_service_that_prints_is_told_of_without_a_tick(desk: Desk) -> None:
    told: list[bytes] = []

    def printed() -> None:
        told.append(desk.output.take())
        desk.loop.stop()

    desk.output.printed = printed
    fd = desk.open()
    os.write(fd, b"of a service\n")
    desk.loop.run()

    assert told == [b"of a service\n"]
    os.close(fd)


def test_another_keeper_takes_the_place_of_one_that_was_killed(desk: Desk) -> None:
    fd = desk.open()
    first = desk.kept_by()
    os.kill(first, signal.SIGKILL)
    desk.loop.at(desk.loop.now() + 30, lambda: pytest.fail("no other keeper"), desk)

    def look() -> None:
        if desk.kept_by() in {0, first}:
            desk.loop.at(desk.loop.now() + 0.01, look, desk)
        else:
            desk.loop.stop()

    look()
    desk.loop.run()

    assert alive(desk.kept_by())
    os.close(fd)


def test_a_keeper_that_ends_at_once_is_not_forked_again_and_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    forks: list[float] = []

    def fork() -> int:
        forks.append(desk.loop.now())
        return os.posix_spawn("/bin/true", ["true"], {})

    monkeypatch.setattr(os, "fork", fork)

    def look() -> None:
        if len(forks) > 1:
            desk.loop.stop()
        else:
            desk.loop.at(desk.loop.now() + 0.01, look, desk)

    fd = desk.open()
    look()
    desk.loop.run()

    assert forks[1] - forks[0] >= 1
    os.close(fd)


def test_a_keeper_lives_where_heat_has_no_descriptor_left(desk: Desk) -> None:
    with descriptors_left(4):  # For its socket and the pipe.
        fd = desk.open()

    until(lambda: process_name(desk.kept_by()) == "heat-keeper", "its name")
    until(lambda: len(os.listdir(f"/proc/{desk.kept_by()}/fd")) == 5, "its descriptors")
    os.close(fd)


def test_a_keeper_is_no_program_for_which_the_loop_wakes_each_second(desk: Desk) -> None:
    fd = desk.open()
    check = Program("true", "/bin/true", ("true",))
    child = desk.launcher.start(check, desk.loop.stop, desk)
    assert desk.loop.attentive
    desk.loop.run()
    child.reap()
    child.close()

    assert alive(desk.kept_by())
    assert not desk.loop.attentive
    os.close(fd)


def test_a_keeper_that_cannot_be_forked_is_said_once_and_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fork() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", fork)
    for _ in range(2):
        os.close(desk.open())
    monkeypatch.undo()

    (said,) = desk.said
    assert "cannot fork the keeper: resource temporarily unavailable" in said
    os.close(desk.open())
    assert desk.kept_by()


def test_a_keeper_is_forked_without_loading_anything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be no descriptor for it, or no such file after an upgrade."""
    loaded: list[str] = []

    def load(name: str, *_: object) -> None:
        loaded.append(name)

    monkeypatch.setattr(builtins, "__import__", load)
    fd = desk.open()
    monkeypatch.undo()

    assert not loaded
    assert alive(desk.kept_by())
    os.close(fd)


def test_a_signal_that_the_fork_gets_too_is_reported_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[int] = []
    fork = os.fork

    def interrupted() -> int:
        pid = fork()
        os.kill(os.getpid(), signal.SIGWINCH)
        return pid

    monkeypatch.setattr(os, "fork", interrupted)
    heat = Loop(RealClock())
    heat.catch([signal.SIGWINCH], caught.append, desk)
    fd = desk.open()
    until(lambda: process_name(desk.kept_by()) == "heat-keeper", "its name")
    heat.heed()
    signal.signal(signal.SIGWINCH, signal.SIG_DFL)
    heat.close()
    os.close(fd)

    assert caught == [signal.SIGWINCH]
