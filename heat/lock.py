"""A file that one HEAT at a time may hold: the lock ends with its process, however that ends."""

import contextlib
import fcntl
import os

from heat.errors import HeatError


class HeldError(HeatError):
    """Another process holds the lock; ``pid`` is its process id, None where it is not told."""

    def __init__(self, path: str, pid: int | None) -> None:
        super().__init__(f"{path} is held by {'another process' if pid is None else pid}")
        self.pid = pid


class Lock:
    """Held from now on. Raises HeldError, or OSError.

    A lock of fcntl(2) and not of flock(2): a fork of HEAT does not hold it on.
    """

    def __init__(self, path: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            held = os.pread(self._fd, 32, 0).strip()
            os.close(self._fd)
            if not isinstance(error, BlockingIOError | PermissionError):
                raise
            raise HeldError(path, int(held) if held.isdigit() else None) from None
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
