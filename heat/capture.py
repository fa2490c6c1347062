"""What one program prints, kept within bounds: the beginning and the end of it."""

import re

LIMIT = 64 * 1024
"""Bytes of one run that are kept; the middle of what goes beyond is cut."""

_LINE = 1024
"""A cut moves to the end of a line, if one is this near."""
_MARK = re.compile(rb"\n\[([0-9]{1,18}) bytes cut here\]\n")


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
        _shorter(first, max(half, LIMIT - len(second))),
        _shorter(second, max(half, LIMIT - len(first))),
    )


def _shorter(data: bytes, limit: int) -> bytes:
    """Cut once more what may have been cut before, and keep count of all that is gone."""
    found = _MARK.search(data, LIMIT // 2 - _LINE, LIMIT // 2 + _LINE)
    if found is None or len(data) <= limit:
        return cut(data, len(data), limit)
    head, tail = data[: found.start()], data[found.end() :]
    total = len(head) + len(tail) + int(found[1])
    return cut(head + tail, total, min(limit, 2 * len(head), 2 * len(tail)))
