"""The control socket, on the loop: connections, lines, bounds (docs/protocol.md).

No client delays a check. What is done for one is a small step: a part of a request is read, or
a piece of an answer made and sent. The steps have their turns on the agenda, behind the checks
that are due, one client after the other. Who is silent or slow is let go.
"""

from __future__ import annotations

import contextlib
import os
import socket
import traceback
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from heat.control.handlers import Answer, Answers, Later, line, refusal
from heat.control.listener import ControlError, Listening
from heat.control.protocol import Kind
from heat.errors import unforeseen
from heat.report.reporter import HeatReport
from heat.runtime.loop import Loop
from heat.text import escaped

if TYPE_CHECKING:
    from heat.control.views import Facts
    from heat.runtime.ports import Clock, Timer

_LONGEST_REQUEST = 64 * 1024
_MOST_CONNECTIONS = 64
_PATIENCE = 10.0
"""Seconds without a whole request, or without taking anything of an answer."""
_PIECE = 16 * 1024
"""Bytes of an answer that are made at a time."""
_LOOK_AGAIN = 10.0
"""Seconds after which it is looked whether the socket is still at its path."""
_WANT = 1.0
"""Seconds until a connection is taken that could not be, for want of descriptors."""


class Control:
    """Listens at a path. Raises ControlError; a socket nobody listens at is replaced."""

    def __init__(
        self, path: str, world: tuple[Clock, Loop], answers: Answers, journal: HeatReport
    ) -> None:
        self._path = path
        self._clock, self._loop = world
        self._answers = answers
        self._journal = journal
        self._connections: set[_Connection] = set()
        self._queue: deque[_Connection] = deque()
        """Those for which something can be done, the first of them next."""
        self._missed = False
        """The socket is gone and cannot be made anew, which was said."""
        self._listening: Listening | None = Listening(path)
        self._watch(self._listening)
        self._look_later()

    def crashed(self, error: Exception) -> None:
        """A bug in the socket's handling stops no check."""
        self._journal.bug("".join(traceback.format_exception(error)))

    # The socket

    def _watch(self, listening: Listening) -> None:
        self._loop.watch(listening.fd, self._accept, self, patient=True)

    def _look_later(self) -> None:
        self._loop.at(self._clock.now() + _LOOK_AGAIN, self._look, self)

    def _look(self) -> None:
        self._look_later()
        self.look()

    def look(self) -> None:
        """Make a socket anew that somebody has deleted."""
        if self._listening is not None:
            if self._listening.in_place():
                return
            self._stop_listening()
        try:
            self._listening = Listening(self._path)
        except ControlError as error:
            if not self._missed:
                self._missed = True
                self._journal.controlled(f"the control socket was deleted: {error}")
            return
        self._missed = False
        self._watch(self._listening)
        self._journal.controlled(
            f"the control socket was deleted: {escaped(self._path)} is made anew"
        )

    def _stop_listening(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            self._loop.forget(listening.fd)
            listening.close()

    # Connections

    def _accept(self) -> None:
        listening = self._listening
        if listening is None:
            return
        try:
            there, uid = listening.accept()
        except (BlockingIOError, ConnectionError):
            return  # It is gone again.
        except OSError:
            self._rest(listening)
            return
        no = b""
        if uid not in (0, os.geteuid()):
            hint = "ask as the user that HEAT runs as, or as root"
            no = refusal("this HEAT answers only its own user and root", hint, Kind.FORBIDDEN)
        elif self.clients >= _MOST_CONNECTIONS:
            no = refusal(
                f"{_MOST_CONNECTIONS} clients are connected already", "try again", Kind.BUSY
            )
        if no:
            with there, contextlib.suppress(OSError):
                there.send(no)
            return
        try:
            connection = _Connection(there, self._clock, self._loop, self)
        except OSError:  # No memory to watch it.
            there.close()
        else:
            self._connections.add(connection)

    def _rest(self, listening: Listening) -> None:
        """Rest for a while: a client that waits would be reported at each turn."""
        self._loop.await_writing(listening.fd, reading=False, writing=False)

        def again() -> None:
            if self._listening is listening:
                self._loop.await_writing(listening.fd, reading=True, writing=False)

        self._loop.at(self._clock.now() + _WANT, again, self)

    def ready(self, connection: _Connection) -> None:
        """Something can be done for this client: have it done when it is its turn."""
        self._queue.append(connection)
        if len(self._queue) == 1:
            self._next()

    def _next(self) -> None:
        if self._queue:
            connection = self._queue[0]
            serve = partial(self._serve, connection)
            self._loop.at(self._clock.now(), serve, connection)

    def _serve(self, connection: _Connection) -> None:
        try:
            connection.go_on()
        finally:
            self._queue.popleft()
            self._next()

    def answer(self, request: bytes, later: Callable[[], Later]) -> Answer | None:
        """The answer to a line; None if it comes ``later``."""
        return self._answers.answer(request, later)

    def closed(self, connection: _Connection) -> None:
        """A client is gone."""
        self._connections.discard(connection)

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._connections)

    def close(self) -> None:
        """Take no more requests, and leave no socket behind."""
        for connection in list(self._connections):
            connection.close()
        self._stop_listening()


