"""The recoveries that may begin in an outage: after a backoff, and none when they are spent."""

from states.monitor.limits import Limits

from .deeds import Violation
from .ticks import ALIKE


class Recoveries:
    """The recoveries of one outage, counted where they begin."""

    __slots__ = ("_begun", "_spent", "_unsaid", "until")

    def __init__(self) -> None:
        self._begun = 0
        self._spent = False
        self._unsaid = 0
        """Reports that are due: that none is left."""
        self.until: float | None = None
        """The end of the backoff, if a window has closed."""

    def enter(self, now: float) -> None:
        """Enter RECOVERING. Raises Violation."""
        self._begun += 1
        self.begin(now)

    def begin(self, now: float) -> None:
        """Send the fault signal, or start the script. Raises Violation."""
        if self._spent:
            raise Violation("a recovery begins, and none is left")
        if self.until is not None and now < self.until - ALIKE:
            raise Violation(f"a recovery begins {self.until - now} s before its backoff is over")

    def back_off(self, limits: Limits, now: float) -> None:
        """Let none begin for a while: a window has closed."""
        span = limits.recovery_backoff * 2 ** (self._begun - 1)
        longest = max(limits.recovery_backoff, limits.recovery_backoff_max)
        self.until = now + min(span, longest)

    def resumed(self, now: float) -> None:
        """End a pause. What became due in it waits for a failed check."""
        if self.until is not None and self.until <= now + ALIKE:
            self.until = None

    def spend(self) -> None:
        """Note that none is left. Raises Violation."""
        if self._spent:
            raise Violation("no recovery is left, for the second time")
        self._spent = True
        self._unsaid += 1

    def reported(self) -> None:
        """Note the report that none is left. Raises Violation."""
        self._unsaid -= 1
        if self._unsaid < 0:
            raise Violation("HEAT says twice that no recovery is left")

    def settled(self) -> None:
        """Check that no report is due. Raises Violation."""
        if self._unsaid:
            raise Violation("HEAT does not say that no recovery is left")

    def forget(self) -> None:
        """Forget the reports that are due: HEAT is killed."""
        self._unsaid = 0
