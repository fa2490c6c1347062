"""Pid files: reading one, and judging whether to believe it.

Unlike other files that give HEAT orders (`heat.trust`), a pid file need not belong to root: the
service of another user writes its own. With it that user may do only what the user may do anyway,
which is to signal own processes. So each file and each link on the way counts by its owner, and
HEAT signals only a process that all those owners could signal themselves. Folders need no look:
a user who puts another file or link there owns that. systemd and start-stop-daemon do much the
same.

A file that is older than its process is the leftover of another one that had the number before.
"""

import errno
import os
import stat
import time
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from heat.errors import WANT, NotBelievedError, TargetError, UnwrittenError, reason_of
from heat.process.signals import PID_MAX
from heat.text import escaped, seconds
from heat.trust import Step, group, leading_to, own, user
from states.engine.named_tuple import NamedTuple

OLDER = 5.0
"""Seconds that a pid file may be older than its process.

A service writes it after it has started, so 0 would do, but for clocks: a leap second, a small
correction of the clock at boot, a file server with a clock of its own, file systems that keep times
in steps of 2 s. A process id comes back this soon only where processes start by the thousand.
"""
_READ = 4096
_MOST_LOOKS = 3
"""A service that puts a new file in its place does so once."""
_SHOWN = 40
_BLANK = b" \t\r\n\v\f\0"
"""A file that was preallocated, or hit by a power cut, ends in NULs."""
_BOM = b"\xef\xbb\xbf"
_IN_MEMORY = {b"tmpfs", b"ramfs", b"devtmpfs"}


class Named(NamedTuple):
    """The process that a pid file names, and the facts by which HEAT believes it or not."""

    pid: int
    shown: str
    about: os.stat_result
    owners: tuple[int, ...]
    """Users who have a say in what the file holds, and may not give HEAT orders."""


def read(path: str) -> Named:
    """Read the file as it is now.

    Raises TargetError, a passing one for want of resources, and UnwrittenError if it is empty.
    """
    shown = escaped(path)
    for _ in range(_MOST_LOOKS):
        steps, place = leading_to(path)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                about = os.fstat(fd)
                data = os.read(fd, _READ) if stat.S_ISREG(about.st_mode) else b""
                in_place = _is_at(fd, steps, place)
            finally:
                os.close(fd)
        except (OSError, ValueError) as error:
            why = f"--pid-file {shown} cannot be read: {reason_of(error)}"
            raise TargetError(why, passing=getattr(error, "errno", None) in WANT) from error
        if not stat.S_ISREG(about.st_mode):
            raise TargetError(f"--pid-file {shown} is not a regular file")
        if in_place:
            ways = [step.about.st_uid for step in steps if not stat.S_ISDIR(step.about.st_mode)]
            # Another file may have taken its place since.
            owners = {uid: None for uid in (*ways, about.st_uid) if not own(uid)}
            return Named(_process_id(data, shown), shown, about, tuple(owners))
    raise NotBelievedError(f"--pid-file {shown} is another file at each look")


def _is_at(fd: int, steps: Iterable[Step], place: str | None) -> bool:
    """Return whether an open file is where its path led, so that nobody put a link there since.

    Links of /proc, such as /proc/PID/root, lead where no text does; root or the process owns them.
    """
    try:
        real_path, proc = os.readlink(f"/proc/self/fd/{fd}"), os.stat("/proc").st_dev
    except FileNotFoundError:
        return not os.path.exists("/proc/self")
    return real_path == place or any(
        stat.S_ISLNK(step.about.st_mode) and step.about.st_dev == proc for step in steps
    )


def _process_id(data: bytes, shown: str) -> int:
    text = data.removeprefix(_BOM).strip(_BLANK)
    if not text:
        why = "is empty: its writer has not written the process id yet"
        raise UnwrittenError(f"--pid-file {shown} {why}")
    word = text.split(b"\n", 1)[0].strip(_BLANK)
    if word.isdigit() and 0 < int(word) <= PID_MAX:
        return int(word)
    start = escaped(word[: _SHOWN + 1].decode("utf-8", "backslashreplace"))
    start = start if len(word) <= _SHOWN else f"{start[:_SHOWN]}..."
    raise TargetError(f"--pid-file {shown} holds no process id, but '{start}'")


