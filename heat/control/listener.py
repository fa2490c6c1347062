"""A Unix socket that listens at a path; it replaces a stale socket, and never a live one."""

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
"""Connections that the system keeps until HEAT accepts them."""


class ControlError(HeatError):
    """A path at which HEAT cannot listen: the reason, and the way out."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint


class Listener:
    """A socket that listens from now on, with mode 0600. Raises ControlError."""

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
            hint = "name a path that nothing else uses, in a folder of HEAT's: --control PATH"
            raise ControlError(f"{escaped(path)}.lock: {error}", hint) from None
        except HeldError as error:
            who = "another HEAT" if error.pid is None else f"another HEAT, process {error.pid},"
            raise ControlError(
                f"{escaped(path)}: {who} listens there", "give this one --control PATH"
            ) from None
        except (OSError, ValueError) as error:
            hint = "name a path in a folder that HEAT may write to: --control PATH"
            raise ControlError(f"{escaped(path)}: {reason_of(error)}", hint) from None
        self.fd = self._socket.fileno()

    def accept(self) -> tuple[socket.socket, int]:
        """Return a client's socket, which does not block, and its user. Raises OSError."""
        client, _ = self._socket.accept()
        try:
            client.setblocking(False)
            size = _CREDENTIALS.size
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        except OSError:
            client.close()
            raise
        _pid, uid, _gid = _CREDENTIALS.unpack(credentials)
        return client, uid

    def in_place(self) -> bool:
        """Tell if it is still the socket at its path."""
        try:
            return _look(self._path) == self._identity
        except OSError:
            return False

    def close(self) -> None:
        """Stop listening, and leave no socket behind."""
        self._socket.close()
        if self.in_place():
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        self._lock.release()


def _bound(path: str) -> tuple[socket.socket, tuple[int, int]]:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file that is not a socket")
        if _alive(path):
            raise OSError(errno.EADDRINUSE, "another program listens there")
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            with short(path) as name:
                listener.bind(name)
        finally:
            os.umask(before)
        listener.listen(_MOST_WAITING)
        listener.setblocking(False)
        return listener, _look(path)
    except BaseException:
        listener.close()
        raise


def _alive(path: str) -> bool:
    """Tell if a program listens there: a HEAT whose lock was deleted, or a stranger."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, short(path) as name:
        probe.setblocking(False)
        try:
            probe.connect(name)
        except ConnectionRefusedError:
            return False
        except OSError:
            return True  # It has another type or another owner, or is too busy to answer.
    return True


def _look(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino
