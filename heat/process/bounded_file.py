"""A file that is appended to and never grows beyond a bound: its latest half is kept."""

import os

from heat.files import open_for_appending, shut
from states.engine.named_tuple import NamedTuple

BOUND = 1024 * 1024
_KEPT = BOUND // 2


class Appended(NamedTuple):
    """Where it was put, and how long the file is now; both in bytes, ``begin`` as it was then."""

    begin: int
    size: int


def append(path: str, data: bytes) -> Appended:
    """Append to the file at ``path``, and cut it if it has grown. Raises OSError, HeatError."""
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
    kept = os.pread(fd, _KEPT, size - _KEPT)
    kept = kept[kept.find(b"\n") + 1 :]
    os.ftruncate(fd, 0)
    return os.write(fd, kept)
