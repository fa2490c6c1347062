"""A watch that begins where an earlier HEAT has left it.

Loaded only where state is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.monitor import environment
from heat.monitor.monitor import EXIT_ERROR, FAIL, RECOVERY, SLOW_SCRIPT, Monitor
from heat.process.program import Program, SilentScripts
from heat.process.run import Callbacks, Run
from states.monitor.events import Event, FailEnded, FailLost, RecoveryEnded, RecoveryLost, Resumed
from states.monitor.questions import recovery_runs
from states.monitor.snapshot import restore

if TYPE_CHECKING:
    from heat.process.identity import Held
    from heat.store.snapshot import SavedMachine


class Restored(Monitor):
    """One monitor whose past is known, or may be."""

    __slots__ = ()

    def go_on(self, found: SavedMachine | None, first: float) -> None:
        """Begin where an earlier HEAT was; the first check is at this moment of the clock."""
        if found is not None and found.snapshot.given_up:
            self._stay_in_error(found)
            return
        self.start(first)
        pause = None if self.record is None else self.record.pause
        if found is not None:
            self._recall(found)
            self._report.went_on(self.model.state, self.model.count)
            self._wake_if_free()
            self._take_up_scripts()
            self._take_up_backoff(found)
        else:
            self.setup.target.wake()  # It was stopped in an outage that is forgotten.
            if pause is None:
                return
        unix = self._world.clock.unix()
        if pause is not None and (pause.until is None or pause.until > unix):
            self._keep_still(pause)
            return
        if pause is not None and self.record is not None:
            self.record.resumed(unix)
        self._feed(Resumed())

    def _recall(self, found: SavedMachine, *, paused: bool = True) -> None:
        restore(self.model, found.snapshot, paused=paused)
        self.changed = found.changed
        self._judged = found.snapshot.spent
        if found.outage_began is not None:
            clock = self._world.clock
            age = clock.unix() - found.outage_began
            self.model.outage_at = clock.now() - self._start - age

    def _stay_in_error(self, found: SavedMachine) -> None:
        """An earlier HEAT could not do its work for this monitor any more: nothing begins."""
        self._start = self._world.clock.now()
        self._recall(found, paused=False)
        self.exit_code = EXIT_ERROR
        self.left = True
        self._report.stays_in_error()
        if (pid := self.setup.target.wake()) is not None:
            self._report.woke(pid)

    def _take_up_scripts(self) -> None:
        """Wait for a script that an earlier HEAT has started; see to it if it never began."""
        model = self.model
        if (run := model.fail_run) is not None:
            told = self._told_of_script(self._fail_gone)
            variables = environment.of_fail(self.setup.options, run)
            self._take_up((FAIL, self.setup.fail, variables), told, FailLost(), FailEnded())
            if self._script is not None:
                self._mind_slow_fail(self._script)
        first, last = model.first_failure, model.last_failure
        if recovery_runs(model) and first is not None and last is not None:
            told = self._told_of_script(self._recovery_gone)
            variables = environment.of_recovery(self.setup.options, first, last, model.count)
            self._take_up(
                (RECOVERY, self.setup.recovery, variables), told, RecoveryLost(), RecoveryEnded()
            )
            if self._script is not None:
                self._mind_slowness(self._script, max(self.setup.options.interval, SLOW_SCRIPT))

    def _take_up_backoff(self, found: SavedMachine) -> None:
        """Wait for what is left of it; never longer than the whole, as the clock may have moved."""
        backoff, until = found.snapshot.backoff, found.backoff_until
        if backoff is not None:
            left = backoff if until is None else until - self._world.clock.unix()
            self._await_backoff(min(backoff, max(0.0, left)))

    def _take_up(
        self,
        what: tuple[str, Program | None, dict[str, str]],
        told: Callbacks,
        lost: Event,
        ended: Event,
    ) -> None:
        role, program, environment = what
        launcher = self._world.launcher
        held: Held | None = None if self.record is None else self.record.held.get(role)
        if held is None:
            del environment["HEAT_FAIL_INTERVAL"]  # It may be another one by now.
            del environment["HEAT_FAIL_TEXT"]  # An earlier version has not told it.
            held = launcher.find(environment)
        if held is None:
            self._feed(lost if program is not None else ended)
            return
        adopting = launcher.take_up(held)
        if adopting is None:
            if role == RECOVERY and self.record is not None:
                self.record.recovery_ended_unseen(self._world.clock.unix())
            self._feed(ended)
            return
        if program is None:  # It was started before the configuration was changed.
            program = Program(role, role, (role,), self.setup.script_file or SilentScripts())
        world = self._world.clock, self._world.timers, adopting
        self._script = Run(world, program, self.setup.options.script_timeout, told, self)
        self._hold(role, self._script)
        self._report.waits_for(role, self._script)
