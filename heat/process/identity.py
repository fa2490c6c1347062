"""The identity of a process: it tells one from another that has got its process id since.

A process id and a start time are not enough: an id can come back within the same tick. The inode
of a pidfd is, on Linux 6.9 and newer; on older ones the start time has to do.
"""

import os
from functools import cache

from heat.errors import WANT
from heat.process.proc import START_TIME, has_ended, proc_stat
from states.engine.named_tuple import NamedTuple


class Held(NamedTuple):
    """A process that HEAT must know again after a restart: its id and its identity."""

    pid: int
    identity: str


class GroupLeader(NamedTuple):
    """A leader of a group, as it was started; ``started`` in clock ticks."""

    started: int
    environ: set[bytes]


@cache
def boot() -> str:
    """Return the identity of this run of the machine."""
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
    """Return a text that no other process has, in any run of the machine. Raises OSError."""
    if _inodes_tell():
        return f"{boot()} inode {os.fstat(pidfd).st_ino}"
    fields = proc_stat(pid)
    return f"{boot()} ticks {int(fields[START_TIME])}" if fields else ""


def open_same(pid: int, which: str) -> int | None:
    """Return a pidfd of the process that had this identity; None if it has ended.

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
    """Return the seconds since a process was started; 0 if it is gone."""
    fields = proc_stat(pid)
    if not fields:
        return 0.0
    with open("/proc/uptime", encoding="ascii") as file:
        uptime = float(file.read().split()[0])
    return max(0.0, uptime - int(fields[START_TIME]) / os.sysconf("SC_CLK_TCK"))


def group_leader(pid: int) -> GroupLeader | None:
    """Return how a leader of a group was started.

    None if it leads no group, or a session, or HEAT may not look at it. Raises OSError for want
    of resources.
    """
    try:
        if os.getpgid(pid) != pid or os.getsid(pid) == pid or has_ended(pid):
            return None
        with open(f"/proc/{pid}/environ", "rb") as file:
            environ = set(file.read().split(b"\0"))
        return GroupLeader(int(proc_stat(pid)[START_TIME]), environ)
    except OSError as error:
        if error.errno in WANT:
            raise
        return None
    except IndexError:
        return None
