"""Which process it was: what tells it from another one that has got its process id since.

A process id and a start time do not: an id can come back within the same tick. The inode of
a pidfd does, on Linux 6.9 and newer; on older ones the start time has to do.
"""

import os
from functools import cache

from heat.errors import WANT
from heat.process.target import START_TIME, has_ended, proc_stat
from states.engine.named_tuple import NamedTuple


@cache
def boot() -> str:
    """Which run of this machine it is."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


@cache
def _inodes_tell() -> bool:
    mine, other = os.pidfd_open(os.getpid()), os.pidfd_open(1)
    try:
        return os.getpid() == 1 or os.fstat(mine).st_ino != os.fstat(other).st_ino
    finally:
        os.close(mine)
        os.close(other)


def identity(pid: int, pidfd: int) -> str:
    """A text that no other process has, in this run of the machine or another. Raises OSError."""
    if _inodes_tell():
        return f"{boot()} inode {os.fstat(pidfd).st_ino}"
    about = proc_stat(pid)
    return f"{boot()} ticks {int(about[START_TIME])}" if about else ""


def open_same(pid: int, which: str) -> int | None:
    """A pidfd of the process that had this identity; None if it has ended.

    Raises OSError for want of resources, which says nothing of the process.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except OSError as error:
        if error.errno in WANT:
            raise
        return None
    try:
        same = identity(pid, pidfd) == which and not has_ended(pid)
    except OSError as error:
        if error.errno in WANT:
            os.close(pidfd)
            raise
        same = False
    if not same:
        os.close(pidfd)
        return None
    return pidfd


def age(pid: int) -> float:
    """Seconds since a process was started; 0 if it is gone."""
    about = proc_stat(pid)
    if not about:
        return 0.0
    with open("/proc/uptime", encoding="ascii") as file:
        up = float(file.read().split()[0])
    return max(0.0, up - int(about[START_TIME]) / os.sysconf("SC_CLK_TCK"))


class Told(NamedTuple):
    """The environment that a leader of a group was started with; ``started`` in clock ticks."""

    started: int
    environ: set[bytes]


def started_with(pid: int) -> Told | None:
    """The environment that this process was started with.

    None if it leads no group, or a session, or may not be looked at. Raises OSError for want
    of resources.
    """
    try:
        if os.getpgid(pid) != pid or os.getsid(pid) == pid or has_ended(pid):
            return None
        with open(f"/proc/{pid}/environ", "rb") as file:
            environ = set(file.read().split(b"\0"))
        return Told(int(proc_stat(pid)[START_TIME]), environ)
    except OSError as error:
        if error.errno in WANT:
            raise
        return None
    except IndexError:
        return None
