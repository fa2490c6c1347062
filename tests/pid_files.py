"""Pid files as a target, believed or refused."""

import os
import signal
import time
from pathlib import Path

import pytest
from place import Place, Receiver

from heat.errors import NotBelievedError
from heat.process.target import NoTarget, PidFileTarget

SHOWN = "--pid-file pid"


def of(path: Path) -> PidFileTarget:
    return PidFileTarget(str(path), NoTarget(lambda _signum: False))


Named = tuple[Receiver, Path, PidFileTarget]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def refused(target: PidFileTarget, *parts: str) -> None:
    """Nothing is sent, and that says nothing about the process; nothing is left open."""
    before = descriptors()
    with pytest.raises(NotBelievedError) as caught:
        target.send(signal.SIGUSR1)
    assert caught.value.passing
    assert not caught.value.gone
    for text in parts:
        assert text in str(caught.value)
    assert target.doubt() == str(caught.value)
    assert descriptors() == before


def believed(target: PidFileTarget, receiver: Receiver) -> None:
    before, opened = receiver.signals().count("USR1"), descriptors()

    assert target.send(signal.SIGUSR1) == receiver.pid
    receiver.await_signal("USR1", before + 1)
    assert target.doubt() == ""
    assert descriptors() == opened


def aged(path: Path, pid: int, span: float) -> None:
    """Make the file older than the process, by a span of seconds."""
    ticks = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    ahead = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    written = ahead + ticks / os.sysconf("SC_CLK_TCK") - span
    os.utime(path, (written, written))


def process_with_pid_file(place: Place) -> Named:
    """Start a process; return it, its pid file, and the target that this names."""
    receiver = place.receiver()
    path = place.folder / "pid"
    path.write_text(f"{receiver.pid}\n")
    return receiver, path, of(path)