class _Connection:
    """One client: a request is read, answered, and then the next is read."""

    def __init__(self, there: socket.socket, clock: Clock, loop: Loop, control: Control) -> None:
        self._socket = there
        self._fd = there.fileno()
        self._clock = clock
        self._loop = loop
        self._control = control
        self._asked = b""
        self._told = b""
        self._answer: Answer | None = None
        self._waits = False
        """For an answer that comes later."""
        self._queued = False
        self._open = True
        self._ends = False
        """It may ask no more, and is closed once it has its answer."""
        self._timer: Timer | None = None
        loop.watch(self._fd, self._ready, self)
        self._patience()

    def crashed(self, error: Exception) -> None:
        """A bug in an answer: the client is told, HEAT goes on."""
        self._control.crashed(error)
        self._say(unforeseen(error), Kind.BUG)
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
            self._say(f"no request came for {_PATIENCE:.0f} s", Kind.TOO_SLOW)
        self.close()

    def _say(self, why: str, kind: Kind) -> None:
        with contextlib.suppress(OSError):
            self._socket.send(refusal(why, "", kind))

    def _ready(self) -> None:
        if not self._queued:
            self._queued = True
            self._control.ready(self)

    def go_on(self) -> None:
        """Take one step for it."""
        self._queued = False
        if not self._open:
            return
        if self._waits:
            self.close()  # Nothing but its end is reported meanwhile.
        elif self._answer is not None or self._told:
            self._tell()
        elif self._has_request():
            self._take_next()
        else:
            self._hear()

    def _await(self, *, reading: bool = False, writing: bool = False) -> None:
        self._loop.await_writing(self._fd, reading=reading, writing=writing)

    def _hear(self) -> None:
        try:
            data = self._socket.recv(_LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._asked = (self._asked + data).lstrip()
        if self._has_request():
            self._take_next()

    def _has_request(self) -> bool:
        """A whole one, or one that is too long."""
        return b"\n" in self._asked or len(self._asked) > _LONGEST_REQUEST

    def _take_next(self) -> None:
        """Begin to answer the next request."""
        request, _, rest = self._asked.partition(b"\n")
        self._asked = rest.lstrip()
        self._patience()
        self._await()
        if len(request) > _LONGEST_REQUEST:
            self._ends = True
            self._asked = b""
            why = f"a request has {_LONGEST_REQUEST} bytes at most"
            self._answer = iter([refusal(why, "", Kind.BAD_REQUEST)])
        else:
            self._answer = self._control.answer(request, self._later)
        if self._answer is not None:
            self._tell()

    def _later(self) -> Later:
        self._waits = True

        def told(facts: Facts) -> None:
            self._waits = False
            if self._open:
                self._told = line(facts)
                self._patience()
                self._await(writing=True)

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
        if self._told or self._answer is not None or self._has_request():
            self._await(writing=True)
        elif self._ends:
            self.close()
        else:
            self._await(reading=True)

    def close(self) -> None:
        """Let the client go."""
        if self._open:
            self._open = False
            self._answer = None
            if self._timer is not None:
                self._timer.cancel()
            self._loop.forget(self._fd)
            self._socket.close()
            self._control.closed(self)
