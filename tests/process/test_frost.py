"""A process that HEAT has stopped: HEAT wakes it, whatever happens."""

import os
import signal
from pathlib import Path

import pytest
from place import Place
from processes import alive, until

from heat.process.target import NoTarget, PidFileTarget, PidTarget


def nobody(signum: int) -> bool:
    raise AssertionError(signum)


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("signum", [signal.SIGSTOP, signal.SIGTSTP])
def test_what_was_stopped_is_woken(place: Place, signum: int) -> None:
    # In a group of its own, with its parent outside: TSTP stops no orphaned group.
    process = place.spawn(["sleep", "600"], process_group=0)
    target = PidTarget(process.pid)
    target.send(signum)
    until(lambda: state_of(process.pid) == "T", "the stop")

    assert target.wake() == process.pid
    until(lambda: state_of(process.pid) == "S", "the wake")
    assert target.wake() is None
    os.close(target.pidfd)


def test_what_was_continued_is_not_woken_again(place: Place) -> None:
    process = place.spawn(["sleep", "600"])
    target = PidTarget(process.pid)
    target.send(signal.SIGSTOP)
    target.send(signal.SIGCONT)

    assert target.wake() is None
    os.close(target.pidfd)


def test_a_frozen_process_is_woken_though_another_took_its_place(place: Place) -> None:
    old, new = (place.spawn(["sleep", "600"]) for _ in range(2))
    file = place.folder / "pid"
    target = PidFileTarget(str(file), NoTarget(nobody))
    file.write_text(str(old.pid))
    target.send(signal.SIGSTOP)
    until(lambda: state_of(old.pid) == "T", "the stop")
    file.write_text(str(new.pid))
    target.send(signal.SIGCONT)

    until(lambda: state_of(old.pid) == "S", "the wake of the old one")
    assert target.wake() is None


def test_a_frozen_process_that_has_ended_is_owed_nothing(place: Place) -> None:
    process = place.spawn(["sleep", "600"])
    target = PidTarget(process.pid)
    target.send(signal.SIGSTOP)
    process.kill()
    process.wait()

    assert not alive(process.pid)
    assert target.wake() is None
    os.close(target.pidfd)
