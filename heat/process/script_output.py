"""Fail and recovery scripts print to a pipe that HEAT reads, and a keeper when HEAT has ended.

A pipe and not a file: a script may open its ``/dev/stderr`` anew, which empties a file and
leaves a pipe as it is; no service can write at an old offset, or meet a full disk. What comes
is appended to ``heat.NAME.out``, which is kept within bounds, and goes to heat.verbose.log.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from heat.errors import HeatError, reason_of
from heat.files import open_to_write, shut
from heat.process.bounded_file import append
from heat.process.output import LIMIT, Capture, LastLine
from heat.text import escaped

if TYPE_CHECKING:
    from heat.process.keeper import Keeper
    from heat.runtime.loop import Loop
    from heat.runtime.ports import Owner

_PIPE_SIZE = 64 * 1024
_MOST_READS = 16
_SOON = 1.0
"""Seconds until what a service prints is told; more of it may come."""


class ScriptOutput:
    """One monitor's script output; ``said`` is told, once, what cannot be kept."""

    def __init__(
        self,
        path: str,
        said: Callable[[str], None],
        world: tuple[Loop, Owner],
        keeper: Callable[[], Keeper],
    ) -> None:
        self.path = path
        self.printed: Callable[[], None] | None = None
        """Called, a moment later, when a service that was left behind has printed."""
        self._shown = escaped(path)
        self._said = said
        self._keeper = keeper
        self._loop, self._owner = world
        self._pipes: set[int] = set()
        self._offset = _size(path)
        """Up to here the file is known: another HEAT's keeper may append to it as well."""
        self._capture = Capture()
        self._newest: int | None = None
        """The pipe of the script that was started last; None: an earlier HEAT has started it."""
        self._line: LastLine | None = None
        """The last line that came through that."""
        self._trouble = self._due = False

    def open(self) -> int | None:
        """A descriptor for a script to print to; None where there can be none."""
        reader = writer = -1
        self._newest, self._line = -1, None
        try:
            keeper = self._keeper()
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            self._loop.watch(reader, partial(self._ready, reader), self._owner)
            self._pipes.add(reader)
            keeper.keep(reader, self.path)
        except (ImportError, MemoryError, OSError, SystemError) as error:  # It may not load.
            if reader in self._pipes:
                self._close(reader)
            elif reader >= 0:
                os.close(reader)
            if writer >= 0:
                os.close(writer)
            self._troubled(f"what the scripts print is lost: {reason_of(error)}")
            return None
        self._newest = reader
        self._append(b"")
        return writer

    def _close(self, reader: int) -> None:
        self._pipes.remove(reader)
        self._loop.forget(reader)
        self._keeper().drop(reader)
        os.close(reader)

    def _troubled(self, text: str) -> None:
        if not self._trouble:
            self._trouble = True
            self._said(text)

    def _ready(self, reader: int) -> None:
        self._read(reader, 1)
        if self._capture and self.printed is not None and not self._due:
            self._due = True
            self._loop.at(self._loop.now() + _SOON, self._tell, self._owner)

    def _tell(self) -> None:
        self._due = False
        if self.printed is not None:
            self.printed()

    def _read(self, reader: int, most: int) -> None:
        """Take what is in a pipe, ``most`` times what it holds."""
        for _ in range(most):
            try:
                data = os.read(reader, _PIPE_SIZE)
            except (BlockingIOError, MemoryError):
                return
            except OSError:
                data = b""
            if not data:
                self._close(reader)
                return
            self._take_in(data, reader)
            self._append(data)

    def _take_in(self, data: bytes, reader: int | None) -> None:
        self._capture.add(data)
        if reader == self._newest:  # A service that an earlier script has left prints as well.
            if self._line is None:
                self._line = LastLine()
            self._line.add(data)

    def _append(self, data: bytes) -> None:
        """Keep it in the file too; what others have appended in the meantime is taken first."""
        self._collect()
        try:
            done = append(self.path, data)
        except (OSError, HeatError) as error:
            self._offset = _size(self.path)
            self._troubled(
                f"cannot write {self._shown}: {reason_of(error)}; "
                "what the scripts print is in heat.verbose.log alone"
            )
        else:
            if data:  # Nothing can be written to a full disk as well.
                self._trouble = False
            self._offset = done.size

    def _collect(self) -> None:
        """Read what others have appended: the keeper of an earlier HEAT."""
        size = _size(self.path)
        if size <= self._offset:
            self._offset = size
            return
        try:
            fd = open_to_write(self.path, os.O_RDONLY)
        except (OSError, HeatError):
            return
        try:
            self._read_file(fd, min(size, self._offset + LIMIT))
            if (middle := size - self._offset - LIMIT) > 0:
                self._capture.skip(middle)
                self._offset += middle
            self._read_file(fd, size)
        except OSError as error:
            self._troubled(f"cannot read {self._shown}: {reason_of(error)}")
        finally:
            shut(fd)

    def _read_file(self, fd: int, end: int) -> None:
        while data := os.pread(fd, end - self._offset, self._offset):
            self._take_in(data, None)
            self._offset += len(data)

    @property
    def held(self) -> bool:
        """Somebody can still print to it."""
        return bool(self._pipes)

    @property
    def last_line(self) -> str:
        """The last line of the script that was started last, of what was read by now."""
        return "" if self._line is None else str(self._line)

    def take(self) -> bytes:
        """The output since the last call, bounded."""
        for reader in tuple(self._pipes):
            self._read(reader, _MOST_READS)
        self._collect()
        return self._capture.take().within()


def _size(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0
