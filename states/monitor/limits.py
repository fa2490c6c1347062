"""The options that the rules look at."""

from states.engine.named_tuple import NamedTuple


class Limits(NamedTuple):
    """The options as the rules see them; times in seconds, None is "no limit"."""

    threshold: int | None = None
    success_threshold: int = 1
    max_recoveries: int | None = None
    recovery_timeout: float | None = None
    start_period: float = 0.0
    checks: int | None = None
    fail: bool = False
    fail_overlap_skip: bool = False
    recovery: bool = False
    signal: int | None = None
    fault_signal: int | None = None
    success_signal: int | None = None
    spent_watch: bool = False
    """``--when-spent watch``: checks go on when no recovery is left."""
    interval: float = 0.0
    retry_interval: float | None = None
    recovery_interval: float | None = None
    recovery_backoff: float = 0.0
    recovery_backoff_max: float = 600.0

    @property
    def recovers(self) -> bool:
        """True if there is anything to do in recovery."""
        return self.recovery or self.fault_signal is not None or self.success_signal is not None

    @property
    def window(self) -> float | None:
        """Seconds until a recovery window is over; None if only failures close it."""
        if self.recovery_timeout is not None or self.recovery_interval is None:
            return self.recovery_timeout
        return (self.threshold or 1) * self.interval

    def backoff(self, attempts: int) -> float:
        """Return the seconds between this window and the next recovery; doubled each time."""
        doubled = self.recovery_backoff * 2.0 ** min(attempts - 1, 64)
        return min(doubled, max(self.recovery_backoff, self.recovery_backoff_max))
