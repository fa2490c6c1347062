"""The control socket, on the loop that stands: connections, lines, bounds. PROTOCOL.md has them.

No client delays a check: what is ready is read and written in small pieces, an answer is made
as it is taken, and who is silent or slow is let go.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from heat.answers import Answer, Answers, Later, line, refusal
from heat.errors import HeatError
from heat.lock import HeldError, Lock
from heat.loop import Loop
from heat.places import short
from heat.text import escaped

if TYPE_CHECKING:
    from heat.facts import Facts
    from heat.world import Clock, Timer

_LONGEST_REQUEST = 64 * 1024
_MOST_CONNECTIONS = 64
_PATIENCE = 10.0
"""Seconds without a whole request, or without taking anything of an answer."""
_PIECE = 16 * 1024
"""Bytes of an answer that are made at a time."""
_CREDENTIALS = struct.Struct("iII")


class ControlError(HeatError):
    """There can be no such socket: the sentence; ``fix`` says what would do."""

    def __init__(self, error: str, fix: str) -> None:
        super().__init__(error)
        self.fix = fix


class Control:
    """Listens at a path. Raises ControlError; a socket nobody listens at is replaced."""

    def __init__(self, path: str, loop: Loop, clock: Clock, answers: Answers) -> None:
        self.path = path
        self._loop = loop
        self._clock = clock
        self._answers = answers
        self._connections: set[_Connection] = set()
        try:
            self._lock, self._socket, self._identity = _bound(path)
        except HeldError as error:
            who = "another HEAT" if error.pid is None else f"another HEAT, process {error.pid},"
            raise ControlError(
                f"{escaped(path)}: {who} listens there", "give this one --control PATH"
            ) from None
        except (OSError, ValueError) as error:
            why = str(getattr(error, "strerror", None) or error).lower()
            fix = "name a path in a folder that HEAT may write to: --control PATH"
            raise ControlError(f"{escaped(path)}: {why}", fix) from None
        loop.watch(self._socket.fileno(), self._accept, self)

    def crashed(self, error: Exception) -> None:
        """A bug in the socket's handling stops no check: it is said by closing."""
        raise error

    def _accept(self) -> None:
        try:
            there, _ = self._socket.accept()
        except OSError:
            return  # Gone again, or no descriptors: it is asked again.
        there.setblocking(False)
        _pid, uid, _gid = _CREDENTIALS.unpack(
            there.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
        why = ""
        if uid not in (0, os.geteuid()):
            why = "this HEAT answers its own user and root alone"
        elif len(self._connections) >= _MOST_CONNECTIONS:
            why = f"{_MOST_CONNECTIONS} are connected already"
        if why:
            with contextlib.suppress(OSError):
                there.send(refusal(why))
            there.close()
            return
        self._connections.add(
            _Connection(there, self._loop, self._clock, self._answers, self._connections.discard)
        )

    def close(self) -> None:
        """Take no more requests, and leave no socket behind."""
        for connection in list(self._connections):
            connection.close()
        self._loop.forget(self._socket.fileno())
        self._socket.close()
        with contextlib.suppress(OSError):
            about = os.lstat(self.path)
            if (about.st_dev, about.st_ino) == self._identity:
                os.unlink(self.path)
        self._lock.release()


def _bound(path: str) -> tuple[Lock, socket.socket, tuple[int, int]]:
    """A socket that listens at a path; the lock tells a live one from a stale one."""
    lock = Lock(f"{path}.lock")
    listening = None
    try:
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
            os.unlink(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with short(path) as name:
                listening.bind(name)
        finally:
            os.umask(before)
        listening.listen(_MOST_CONNECTIONS)
        listening.setblocking(False)
        about = os.lstat(path)
    except BaseException:
        if listening is not None:
            listening.close()
        lock.release()
        raise
    return lock, listening, (about.st_dev, about.st_ino)


class _Connection:
    """One client: a request is read, answered, and then the next is read."""

    def __init__(
        self,
        there: socket.socket,
        loop: Loop,
        clock: Clock,
        answers: Answers,
        closed: Callable[[_Connection], None],
    ) -> None:
        self._socket = there
        self._fd = there.fileno()
        self._loop = loop
        self._clock = clock
        self._answers = answers
        self._closed = closed
        self._asked = b""
        self._told = b""
        self._answer: Answer | None = None
        self._waits = False
        """For an answer that comes later."""
        self._open = True
        self._ends = False
        """It may ask no more, and is closed once it has its answer."""
        self._deaf = False
        """The client asks no more, and is watched no more; its answer is still to come."""
        self._timer: Timer | None = None
        loop.watch(self._fd, self._ready, self)
        self._patience()

    def crashed(self, error: Exception) -> None:
        """A bug in an answer: the client is told, HEAT goes on."""
        self._answer = None
        with contextlib.suppress(OSError):
            self._socket.send(refusal(f"a bug of HEAT: {error!r}"))
        self.close()

    def _patience(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.at(self._clock.now() + _PATIENCE, self._too_slow, self)

    def _too_slow(self) -> None:
        self._timer = None
        if self._waits:
            self._patience()
            return
        if self._answer is None and not self._told:
            with contextlib.suppress(OSError):
                self._socket.send(refusal(f"no request came for {_PATIENCE:.0f} s"))
        self.close()

    def _ready(self) -> None:
        if self._answer is not None or self._told:
            self._tell()
        else:
            self._hear()

    def _hear(self) -> None:
        try:
            data = self._socket.recv(_LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if not data:
            if self._waits:
                self._deaf = True
                self._loop.forget(self._fd)
            else:
                self.close()
            return
        self._asked += data
        if not self._waits:
            self._take_next()
        elif len(self._asked) > _LONGEST_REQUEST:
            self.close()

    def _take_next(self) -> None:
        """Begin to answer the next whole request, if there is one."""
        request, found, rest = self._asked.partition(b"\n")
        if len(request) > _LONGEST_REQUEST:
            self._ends = True
            self._asked = b""
            self._told = refusal(f"a request has {_LONGEST_REQUEST} bytes at most")
            self._tell()
            return
        if not found:
            return
        self._asked = rest
        if not request.strip():
            self._take_next()
            return
        self._patience()
        self._answer = self._answers.answer(request, self._later)
        if self._answer is not None:
            self._tell()

    def _later(self) -> Later:
        self._waits = True

        def told(facts: Facts) -> None:
            self._waits = False
            if self._deaf:
                with contextlib.suppress(OSError):
                    self._socket.send(line(facts))
                self.close()
            elif self._open:
                self._told = line(facts)
                self._patience()
                self._tell()

        return told

    def _tell(self) -> None:
        """Make the next piece of the answer, and have it sent as far as it is taken."""
        while len(self._told) < _PIECE and self._answer is not None:
            made = next(self._answer, None)
            if made is None:
                self._answer = None
            else:
                self._told += made
        try:
            sent = self._socket.send(self._told)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        self._told = self._told[sent:]
        if sent:
            self._patience()
        if self._told or self._answer is not None:
            self._loop.await_writing(self._fd, reading=False, writing=True)
        elif self._ends:
            self.close()
        else:
            self._loop.await_writing(self._fd, reading=True, writing=False)
            self._take_next()

    def close(self) -> None:
        """Let the client go."""
        if self._open:
            self._open = False
            self._answer = None
            if self._timer is not None:
                self._timer.cancel()
            if not self._deaf:
                self._loop.forget(self._fd)
            self._socket.close()
            self._closed(self)
