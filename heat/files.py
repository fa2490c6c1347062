"""The files that HEAT writes: its own, regular, with one name."""

import contextlib
import errno
import os
import stat

from heat.errors import HeatError
from heat.trust import Trust, is_foreign, own, user

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_LOOKS = 3
"""A rotation may move a file just as HEAT opens it; that happens once."""
_NOT_REGULAR = "it is not a regular file"


class NotOwnFileError(HeatError):
    """HEAT does not write to this file: it is another user's, or not a regular file."""


def open_to_write(path: str, flags: int, mode: int = 0o640) -> int:
    """Open a file of HEAT's own, the one way to do so: regular, with one name, not a link.

    HEAT changes nothing in a file that it refuses, so ``flags`` may create, and never truncate.
    Raises OSError or NotOwnFileError.
    """
    if doubts := Trust().doubts(path, follow=False):
        raise NotOwnFileError(f"{doubts[0].sentence('it')} ({doubts[0].hint})")
    for _ in range(_LOOKS):
        fd = _opened(path, flags, mode)
        try:
            # A second name may have gone since; then the file only looks like HEAT's.
            if os.path.samestat(os.fstat(fd), os.lstat(path)):
                return fd
        except FileNotFoundError:
            pass
        except BaseException:
            shut(fd)
            raise
        shut(fd)
    raise NotOwnFileError("it is another file at each look")


def _opened(path: str, flags: int, mode: int) -> int:
    safe = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    try:
        fd = os.open(path, flags | safe, mode)
    except OSError as error:
        if os.path.islink(path):
            raise NotOwnFileError("it is a symbolic link") from None
        if error.errno == errno.ENXIO:  # A named pipe that nobody reads, or a socket.
            raise NotOwnFileError(_NOT_REGULAR) from None
        raise
    try:
        if why := _why_not_own(os.fstat(fd)):
            raise NotOwnFileError(why)
    except BaseException:
        shut(fd)
        raise
    return fd


def _why_not_own(about: os.stat_result) -> str:
    if not stat.S_ISREG(about.st_mode):
        return _NOT_REGULAR
    if about.st_nlink > 1:
        return "it has a second name (a hard link)"
    if not own(about.st_uid):
        return f"it belongs to {user(about.st_uid)}"
    why = is_foreign(about)
    return f"it {why}" if why else ""


def try_to_open(path: str) -> None:
    """Open and close a log, and create none. Raises OSError or HeatError where it cannot."""
    try:
        shut(open_for_appending(path, os.O_CREAT))
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        os.stat(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise HeatError("the folder may not be written to") from None


def open_for_appending(path: str, without: int = 0, *, reading: bool = False) -> int:
    """Return a descriptor of a log. Raises OSError or HeatError."""
    flags = _FLAGS & ~without
    return open_to_write(path, flags & ~os.O_WRONLY | os.O_RDWR if reading else flags)


def shut(fd: int) -> None:
    """Close ``fd``; if a network file system reports an error, it is closed all the same."""
    with contextlib.suppress(OSError):
        os.close(fd)
