"""The virtual clock: time passes only from one due call to the next, and nothing sleeps."""

from heat.runtime.scheduler import Scheduler

UNIX = 1_700_000_000
"""The unix second in which virtual time begins: HEAT_FAIL_TIME is read as seconds of it."""
BEGINNING = 1000.0
"""The first value of the virtual monotonic clock."""
_EXACT = 1e-9


class VirtualTime:
    """A clock and its timers; calls that are due at once run in the order they were set."""

    __slots__ = ("_now", "_unix", "agenda", "at", "lost")

    def __init__(self, unix: float = UNIX) -> None:
        self._now = BEGINNING
        self._unix = unix - BEGINNING
        self.agenda = Scheduler()
        self.at = self.agenda.add
        self.lost = 0.0

    def now(self) -> float:
        """Return the seconds on the monotonic clock."""
        return self._now

    def unix(self) -> float:
        """Return the seconds since the epoch."""
        return self._unix + self._now

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return round(self._now - BEGINNING, 6)

    def run_until(self, end: float) -> None:
        """Make all calls that are due up to ``end`` seconds after the beginning."""
        while (when := self.next_until(end)) is not None:
            self.run_next(when)
        self.pass_until(end)

    def pass_until(self, end: float) -> None:
        """Let time pass up to ``end`` seconds after the beginning."""
        self._now = max(self._now, BEGINNING + end)

    def next_until(self, end: float) -> float | None:
        """Return when the next call is due; None if not by ``end`` seconds after the beginning."""
        when = self.agenda.next()
        return None if when is None or when > BEGINNING + end + _EXACT else when

    def run_next(self, when: float) -> None:
        """Make the next call, which is due at this moment of the clock."""
        self._now = max(self._now, when)
        due = self.agenda.take(self._now)
        if due is not None and due.call is not None:
            due.call()

    def stall(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as when HEAT is stopped."""
        self._now += seconds
