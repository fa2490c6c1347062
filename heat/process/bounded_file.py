"""A file that grows to a bound by appending, and is then cut to its latest half."""

import os

from heat.files import open_for_appending, shut
from states.engine.named_tuple import NamedTuple

BOUND = 1024 * 1024
_KEPT = BOUND // 2


class Appended(NamedTuple):
    """The offset of what was appended, before any cut, and the size of the file now; in bytes."""

    begin: int
    size: int


def append(path: str, data: bytes) -> Appended:
    """Append to the file at ``path``, and cut it at its bound. Raises OSError, HeatError."""
    fd = open_for_appending(path, reading=True)
    try:
        written = 0
        while written < len(data):
            written += os.write(fd, data[written:])
        end = os.lseek(fd, 0, os.SEEK_CUR)
        size = os.fstat(fd).st_size
        return Appended(end - written, size if size <= BOUND else _cut(fd, size))
    finally:
        shut(fd)


def _cut(fd: int, size: int) -> int:
    tail = os.pread(fd, _KEPT, size - _KEPT)
    tail = tail[tail.find(b"\n") + 1 :]
    os.ftruncate(fd, 0)
    return os.write(fd, tail)
