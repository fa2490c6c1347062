"""The output of one program within bounds: its beginning and its end."""

from heat.text import LAST_BYTES, beginning, last_line
from states.engine.named_tuple import NamedTuple

LIMIT = 64 * 1024
"""Bytes of one run that HEAT keeps; it cuts the middle of longer output."""

_LINE = 1024
"""A cut moves to the end of a line if one is this near."""


class Printed(NamedTuple):
    """The bytes that HEAT keeps of one stream, and their number before any cut.

    After a cut, ``data`` begins and ends as all of it did, and is at least LIMIT long.
    """

    data: bytes = b""
    total: int = 0

    @property
    def last_line(self) -> str:
        """The last line, as messages show it; if its beginning is cut, the rest of it."""
        return last_line(self.data if self.total <= len(self.data) else self.within())

    def within(self, limit: int = LIMIT) -> bytes:
        """Return all of it, or its beginning and end around a mark that counts the bytes cut."""
        if self.total <= limit:
            return self.data
        head, tail = self.data[: limit // 2], self.data[-(limit // 2) :]
        end, start = head.rfind(b"\n") + 1, tail.find(b"\n") + 1
        if end > len(head) - _LINE:
            head = head[:end]
        if start <= _LINE:
            tail = tail[start:]
        gone = self.total - len(head) - len(tail)
        line_end = b"" if head.endswith(b"\n") else b"\n"
        return b"%b%b[%d bytes cut here]\n%b" % (head, line_end, gone, tail)


class Capture:
    """One stream of one run; memory stays within one and a half times the limit."""

    __slots__ = ("_head", "_tail", "_total")

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._total = 0

    def __bool__(self) -> bool:
        """Return whether there is something to take."""
        return self._total > 0

    def add(self, data: bytes) -> None:
        """Add what the program has written."""
        self._total += len(data)
        room = LIMIT - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail = (self._tail + data)[-LIMIT // 2 :]

    def skip(self, count: int) -> None:
        """Skip ``count`` bytes of the middle, which are not worth reading."""
        self._total += count
        self._tail = b""

    def peek(self) -> Printed:
        """Return all of it, and keep it."""
        return Printed(self._head + self._tail, self._total)

    def take(self) -> Printed:
        """Return all of it, and start again with nothing."""
        printed = self.peek()
        self._head, self._tail, self._total = b"", b"", 0
        return printed


class LastLine:
    """The last line of a stream that is not blank, updated as the stream comes in."""

    __slots__ = ("_begun", "_whole")

    def __init__(self) -> None:
        self._whole = b""
        self._begun = b""

    def add(self, data: bytes) -> None:
        """Add what the program has written."""
        whole, _, rest = (self._begun + data).rpartition(b"\n")
        self._whole = beginning(whole) or self._whole
        self._begun = rest.lstrip()[:LAST_BYTES]

    def __str__(self) -> str:
        """Return it as messages show it."""
        return last_line(self._begun) or last_line(self._whole)


def together(first: Printed, second: Printed) -> tuple[bytes, bytes]:
    """Return two streams of one run within one limit; the shorter one keeps more."""
    half = LIMIT // 2
    return (
        first.within(max(half, LIMIT - second.total)),
        second.within(max(half, LIMIT - first.total)),
    )
