"""The changes that are not in the state file yet."""

from collections import deque
from itertools import islice

from heat.store.sql import Statement

MOST = 10_000
CHUNK = 100
"""Changes in one transaction; more of them would hold up the checks."""

Change = list[Statement]
"""Statements that belong together: all are executed, or none."""


class Backlog:
    """A FIFO of changes; with more than `MOST` it overflows, and only counts what is lost."""

    __slots__ = ("_changes", "lost", "overflowed")

    def __init__(self) -> None:
        self._changes: deque[Change] = deque()
        self.overflowed = False
        """The file needs a snapshot instead of the changes."""
        self.lost = 0

    def __bool__(self) -> bool:
        return bool(self._changes) or self.overflowed

    def __len__(self) -> int:
        return len(self._changes)

    def add(self, change: Change) -> None:
        """Queue a change, or count it as lost."""
        if self.overflowed:
            self.lost += 1
            return
        self._changes.append(change)
        if len(self._changes) > MOST:
            self.overflowed = True
            self.lost += len(self._changes)
            self._changes.clear()

    def chunk(self) -> list[Change]:
        """Return the oldest changes, for one transaction."""
        return list(islice(self._changes, CHUNK))

    def written(self, chunk: list[Change]) -> None:
        """Remove these oldest changes; after an overflow, a snapshot was written."""
        self.overflowed = False
        for _ in chunk:
            self._changes.popleft()

    def clear(self) -> None:
        """Drop all: a snapshot is written instead."""
        self._changes.clear()
        self.overflowed = False
