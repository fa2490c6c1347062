"""Which recoveries may begin in an outage: after a backoff, and none when they are spent."""

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
        """How often it is still to be said that none is left."""
        self.until: float | None = None
        """When the backoff is over, if a window has closed."""

    def enter(self, now: float) -> None:
        """RECOVERING is entered."""
        self._begun += 1
        self.begin(now)

    def begin(self, now: float) -> None:
        """The fault signal is sent, or the script is started. Raises Violation."""
        if self._spent:
            raise Violation("a recovery begins, and none is left")
        if self.until is not None and now < self.until - ALIKE:
            raise Violation(f"a recovery begins {self.until - now} s before its backoff is over")

    def back_off(self, limits: Limits, now: float) -> None:
        """A window has closed: from now on none begins for a while."""
        span = limits.recovery_backoff * 2 ** (self._begun - 1)
        longest = max(limits.recovery_backoff, limits.recovery_backoff_max)
        self.until = now + min(span, longest)

    def resumed(self, now: float) -> None:
        """A pause is over. What became due in it waits for a failed check."""
        if self.until is not None and self.until <= now + ALIKE:
            self.until = None

    def spend(self) -> None:
        """None is left. Raises Violation."""
        if self._spent:
            raise Violation("no recovery is left, for the second time")
        self._spent = True
        self._unsaid += 1

    def said(self) -> None:
        """Somebody is told that none is left. Raises Violation."""
        self._unsaid -= 1
        if self._unsaid < 0:
            raise Violation("it is said twice that no recovery is left")

    def settled(self) -> None:
        """What had to be said is said. Raises Violation."""
        if self._unsaid:
            raise Violation("nobody is told that no recovery is left")

    def forget(self) -> None:
        """HEAT is killed: what it was about to say, it does not."""
        self._unsaid = 0