def believe(named: Named, started: float | None) -> None:
    """Believe a file, whose process HEAT may then signal, or raise NotBelievedError.

    ``started`` is the start of that process, in seconds since the boot; None if /proc hides it.
    Raises OSError if HEAT cannot look at the process.
    """
    why = _why_writable(named) or _why_not_theirs(named) or _why_left_behind(named, started)
    if why:
        raise NotBelievedError(why)


def _why_writable(named: Named) -> str:
    """Refuse files that many users may write: root's HEAT takes no orders from them."""
    about = named.about
    if os.geteuid() != 0:
        return ""
    if about.st_nlink > 1:
        return f"--pid-file {named.shown} has a second name (a hard link), and HEAT runs as root"
    if about.st_mode & stat.S_IWOTH:
        who = "anybody"
    elif about.st_mode & stat.S_IWGRP and about.st_gid and not named.owners:
        who = group(about.st_gid)
    else:
        return ""
    return (
        f"--pid-file {named.shown} may be written to by {who}, who could name any process, "
        f"and HEAT runs as root: chmod go-w {named.shown}"
    )


def _why_not_theirs(named: Named) -> str:
    """Refuse a process that an owner of the file could not signal by kill(2)."""
    if not named.owners:
        return ""
    real, _, saved = _users(named.pid)
    for owner in named.owners:
        if owner not in (real, saved):
            return (
                f"--pid-file {named.shown} belongs to {user(owner)}, and process {named.pid} "
                f"to {user(real)}: only a process of the user who writes the file is signalled "
                f"(chown -h root {named.shown}, if root writes it)"
            )
    return ""


def _users(pid: int) -> tuple[int, ...]:
    """Return a process's real, effective and saved user; the owner of /proc/PID may be another."""
    with open(f"/proc/{pid}/status", "rb") as status:
        for line in status:
            if line.startswith(b"Uid:"):
                return tuple(map(int, line.split()[1:4]))
    raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))


# Left behind


def _why_left_behind(named: Named, started: float | None) -> str:
    """Refuse a file that is older than its process by more than clocks explain."""
    if started is None:
        return ""
    since_boot = min(clock_ahead_at_first(), clock_ahead())
    older = started - (named.about.st_mtime - since_boot)
    if older <= OLDER or _older_than_its_file_system(named.about):
        return ""
    return (
        f"--pid-file {named.shown} is {seconds(round(older))} s older than process {named.pid}, "
        "so it was left behind by another one that had this number (if that is wrong: "
        f"touch {named.shown})"
    )


def clock_ahead() -> float:
    """Return the Unix seconds at the boot, by the clock as it is set now.

    The clock of a process's start counts from the boot, also while the machine sleeps, and nobody
    can set it; the clock of files can be set. Only a step of that one changes this difference.
    """
    return time.clock_gettime(time.CLOCK_REALTIME) - time.clock_gettime(time.CLOCK_BOOTTIME)


@cache
def clock_ahead_at_first() -> float:
    """Return the same as it was when HEAT began.

    If the clock was put forward since, the file's time may still be the old one. A clock that was
    put back makes a file younger, and HEAT more trusting.
    """
    return clock_ahead()


def _older_than_its_file_system(about: os.stat_result) -> bool:
    """Return whether a file was written in this run of the machine and yet, by the clock, before.

    Then the clock was put forward since. That happens on every boot of a machine without a battery
    for its clock, whose pid files are in /run. What counts is the time of the last change,
    because touch(1) cannot set it.
    """
    return about.st_ctime < clock_ahead() - OLDER and is_in_memory(about.st_dev)


def is_in_memory(device: int) -> bool:
    """Return whether the file system on this device is empty after each boot."""
    which = b"%d:%d" % (os.major(device), os.minor(device))
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            for line in mounts:
                words = line.split()
                if words[2] == which:
                    kind = next(after for dash, after in pairwise(words) if dash == b"-")
                    return kind in _IN_MEMORY
    except (OSError, StopIteration):
        pass
    return False
