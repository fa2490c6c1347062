"""Invariants from one life of HEAT to the next: the state it knew, the programs it left."""

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
from .lives import Orphan, VirtualFile
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
"""Attributes to restore when a step was not written down."""


class LastingWitness(Witness):
    """A witness of what a killed HEAT leaves, and of what the next one makes of it."""

    __slots__ = ("_before", "_began", "_doubt")

    def __init__(self, options: Options, time: VirtualTime) -> None:
        super().__init__(options, time)
        self._doubt = False
        """A pause is just beginning or ending."""
        self._began = time.now()
        """The start of this life."""
        self._before: dict[str, object] = {}

    # Pauses

    def pausing(self, until: float | None) -> None:
        """Expect a pause until this second of the clock; None: for ever."""
        self._still = float("inf") if until is None else until
        self._doubt = True

    def resuming(self) -> None:
        """Expect the end of the pause."""
        self._still = None
        self._doubt = True

    def settled(self) -> None:
        """Note that the pause has begun or ended."""
        self._doubt = False

    # Another life

    def remember(self) -> None:
        """Keep the attributes before a step that may not be written down."""
        self._before = {name: getattr(self, name) for name in _UNDONE}
        self._before |= {"_oracle": copy(self._oracle), "_recoveries": copy(self._recoveries)}

    def killed_with(self, file: VirtualFile, stopped: set[int]) -> None:
        """Note that HEAT was killed and left these stopped; an unwritten step never happened."""
        self.deeds.forget()
        if file.lost:
            for name, value in self._before.items():
                setattr(self, name, value)
        self._recoveries.forget()
        held = file.held.get(FROZEN)
        if stopped - ({held.pid} if held is not None else set[int]()):
            raise Violation("a stopped target is not written down")
        if self._doubt:
            self._still = None if file.pause is None else self._end_of(file.pause)
        self._doubt = False

    def _end_of(self, pause: Pause) -> float:
        until = pause.until
        return float("inf") if until is None else until - self._time.unix() + self._time.now()

    def left_behind(self) -> Iterator[tuple[int, str, SimulatedChild]]:
        """Yield the programs that have lost their HEAT."""
        for pid, (kind, child) in self._alive.items():
            yield pid, kind, child
        self._alive.clear()
        self._leftovers.clear()

    def orphans(self) -> dict[int, Orphan]:
        """Return the scripts of earlier lives that nobody has adopted."""
        return self._orphans

    def adopted(self, pid: int, child: Child) -> None:
        """Note that this life waits for a script of an earlier one."""
        kind = self._orphans.pop(pid).kind
        self._alive[pid] = kind, child
        self.deeds.started(kind, child)

    def restarting(self, saved: SavedMachine | None, pause: Pause | None, options: Options) -> None:
        """Compare what a new HEAT has read."""
        oracle = self._compare_memory(saved)
        self._compare_pause(pause)
        self._lives += 1
        self._reads += options.limits != self._limits
        self._options = self.deeds.options = options
        self._take_limits(options.limits)
        oracle.restarted(options.limits)
        oracle.paused = saved is not None

    def _compare_memory(self, saved: SavedMachine | None) -> Oracle:
        memory = Snapshot() if saved is None else saved.snapshot
        oracle = self._oracle
        if oracle.state is State.ERROR and memory == Snapshot():
            self.begin_again()  # It was killed when it had just done that.
            oracle = self._oracle
        expected = oracle.memory()
        if not oracle.limits.start_period:  # A first pass does not matter then.
            oracle.ever_passed = memory.passed_once
            expected = expected._replace(passed_once=memory.passed_once)
        if memory != expected:
            raise Violation(f"a restart finds\n  {memory}, and should find\n  {expected}")
        began = None if saved is None else saved.outage_began
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

    def begin_again(self) -> None:
        """Forget everything."""
        self._oracle = Oracle(self._limits)
        self._count = self._runs = 0
        self._recoveries = Recoveries()
        self._was = State.NORMAL
        self._untold = None

    def begins(self, first: float) -> None:
        """Begin a life with its first tick at this moment."""
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
        """Compare the outage that HEAT goes on with."""
        model, oracle = self.monitor.model, self._oracle
        if model.first_failure is not None:
            if abs(model.outage_at - oracle.outage_at) > _NEAR:
                raise Violation(f"the outage is of {model.outage_at}, not {oracle.outage_at}")
            oracle.outage_at = model.outage_at
