"""Counters of each monitor since HEAT began: how often, how long, how late.

All monitors share arrays: ten thousand take 1.2 MB, and as objects ten times that.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from heat.checks.outcome import Outcome

Count = Literal["outages", "recoveries", "helped", "useless", "warnings"]
"""Everything that is counted, except the checks."""

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: the upper bounds of the buckets for durations; the last bucket has none."""

_OK, _FAILED, _UNKNOWN = range(3)
_PLACES: dict[Count, int] = {
    "outages": 3,
    "recoveries": 4,
    "helped": 5,
    "useless": 6,
    "warnings": 7,
}
_BUCKETS = 8
_COUNTS = _BUCKETS + len(BOUNDS) + 1
_DURATION, _LATE, _TOUCHED = range(3)
_SPANS = 3

WINDOW = 300.0
"""Seconds. The longest lateness covers this window of the monotonic clock and the one before it, so
that a client which asks at longer intervals, or with other clients, misses none.
"""


class Counters:
    """A row for each monitor; a removed monitor's row is used again."""

    def __init__(self, rows: int = 0) -> None:
        # Allocated at once: an array that grows leaves gaps in the heap.
        self._counts = array("I", [0]) * (rows * _COUNTS)
        self._spans = array("d", [0.0]) * (rows * _SPANS)
        self._latest = array("f", [0.0]) * rows
        self._before = array("f", [0.0]) * rows
        """The longest lateness in this window, and in the one before it."""
        self._turned = -math.inf
        """The start of this window."""
        self._free = list(range(rows - 1, -1, -1))

    def add(self, now: float) -> int:
        """Return a new row of zeros."""
        if self._free:
            row = self._free.pop()
        else:
            row = len(self._spans) // _SPANS
            self._counts.extend([0] * _COUNTS)
            self._spans.extend([0.0] * _SPANS)
            self._latest.append(0.0)
            self._before.append(0.0)
        self.touch(row, now)
        return row

    def remove(self, row: int) -> None:
        """Give up a row."""
        self._counts[row * _COUNTS : (row + 1) * _COUNTS] = array("I", [0] * _COUNTS)
        self._spans[row * _SPANS : (row + 1) * _SPANS] = array("d", [0.0] * _SPANS)
        self._latest[row] = self._before[row] = 0.0
        self._free.append(row)

    def checked(self, row: int, check: Outcome, now: float) -> None:
        """Count a check that has ended."""
        counts, spans, at = self._counts, self._spans, row * _SPANS
        first = row * _COUNTS
        spans[at + _TOUCHED] = now
        if check.unknown:
            counts[first + _UNKNOWN] += 1
            return
        if check.warning:
            self.count(row, "warnings")
        counts[first + (_FAILED if check.code and not check.warning else _OK)] += 1
        counts[first + _BUCKETS + bisect_left(BOUNDS, check.duration)] += 1
        spans[at + _DURATION] += check.duration

    def late(self, row: int, span: float, now: float) -> None:
        """Count a check that started this many seconds after it was due."""
        if now >= self._turned + WINDOW:
            self._turn(now)
        self._spans[row * _SPANS + _LATE] += span
        self._latest[row] = max(self._latest[row], span)

    def _turn(self, now: float) -> None:
        """Begin a window: one copy for all monitors takes microseconds for ten thousand."""
        nothing = array("f", bytes(self._latest.itemsize * len(self._latest)))
        is_next = now < self._turned + 2 * WINDOW
        self._before = self._latest if is_next else nothing[:]
        self._latest = nothing
        self._turned = now // WINDOW * WINDOW

    def count(self, row: int, what: Count) -> None:
        """Add one."""
        self._counts[row * _COUNTS + _PLACES[what]] += 1

    def touch(self, row: int, now: float) -> None:
        """Mark the monitor as changed."""
        self._spans[row * _SPANS + _TOUCHED] = now

    # Queries

    def has_news(self, row: int, since: float, now: float) -> bool:
        """Tell if it has changed since this moment of the monotonic clock."""
        if now >= self._turned + WINDOW:
            self._turn(now)
        return self._spans[row * _SPANS + _TOUCHED] >= since or since < self._turned

    def counts(self, row: int) -> Sequence[int]:
        """Return checks that passed, failed and are unknown; then each `Count`, in its order."""
        return self._counts[row * _COUNTS : row * _COUNTS + _BUCKETS]

    def buckets(self, row: int) -> list[int]:
        """Return the checks by their duration."""
        return self._counts[row * _COUNTS + _BUCKETS : (row + 1) * _COUNTS].tolist()

    def duration(self, row: int) -> float:
        """Return the seconds of all checks that have ended."""
        return self._spans[row * _SPANS + _DURATION]

    def lateness(self, row: int) -> tuple[float, float]:
        """Return the sum in seconds, and the longest in this window and the one before it."""
        longest = max(self._latest[row], self._before[row])
        return self._spans[row * _SPANS + _LATE], longest
