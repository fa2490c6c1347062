"""The fail and recovery scripts of a monitor: one at a time, each waited for until it has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

from heat.checks.outcome import exit_code
from heat.errors import StartError
from heat.monitor import environment
from heat.monitor.slow_script import SlowAlarm
from heat.process.program import Program, SilentScripts
from heat.process.run import Callbacks, Run
from heat.records import ScriptResult
from states.monitor import effects
from states.monitor.events import (
    Event,
    FailEnded,
    RecoveryDelayed,
    RecoveryEnded,
    RecoveryImpossible,
    RecoveryKilled,
)
from states.monitor.model import FailRun

if TYPE_CHECKING:
    from heat.monitor.ports import Host, Write
    from heat.process.ports import Starter

FAIL_LIMIT = 30.0
"""Seconds for a fail script that HEAT waits for and that has no ``--script-timeout``."""
FAIL, RECOVERY = "fail", "recovery"
"""The two roles of a script."""

NO_RESULTS: Mapping[str, ScriptResult] = MappingProxyType({})


class ScriptRunner:
    """Runs the fail and the recovery script, which never run at the same time."""

    __slots__ = ("_alarm", "_host", "_late", "_shown", "results", "running")

    def __init__(self, host: Host) -> None:
        self._host = host
        self.running: Run | None = None
        self.results: Mapping[str, ScriptResult] = NO_RESULTS
        """The last result of each script, by its role."""
        self._shown = ""
        """The script that ended last."""
        self._alarm: SlowAlarm | None = None
        self._late: tuple[Run, ...] = ()
        """Scripts that are gone and left something behind."""

    # Starting

    def run_fail(self, run: FailRun) -> None:
        """Start the fail script."""
        host, program = self._host, self._host.setup.fail
        if host.exit_code is not None:
            return
        if program is None:  # The reloaded configuration does not have it any more.
            host.feed(FailEnded())
            return
        program = program._replace(env=environment.of_fail(host.setup.options, run))
        try:
            script = self._start(FAIL, program)
        except StartError as error:
            host.write(host.report.fail_not_started, str(error))
            host.feed(FailEnded())
        else:
            self._began(FAIL, script)
            host.write(host.report.fail_started, script.pid, run)

    def run_recovery(self, effect: effects.RunRecovery) -> None:
        """Start the recovery script."""
        host, program = self._host, self._host.setup.recovery
        if host.exit_code is not None:
            return
        if program is None:  # The reloaded configuration does not have it any more.
            host.feed(RecoveryEnded())
            return
        variables = environment.of_recovery(
            host.setup.options, effect.first, effect.last, effect.failures
        )
        try:
            script = self._start(RECOVERY, program._replace(env=variables))
        except StartError as error:
            self._recovery_not_started(error)
        else:
            self._began(RECOVERY, script)
            host.write(host.report.recovery_started, script.pid, effect.attempt)

    def _recovery_not_started(self, error: StartError) -> None:
        host, why = self._host, str(error)
        if error.passing:
            host.write(host.report.recovery_delayed, why)
            host.feed(RecoveryDelayed())
        elif not host.setup.options.limits.spent_watch:
            host.feed(RecoveryImpossible(why))
        else:  # That is its end: the service may come back all the same.
            host.write(host.report.recovery_not_started, why, error.code)
            now = host.world.clock.now()
            self._keep(RECOVERY, ScriptResult(error.code, exit_code(error.code), why, now))
            host.feed(RecoveryEnded())

    def _start(self, role: str, program: Program) -> Run:
        if program.file is not None:
            program.file.printed = self.take_output
        return self._run(role, program, self._host.world.launcher)

    def _run(self, role: str, program: Program, starter: Starter) -> Run:
        host, gone = self._host, self._fail_gone if role == FAIL else self._recovery_gone
        callbacks = Callbacks(
            _ignore, gone, self._stuck, settled=self._settled, left=host.report.on_left
        )
        parts = host.world.clock, host.world.timers, starter
        return Run(parts, program, host.setup.options.script_timeout, callbacks, host)

    def _began(self, role: str, run: Run) -> None:
        """Let the next HEAT know its process, and report if it is slow."""
        host, self.running = self._host, run
        if host.record is not None:
            with suppress(OSError):  # Out of descriptors; its environment identifies it too.
                host.record.hold(role, run.pid, run.identity())
        self.cancel()
        self._alarm = SlowAlarm(host, run, fails=role == FAIL)

    def adopt(self, role: str, program: Program | None, starter: Starter) -> None:
        """Wait for a script that an earlier HEAT started."""
        if program is None:  # An earlier configuration had it.
            file = self._host.setup.script_file or SilentScripts()
            program = Program(role, role, (role,), file)
        run = self._run(role, program, starter)
        self._began(role, run)
        self._host.report.waits_for(role, run)

    # While it runs

    def cancel(self) -> None:
        """Report no more that a script is slow."""
        if self._alarm is not None:
            self._alarm.cancel()

    def bound_fail(self, write: Callable[..., None], *values: str) -> None:
        """Wait for the running fail script, not for ever."""
        if self.running is not None:
            self.running.limit_from_now(FAIL_LIMIT)
            self._host.write(write, *values, self.running.time_left)

    def end(self) -> None:
        """Let a fail script report the failure, and stop a recovery script."""
        if self._host.model.fail_running:
            self.bound_fail(self._host.report.end_waits_for_fail)
        elif self.running is not None:
            self.running.stop()

    def take_output(self) -> None:
        """Record what a service prints that a script left behind, or the script of another HEAT."""
        setup = self._host.setup
        file = setup.script_file
        if file is not None and self.running is None and (output := file.take()):
            own = setup.recovery or setup.fail
            shown = self._shown or ("" if own is None else own.shown)
            self._host.report.script_printed(shown, output)

    # Its end

    def _fail_gone(self, run: Run) -> None:
        self.cancel()
        self._host.feed(FailEnded(), self._gone(FAIL, run))
        self._host.leave_if_ended()

    def _recovery_gone(self, run: Run) -> None:
        host = self._host
        event: Event = RecoveryEnded()
        self.cancel()
        if run.killed and host.setup.options.on_killed == "error":
            goes_on = "takes that for its end, and goes on"
            event = RecoveryKilled(host.report.killed("recovery script", run, goes_on))
        host.feed(event, self._gone(RECOVERY, run))
        host.leave_if_ended()

    def _gone(self, role: str, run: Run) -> Write:
        """Keep how it went; take what it printed, before another prints to the same file."""
        self.running = None
        self._shown = run.program.shown
        report, file = self._host.report, run.program.file
        output, text = (b"", "") if file is None else (file.take(), file.last_line)
        code = None if run.timed_out else run.code
        now = self._host.world.clock.now()
        self._keep(role, ScriptResult(code, report.ending_of_run(run), text, now))
        if not run.settled:
            self._late = (*self._late, run)
        return lambda _state, _count: report.script_ended(role, run, output, text)

    def _keep(self, role: str, result: ScriptResult) -> None:
        self.results = {**self.results, role: result}
        if role == RECOVERY and self._host.record is not None:
            self._host.record.recovery_ended(result, self._host.world.clock.unix())

    def _stuck(self, run: Run) -> None:
        self._host.report.stuck(run)
        self._host.end_if_done()
        self._host.leave_if_ended()

    def _settled(self, run: Run) -> None:
        self._host.report.late_output(run, run.output())
        self._late = tuple(each for each in self._late if each is not run)
        self._host.leave_if_ended()

    @property
    def runs(self) -> list[Run]:
        """All scripts that may have left something."""
        return [run for run in (self.running, *self._late) if run is not None]


def _ignore(_run: Run) -> None:
    """Do nothing: a script is over when it is gone."""
