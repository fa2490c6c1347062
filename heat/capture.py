"""What one program prints, kept within bounds: the beginning and the end of it."""

LIMIT = 64 * 1024
"""Bytes of one run that are kept; the middle of what goes beyond is cut."""

_LINE = 1024
"""A cut moves to the end of a line, if one is this near."""


class Capture:
    """One stream of one run; memory stays within one and a half times the limit."""

    __slots__ = ("_head", "_tail", "_total")

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._total = 0

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

    def take(self) -> bytes:
        """All of it, or its beginning and its end around a mark; begins anew."""
        kept, total = self._head + self._tail, self._total
        self._head, self._tail, self._total = b"", b"", 0
        return cut(kept, total)


def cut(data: bytes, total: int, limit: int = LIMIT) -> bytes:
    """Cut the middle of ``data``, where the ``total`` bytes it stands for exceed ``limit``.

    ``data`` begins and ends as the whole did, and holds at least ``limit`` bytes of it.
    """
    if total <= limit:
        return data
    head, tail = data[: limit // 2], data[-(limit // 2) :]
    end, start = head.rfind(b"\n"), tail.find(b"\n")
    if end >= len(head) - _LINE:
        head = head[:end]
    if 0 <= start < _LINE:
        tail = tail[start + 1 :]
    mark = f"\n[{total - len(head) - len(tail)} bytes cut here]\n"
    return head + mark.encode() + tail


def together(first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Two streams of one run, within the limit as a whole; the shorter one keeps more."""
    if len(first) + len(second) <= LIMIT:
        return first, second
    half = LIMIT // 2
    return (
        cut(first, len(first), max(half, LIMIT - len(second))),
        cut(second, len(second), max(half, LIMIT - len(first))),
    )
