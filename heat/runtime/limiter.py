"""Turns: so many checks run at once; what is due beyond that waits, first come first served."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from heat.durations import length
from heat.text import counted

if TYPE_CHECKING:
    from heat.runtime.ports import Clock, Owner, Timer, Timers

_QUIET_AGAIN = 10.0
"""Seconds without waiting after which it is said to be over."""


class Limiter:
    """``said`` is told when checks begin to wait, and when that is over; both once."""

    def __init__(
        self, most: int, world: tuple[Clock, Timers], said: Callable[[str], None], owner: Owner
    ) -> None:
        self.most = most
        self.running = 0
        self.waited = 0
        """How many checks had to wait, from the start."""
        self.longest = 0.0
        """Seconds that one of them waited."""
        self._clock, self._timers = world
        self._said = said
        self._owner = owner
        self._waiting: dict[Owner, tuple[float, Callable[[], None]]] = {}
        """In the order they came: when they were due, and how they start."""
        self._crowded: tuple[int, float] | None = None
        """How many had waited before the present crowd, and the longest wait in it."""
        self._over: Timer | None = None

    def ask(self, start: Callable[[], None], owner: Owner) -> None:
        """Have it started, now or when others have ended."""
        if self.running < self.most and not self._waiting:
            self.running += 1
            start()
            return
        self._waiting[owner] = self._clock.now(), start
        if self._over is not None:
            self._over.cancel()
            self._over = None
        if self._crowded is None:
            self._crowded = self.waited, 0.0
            self._said(
                f"as many checks run as max-running allows ({self.most}): what is due beyond "
                "that waits its turn"
            )

    def end(self) -> None:
        """One that was started has ended, or could not be started."""
        self.running -= 1
        self._fill()

    def allow(self, most: int) -> None:
        """Let so many run at once from now on."""
        self.most = most
        self._fill()

    def _fill(self) -> None:
        while self._waiting and self.running < self.most:
            owner = next(iter(self._waiting))
            due, start = self._waiting.pop(owner)
            self.running += 1
            # By way of the loop: an exit that waits to be seen comes first, a later tick does not.
            self._timers.at(0.0, partial(self._begin, due, start), owner)
        if self._crowded is not None and self._over is None and not self._waiting:
            end = self._clock.now() + _QUIET_AGAIN
            self._over = self._timers.at(end, self._say_over, self._owner)

    def _begin(self, due: float, start: Callable[[], None]) -> None:
        span = self._clock.now() - due
        self.waited += 1
        self.longest = max(self.longest, span)
        if self._crowded is not None:
            self._crowded = self._crowded[0], max(self._crowded[1], span)
        start()

    def forget(self, owner: Owner) -> bool:
        """Forget what waits for its turn; False if nothing waited."""
        return self._waiting.pop(owner, None) is not None

    def _say_over(self) -> None:
        if self._crowded is not None:
            before, longest = self._crowded
            self._crowded = self._over = None
            had = counted(self.waited - before, "check")
            self._said(
                f"checks start when they are due again; {had} had to wait, "
                f"the longest {length(longest)}"
            )
