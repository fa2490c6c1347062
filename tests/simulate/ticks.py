"""The moments of ticks: at the interval, for a while at another one, and back in their phase."""

from .deeds import Violation

ALIKE = 1e-6
"""Seconds; less than that apart is the same moment."""
_CLOSER = 3e-8
"""Seconds; a tick that comes later than that after a change of pace was not there before it."""


class Ticks:
    """The moments at which a monitor must tick, kept without counting intervals."""

    __slots__ = ("_due", "_interval", "_last", "_latest", "_of_pace", "_origin", "_pace")

    def __init__(self, first: float, interval: float) -> None:
        self.begin(first, interval)

    def begin(self, first: float, interval: float) -> None:
        """Begin with a tick at this moment."""
        self._interval = interval
        self._origin = first
        """A tick from which the others are counted."""
        self._pace: float | None = None
        """The interval in which they come for a while, if it is another one."""
        self._last = first - interval
        self._due: float | None = first
        """The moment of the next one; None if only its latest moment is known."""
        self._latest = first
        self._of_pace = False
        """The pace has changed since the last tick."""

    def restart(self, now: float) -> None:
        """Count from now on: a check at once has taken a tick's place."""
        self._origin = self._last = now
        self._await(now + (self._pace or self._interval))
        self._of_pace = False

    def change_pace(self, seconds: float | None, now: float) -> None:
        """Tick at this interval from the last tick on; None: in the old phase."""
        before, self._pace = self._pace, seconds
        owed = self._due is not None and self._due <= now + _CLOSER
        if seconds is None:
            self._return_to_phase(now, owed=owed)
        elif owed:
            self._await(now)
        elif before is None and not self._of_pace:
            self._await(_after(now, self._last, seconds))
        else:
            self._due, self._latest = None, now + seconds
        self._of_pace = True

    def _return_to_phase(self, now: float, *, owed: bool) -> None:
        """Return to the old phase; a tick of it that is due at this moment still comes."""
        here = max(self._origin, _after(now - 2 * _CLOSER, self._origin, self._interval))
        following = _after(now, self._origin, self._interval)
        unsure = self._due is None and here <= now + _CLOSER
        self._await(here if owed else following)
        self._due = None if unsure else self._due

    def change_interval(self, interval: float, first: float) -> None:
        """Take another interval, from ``first`` on, unless the pace is another one."""
        self._interval, self._origin = interval, first
        if self._pace is None:
            self._last = first - interval
            self._await(first)

    def came(self, now: float, missed: int, *, exact: bool) -> None:
        """Check a tick, unless time was lost. Raises Violation."""
        if exact:
            if missed:
                raise Violation("ticks were missed though nothing stood still")
            if self._due is not None and abs(now - self._due) > ALIKE:
                raise Violation(f"a tick came {now - self._due} s after it was due")
            if now > self._latest + ALIKE:
                raise Violation(f"a tick came {now - self._latest} s too late")
        self._last = now
        self._of_pace = False
        self._await(now + (self._pace or self._interval))

    def _await(self, due: float) -> None:
        self._due = self._latest = due


def _after(now: float, origin: float, interval: float) -> float:
    """Return the first moment after now that is a whole number of intervals from the origin."""
    due = origin
    while due <= now + _CLOSER:
        due += interval
    while due - interval > now + _CLOSER:
        due -= interval
    return due
