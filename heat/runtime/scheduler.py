"""Due times on the monotonic clock, in seconds. Pure: the caller passes ``now`` in.

A beat belongs to one monitor: start + k * interval, whatever happens in between. The scheduler
holds the next calls of all monitors, in the order of their times.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heat.runtime.ports import Owner

_CANCELLED_BOUND = 1024
_SAME = 1e-9
"""A part of an interval; ticks this close together are the same moment."""


class Beat:
    """The ticks of one monitor; the first is at ``start``."""

    __slots__ = ("_interval", "_k", "_paced", "_phase", "_start", "due", "interval")

    def __init__(self, interval: float, start: float) -> None:
        self._interval = self.interval = interval
        self._phase = self._start = self.due = start
        self._k = 0
        self._paced = False

    def restart(self, start: float) -> None:
        """Count from ``start``, which was a tick; the next comes an interval later."""
        self._phase = self._start = start
        self._k = 1
        self.due = start + self.interval

    def pace(self, seconds: float | None, now: float) -> None:
        """Tick every ``seconds`` from the last tick on; None: as before, in the old phase.

        A tick that is due and has not come yet still comes, unless it is out of phase.
        """
        owed = self.due <= now + _SAME * self.interval
        self._paced = seconds is not None
        last = self.due if owed else self.due - self.interval
        self._start = self._phase if seconds is None else last
        self.interval = self._interval if seconds is None else seconds
        since = ((self.due if owed else now) - self._start) / self.interval
        self._k = max(0, -int((_SAME - since) // 1) if owed else int((since + _SAME) // 1) + 1)
        self.due = self._start + self._k * self.interval

    def change(self, interval: float, start: float) -> None:
        """Take another interval, with its first tick at ``start``, unless `pace` has set one."""
        self._interval, self._phase = interval, start
        if not self._paced:
            self.interval, self._start, self.due, self._k = interval, start, start, 0

    def advance(self, now: float) -> int:
        """Take the tick that is due; return the number of ticks missed before it."""
        passed = max(self._k, int((now - self._start) / self.interval))
        missed = passed - self._k
        self._k = passed + 1
        self.due = self._start + self._k * self.interval
        return missed


def phase(name: str, interval: float) -> float:
    """Return the place of a monitor's first check in its interval: by its name, always the same."""
    from binascii import crc32  # A tenth of a megabyte.

    # Multiplied, as checksums of names that differ in one digit lie close together.
    spread = crc32(name.encode("utf-8", "surrogateescape")) * 0x9E3779B1 & 0xFFFFFFFF
    return spread / 2**32 * interval


class DueCall:
    """A call to come, and its owner; None in its place once it is cancelled."""

    __slots__ = ("call", "owner")

    def __init__(self, call: Callable[[], object], owner: Owner) -> None:
        self.call: Callable[[], object] | None = call
        self.owner = owner

    def cancel(self) -> None:
        """Cancel it."""
        self.call = None


class Scheduler:
    """Calls at their times; for one time, in FIFO order."""

    __slots__ = ("_bound", "_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, DueCall]] = []
        self._order = 0
        self._bound = _CANCELLED_BOUND

    def add(self, when: float, call: Callable[[], object], owner: Owner) -> DueCall:
        """Call it once the clock has reached ``when``."""
        due = DueCall(call, owner)
        self._order += 1
        if len(self._heap) >= self._bound:
            self._drop_cancelled()
        heapq.heappush(self._heap, (when, self._order, due))
        return due

    def next(self) -> float | None:
        """Return the time at which the next call is due."""
        heap = self._heap
        while heap and heap[0][2].call is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def take(self, now: float) -> DueCall | None:
        """Remove and return the next call, if it is due."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            due = heapq.heappop(heap)[2]
            if due.call is not None:
                return due
        return None

    def __len__(self) -> int:
        """Return the number of calls, cancelled ones included."""
        return len(self._heap)

    def _drop_cancelled(self) -> None:
        self._heap = [entry for entry in self._heap if entry[2].call is not None]
        heapq.heapify(self._heap)
        self._bound = max(_CANCELLED_BOUND, 2 * len(self._heap))
