"""The server of the control socket, on HEAT's loop; docs/protocol.md has its bounds.

No client delays a check: the steps of connections wait on the agenda behind the checks that are
due, and clients take turns.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from heat.control.connection import Connection
from heat.control.listener import ControlError, Listener
from heat.control.protocol import Kind, encode, refusal
from heat.report.reporter import HeatReport
from heat.runtime.loop import Loop
from heat.text import escaped

if TYPE_CHECKING:
    from heat.control.handlers import Handlers
    from heat.control.protocol import Answer
    from heat.runtime.ports import Clock

_MOST_CONNECTIONS = 64
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
        self._connections: set[Connection] = set()
        self._queue: deque[Connection] = deque()
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
            connection = Connection(client, self._clock, self._loop, self)
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

    def ready(self, connection: Connection) -> None:
        """Queue a client for its next step."""
        self._queue.append(connection)
        if len(self._queue) == 1:
            self._next()

    def _next(self) -> None:
        if self._queue:
            connection = self._queue[0]
            serve = partial(self._serve, connection)
            self._loop.at(self._clock.now(), serve, connection)

    def _serve(self, connection: Connection) -> None:
        try:
            connection.step()
        finally:
            self._queue.popleft()
            self._next()

    def closed(self, connection: Connection) -> None:
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
