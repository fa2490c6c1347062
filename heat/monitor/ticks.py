"""The ticks of a monitor as timers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.runtime.scheduler import Beat

if TYPE_CHECKING:
    from heat.monitor.ports import Ticking
    from heat.runtime.ports import Timer


class Ticks(Beat):
    """Calls its monitor at each beat. It is the beat: of ten thousand, objects are dear."""

    __slots__ = ("_monitor", "_timer")

    def __init__(self, monitor: Ticking) -> None:
        super().__init__(monitor.setup.options.interval, 0.0)
        self._monitor = monitor
        self._timer: Timer | None = None

    def start(self, first: float) -> None:
        """Begin; the first tick is at this moment of the clock."""
        super().__init__(self.interval, first)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # The monitor itself: ten thousand bound methods take half a megabyte.
        monitor = self._monitor
        self._timer = monitor.world.timers.at(self.due, monitor, monitor)

    def advance(self, now: float) -> int:
        """Take the tick that is due; return how many before it were missed."""
        missed = super().advance(now)
        self._timer = None
        self._arm()
        return missed

    def restart(self, start: float) -> None:
        """Count from ``start``, which was a tick; the next is an interval later."""
        super().restart(start)
        self._arm()

    def pace(self, seconds: float | None, now: float) -> None:
        """Tick at this interval from the last tick on; None: as before, in the old phase."""
        super().pace(seconds, now)
        self._arm()

    def change(self, interval: float, start: float) -> None:
        """Take another interval; the first tick is at ``start``, unless the pace is another one."""
        super().change(interval, start)
        self._arm()

    def cancel(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()
