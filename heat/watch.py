"""One monitor at work: ticks and results go into the machine, its effects are performed.

Events that come while effects are performed wait until that is done, so each effect list is
carried out whole. What is to be written waits until all reactions are out.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, assert_never

from heat import signals
from heat.errors import StartError, TargetError
from heat.journal import Checked, Journal
from heat.options import Options
from heat.run import Run, Told
from heat.schedule import Beat
from heat.status import describe
from heat.text import counted, seconds
from heat.world import Clock, Launcher, Output, Program, ScriptFile, Target, Timer, Timers
from states import effects
from states.machine import step
from states.model import (
    CheckFailed,
    CheckGone,
    CheckImpossible,
    CheckKilled,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    FailRun,
    Failure,
    Monitor,
    RecoveryDelayed,
    RecoveryEnded,
    RecoveryImpossible,
    RecoveryKilled,
    State,
    TargetGone,
    TargetMissing,
    Tick,
    WindowClosed,
)
from states.rules import nothing_left, well

TIMED_OUT = 124
"""The exit code of a check that timed out, as timeout(1) has it."""
FAIL_LIMIT = 30.0
"""Seconds for a fail script that is waited for and has no ``--script-timeout``."""
SLOW_RECOVERY = 10.0
"""Seconds; a recovery script is not called slow before that."""

EXIT_WELL, EXIT_NOT_WELL, EXIT_USAGE, EXIT_ERROR, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

Tell = Callable[[State, int], None]


class World(NamedTuple):
    """All that a watch acts on."""

    clock: Clock
    timers: Timers
    launcher: Launcher
    target: Target
    journal: Journal
    script_file: ScriptFile


class Programs(NamedTuple):
    """What a watch runs."""

    check: Program
    fail: Program | None = None
    recovery: Program | None = None


class Watch:
    """One monitor at work; ``done`` is called when it has ended and nothing of it is left."""

    def __init__(
        self, options: Options, programs: Programs, world: World, done: Callable[[], None]
    ) -> None:
        self.monitor = Monitor(options.limits)
        self.exit_code: int | None = None
        """What HEAT exits with; None while it watches."""
        self._options = options
        self._programs = programs
        self._clock, self._timers, self._launcher = world[:3]
        self._target, self._journal, self._script_file = world[3:]
        self._done = done
        self._start = self._clock.now()
        self._beat = Beat(options.interval, self._start)
        self._tick_timer: Timer | None = None
        self._window_timer: Timer | None = None
        self._slow_timer: Timer | None = None
        self._check: Run | None = None
        self._script: Run | None = None
        """The fail or the recovery script: they never run at the same time."""
        self._last: Checked | None = None
        self._last_ended = 0.0
        self._last_script = ""
        self._events: deque[tuple[Event, Tell | None]] = deque()
        self._busy = False
        self._left = self._stopping = self._escape_told = False
        self._told: list[Callable[[], None]] = []

    # Ticks

    def start(self) -> None:
        """Begin: the first check starts at once."""
        self._start = self._clock.now()
        self._beat.restart(self._start)
        self._feed(Tick())
        self._arm_tick()

    def _arm_tick(self) -> None:
        _cancel(self._tick_timer)
        if self.exit_code is None:
            self._tick_timer = self._timers.at(self._beat.due, self._tick)

    def _tick(self) -> None:
        missed = self._beat.advance(self._clock.now())
        self._arm_tick()
        self._feed(Tick(missed))
        if self._script is None:
            self._journal.script_printed(self._last_script, self._script_file.take())
        else:
            self._script_file.collect()

    # Events and effects

    def _feed(self, event: Event, tell: Tell | None = None) -> None:
        """Give the machine an event; ``tell`` writes it down with the state that followed."""
        if self.exit_code is not None:
            if tell is not None:
                self._tell(tell, self.monitor.state, self.monitor.count)
            return
        self._events.append((event, tell))
        if self._busy:
            return
        self._busy = True
        try:
            while self._events:
                self._take(*self._events.popleft())
        finally:
            self._busy = False
            self._write()
        if self.exit_code is None and nothing_left(self.monitor):
            self._end(EXIT_WELL if well(self.monitor) else EXIT_NOT_WELL)
            self._journal.ending(f"{counted(self.monitor.checks, 'check')} done (--count)")
        self._leave_if_ended()

    def _tell(self, write: Callable[..., None], *what: object) -> None:
        """Have it written as soon as all reactions are out."""
        self._told.append(partial(write, *what))
        if not self._busy:
            self._write()

    def _write(self) -> None:
        told, self._told = self._told, []
        for write in told:
            write()

    def _take(self, event: Event, tell: Tell | None) -> None:
        monitor, told = self.monitor, len(self._told)
        before = monitor.state
        wanted = step(monitor, event)
        after, count = monitor.state, monitor.count
        for effect in wanted:
            self._perform(effect)
        if after is not before:
            self._told.insert(told, partial(self._journal.changed, before, after, count))
        if tell is not None:
            self._told.insert(told, partial(tell, after, count))

    def _perform(self, effect: effects.Effect) -> None:  # noqa: C901, PLR0912 - an arm an effect
        tell, journal = self._tell, self._journal
        match effect:  # The most urgent first.
            case effects.SendSignal(signum, option):
                self._send(signum, option)
            case effects.RunFail(run):
                self._run_fail(run)
            case effects.RunRecovery():
                self._run_recovery(effect)
            case effects.RunCheck():
                self._run_check()
            case effects.RestartTicks():
                self._beat.restart(self._clock.now())
                self._arm_tick()
            case effects.QueueFail(run):
                tell(journal.fail_queued, run)
            case effects.DropFail(run):
                tell(journal.fail_dropped, run)
            case effects.BoundFail():
                self._bound_fail("recovery")
            case effects.EnterRecovery(attempt, count):
                tell(journal.entered_recovery, attempt, count)
            case effects.OpenWindow(span):
                if span is not None:
                    due = self._clock.now() + span
                    self._window_timer = self._timers.at(due, partial(self._feed, WindowClosed()))
            case effects.CloseWindow():
                _cancel(self._window_timer)
            case effects.Recovered(count, outage_at, attempts):
                span = self._clock.now() - self._start - outage_at
                tell(journal.recovered, count, span, attempts)
            case effects.NotCounted():
                tell(journal.not_counted)
            case effects.GiveUp(reason):
                self._give_up(reason)
            case _:
                assert_never(effect)

    # The target

    def _send(self, signum: int, option: str) -> None:
        told = len(self._told)
        try:
            pid = self._target.send(signum)
        except TargetError as error:
            reason = str(error)
            self._tell(self._journal.not_sent, signum, option, reason)
            self._feed(TargetGone(reason) if error.gone else TargetMissing(reason))
        else:
            # In front of what a signal to HEAT itself has led to.
            self._told.insert(told, partial(self._journal.sent, signum, option, pid))

    def target_gone(self, reason: str) -> None:
        """The process of ``--pid`` has ended."""
        self._feed(TargetGone(reason))

    # The check

    def _run_check(self) -> None:
        if self.exit_code is not None:
            return
        escaped = None if self._escape_told else self._check_escaped
        told = Told(self._check_ended, self._check_gone, self._stuck, escaped)
        try:
            self._check = self._run(self._programs.check, self._options.timeout, told)
        except StartError as error:
            if error.passing:
                checked = Checked(int(self._clock.unix()), None, unknown=str(error))
                self._feed(CheckUnknown(), partial(self._tell_checked, checked, Output()))
            else:
                self._feed(CheckImpossible(str(error)))

    def _run(self, program: Program, timeout: float | None, told: Told) -> Run:
        return Run((self._clock, self._timers, self._launcher), program, timeout, told)

    def _check_ended(self, run: Run) -> None:
        self._feed(self._verdict(run), partial(self._tell_ended, run))

    def _verdict(self, run: Run) -> Event:
        code = _code(run)
        if code == 0:
            return CheckPassed()
        if code is None:
            return CheckUnknown()
        signum = run.status.signal
        if signum is not None and not run.timed_out and self._options.on_killed == "error":
            return CheckKilled(
                f"check {self._options.shown} (process {run.pid}) was killed by "
                f"SIG{signals.name(signum)}, and not by HEAT; '--on-killed fail' takes that for "
                "a failure"
            )
        failure = Failure(code, run.pid, int(self._clock.unix()))
        return CheckFailed(failure, self._clock.now() - self._start, run.timed_out)

    def _tell_ended(self, run: Run, state: State, count: int) -> None:
        code = _code(run)
        checked = Checked(
            run.started_unix,
            code,
            run.pid,
            run.duration,
            run.status.signal,
            run.timed_out,
            "" if code is not None else "the check's exit code is lost",
        )
        self._tell_checked(checked, run.output(), state, count)

    def _tell_checked(self, checked: Checked, output: Output, state: State, count: int) -> None:
        self._last, self._last_ended = checked, self._clock.now()
        self._journal.checked(checked, output, state, count)

    def _check_gone(self, run: Run) -> None:
        if self._check is run:
            self._check = None
        if run.timed_out:
            self._journal.late_output(run, run.output())
            self._feed(CheckGone())
        elif run.stopped:
            self._journal.check_stopped(run, run.output())
        self._leave_if_ended()

    def _check_escaped(self, run: Run) -> None:
        self._escape_told = True
        self._journal.escaped(run.pid)

    # The scripts

    def _run_fail(self, run: FailRun) -> None:
        program = self._programs.fail
        if program is None or self.exit_code is not None:
            return
        environment = self._environment(run.failure, run.failures, run.state)
        environment["HEAT_FAIL_TIME"] = str(run.failure.time)
        told = Told(_nothing, self._fail_gone, self._stuck)
        program = program._replace(env=environment)
        try:
            self._script = self._run(program, self._options.script_timeout, told)
        except StartError as error:
            self._tell(self._journal.fail_not_started, str(error))
            self._feed(FailEnded())
        else:
            self._tell(self._journal.fail_started, self._script.pid, run)

    def _run_recovery(self, wanted: effects.RunRecovery) -> None:
        program = self._programs.recovery
        if program is None or self.exit_code is not None:
            return
        environment = self._environment(wanted.last, wanted.failures, self.monitor.state)
        environment["HEAT_FAIL_TIME"] = str(wanted.first.time)
        environment["HEAT_FAIL_TIME_LAST"] = str(wanted.last.time)
        told = Told(_nothing, self._recovery_gone, self._stuck)
        program = program._replace(env=environment)
        try:
            self._script = self._run(program, self._options.script_timeout, told)
        except StartError as error:
            if error.passing:
                self._tell(self._journal.recovery_delayed, str(error))
                self._feed(RecoveryDelayed())
            else:
                self._feed(RecoveryImpossible(str(error)))
        else:
            self._tell(self._journal.recovery_started, self._script.pid, wanted.attempt)
            self._mind_slowness(self._script, max(self._options.interval, SLOW_RECOVERY))

    def _mind_slowness(self, run: Run, span: float) -> None:
        def slow() -> None:
            self._journal.recovery_slow(run.pid, span)
            self._mind_slowness(run, 2 * span)

        self._slow_timer = self._timers.at(run.started + span, slow)

    def _environment(self, last: Failure, count: int, state: State) -> dict[str, str]:
        return {
            "HEAT_FAIL_CODE": str(last.code),
            "HEAT_FAIL_INTERVAL": seconds(self._options.interval),
            "HEAT_FAIL_PID": str(last.pid),
            "HEAT_FAIL_CNT": str(count),
            "HEAT_NAME": self._options.name,
            "HEAT_STATE": state.value,
        }

    def _bound_fail(self, waiting: str) -> None:
        if self._script is not None:
            self._script.limit_from_now(FAIL_LIMIT)
            self._tell(self._journal.waiting_for_fail, waiting, self._script.time_left)

    def _fail_gone(self, run: Run) -> None:
        self._feed(FailEnded(), self._script_gone("fail", run))
        self._leave_if_ended()

    def _recovery_gone(self, run: Run) -> None:
        _cancel(self._slow_timer)
        event: Event = RecoveryEnded()
        if run.status.signal is not None and not run.timed_out:
            name = signals.name(run.status.signal)
            event = RecoveryKilled(
                f"recovery script {run.program.shown} (process {run.pid}) was killed by "
                f"SIG{name}, and not by HEAT"
            )
        self._feed(event, self._script_gone("recovery", run))
        self._leave_if_ended()

    def _script_gone(self, name: str, run: Run) -> Tell:
        """Take what the script printed, before another prints to the same file."""
        self._script = None
        self._last_script = run.program.shown
        output = self._script_file.take()
        return lambda _state, _count: self._journal.script_ended(name, run, output)

    def _stuck(self, run: Run) -> None:
        self._journal.stuck(run.program.shown, run.pid)
        self._leave_if_ended()

    # The end

    def stop(self, why: str, exit_code: int) -> None:
        """Start no more checks, kill what runs, then end; called again, kill at once."""
        again, self._stopping = self._stopping, True
        self._end(exit_code)
        for run in (self._check, self._script):
            if run is not None:
                run.stop()
                if again:
                    run.stop_hard()
        self._tell(self._journal.ending, f"{why}, {'killing' if again else 'stopping'}")
        self._leave_if_ended()

    def crash(self, reason: str, told: str) -> None:
        """A bug of HEAT: say it, and stop as for an error."""
        self._busy = False
        self._journal.bug(told)
        self._give_up(reason)
        self._leave_if_ended()

    def abandon(self) -> None:
        """Kill what runs, and wait for nothing."""
        for run in (self._check, self._script):
            if run is not None:
                run.stop_hard()

    def _give_up(self, reason: str) -> None:
        self._end(EXIT_ERROR)
        self._tell(self._journal.error, reason)
        if self._check is not None:
            self._check.stop()
        self._bound_fail("HEAT")

    def _end(self, exit_code: int) -> None:
        self.exit_code = exit_code if self.exit_code is None else self.exit_code
        self._events.clear()
        for timer in (self._tick_timer, self._window_timer, self._slow_timer):
            _cancel(timer)

    def _leave_if_ended(self) -> None:
        runs = (self._check, self._script)
        running = any(run is not None and not run.outlived for run in runs)
        if self.exit_code is None or self._busy or self._left or running:
            return
        self._left = True
        self._journal.script_printed(self._last_script, self._script_file.take())
        if (pid := self._target.wake()) is not None:
            self._journal.woke(pid)
        self._done()

    # What is asked

    def describe(self) -> str:
        """One line: state, count, last check, next check."""
        now = self._clock.now()
        last = "" if self._last is None else self._journal.ending_of(self._last)
        return describe(self.monitor, last, now - self._last_ended, self._beat.due - now)


def _code(run: Run) -> int | None:
    """The exit code as timeout(1) and the shell have it; None if it is lost."""
    if run.timed_out:
        return TIMED_OUT
    code, signum = run.status
    return code if signum is None else 128 + signum


def _cancel(timer: Timer | None) -> None:
    if timer is not None:
        timer.cancel()


def _nothing(_run: Run) -> None:
    """Scripts are told of when they are gone."""
