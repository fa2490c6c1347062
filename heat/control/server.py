"""The server of the control socket, on HEAT's loop; docs/protocol.md has its bounds.

No client delays a check. The server works in small steps: it reads a part of a request, or makes
and sends a piece of an answer. Each step waits on the agenda behind the checks that are due, and
clients take turns. Idle and slow clients are disconnected.
"""

from __future__ import annotations

import contextlib
import os
import socket
import traceback
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from heat.control.listener import ControlError, Listener
from heat.control.protocol import LONGEST_REQUEST, Kind, encode, refusal
from heat.errors import unforeseen
from heat.report.reporter import HeatReport
from heat.runtime.loop import Loop
from heat.text import escaped

if TYPE_CHECKING:
    from heat.control.handlers import Handlers, Later, Lines
    from heat.control.protocol import Answer
    from heat.runtime.ports import Clock, Timer

_MOST_CONNECTIONS = 64
_PATIENCE = 10.0
"""Seconds that a client has to send a whole request, or to take some of an answer."""
_PIECE = 16 * 1024
"""Bytes of an answer that are made at a time."""
_LOOK_AGAIN = 10.0
"""Seconds from one look at the socket's path to the next."""
_REST = 1.0
"""Seconds without a new connection after descriptors ran out."""


class Control:
    """The server at a path; it replaces a stale socket. Raises ControlError."""

    def __init__(
        self, path: str, world: tuple[Clock, Loop], handlers: Handlers, report: HeatReport
    ) -> None:
        self._path = path
        self._clock, self._loop = world
        self.handlers = handlers
        self._report = report
        self._connections: set[_Connection] = set()
        self._queue: deque[_Connection] = deque()
        """Connections with something to do; the first is next."""
        self._is_lost = False
        """The socket was deleted and cannot be made again, and HEAT has reported it."""
        self._listener: Listener | None = Listener(path)
        self._watch(self._listener)
        self._look_later()

    def crashed(self, error: Exception) -> None:
        """Report a bug in the socket's handling, which stops no check."""
        self._report.bug("".join(traceback.format_exception(error)))

    # The socket

    def _watch(self, listener: Listener) -> None:
        self._loop.watch(listener.fd, self._accept, self, patient=True)

    def _look_later(self) -> None:
        self._loop.at(self._clock.now() + _LOOK_AGAIN, self._look, self)

    def _look(self) -> None:
        self._look_later()
        self.look()

    def look(self) -> None:
        """Make the socket again if somebody has deleted it."""
        if self._listener is not None:
            if self._listener.in_place():
                return
            self._stop_listening()
        try:
            self._listener = Listener(self._path)
        except ControlError as error:
            if not self._is_lost:
                self._is_lost = True
                self._report.controlled(f"the control socket was deleted: {error}")
            return
        self._is_lost = False
        self._watch(self._listener)
        self._report.controlled(
            f"the control socket was deleted: HEAT has made {escaped(self._path)} again"
        )

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._loop.forget(listener.fd)
            listener.close()

    # Connections

    def _accept(self) -> None:
        listener = self._listener
        if listener is None:
            return
        try:
            client, uid = listener.accept()
        except (BlockingIOError, ConnectionError):
            return  # It has gone away.
        except OSError:
            self._rest(listener)
            return
        if answer := self._not_welcome(uid):
            with client, contextlib.suppress(OSError):
                client.send(encode(answer))
            return
        try:
            connection = _Connection(client, self._clock, self._loop, self)
        except OSError:  # No memory to watch it.
            client.close()
        else:
            self._connections.add(connection)

    def _not_welcome(self, uid: int) -> Answer | None:
        if uid not in (0, os.geteuid()):
            hint = "ask as the user that HEAT runs as, or as root"
            return refusal("this HEAT answers only its own user and root", hint, Kind.FORBIDDEN)
        if self.clients >= _MOST_CONNECTIONS:
            message = f"{_MOST_CONNECTIONS} clients are connected already"
            return refusal(message, "try again", Kind.BUSY)
        return None

    def _rest(self, listener: Listener) -> None:
        """Rest for a while: the loop would report a client that waits at each turn."""
        self._loop.await_writing(listener.fd, reading=False, writing=False)

        def wake() -> None:
            if self._listener is listener:
                self._loop.await_writing(listener.fd, reading=True, writing=False)

        self._loop.at(self._clock.now() + _REST, wake, self)

    def ready(self, connection: _Connection) -> None:
        """Queue a client for its next step."""
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
            connection.step()
        finally:
            self._queue.popleft()
            self._next()

    def closed(self, connection: _Connection) -> None:
        """Forget a client that is gone."""
        self._connections.discard(connection)

    @property
    def clients(self) -> int:
        """The number of connected clients."""
        return len(self._connections)

    def close(self) -> None:
        """Take no more requests, and leave no socket behind."""
        for connection in list(self._connections):
            connection.close()
        self._stop_listening()


