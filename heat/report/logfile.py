"""The logs: appended to, whole records a write, opened anew when they were moved away.

What cannot be written is kept, up to a bound, and written when that is possible again;
the trouble is said once, and so is its end.
"""

import contextlib
import os
from collections import deque
from collections.abc import Callable

from heat.errors import HeatError, reason_of
from heat.files import open_for_appending, shut
from heat.text import counted, escaped

_KEPT = 1024 * 1024
"""Bytes that are kept of what cannot be written."""


Soon = Callable[[Callable[[], None]], None]
"""Has something called at the end of the loop's turn."""


class LogFile:
    """One log file: what is written in one turn of the loop goes out in one write.

    ``path`` is where it is opened, ``shown`` how it is named to people.
    """

    def __init__(self, path: str, shown: str, said: Callable[[str], None], soon: Soon) -> None:
        self._soon = soon
        self.shown = escaped(shown)
        self.path = path
        self._said = said
        self._fd = open_for_appending(path)
        self._identity = _identity(os.fstat(self._fd))
        self._kept: deque[bytes] = deque()
        self._kept_size = 0
        self._fresh = False
        self._lost = 0
        self.trouble = ""
        """Why it cannot be written now; empty while it can."""

    def write(self, record: str) -> None:
        """Have one record, whole lines, appended at the end of the turn."""
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
        """Append what was written since the last time; keep what cannot be."""
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
            self._said(f"{self.shown} can be written again{lost}")

    def _forget(self, written: int) -> None:
        self._kept_size -= written
        while self._kept and written >= len(self._kept[0]):
            written -= len(self._kept.popleft())
        if written:
            self._kept[0] = self._kept[0][written:]

    def _failed(self, why: str) -> None:
        if not self.trouble:
            self.trouble = why
            self._said(
                f"cannot write {self.shown}: {why}; HEAT goes on checking, keeps the "
                "latest records, and writes them when it can"
            )

    def _follow(self) -> None:
        """Open the log anew if the one that is open is no longer at its path."""
        with contextlib.suppress(OSError):
            if _identity(os.stat(self.path, follow_symlinks=False)) == self._identity:
                return
        self._open_anew()

    def reopen(self) -> None:
        """Open the file that is at the path now, and write to that."""
        try:
            self._open_anew()
        except (OSError, HeatError) as error:
            self._failed(reason_of(error))

    def _open_anew(self) -> None:
        fd = open_for_appending(self.path)
        before, self._fd = self._fd, fd
        shut(before)
        self._identity = _identity(os.fstat(fd))

    def close(self) -> None:
        """Write what was kept, if possible, and say what was not."""
        self._fresh = bool(self._kept)
        self.flush()
        if self._kept:
            lost = counted(len(self._kept) + self._lost, "record")
            self._said(f"{lost} for {self.shown} could not be written")
        shut(self._fd)


def _identity(about: os.stat_result) -> tuple[int, int]:
    return about.st_dev, about.st_ino
