"""Limits of a connection, before and beside HTTP: how many, how much, how long.

A web library's server waits without end for a header that comes a letter at a time, and parses
what is pipelined without being asked. So a `Door` stands in front of its protocol: it lets through
the head of one request, once that is whole.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import NamedTuple, cast

END_OF_HEAD = b"\r\n\r\n"
NO_HTTP = "the request is not valid HTTP/1.1, or has no Host"

_BEGINS = re.compile(rb"[A-Z\r\n]")
"""The letters that a request may begin with. TLS has others, and its head would never end."""


class Bounds(NamedTuple):
    """Sizes in bytes, times in seconds."""

    connections: int = 64
    head: int = 16_384
    asking: float = 5.0
    """For the head of the request."""
    answering: float = 30.0
    """For the answer, until it has been taken."""
    leaving: float = 1.0
    """For a client that is turned away to read why."""


class House:
    """All doors of a server; makes the protocol of a new connection."""

    def __init__(
        self,
        inner: Callable[[], asyncio.Protocol],
        is_request: Callable[[bytes], bool],
        bounds: Bounds,
    ) -> None:
        self.bounds = bounds
        self.is_request = is_request
        """The protocol behind a door can answer this head."""
        self.inside: set[Door] = set()
        self.leaving: set[Door] = set()
        """Those that have been turned away: they keep nobody else out."""
        self._inner = inner

    def __call__(self) -> "Door":
        """Make the protocol of a new connection."""
        return Door(self, self._inner())


class Door(asyncio.Protocol):
    """One connection, which has one request."""

    def __init__(self, house: House, inner: asyncio.Protocol) -> None:
        self._house = house
        self._bounds = house.bounds
        self._inner = inner
        self._head = bytearray()
        self._is_open = True
        """The head is still coming."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or turn it away if there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        is_full = len(self._house.inside) >= self._bounds.connections
        self._house.inside.add(self)
        self._inner.connection_made(transport)
        self._timer = self._loop.call_later(self._bounds.asking, self._too_slow)
        if is_full:
            self._turn_away("503 Service Unavailable", "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._timer.cancel()
        self._house.inside.discard(self)
        self._house.leaving.discard(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Gather the head, and let it through; what comes behind it is passed over."""
        if not self._is_open:
            return
        seen = max(0, len(self._head) - len(END_OF_HEAD))
        self._head += data[: self._bounds.head + 1]
        end = self._head.find(END_OF_HEAD, seen)
        size = len(self._head) if end < 0 else end + len(END_OF_HEAD)
        if size > self._bounds.head:
            self._turn_away("431 Request Header Fields Too Large", "the head is too large")
        elif not _BEGINS.match(self._head):
            self._turn_away("400 Bad Request", NO_HTTP)
        elif end >= 0:
            self._let_through(bytes(self._head[:size]))

    def _let_through(self, head: bytes) -> None:
        """Hand over a head that can be answered; the others would hold their place for long."""
        if not self._house.is_request(head):
            self._turn_away("400 Bad Request", NO_HTTP)
            return
        self._is_open = False
        self._limit(self._bounds.answering)
        self._inner.data_received(head)

    def eof_received(self) -> bool:
        """A client that has asked and sends no more gets its answer; one turned away has it."""
        return not self._is_open and self not in self._house.leaving

    def pause_writing(self) -> None:
        """The client takes it slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client has taken it."""
        self._inner.resume_writing()

    def _limit(self, span: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(span, self._transport.abort)

    def _too_slow(self) -> None:
        if self._head:
            self._turn_away("408 Request Timeout", "the request came too slowly")
        else:
            self._transport.abort()

    def _turn_away(self, status: str, why: str) -> None:
        """Say why, and give the client a moment to read it: a reset would drop it unread."""
        self._is_open = False
        self._head.clear()
        self._house.inside.discard(self)
        if len(self._house.leaving) >= self._bounds.connections:
            self._transport.abort()
            return
        self._house.leaving.add(self)
        body = f'{{"error": "{why}"}}\n'
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
        with contextlib.suppress(OSError):  # It has gone away already.
            self._transport.write_eof()
        self._limit(self._bounds.leaving)
