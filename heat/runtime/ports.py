"""The ports of the runtime: a clock, timers, turns.

Types only, never loaded by a running HEAT: as protocols they would take milliseconds of its start.
"""

from collections.abc import Callable
from typing import Protocol


class Owner(Protocol):
    """Whose calls these are."""

    def crashed(self, error: Exception) -> None:
        """One of them has raised what nobody expected."""
        ...


class Clock(Protocol):
    """The time, two ways."""

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        ...

    def unix(self) -> float:
        """Seconds since the epoch, for people."""
        ...


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come; harmless when it has."""
        ...


class Timers(Protocol):
    """Calls at a time of the monotonic clock, in the order of their times."""

    @property
    def lost(self) -> float:
        """Seconds of that clock in which HEAT has not run, all in all."""
        ...

    def at(self, when: float, call: Callable[[], object], owner: Owner) -> Timer:
        """Call once the clock has reached ``when``; its ``owner`` is told if it crashes."""
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
