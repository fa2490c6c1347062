"""The leftovers of a check in its process group: they get a moment, then HEAT ends them.

The verdict and the reaction do not wait for them; the record does, as a process that outlives
the check by a moment writes what comes through ``exec > >(tee -a own.log)``.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from heat.process.run import KILL_AFTER, LOOK_AGAIN

if TYPE_CHECKING:
    from heat.process.ports import Child
    from heat.runtime.ports import Clock, Owner, Timer, Timers

GRACE = 0.2
"""Seconds for it to end by itself; fewer, if nobody holds the check's output any more."""
_STARVED = 1.0
"""The same on a busy machine, where it waits for a processor or a disk all that time."""
_LOOKS_BEFORE_KILL = (*LOOK_AGAIN, KILL_AFTER - sum(LOOK_AGAIN))


class Leftovers:
    """The rest of one check's group, from the exit of its leader until nothing of it is left.

    Calls ``printed`` when the output is complete, as far as HEAT waits for it; ``left`` with a
    line for each process that lives on all the same (none: one that HEAT cannot find);
    ``settled`` at the end.
    """

    __slots__ = (
        "_child",
        "_clock",
        "_ending",
        "_hard",
        "_left",
        "_looks",
        "_owner",
        "_printed",
        "_reaped",
        "_settled",
        "_timer",
        "_timers",
        "_until",
    )

    def __init__(
        self,
        world: tuple[Clock, Timers, Owner],
        child: Child,
        printed: Callable[[], None],
        left: Callable[[Sequence[str]], None],
        settled: Callable[[], None],
    ) -> None:
        self._clock, self._timers, self._owner = world
        self._child = child
        self._printed = printed
        self._left = left
        self._settled = settled
        self._timer: Timer | None = None
        self._until = 0.0
        self._ending = self._reaped = self._hard = False
        self._looks = iter(_LOOKS_BEFORE_KILL)

    def wait(self) -> None:
        """Give it its moment; do not reap the leader yet, so that the group id stays its own."""
        self._child.await_end(self._silent)
        self._until = self._clock.now() + _STARVED
        self._again(GRACE, self._grace_over)

    def _grace_over(self) -> None:
        if self._clock.now() < self._until and self._child.works():
            self._again(GRACE, self._grace_over)
        else:
            self.stop()

    def _again(self, after: float, call: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._timers.at(self._clock.now() + after, call, self._owner)

    def _silent(self) -> None:
        """Go on: nobody holds the output any more."""
        if self._ending and not self._reaped:
            self.look()
        else:
            self.stop()

    def stop(self) -> None:
        """End it: SIGTERM now, SIGKILL in 2 s."""
        if self._ending:
            return
        self._ending = True
        self._printed()
        self._child.signal_group(signal.SIGTERM)
        self._child.signal_group(signal.SIGCONT)
        self.look()

    def stop_hard(self) -> None:
        """Kill it now."""
        self.stop()
        if self._hard:
            return
        self._hard = True
        if self._reaped:
            self._child.signal_left(signal.SIGKILL)
        else:
            self._child.signal_group(signal.SIGKILL)
        self._looks = iter(LOOK_AGAIN)
        self.look()

    def end_reaped(self) -> None:
        """End it; its leader is reaped, and it got its signal just before that."""
        self._ending = self._reaped = True
        self.look()

    def look(self) -> None:
        """Look at what is left, and kill it if it takes too long."""
        child = self._child
        if not self._reaped and (self._hard or child.drained() or child.alone()):
            self._reaped = True
            child.reap()
        if self._reaped and not child.signal_left(0):
            self._finish(() if not child.drained() else None)
        elif (after := next(self._looks, None)) is not None:
            self._again(after, self.look)
        elif self._hard:
            self._finish(child.names_left() or None)
        else:
            self.stop_hard()

    def _finish(self, left: Sequence[str] | None) -> None:
        self._ending = self._hard = self._reaped = True
        if self._timer is not None:
            self._timer.cancel()
        if left is not None:
            self._left(left)
        self._settled()
