"""Due times on the monotonic clock: start + k * interval, whatever happens between."""


class Beat:
    """The ticks of one monitor; pure, ``now`` is passed in; times in seconds."""

    __slots__ = ("_k", "_start", "due", "interval")

    def __init__(self, interval: float, start: float) -> None:
        self.interval = interval
        self.restart(start)

    def restart(self, start: float) -> None:
        """Count from ``start``, which is itself a tick; the next is an interval later."""
        self._start = start
        self._k = 1
        self.due = start + self.interval

    def advance(self, now: float) -> int:
        """Take the tick that is due; return how many before it were missed."""
        passed = max(self._k, int((now - self._start) / self.interval))
        missed = passed - self._k
        self._k = passed + 1
        self.due = self._start + self._k * self.interval
        return missed
