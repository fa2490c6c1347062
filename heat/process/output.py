"""The output of one program, kept within bounds: the beginning and the end of it."""

from heat.text import LAST_BYTES, beginning, last_line
from states.engine.named_tuple import NamedTuple

LIMIT = 64 * 1024
"""Bytes of one run that are kept; the middle of what goes beyond is cut."""

_LINE = 1024
"""A cut moves to the end of a line, if one is this near."""


class Printed(NamedTuple):
    """The bytes that are kept of one stream, and how many there were.

    Where there were more, ``kept`` begins and ends as all of it did, and is no less than LIMIT.
    """

    kept: bytes = b""
    total: int = 0

    @property
    def last_line(self) -> str:
        """The last line, as it is told; where its beginning is cut, the rest of it."""
        return last_line(self.kept if self.total <= len(self.kept) else self.within())

    def within(self, limit: int = LIMIT) -> bytes:
        """All of it, or its beginning and its end around a mark that counts what is gone."""
        if self.total <= limit:
            return self.kept
        head, tail = self.kept[: limit // 2], self.kept[-(limit // 2) :]
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
        """There is something to take."""
        return self._total > 0

    def add(self, data: bytes) -> None:
        """Take what the program has written."""
        self._total += len(data)
        room = LIMIT - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail = (self._tail + data)[-LIMIT // 2 :]

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes of the middle, which are not worth reading."""
        self._total += count
        self._tail = b""

    def peek(self) -> Printed:
        """All that there was, which stays to be taken."""
        return Printed(self._head + self._tail, self._total)

    def take(self) -> Printed:
        """Take all that there was, and begin anew."""
        printed = self.peek()
        self._head, self._tail, self._total = b"", b"", 0
        return printed


class LastLine:
    """The last line of a stream that is not blank, kept as it comes in."""

    __slots__ = ("_begun", "_whole")

    def __init__(self) -> None:
        self._whole = b""
        self._begun = b""

    def add(self, data: bytes) -> None:
        """Take what the program has written."""
        whole, _, rest = (self._begun + data).rpartition(b"\n")
        self._whole = beginning(whole) or self._whole
        self._begun = rest.lstrip()[:LAST_BYTES]

    def __str__(self) -> str:
        """As it is told."""
        return last_line(self._begun) or last_line(self._whole)


def together(first: Printed, second: Printed) -> tuple[bytes, bytes]:
    """Two streams of one run, within the limit as a whole; the shorter one keeps more."""
    half = LIMIT // 2
    return (
        first.within(max(half, LIMIT - second.total)),
        second.within(max(half, LIMIT - first.total)),
    )
