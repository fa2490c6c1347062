"""A client of the control socket, as HEAT sees it.

HEAT serves it in small steps: it reads a part of a request, or makes and sends a piece of an
answer. It disconnects idle and slow clients.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from heat.control.protocol import LONGEST_REQUEST, Kind, encode, refusal
from heat.errors import unforeseen
from heat.runtime.loop import Loop

if TYPE_CHECKING:
    from heat.control.handlers import Later, Lines
    from heat.control.protocol import Answer
    from heat.control.server import Control
    from heat.runtime.ports import Clock, Timer

_PATIENCE = 10.0
"""Seconds that a client has to send a whole request, or to take some of an answer."""
_PIECE = 16 * 1024
"""Bytes of an answer that are made at a time."""


class Connection:
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
