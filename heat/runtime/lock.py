"""A file that one HEAT at a time may hold: the lock ends with its process, however that ends."""

import contextlib
import fcntl
import os
import re

from heat.errors import HeatError
from heat.files import NotOwnFileError, open_to_write

_LONGEST = 32
"""Bytes; a process id and a line end are less."""


class HeldError(HeatError):
    """Another process holds the lock; ``pid`` is its process id, None where it is not told."""

    def __init__(self, path: str, pid: int | None) -> None:
        super().__init__(f"{path} is held by {'another process' if pid is None else pid}")
        self.pid = pid


class Lock:
    """Held from now on. Raises HeldError, OSError, or NotOwnFileError with nothing changed.

    A lock of fcntl(2) and not of flock(2): a fork of HEAT does not hold it on.
    """

    def __init__(self, path: str) -> None:
        self._fd = open_to_write(path, os.O_RDWR | os.O_CREAT, 0o600)
        pid: int | None = None
        try:
            pid = _told(self._fd)
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(self._fd)
            raise HeldError(path, pid) from None
        except BaseException:
            os.close(self._fd)
            raise
        self._path = path
        with contextlib.suppress(OSError):  # A full disk; it is held all the same.
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def in_place(self) -> bool:
        """Its file is still the one that another HEAT would find."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.lstat(self._path))
        except OSError:
            return False

    def release(self) -> None:
        """Let another one have it; the file stays, as removing it would be a race."""
        os.close(self._fd)


def _told(fd: int) -> int | None:
    """Read the process id in a lock file, None if there is none yet; anything else is refused.

    Cargo.lock and flake.lock are beside Cargo and flake, and are no locks. After a power cut a
    file of HEAT's own may hold NULs.
    """
    held = os.pread(fd, _LONGEST + 1, 0)
    if len(held) > _LONGEST or not re.fullmatch(rb"[0-9]{0,10}\s*\0*", held):
        raise NotOwnFileError("it holds more than a process id, so it is not a lock of HEAT's")
    return int(held.strip(b"\0 \n") or 0) or None
