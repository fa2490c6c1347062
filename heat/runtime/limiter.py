"""The limiter: at most this many checks run at once, and the others wait in FIFO order.

A check takes a slot with `acquire` and gives it back with `release`, from its start until
nothing of it runs. Where a slot is free it starts within the call, for the price of a
comparison; only a check that waits costs an entry in a dict and a call of the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.runtime.ports import Clock, Owner, Timer, Timers

_QUIET = 10.0
"""Seconds without waiting until a crowd is over."""


class Crowd(NamedTuple):
    """Checks wait, as ``most`` run; ``waits`` and ``longest``, in seconds, once that is over."""

    most: int
    waits: int | None = None
    longest: float = 0.0


class Limiter:
    """Slots for ``most`` checks; ``report`` gets each crowd when it forms and when it is over."""

    def __init__(
        self, most: int, world: tuple[Clock, Timers], report: Callable[[Crowd], None], owner: Owner
    ) -> None:
        self.most = most
        self.running = 0
        self.waited = 0
        """The number of checks that had to wait, from the start."""
        self.longest = 0.0
        """Seconds that one of them waited."""
        self._clock, self._timers = world
        self._report = report
        self._owner = owner
        self._waiting: dict[Owner, tuple[float, Callable[[], None]]] = {}
        """In FIFO order: the time when each was due, and the call that starts it."""
        self._crowd: tuple[int, float] | None = None
        """Of the present crowd: the number that had waited before it, and the longest wait."""
        self._over: Timer | None = None

    def acquire(self, start: Callable[[], None], owner: Owner) -> None:
        """Call ``start`` now, or once a slot is free and all who came before have theirs."""
        if self.running < self.most and not self._waiting:
            self.running += 1
            start()
            return
        self._waiting[owner] = self._clock.now(), start
        if self._over is not None:
            self._over.cancel()
            self._over = None
        if self._crowd is None:
            self._crowd = self.waited, 0.0
            self._report(Crowd(self.most))

    def release(self) -> None:
        """Give a slot back: its check has ended, or could not be started."""
        self.running -= 1
        self._fill()

    def allow(self, most: int) -> None:
        """Have this many slots from now on; what runs beyond them runs on."""
        self.most = most
        self._fill()

    def _fill(self) -> None:
        while self._waiting and self.running < self.most:
            owner = next(iter(self._waiting))
            due, start = self._waiting.pop(owner)
            self.running += 1
            # By way of the loop: an exit that waits to be seen comes first, a later tick does not.
            self._timers.at(0.0, partial(self._begin, due, start), owner)
        if self._crowd is not None and self._over is None and not self._waiting:
            end = self._clock.now() + _QUIET
            self._over = self._timers.at(end, self._report_over, self._owner)

    def _begin(self, due: float, start: Callable[[], None]) -> None:
        span = self._clock.now() - due
        self.waited += 1
        self.longest = max(self.longest, span)
        if self._crowd is not None:
            self._crowd = self._crowd[0], max(self._crowd[1], span)
        start()

    def forget(self, owner: Owner) -> bool:
        """Let the owner's check wait no longer; return False if it did not wait."""
        return self._waiting.pop(owner, None) is not None

    def _report_over(self) -> None:
        if self._crowd is not None:
            before, longest = self._crowd
            self._crowd = self._over = None
            self._report(Crowd(self.most, self.waited - before, longest))