class _Connection:
    """One client: HEAT reads a request and answers it, and then reads the next."""

    def __init__(self, client: socket.socket, clock: Clock, loop: Loop, control: Control) -> None:
        self._socket = client
        self._fd = client.fileno()
        self._clock = clock
        self._loop = loop
        self._control = control
        self._received = b""
        self._unsent = b""
        self._answer: Lines | None = None
        self._waits = False
        """For an answer that comes later."""
        self._is_queued = False
        self._is_open = True
        self._ends = False
        """It may send no more requests, and is closed after its answer."""
        self._timer: Timer | None = None
        loop.watch(self._fd, self._ready, self)
        self._set_timer()

    def crashed(self, error: Exception) -> None:
        """Tell the client of a bug in its answer; HEAT goes on."""
        self._control.crashed(error)
        self._refuse(unforeseen(error), Kind.BUG)
        self.close()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.at(self._clock.now() + _PATIENCE, self._too_slow, self)

    def _too_slow(self) -> None:
        self._timer = None
        if self._waits:
            self._set_timer()
            return
        if self._answer is None and not self._unsent:
            self._refuse(f"no request came for {_PATIENCE:.0f} s", Kind.TOO_SLOW)
        self.close()

    def _refuse(self, message: str, kind: Kind) -> None:
        with contextlib.suppress(OSError):
            self._socket.send(encode(refusal(message, "", kind)))

    def _ready(self) -> None:
        if not self._is_queued:
            self._is_queued = True
            self._control.ready(self)

    def step(self) -> None:
        """Read some of a request, or send some of an answer."""
        self._is_queued = False
        if not self._is_open:
            return
        if self._waits:
            self.close()  # In this state the loop reports nothing but its end.
        elif self._answer is not None or self._unsent:
            self._send()
        elif self._has_request():
            self._take_next()
        else:
            self._receive()

    def _await(self, *, reading: bool = False, writing: bool = False) -> None:
        self._loop.await_writing(self._fd, reading=reading, writing=writing)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._received = (self._received + data).lstrip()
        if self._has_request():
            self._take_next()

    def _has_request(self) -> bool:
        """Tell if there is a whole request, or one that is too long."""
        return b"\n" in self._received or len(self._received) > LONGEST_REQUEST

    def _take_next(self) -> None:
        """Begin to answer the next request."""
        request, _, rest = self._received.partition(b"\n")
        self._received = rest.lstrip()
        self._set_timer()
        self._await()
        if len(request) > LONGEST_REQUEST:
            self._ends = True
            self._received = b""
            message = f"a request has {LONGEST_REQUEST} bytes at most"
            self._answer = iter([encode(refusal(message, "", Kind.BAD_REQUEST))])
        else:
            self._answer = self._control.handlers.answer(request, self._later)
        if self._answer is not None:
            self._send()

    def _later(self) -> Later:
        self._waits = True

        def answer(line: Answer) -> None:
            self._waits = False
            if self._is_open:
                self._unsent = encode(line)
                self._set_timer()
                self._await(writing=True)

        return answer

    def _send(self) -> None:
        """Make the next piece of the answer, and send as much as the client takes."""
        while len(self._unsent) < _PIECE and self._answer is not None:
            line = next(self._answer, None)
            if line is None:
                self._answer = None
            else:
                self._unsent += line
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        self._unsent = self._unsent[sent:]
        if sent:
            self._set_timer()
        if self._unsent or self._answer is not None or self._has_request():
            self._await(writing=True)
        elif self._ends:
            self.close()
        else:
            self._await(reading=True)

    def close(self) -> None:
        """Disconnect the client."""
        if self._is_open:
            self._is_open = False
            self._answer = None
            if self._timer is not None:
                self._timer.cancel()
            self._loop.forget(self._fd)
            self._socket.close()
            self._control.closed(self)
