"""A unix socket that listens at a path: a stale one is replaced, a live one never."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct

from heat.control.paths import short
from heat.errors import HeatError, reason_of
from heat.files import NotOwnFileError
from heat.runtime.lock import HeldError, Lock
from heat.text import escaped

_CREDENTIALS = struct.Struct("iII")
_MOST_WAITING = 64
"""Connections that the system keeps until they are taken."""


class ControlError(HeatError):
    """There can be no such socket: the sentence; ``fix`` says what would do."""

    def __init__(self, error: str, hint: str) -> None:
        super().__init__(error)
        self.hint = hint


class Listening:
    """Listens there from now on, with mode 0600. Raises ControlError."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._lock = Lock(f"{path}.lock")
            try:
                self._socket, self._identity = _bound(path)
            except BaseException:
                self._lock.release()
                raise
        except NotOwnFileError as error:
            hint = "name a path that nothing else has, in a folder of HEAT's: --control PATH"
            raise ControlError(f"{escaped(path)}.lock: {error}", hint) from None
        except HeldError as error:
            who = "another HEAT" if error.pid is None else f"another HEAT, process {error.pid},"
            raise ControlError(
                f"{escaped(path)}: {who} listens there", "give this one --control PATH"
            ) from None
        except (OSError, ValueError) as error:
            why = reason_of(error)
            hint = "name a path in a folder that HEAT may write to: --control PATH"
            raise ControlError(f"{escaped(path)}: {why}", hint) from None
        self.fd = self._socket.fileno()

    def accept(self) -> tuple[socket.socket, int]:
        """A client that does not block, and the user it is of. Raises OSError."""
        there, _ = self._socket.accept()
        try:
            there.setblocking(False)
            told = there.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError:
            there.close()
            raise
        _pid, uid, _gid = _CREDENTIALS.unpack(told)
        return there, uid

    def in_place(self) -> bool:
        """It is still the one at its path."""
        try:
            return _look(self._path) == self._identity
        except OSError:
            return False

    def close(self) -> None:
        """Listen no more, and leave no socket behind."""
        self._socket.close()
        if self.in_place():
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        self._lock.release()


def _bound(path: str) -> tuple[socket.socket, tuple[int, int]]:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
        if _alive(path):
            raise OSError(errno.EADDRINUSE, "another program listens there")
        os.unlink(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            with short(path) as name:
                listening.bind(name)
        finally:
            os.umask(before)
        listening.listen(_MOST_WAITING)
        listening.setblocking(False)
        return listening, _look(path)
    except BaseException:
        listening.close()
        raise


def _alive(path: str) -> bool:
    """Tell if some program has this socket: a HEAT whose lock was deleted, or a stranger."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there, short(path) as name:
        there.setblocking(False)
        try:
            there.connect(name)
        except ConnectionRefusedError:
            return False
        except OSError:
            return True  # It is of another kind, another user's, or too busy to answer.
    return True


def _look(path: str) -> tuple[int, int]:
    about = os.lstat(path)
    return about.st_dev, about.st_ino
