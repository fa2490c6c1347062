"""The keeper: another one takes the place of one that ends, whatever HEAT is short of."""

import builtins
import errno
import os
import signal

import pytest
from desk import Desk, process_name
from processes import alive, descriptors_left, until

from heat.process.program import Program


def test_another_keeper_takes_the_place_of_one_that_was_killed(desk: Desk) -> None:
    fd = desk.open()
    first = desk.keeper_pid()
    os.kill(first, signal.SIGKILL)
    desk.loop.at(desk.loop.now() + 30, lambda: pytest.fail("no other keeper"), desk)

    def look() -> None:
        if desk.keeper_pid() in {0, first}:
            desk.loop.at(desk.loop.now() + 0.01, look, desk)
        else:
            desk.loop.stop()

    look()
    desk.loop.run()

    assert alive(desk.keeper_pid())
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

    until(lambda: process_name(desk.keeper_pid()) == "heat-keeper", "its name")
    until(lambda: len(os.listdir(f"/proc/{desk.keeper_pid()}/fd")) == 5, "its descriptors")
    os.close(fd)


def test_a_keeper_does_not_make_the_loop_wake_each_second(desk: Desk) -> None:
    fd = desk.open()
    check = Program("true", "/bin/true", ("true",))
    child = desk.launcher.start(check, desk.loop.stop, desk)
    assert desk.loop.attentive
    desk.loop.run()
    child.reap()
    child.close()

    assert alive(desk.keeper_pid())
    assert not desk.loop.attentive
    os.close(fd)


def test_a_keeper_that_cannot_be_forked_is_reported_once_and_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fork() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", fork)
    for _ in range(2):
        os.close(desk.open())
    monkeypatch.undo()

    (report,) = desk.reports
    assert "cannot fork the keeper: resource temporarily unavailable" in report
    os.close(desk.open())
    assert desk.keeper_pid()


def test_a_keeper_is_forked_without_loading_anything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HEAT may lack a descriptor for that, or the file may be gone after an upgrade."""
    loaded: list[str] = []

    def load(name: str, *_: object) -> None:
        loaded.append(name)

    monkeypatch.setattr(builtins, "__import__", load)
    fd = desk.open()
    monkeypatch.undo()

    assert not loaded
    assert alive(desk.keeper_pid())
    os.close(fd)
