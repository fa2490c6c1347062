"""A monitor that begins where an earlier HEAT left it. Loaded only where state is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.monitor import environment
from heat.monitor.exit_codes import EXIT_ERROR
from heat.monitor.monitor import Monitor
from heat.monitor.script_runner import FAIL, RECOVERY
from heat.monitor.target_signals import wake_if_free
from states.monitor.events import Event, FailEnded, FailLost, RecoveryEnded, RecoveryLost, Resumed
from states.monitor.questions import recovery_runs
from states.monitor.snapshot import restore

if TYPE_CHECKING:
    from heat.process.identity import Held
    from heat.process.program import Program
    from heat.store.snapshot import SavedMachine


class ResumedMonitor(Monitor):
    """One monitor that an earlier HEAT may have watched."""

    __slots__ = ()

    def go_on(self, saved: SavedMachine | None, first: float) -> None:
        """Begin where an earlier HEAT was; the first check is at this moment of the clock."""
        if saved is not None and saved.snapshot.given_up:
            self._stay_in_error(saved)
            return
        self.start(first)
        pause = None if self.record is None else self.record.pause
        if saved is not None:
            self._recall(saved)
            self.report.went_on(self.model.state, self.model.count)
            wake_if_free(self)
            self._take_up_scripts()
            self._take_up_backoff(saved)
        else:
            self.setup.target.wake()  # It was stopped in an outage that is forgotten.
            if pause is None:
                return
        unix = self.world.clock.unix()
        if pause is not None and (pause.until is None or pause.until > unix):
            self.pauses.keep(pause)
            return
        if pause is not None and self.record is not None:
            self.record.resumed(unix)
        self.feed(Resumed())

    def _recall(self, saved: SavedMachine, *, paused: bool = True) -> None:
        restore(self.model, saved.snapshot, paused=paused)
        self.changed = saved.changed
        self._counted = saved.snapshot.spent
        if saved.outage_began is not None:
            self.model.outage_at = self.age - (self.world.clock.unix() - saved.outage_began)

    def _stay_in_error(self, saved: SavedMachine) -> None:
        """Begin nothing: an earlier HEAT gave this monitor up."""
        self._start = self.world.clock.now()
        self._recall(saved, paused=False)
        self.exit_code = EXIT_ERROR
        self.left = True
        self.report.stays_in_error()
        if (pid := self.setup.target.wake()) is not None:
            self.report.woke(pid)

    def _take_up_scripts(self) -> None:
        """Wait for a script that an earlier HEAT started; see to it if it never began."""
        model, setup, options = self.model, self.setup, self.setup.options
        if (run := model.fail_run) is not None:
            variables = environment.of_fail(options, run)
            self._take_up(FAIL, setup.fail, variables, (FailLost(), FailEnded()))
        first, last = model.first_failure, model.last_failure
        if recovery_runs(model) and first is not None and last is not None:
            variables = environment.of_recovery(options, first, last, model.count)
            self._take_up(RECOVERY, setup.recovery, variables, (RecoveryLost(), RecoveryEnded()))

    def _take_up(
        self,
        role: str,
        program: Program | None,
        variables: dict[str, str],
        without: tuple[Event, Event],
    ) -> None:
        """Adopt the script; ``without`` it, feed that it is lost, or that it has ended."""
        lost, ended = without
        held = self._held(role, variables)
        if held is None:
            self.feed(lost if program is not None else ended)
            return
        adopting = self.world.launcher.take_up(held)
        if adopting is not None:
            self.scripts.adopt(role, program, adopting)
            return
        if role == RECOVERY and self.record is not None:
            self.record.recovery_ended_unseen(self.world.clock.unix())
        self.feed(ended)

    def _held(self, role: str, variables: dict[str, str]) -> Held | None:
        held = None if self.record is None else self.record.held.get(role)
        if held is not None:
            return held
        del variables["HEAT_FAIL_INTERVAL"]  # It may be another one by now.
        del variables["HEAT_FAIL_TEXT"]  # An earlier version did not set it.
        return self.world.launcher.find(variables)

    def _take_up_backoff(self, saved: SavedMachine) -> None:
        """Wait for the rest of it, but never longer than the whole: the clock may have moved."""
        backoff, until = saved.snapshot.backoff, saved.backoff_until
        if backoff is not None:
            left = backoff if until is None else until - self.world.clock.unix()
            self._await_backoff(min(backoff, max(0.0, left)))
