"""The output of fail and recovery scripts: a pipe that HEAT reads, and a keeper after HEAT's end.

It is a pipe and not a file: a script may open its ``/dev/stderr`` again, which empties a file
and leaves a pipe as it is; no service can write at an old offset, or meet a full disk. HEAT
appends what comes to ``heat.NAME.out``, which has a bound, and writes it to heat.verbose.log.
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
"""Seconds until HEAT writes what a service prints to the log; more of it may come."""


class ScriptOutput:
    """One monitor's script output; ``report`` gets, once, what HEAT cannot keep."""

    def __init__(
        self,
        path: str,
        report: Callable[[str], None],
        world: tuple[Loop, Owner],
        keeper: Callable[[], Keeper],
    ) -> None:
        self.path = path
        self.printed: Callable[[], None] | None = None
        """Called a moment after a service that a script left behind has printed."""
        self._shown = escaped(path)
        self._report = report
        self._keeper = keeper
        self._loop, self._owner = world
        self._pipes: set[int] = set()
        self._offset = _size(path)
        """The part of the file that HEAT knows: another HEAT's keeper may append to it as well."""
        self._capture = Capture()
        self._newest: int | None = None
        """The pipe of the script that was started last; None if an earlier HEAT started it."""
        self._line: LastLine | None = None
        """The last line that came through that pipe."""
        self._trouble = self._due = False

    def open(self) -> int | None:
        """Return a descriptor for a script to print to; None where there can be none."""
        reader = writer = -1
        self._newest, self._line = -1, None
        try:
            keeper = self._keeper()
            reader, writer = os.pipe()
            os.set_blocking(reader, False)
            self._loop.watch(reader, partial(self._ready, reader), self._owner)
            self._pipes.add(reader)
            keeper.keep(reader, self.path)
        except (ImportError, MemoryError, OSError, SystemError) as error:  # Its module may be gone.
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
            self._report(text)

    def _ready(self, reader: int) -> None:
        self._read(reader, 1)
        if self._capture and self.printed is not None and not self._due:
            self._due = True
            self._loop.at(self._loop.now() + _SOON, self._report_service, self._owner)

    def _report_service(self) -> None:
        self._due = False
        if self.printed is not None:
            self.printed()

    def _read(self, reader: int, most: int) -> None:
        """Take what is in a pipe, at most ``most`` times what it can hold."""
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
        if reader == self._newest:  # Not that of a service that an earlier script left behind.
            if self._line is None:
                self._line = LastLine()
            self._line.add(data)

    def _append(self, data: bytes) -> None:
        """Append it to the file too, after taking what others have appended in the meantime."""
        self._collect()
        try:
            done = append(self.path, data)
        except (OSError, HeatError) as error:
            self._offset = _size(self.path)
            self._troubled(
                f"cannot write {self._shown}: {reason_of(error)}; "
                "what the scripts print is only in heat.verbose.log"
            )
        else:
            if data:  # An empty write succeeds on a full disk, too.
                self._trouble = False
            self._offset = done.size

    def _collect(self) -> None:
        """Read what the keeper of an earlier HEAT has appended."""
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
        """The last line of the script that was started last, as far as HEAT has read it."""
        return "" if self._line is None else str(self._line)

    def take(self) -> bytes:
        """Return the output since the last call, bounded."""
        for reader in tuple(self._pipes):
            self._read(reader, _MOST_READS)
        self._collect()
        return self._capture.take().within()


def _size(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_size
    except OSError:
        return 0
