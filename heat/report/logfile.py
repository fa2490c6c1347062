"""The logs: HEAT appends whole records, and reopens a log that somebody moved away.

It keeps what it cannot write, up to a bound, and writes that when it can. It says once that it
cannot, and once that it can again.
"""

import contextlib
import os
from collections import deque
from collections.abc import Callable

from heat.errors import HeatError, reason_of
from heat.files import open_for_appending, shut
from heat.text import counted, escaped

_KEPT = 1024 * 1024
"""Bytes of records to keep that cannot be written."""


Soon = Callable[[Callable[[], None]], None]
"""Schedules a call at the end of the loop's turn."""


class LogFile:
    """One log file: the records of one turn of the loop go out in one write.

    ``path`` is the path to open, ``shown`` its name for people.
    """

    def __init__(self, path: str, shown: str, report: Callable[[str], None], soon: Soon) -> None:
        self._soon = soon
        self.shown = escaped(shown)
        self.path = path
        self._report = report
        self._fd = open_for_appending(path)
        self._identity = _identity(os.fstat(self._fd))
        self._kept: deque[bytes] = deque()
        self._kept_size = 0
        self._fresh = False
        self._lost = 0
        self.trouble = ""
        """The reason that it cannot be written; empty while it can."""

    def write(self, record: str) -> None:
        """Append one record, whole lines, at the end of the turn."""
        data = record.encode("utf-8", "backslashreplace")
        self._kept.append(data)
        self._kept_size += len(data)
        if not self._fresh:
            self._fresh = True
            self._soon(self.flush)
        if self._kept_size > _KEPT:
            self.flush()
        while self._kept_size > _KEPT and len(self._kept) > 1:
            self._kept_size -= len(self._kept.popleft())
            self._lost += 1

    def flush(self) -> None:
        """Append the records since the last call; keep those that cannot be written."""
        if not self._fresh:
            return
        self._fresh = False
        try:
            self._follow()
            while self._kept:
                self._forget(os.write(self._fd, b"".join(self._kept)))
        except (OSError, HeatError) as error:
            self._failed(reason_of(error))
            return
        if self.trouble:
            self.trouble = ""
            lost = (
                f"; lost: {counted(self._lost, 'record')}" if self._lost else "; nothing was lost"
            )
            self._lost = 0
            self._report(f"{self.shown} can be written again{lost}")

    def _forget(self, written: int) -> None:
        self._kept_size -= written
        while self._kept and written >= len(self._kept[0]):
            written -= len(self._kept.popleft())
        if written:
            self._kept[0] = self._kept[0][written:]

    def _failed(self, why: str) -> None:
        if not self.trouble:
            self.trouble = why
            self._report(
                f"cannot write {self.shown}: {why}; HEAT goes on checking, keeps the "
                "latest records, and writes them when it can"
            )

    def _follow(self) -> None:
        """Reopen the log if the open file is no longer at its path."""
        with contextlib.suppress(OSError):
            if _identity(os.stat(self.path, follow_symlinks=False)) == self._identity:
                return
        self._reopen()

    def reopen(self) -> None:
        """Open the file that is at the path now, and write to it."""
        try:
            self._reopen()
        except (OSError, HeatError) as error:
            self._failed(reason_of(error))

    def _reopen(self) -> None:
        fd = open_for_appending(self.path)
        before, self._fd = self._fd, fd
        shut(before)
        self._identity = _identity(os.fstat(fd))

    def close(self) -> None:
        """Write the records that are left, and report how many could not be written."""
        self._fresh = bool(self._kept)
        self.flush()
        if self._kept:
            lost = counted(len(self._kept) + self._lost, "record")
            self._report(f"{lost} for {self.shown} could not be written")
        shut(self._fd)


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino
