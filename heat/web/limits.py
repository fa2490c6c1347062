"""Limits of connections, before and around HTTP: how many, how much, how long.

They stop slowloris clients and pipelining. A web library's server waits without end for a header
that comes a letter at a time, and parses pipelined requests that nobody wants. So a `Connection`
stands in front of its protocol, and hands it the head of one request once that is whole.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import NamedTuple, cast

END_OF_HEAD = b"\r\n\r\n"
NOT_HTTP = "the request is not valid HTTP/1.1, or has no Host"

_BEGINNING = re.compile(rb"[A-Z\r\n]")
"""The letters that a request may begin with. TLS has others, and its head would never end."""


class Bounds(NamedTuple):
    """Sizes in bytes, times in seconds."""

    connections: int = 64
    head: int = 16_384
    asking: float = 5.0
    """For the head of the request."""
    answering: float = 30.0
    """For the whole response, until the client has taken it."""
    leaving: float = 1.0
    """For a client that is turned away to read why."""


class Connections:
    """All connections of a server; makes the protocol of a new one."""

    def __init__(
        self,
        inner: Callable[[], asyncio.Protocol],
        is_request: Callable[[bytes], bool],
        bounds: Bounds,
    ) -> None:
        self.bounds = bounds
        self.is_request = is_request
        """The inner protocol can answer this head."""
        self.active: set[Connection] = set()
        self.leaving: set[Connection] = set()
        """Those turned away, which keep nobody else out."""
        self._inner = inner

    def __call__(self) -> "Connection":
        """Make the protocol of a new connection."""
        return Connection(self, self._inner())


class Connection(asyncio.Protocol):
    """One connection, which has one request."""

    def __init__(self, others: Connections, inner: asyncio.Protocol) -> None:
        self._others = others
        self._bounds = others.bounds
        self._inner = inner
        self._head = bytearray()
        self._is_reading = True
        """The head is still coming."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a client, or turn it away if there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        is_full = len(self._others.active) >= self._bounds.connections
        self._others.active.add(self)
        self._inner.connection_made(transport)
        self._timer = self._loop.call_later(self._bounds.asking, self._too_slow)
        if is_full:
            self._turn_away("503 Service Unavailable", "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._timer.cancel()
        self._others.active.discard(self)
        self._others.leaving.discard(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Gather the head, hand it over, and ignore what follows it."""
        if not self._is_reading:
            return
        start = max(0, len(self._head) - len(END_OF_HEAD))
        self._head += data[: self._bounds.head + 1]
        end = self._head.find(END_OF_HEAD, start)
        size = len(self._head) if end < 0 else end + len(END_OF_HEAD)
        if size > self._bounds.head:
            self._turn_away("431 Request Header Fields Too Large", "the head is too large")
        elif not _BEGINNING.match(self._head):
            self._turn_away("400 Bad Request", NOT_HTTP)
        elif end >= 0:
            self._hand_over(bytes(self._head[:size]))

    def _hand_over(self, head: bytes) -> None:
        """Hand over a head that can be answered; others would hold their connection for long."""
        if not self._others.is_request(head):
            self._turn_away("400 Bad Request", NOT_HTTP)
            return
        self._is_reading = False
        self._limit(self._bounds.answering)
        self._inner.data_received(head)

    def eof_received(self) -> bool:
        """Keep a client that only sends no more: it still gets its response."""
        return not self._is_reading and self not in self._others.leaving

    def pause_writing(self) -> None:
        """Wait for a slow client."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Write again: the client has taken it."""
        self._inner.resume_writing()

    def _limit(self, span: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(span, self._transport.abort)

    def _too_slow(self) -> None:
        if self._head:
            self._turn_away("408 Request Timeout", "the request came too slowly")
        else:
            self._transport.abort()

    def _turn_away(self, status: str, reason: str) -> None:
        """Say why, and give the client a moment to read it: a reset would drop it unread."""
        self._is_reading = False
        self._head.clear()
        self._others.active.discard(self)
        if len(self._others.leaving) >= self._bounds.connections:
            self._transport.abort()
            return
        self._others.leaving.add(self)
        body = f'{{"error": "{reason}"}}\n'
        lines = (
            f"HTTP/1.1 {status}",
            "Content-Type: application/json",
            "X-Content-Type-Options: nosniff",
            f"Content-Length: {len(body)}",
            "Connection: close",
            "",
            body,
        )
        self._transport.write("\r\n".join(lines).encode())
        with contextlib.suppress(OSError):  # The client may be gone.
            self._transport.write_eof()
        self._limit(self._bounds.leaving)
