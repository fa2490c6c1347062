"""The ports of the runtime: a clock, timers, a limiter.

Only types, which a running HEAT never loads: protocols would cost its start milliseconds.
"""

from collections.abc import Callable
from typing import Protocol


class Owner(Protocol):
    """The owner of calls."""

    def crashed(self, error: Exception) -> None:
        """Take an error that one of them raised and nobody expected."""
        ...


class Clock(Protocol):
    """The time, in two ways."""

    def now(self) -> float:
        """Return the seconds on the monotonic clock."""
        ...

    def unix(self) -> float:
        """Return the seconds since the epoch, for people."""
        ...


class Timer(Protocol):
    """A call to come."""

    def cancel(self) -> None:
        """Cancel it; harmless if it has come."""
        ...


class Timers(Protocol):
    """Calls at times of the monotonic clock, in their order."""

    @property
    def lost(self) -> float:
        """Seconds of that clock in which HEAT did not run, all in all."""
        ...

    def at(self, when: float, call: Callable[[], object], owner: Owner) -> Timer:
        """Call once the clock has reached ``when``; the ``owner`` gets an error that it raises."""
        ...


class Limiter(Protocol):
    """Slots for checks, which are given in FIFO order."""

    def acquire(self, start: Callable[[], None], owner: Owner) -> None:
        """Call ``start`` now, or once a slot is free and all who came before have theirs."""
        ...

    def release(self) -> None:
        """Give a slot back: its check has ended, or could not be started."""
        ...

    def forget(self, owner: Owner) -> bool:
        """Let the owner's check wait no longer; return False if it did not wait."""
        ...
