"""The file that fail and recovery scripts print to: ``heat.NAME.out``.

A file and not a pipe: a service that a script leaves running must be able to print on when
HEAT has closed its end. What is appended is read at each tick and at each script's end, and
the file is emptied when it has grown beyond a mebibyte.
"""

import os
from collections.abc import Callable

from heat.capture import LIMIT, Capture
from heat.errors import HeatError, reason_of
from heat.files import open_to_write
from heat.log import open_for_appending
from heat.text import escaped

BOUND = 1024 * 1024


class ScriptOutput:
    """One monitor's script output; ``said`` is told, once, when it cannot be kept."""

    def __init__(self, path: str, said: Callable[[str], None]) -> None:
        self.path = path
        self._shown = escaped(path)
        self._said = said
        self._offset = _size(path)
        self._capture = Capture()
        self._used = False
        self._trouble = False

    def open(self) -> int | None:
        """A descriptor for a script to print to; None where there can be none."""
        try:
            fd = open_for_appending(self.path)
        except (OSError, HeatError) as error:
            why = reason_of(error)
            self._troubled(f"cannot open {self._shown}: {why}; what the scripts print is lost")
            return None
        os.set_blocking(fd, True)
        self._used, self._trouble = True, False
        return fd

    def _troubled(self, text: str) -> None:
        if not self._trouble:
            self._trouble = True
            self._said(text)

    def collect(self) -> None:
        """Read what was appended, and empty the file if it has grown too large."""
        if not self._used:
            return
        try:
            fd = open_to_write(self.path, os.O_RDWR)
        except (OSError, HeatError):
            return
        try:
            size = os.fstat(fd).st_size
            self._offset = min(self._offset, size)
            self._read(fd, min(size, self._offset + LIMIT))
            if (middle := size - self._offset - LIMIT) > 0:
                self._capture.skip(middle)
                self._offset += middle
            self._read(fd, size)
            if size > BOUND:
                os.ftruncate(fd, 0)
                self._offset = 0
        except OSError as error:
            self._troubled(f"cannot read {self._shown}: {reason_of(error)}")
        finally:
            os.close(fd)

    def _read(self, fd: int, end: int) -> None:
        while data := os.pread(fd, end - self._offset, self._offset):
            self._capture.add(data)
            self._offset += len(data)

    def take(self) -> bytes:
        """What was printed since the last call, bounded."""
        self.collect()
        return self._capture.take().within()


def _size(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0
