"""What has to hold from one life of HEAT to the next: what was known, and what was left."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING

from heat.config.options import Options
from heat.records import Pause
from heat.rehearsal.clock import VirtualTime
from heat.rehearsal.programs import SimulatedChild
from heat.store.monitor_record import FROZEN
from heat.store.snapshot import SavedMachine
from states.monitor.model import State
from states.monitor.snapshot import Snapshot

from .deeds import Violation
from .invariants import ALIKE, Witness
from .lives import Kept, Orphan
from .oracle import Oracle
from .recoveries import Recoveries

if TYPE_CHECKING:
    from .world import Child

_NEAR = 1e-4
"""Seconds; after some restarts a unix second is no more exact than that."""
_UNDONE = (
    "_oracle",
    "_count",
    "_first",
    "_last_code",
    "_last_text",
    "_runs",
    "_was",
    "_paused",
    "_untold",
    "_ran",
)
"""What is as before when a step was not written down."""


class LastingWitness(Witness):
    """One that sees what a killed HEAT has left, and what the next one makes of it."""

    __slots__ = ("_before", "_began", "_doubt")

    def __init__(self, options: Options, time: VirtualTime) -> None:
        super().__init__(options, time)
        self._doubt = False
        """Whether there is a pause is just being changed."""
        self._began = time.now()
        """When this life has begun."""
        self._before: dict[str, object] = {}

    # Pauses

    def pausing(self, until: float | None) -> None:
        """Until then, in seconds of the clock, there is about to be a pause; None: for ever."""
        self._still = float("inf") if until is None else until
        self._doubt = True

    def resuming(self) -> None:
        """There is about to be none."""
        self._still = None
        self._doubt = True

    def settled(self) -> None:
        """What was about to be done is done."""
        self._doubt = False

    # Another life

    def remember(self) -> None:
        """A step is about to be taken that may not be written down."""
        self._before = {name: getattr(self, name) for name in _UNDONE}
        self._before |= {"_oracle": copy(self._oracle), "_recoveries": copy(self._recoveries)}

    def killed_with(self, kept: Kept, stopped: set[int]) -> None:
        """HEAT is no more, and has left these stopped; an unwritten step was never taken."""
        self.deeds.forget()
        if kept.lost:
            for name, value in self._before.items():
                setattr(self, name, value)
        self._recoveries.forget()
        held = kept.held.get(FROZEN)
        if stopped - ({held.pid} if held is not None else set[int]()):
            raise Violation("a stopped target is not written down")
        if self._doubt:
            self._still = None if kept.pause is None else self._end_of(kept.pause)
        self._doubt = False

    def _end_of(self, pause: Pause) -> float:
        until = pause.until
        return float("inf") if until is None else until - self._time.unix() + self._time.now()

    def left_behind(self) -> Iterator[tuple[int, str, SimulatedChild]]:
        """What has lost its HEAT, with its process ids."""
        for pid, (kind, child) in self._alive.items():
            yield pid, kind, child
        self._alive.clear()
        self._leftovers.clear()

    def orphans(self) -> dict[int, Orphan]:
        """Scripts of earlier lives that nobody has taken up."""
        return self._orphans

    def adopted(self, pid: int, child: Child) -> None:
        """This life waits for a script of an earlier one."""
        kind = self._orphans.pop(pid).kind
        self._alive[pid] = kind, child
        self.deeds.started(kind, child)

    def restarting(self, found: SavedMachine | None, pause: Pause | None, options: Options) -> None:
        """HEAT is there again, and has read this."""
        oracle = self._compare_memory(found)
        self._compare_pause(pause)
        self._lives += 1
        self._reads += options.limits != self._limits
        self._options = self.deeds.options = options
        self._take_limits(options.limits)
        oracle.restarted(options.limits)
        oracle.paused = found is not None

    def _compare_memory(self, found: SavedMachine | None) -> Oracle:
        memory = Snapshot() if found is None else found.snapshot
        oracle = self._oracle
        if oracle.state is State.ERROR and memory == Snapshot():
            self.anew()  # It was killed when it had just done that.
            oracle = self._oracle
        wanted = oracle.memory()
        if not oracle.limits.start_period:  # Nobody cares then whether a check has ever passed.
            oracle.ever_passed = memory.passed_once
            wanted = wanted._replace(passed_once=memory.passed_once)
        if memory != wanted:
            raise Violation(f"a restart finds\n  {memory}, and should find\n  {wanted}")
        began = None if found is None else found.outage_began
        if not memory.well and not memory.given_up and int(began or 0) != self._first:
            raise Violation(f"the outage has begun at {self._first}, and not {began}")
        return oracle

    def _compare_pause(self, pause: Pause | None) -> None:
        there = None if pause is None else self._end_of(pause)
        now = self._time.now()
        still = None if self._still is None or self._still <= now + ALIKE else self._still
        if still is not None and (there is None or abs(there - still) > ALIKE):
            raise Violation(f"the pause was until {still}, and now is until {there}")
        if still is None and there is not None and there > now + ALIKE:
            raise Violation("there is a pause that was over")

    def anew(self) -> None:
        """All that was known is forgotten."""
        self._oracle = Oracle(self._limits)
        self._count = self._runs = 0
        self._recoveries = Recoveries()
        self._was = State.NORMAL
        self._untold = None

    def begins(self, first: float) -> None:
        """The first tick of this life is then."""
        oracle = self._oracle
        oracle.outage_at += self._began - first
        self._began = first
        if self._recoveries.until is not None:  # Nobody could see that it was over.
            self._recoveries.until = max(self._recoveries.until, self._time.now())
        self._ticks.begin(first, self._options.interval)
        self._recovered_at = float("-inf")
        self._window = None
        self._exact = True

    def gone_on(self) -> None:
        """HEAT watches again."""
        model, oracle = self.monitor.model, self._oracle
        if model.first_failure is not None:
            if abs(model.outage_at - oracle.outage_at) > _NEAR:
                raise Violation(f"the outage is of {model.outage_at}, not {oracle.outage_at}")
            oracle.outage_at = model.outage_at
