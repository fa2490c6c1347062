"""Lock files: one HEAT at a time holds one, and the kernel frees it with the process."""

import contextlib
import fcntl
import os
import re

from heat.errors import HeatError
from heat.files import NotOwnFileError, open_to_write

_LONGEST = 32
"""Bytes; a process id and a line end take fewer."""


class HeldError(HeatError):
    """Another process holds the lock; ``pid`` is its process id, None if the file has none."""

    def __init__(self, path: str, pid: int | None) -> None:
        super().__init__(f"{path} is held by {'another process' if pid is None else pid}")
        self.pid = pid


class Lock:
    """A lock that is held from now on.

    It is one of fcntl(2) and not of flock(2), so that a fork of HEAT does not keep it. Raises
    HeldError, OSError, or NotOwnFileError, and then changes nothing.
    """

    def __init__(self, path: str) -> None:
        self._fd = open_to_write(path, os.O_RDWR | os.O_CREAT, 0o600)
        pid: int | None = None
        try:
            pid = _holder(self._fd)
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(self._fd)
            raise HeldError(path, pid) from None
        except BaseException:
            os.close(self._fd)
            raise
        self._path = path
        with contextlib.suppress(OSError):  # A full disk; the lock holds all the same.
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def in_place(self) -> bool:
        """Return whether its file is still the one that another HEAT would find."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.lstat(self._path))
        except OSError:
            return False

    def release(self) -> None:
        """Release the lock, and leave the file: removing it would be a race."""
        os.close(self._fd)


def _holder(fd: int) -> int | None:
    """Return the process id in a lock file, None if there is none yet; refuse anything else.

    Cargo.lock and flake.lock, for example, are not locks. After a power cut a file of HEAT's own
    may hold NULs.
    """
    data = os.pread(fd, _LONGEST + 1, 0)
    if len(data) > _LONGEST or not re.fullmatch(rb"[0-9]{0,10}\s*\0*", data):
        raise NotOwnFileError("it holds more than a process id, so it is not a lock of HEAT's")
    return int(data.strip(b"\0 \n") or 0) or None
