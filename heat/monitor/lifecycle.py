"""The life of a monitor: its start, another configuration, its end."""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from heat.errors import unforeseen
from heat.monitor.check_runner import CheckRunner
from heat.monitor.exit_codes import EXIT_ERROR, EXIT_NOT_WELL, EXIT_WELL
from heat.monitor.pause import PauseKeeper
from heat.monitor.pump import EventPump
from heat.monitor.script_runner import ScriptRunner
from heat.monitor.target_signals import TargetSignals, wake_if_free
from heat.monitor.ticks import Ticks
from heat.text import counted
from states.monitor.events import LimitsChanged, WatchBroke
from states.monitor.questions import nothing_left, well

if TYPE_CHECKING:
    from heat.checks.ports import Attempt
    from heat.monitor.setup import Setup, World
    from heat.process.run import Run
    from heat.report.monitor_report import MonitorReport
    from heat.runtime.ports import Timer
    from heat.store.monitor_record import MonitorRecord


class Lifecycle(EventPump):
    """Has the parts of a monitor, from its start to its end; then ``done`` is called.

    Only the check runner is always there. The other parts are made when they are first needed:
    monitors are many, and most of them are well.
    """

    __slots__ = (
        "_crashed",
        "_done",
        "_pauses",
        "_scripts",
        "_signals",
        "_start",
        "_window",
        "added",
        "checks",
        "left",
        "row",
        "ticks",
    )

    def __init__(
        self,
        setup: Setup,
        world: World,
        report: MonitorReport,
        done: Callable[[Any], None],
        record: MonitorRecord | None = None,
    ) -> None:
        super().__init__(setup, world, report, record)
        self._done = done
        self.added = world.clock.now()
        """The moment at which HEAT began to watch it."""
        self.row = -1 if world.counters is None else world.counters.add(self.added)
        """Its row in the counters; negative if there are none."""
        self.left = False
        """It has ended, and nothing of it is left."""
        self._crashed = False
        self._start = 0.0
        self.ticks = Ticks(self)
        self._window: tuple[float, Timer] | None = None
        """The end of the recovery window, or of the backoff."""
        self.checks = CheckRunner(self)
        self._scripts = None if setup.script_file is None else ScriptRunner(self)
        self._signals: TargetSignals | None = None
        self._pauses: PauseKeeper | None = None

    @property
    def scripts(self) -> ScriptRunner:
        """The fail and recovery scripts."""
        if self._scripts is None:
            self._scripts = ScriptRunner(self)
        return self._scripts

    @property
    def signals(self) -> TargetSignals:
        """The signals to the target."""
        if self._signals is None:
            self._signals = TargetSignals(self)
        return self._signals

    @property
    def pauses(self) -> PauseKeeper:
        """The pause by hand."""
        if self._pauses is None:
            self._pauses = PauseKeeper(self)
        return self._pauses

    @property
    def script(self) -> Run | None:
        """The fail or recovery script that runs."""
        return None if self._scripts is None else self._scripts.running

    # The start, and another configuration

    def start(self, first: float) -> None:
        """Begin; the first check is at this moment of the clock."""
        self._start = first
        self.ticks.start(first)

    @property
    def age(self) -> float:
        """Seconds since its first check was due."""
        return self.world.clock.now() - self._start

    def touch(self) -> None:
        """Count a change that those who ask for news must see."""
        if self.world.counters is not None:
            self.world.counters.touch(self.row, self.world.clock.now())

    def adopt(self, setup: Setup, first: float) -> None:
        """Go on with another setup; state and counts stay, and what runs may end.

        ``first`` is when the ticks begin if the interval is another one.
        """
        before, self.setup = self.setup, setup
        self.report.options = setup.options
        if setup.target is not before.target:
            self.drop_signal()
            if (pid := before.target.wake()) is not None:
                self.report.woke(pid)
        if self.exit_code is not None:
            return
        wake_if_free(self)
        if setup.options.interval != before.options.interval:
            self.ticks.change(setup.options.interval, first)
        self.feed(LimitsChanged(setup.options.limits))

    # The end

    def give_in(self, exit_code: int) -> None:
        """End by a signal of HEAT's own: stop, but let a fail script report the failure."""
        self._drop_queued()
        self._end(exit_code)
        self._end_programs()
        self.leave_if_ended()

    def stop(self, exit_code: int, *, at_once: bool = False) -> None:
        """Start no more checks, kill what runs, then end."""
        self._drop_queued()
        self._end(exit_code)
        for run in self._runs():
            run.stop()
            if at_once:
                run.stop_hard()
        self.leave_if_ended()

    def _drop_queued(self) -> None:
        if self.exit_code is None and (run := self.model.fail_queued) is not None:
            self.report.fail_dropped(run)

    def crashed(self, error: Exception) -> None:
        """Write a bug of HEAT down, and stop as for any error."""
        if self._crashed:
            self.abandon()
            return
        self._crashed = True
        unwritten = self.clear()
        self.report.bug("".join(traceback.format_exception(error)))
        self.feed(WatchBroke(unforeseen(error)))
        self.write_all(unwritten)
        self.leave_if_ended()

    def abandon(self) -> None:
        """Kill what runs, and wait for nothing."""
        self._end(EXIT_ERROR)
        for run in self._runs():
            run.stop_hard()
        if not self.left:
            self.left = True
            self.checks.end_turn()
            self._done(self)

    def end_if_done(self) -> None:
        """End after the last check of ``--count``."""
        check = self.checks.attempt
        stuck = check is not None and check.outlived
        if self.exit_code is None and nothing_left(self.model, stuck=stuck):
            self._end(EXIT_WELL if well(self.model) else EXIT_NOT_WELL)
            self.report.ending(f"{counted(self.model.checks, 'check')} done (--count)")

    def _end(self, exit_code: int) -> None:
        self.exit_code = exit_code if self.exit_code is None else self.exit_code
        self.drop_signal()
        self._events = None
        self.world.limiter.forget(self)
        for timed in (self.ticks, self._scripts, self._pauses):
            if timed is not None:
                timed.cancel()
        if self._window is not None:
            self._window[1].cancel()

    def _end_programs(self) -> None:
        if self.checks.attempt is not None:
            self.checks.attempt.stop()
        if self._scripts is not None:
            self._scripts.end()

    def drop_signal(self) -> None:
        """Forget a signal that waits for the pid file: something else has come up."""
        if self._signals is not None:
            self._signals.drop()

    @abstractmethod
    def __call__(self) -> None:
        """Tick."""

    def leave_if_ended(self) -> None:
        """Leave if it has ended, and nothing of it is left."""
        if self.exit_code is None or self.reacts or self.left:
            return
        if any(self._awaits(run) for run in self._runs()):
            return
        self.left = True
        self.checks.end_turn()
        woken = self.setup.target.wake()
        try:
            if self._scripts is not None:
                self._scripts.take_output()
            if woken is not None:
                self.report.woke(woken)
        finally:
            self._done(self)

    def _runs(self) -> list[Attempt | Run]:
        """List the checks and scripts that may have left something."""
        scripts = () if self._scripts is None else self._scripts.runs
        return [*self.checks.attempts, *scripts]

    def _awaits(self, run: Attempt | Run) -> bool:
        # The end of one that is over may have been lost in the crash.
        return not run.outlived and not (self._crashed and run.over)
