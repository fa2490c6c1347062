"""The pause of a monitor by hand: neither checks nor effects, until it ends or somebody ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.records import Pause
from states.monitor.events import CheckUnknown, Paused, Resumed

if TYPE_CHECKING:
    from heat.monitor.ports import Host
    from heat.runtime.ports import Timer


class PauseKeeper:
    """Keeps the pause of one monitor, which may replace an earlier one."""

    __slots__ = ("_host", "_timer", "pause")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._timer: Timer | None = None
        self.pause: Pause | None = None
        """None while the monitor is not paused."""

    def begin(self, until: float | None, reason: str) -> None:
        """Pause until this unix second; None: until somebody resumes."""
        host, before = self._host, self.pause
        pause = Pause(host.world.clock.unix(), until, reason)
        if host.record is not None:
            host.record.paused(pause)
        self.keep(pause)
        host.report.paused(pause, before)

    def keep(self, pause: Pause) -> None:
        """Keep a pause that is on record."""
        host, self.pause = self._host, pause
        host.drop_signal()
        self.cancel()
        if pause.until is not None:
            clock = host.world.clock
            due = clock.now() + pause.until - clock.unix()
            self._timer = host.world.timers.at(due, self.end, host)
        host.touch()
        waited = host.world.limiter.forget(host)
        host.feed(Paused())
        if waited:
            host.feed(CheckUnknown())

    def end(self) -> None:
        """Resume, if it is paused."""
        host = self._host
        if self.pause is None:
            return
        self.pause = None
        self.cancel()
        host.touch()
        if host.record is not None:
            host.record.resumed(host.world.clock.unix())
        host.report.resumed()
        host.feed(Resumed())

    def cancel(self) -> None:
        """Cancel the timer of its end."""
        if self._timer is not None:
            self._timer.cancel()
