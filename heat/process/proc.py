"""Processes as /proc shows them."""

import contextlib
import os
from collections.abc import Iterator

from heat.errors import WANT
from heat.text import escaped
from heat.trust import user

DEAD = {b"Z", b"X"}
"""States of a process that has ended."""
WORKING = ([b"R"], [b"D"])
"""The first field of a process that wants a processor or a disk."""
FLAGS, START_TIME = 6, 19
"""Places in the fields of `proc_stat`."""


def proc_stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the state on (proc(5)); none if it is not there.

    Raises OSError for want of resources.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat_file:
            return stat_file.read().rpartition(b")")[2].split()
    except OSError as error:
        if error.errno in WANT:
            raise
        return []


def has_ended(pid: int) -> bool:
    """Return whether a process is gone, or a zombie that waits to be reaped. Raises OSError."""
    fields = proc_stat(pid)
    return not fields or fields[0] in DEAD


def started(pid: int) -> float | None:
    """Return when a process was started, in seconds since the boot; None if /proc hides it.

    Raises OSError for want of resources.
    """
    fields = proc_stat(pid)
    return int(fields[START_TIME]) / os.sysconf("SC_CLK_TCK") if fields else None


def would_end(pid: int, signum: int) -> bool:
    """Return whether ``signum`` would end ``pid``, which neither catches nor ignores it.

    It may read a signal that it blocks through a signalfd, so that counts as caught.
    """
    handled = 0
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            for line in status:
                key, _, value = line.partition(b":")
                if key in (b"SigCgt", b"SigIgn", b"SigBlk"):
                    handled |= int(value, 16)
    except (OSError, ValueError):
        return False
    return not handled >> (signum - 1) & 1


def members(group: int) -> Iterator[int]:
    """Yield the living processes of a group, without its leader. Raises OSError."""
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(ProcessLookupError):
            if pid != group and os.getpgid(pid) == group and not has_ended(pid):
                yield pid


def described(pid: int) -> str:
    """Return a process as messages name it: its process id, its name and its user."""
    try:
        uid = os.stat(f"/proc/{pid}").st_uid
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="backslashreplace") as comm:
            return f"process {pid} ({escaped(comm.read().strip())}, of {user(uid)})"
    except OSError:
        return f"process {pid}"
