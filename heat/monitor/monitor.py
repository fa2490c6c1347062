"""One monitor at work: ticks and results go into the machine, its effects are performed.

Events that come while effects are performed wait until that is done, so each effect list is
carried out whole. What is to be written waits until all reactions are out.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from heat.config.options import TIMED_OUT, Options
from heat.errors import StartError, TargetError, UnwrittenError, unforeseen
from heat.monitor import environment
from heat.monitor.last_check import Packed, pack, unpack
from heat.monitor.status_line import Look, describe
from heat.process import signals
from heat.process.program import SILENT, Output, Program, on_stderr
from heat.process.run import Callbacks, Run
from heat.process.signals import STOPPING
from heat.records import RESET, Changed, Pause
from heat.report.monitor_report import Checked, MonitorReport, Ran, exit_code
from heat.runtime.scheduler import Beat
from heat.text import counted
from states.engine.named_tuple import NamedTuple
from states.monitor import effects
from states.monitor.events import (
    BackoffEnded,
    CheckAsked,
    CheckFailed,
    CheckGone,
    CheckImpossible,
    CheckKilled,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    LimitsChanged,
    Paused,
    RecoveryDelayed,
    RecoveryEnded,
    RecoveryImpossible,
    RecoveryKilled,
    Reset,
    Resumed,
    TargetGone,
    TargetMissing,
    Tick,
    WatchBroke,
    WindowClosed,
)
from states.monitor.machine import step
from states.monitor.model import FailRun, Failure, State
from states.monitor.model import Monitor as Model
from states.monitor.questions import check_runs, fail_holds_up, nothing_left, well

if TYPE_CHECKING:
    from heat.monitor.counters import Counted, Tallies
    from heat.process.ports import Launcher, ScriptFile, Target
    from heat.runtime.ports import Clock, Limiter, Timer, Timers
    from heat.store.monitor_record import MonitorRecord

_TICK, _PASSED, _NO_RESULT, _GONE = Tick(), CheckPassed(), CheckUnknown(), CheckGone()
FAIL_LIMIT = 30.0
"""Seconds for a fail script that is waited for and has no ``--script-timeout``."""
SLOW_SCRIPT = 10.0
"""Seconds; a fail or recovery script is not called slow before that."""

LOOK_AGAIN = 0.1
"""Seconds after which a pid file is looked at again that was empty."""

FAIL, RECOVERY = "fail", "recovery"
"""The two scripts, as what is held."""

EXIT_WELL, EXIT_NOT_WELL, EXIT_USAGE, EXIT_ERROR, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

Tell = Callable[[State, int], None]
_NEVER: Mapping[str, Ran] = MappingProxyType({})


class World:
    """The things that all watches of a HEAT act on.

    ``tallies`` is where numbers are kept for those who ask, if anybody can.
    """

    __slots__ = ("clock", "launcher", "limiter", "tallies", "timers")

    def __init__(
        self,
        clock: Clock,
        timers: Timers,
        launcher: Launcher,
        limiter: Limiter,
        tallies: Tallies | None = None,
    ) -> None:
        self.clock = clock
        self.timers = timers
        self.launcher = launcher
        self.limiter = limiter
        self.tallies = tallies


class Setup(NamedTuple):
    """The setup of one watch: its options, what it runs, and what only it acts on."""

    options: Options
    check: Program
    fail: Program | None
    recovery: Program | None
    target: Target
    script_file: ScriptFile | None
    """The output of the fail and recovery scripts; None where there are none."""


class Belated(NamedTuple):
    """A signal that could not be sent, as the pid file was empty; when to look again."""

    signum: int
    option: str
    why: str
    at_tick: bool = False


class Monitor:
    """One monitor at work; ``done`` is called when it has ended and nothing of it is left."""

    __slots__ = (
        "_beat",
        "_belated",
        "_check",
        "_check_due",
        "_crashed",
        "_denied_told",
        "_done",
        "_due",
        "_events",
        "_judged",
        "_last",
        "_last_script",
        "_left_told",
        "_pause_timer",
        "_report",
        "_row",
        "_script",
        "_settling",
        "_slow_timer",
        "_start",
        "_terminal_told",
        "_tick_timer",
        "_told",
        "_turn",
        "_unknown_since",
        "_unsaid",
        "_watched",
        "_window_due",
        "_window_timer",
        "_world",
        "changed",
        "exit_code",
        "left",
        "model",
        "paused",
        "ran",
        "record",
        "setup",
    )

    def __init__(
        self,
        setup: Setup,
        world: World,
        report: MonitorReport,
        done: Callable[[Monitor], None],
        record: MonitorRecord | None = None,
    ) -> None:
        self.setup = setup
        self.model = Model(setup.options.limits)
        self.exit_code: int | None = None
        """How it ended, as an exit code of HEAT; None while it watches."""
        self._world = world
        self._report = report
        self._done = done
        self.record = record
        self.changed: Changed | None = None
        """How it came to its state; None if it never left the first one."""
        self.paused: Pause | None = None
        self.ran: Mapping[str, Ran] = _NEVER
        """How its scripts have ended last, by their roles."""
        self._watched = world.clock.now()
        self._row = -1 if world.tallies is None else world.tallies.add(self._watched)
        self._start = self._due = 0.0
        self._window_due: float | None = None
        self._pause_timer: Timer | None = None
        self._beat: Beat
        self._tick_timer: Timer | None = None
        self._window_timer: Timer | None = None
        self._slow_timer: Timer | None = None
        self._belated: Belated | None = None
        """A signal that waits for the pid file to be written."""
        self._check: Run | None = None
        self._script: Run | None = None
        """The fail or the recovery script: they never run at the same time."""
        self._settling: dict[Run, Checked | None] | None = None
        """Runs that are gone and have left something behind, with what is still to be recorded."""
        self._last: Packed | None = None
        self._unknown_since: float | None = None
        """When the first one ended of the last checks that said nothing."""
        self._last_script = ""
        self._events: list[tuple[Event, Tell | None]] | None = None
        """Events that came while effects were performed; a list only then: monitors are many."""
        self.left = False
        """Ended, and nothing of it is left."""
        self._judged = False
        """It is counted already that the last recovery did not help."""
        self._crashed = self._denied_told = self._left_told = self._check_due = self._turn = False
        self._terminal_told = False
        self._told: list[Callable[[], None]] | None = None
        """The texts to be written when all reactions are out; None while none is under way."""
        self._unsaid: list[Callable[[], None]] | None = None
        """The texts still to be written when writing has crashed."""

    # Ticks

    def start(self, first: float) -> None:
        """Begin; the first check is at this moment of the clock."""
        self._start = first
        self._beat = Beat(self.setup.options.interval, first)
        self._arm_tick()

    def _arm_tick(self) -> None:
        # Itself, and no method of it: ten thousand bound methods are half a megabyte.
        self._tick_timer = self._world.timers.at(self._beat.due, self, self)

    def _rearm_tick(self) -> None:
        _cancel(self._tick_timer)
        self._arm_tick()

    def __call__(self) -> None:
        """Tick."""
        self._due = self._beat.due
        missed = self._beat.advance(self._world.clock.now())
        self._arm_tick()
        if self._belated is not None and self._belated.at_tick:
            self._send_belated(self._belated)
        self._feed(Tick(missed) if missed else _TICK)
        self.scripts_printed()

    def scripts_printed(self) -> None:
        """A service that a script left behind, or another HEAT's script, prints on."""
        file = self.setup.script_file
        if file is not None and self._script is None and (output := file.take()):
            own = self.setup.recovery or self.setup.fail
            shown = self._last_script or ("" if own is None else own.shown)
            self._report.script_printed(shown, output)

    # Events and effects

    def _feed(self, event: Event, tell: Tell | None = None) -> None:
        """Give the machine an event; ``tell`` writes it down with the state that followed."""
        if self.exit_code is not None:
            if tell is not None:
                self._tell(tell, self.model.state, self.model.count)
            return
        if self._told is not None:
            self._events = [*(self._events or ()), (event, tell)]
            return
        told = self._told = []
        try:
            self._take(event, tell, told)
            while self._events:
                first, *self._events = self._events
                self._take(*first, told)
        finally:
            self._events = self._told = None
            if told:
                self._write(told)
        if self.model.limits.checks is not None:  # Most watch for ever.
            self._end_if_done()
        self._leave_if_ended()

    def _end_if_done(self) -> None:
        stuck = self._check is not None and self._check.outlived
        if self.exit_code is None and nothing_left(self.model, stuck=stuck):
            self._end(EXIT_WELL if well(self.model) else EXIT_NOT_WELL)
            self._report.ending(f"{counted(self.model.checks, 'check')} done (--count)")

    def _tell(self, write: Callable[..., None], *what: object) -> None:
        """Have it written as soon as all reactions are out."""
        if self._told is None:
            write(*what)
        else:
            self._told.append(partial(write, *what))

    def _write(self, told: Iterable[Callable[[], None]]) -> None:
        rest = iter(told)
        try:
            for write in rest:
                write()
        finally:
            self._unsaid = [*rest] or None

    def _take(self, event: Event, tell: Tell | None, told: list[Callable[[], None]]) -> None:
        model, here = self.model, len(told)
        before = model.state
        wanted = step(model, event)
        after, count = model.state, model.count
        changed = None if after is before else self._changed(before, event, wanted)
        if changed is not None:
            self._drop_belated()
        if self.record is not None:
            self.record.stepped(model, changed, self._world.clock.unix)
        for effect in wanted:
            self._perform(effect)
        if changed is not None:
            told.insert(here, partial(self._report.changed, before, after, count))
        if tell is not None:
            told.insert(here, partial(tell, after, count))

    def _changed(self, before: State, event: Event, wanted: Iterable[effects.Effect]) -> Changed:
        """The state is another one: keep that, with why it is so."""
        unix, model, tallies = self._world.clock.unix(), self.model, self._world.tallies
        reason = self._reason(event, wanted)
        changed = self.changed = Changed(before, model.state, unix, model.count, reason)
        if tallies is not None:
            tallies.touch(self._row, self._world.clock.now())
            if changed.begins_outage:
                tallies.count(self._row, "outages")
        return changed

    def _reason(self, event: Event, wanted: Iterable[effects.Effect]) -> str:
        for effect in wanted:
            if isinstance(effect, effects.GiveUp):
                return effect.reason
        if isinstance(event, CheckFailed):
            terminal = self._check is not None and self._check.terminal
            return self._report.reason(event.failure, timed_out=event.dying, terminal=terminal)
        return RESET if isinstance(event, Reset) else "the check passed"

    def _tally(self, what: Counted) -> None:
        if self._world.tallies is not None:
            self._world.tallies.count(self._row, what)

    def _perform(self, effect: effects.Effect) -> None:  # noqa: C901, PLR0912, PLR0915 - an arm an effect
        tell, report = self._tell, self._report
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
                self._due = self._world.clock.now()
                self._beat.restart(self._due)
                self._rearm_tick()
            case effects.Pace(seconds):
                self._beat.pace(seconds, self._world.clock.now())
                self._rearm_tick()
            case effects.QueueFail(run):
                tell(report.fail_queued, run)
            case effects.DropFail(run):
                tell(report.fail_dropped, run)
            case effects.BoundFail():
                self._bound_fail(report.waiting_for_fail, "recovery")
            case effects.EnterRecovery(attempt, count):
                self._tally("recoveries")
                if attempt > 1:
                    self._tally("useless")
                self._judged = False
                last = self.model.last_failure
                tell(report.entered_recovery, attempt, count, "" if last is None else last.text)
            case effects.OpenWindow(span):
                if span is not None:
                    self._await(span, WindowClosed())
                tell(report.window_opens, span)
            case effects.StartBackoff(span):
                self._await_backoff(span)
                tell(report.backs_off, span, self.model.attempts + 1)
            case effects.CloseWindow() | effects.EndBackoff():
                self._window_due = None
                _cancel(self._window_timer)
            case effects.Spent(attempts, count):
                self._tally_useless(attempts)
                self._judged = True
                self._touch()
                tell(report.spent, attempts, count)
            case effects.WakeTarget():
                self._wake()
            case effects.Recovered(count, outage_at, attempts, helped):
                if attempts and helped:
                    self._tally("helped")
                span = self._world.clock.now() - self._start - outage_at
                tell(report.recovered, count, span, attempts)
            case effects.NotCounted():
                tell(report.not_counted)
            case effects.GiveUp(reason):
                self._give_up(reason)
            case _:
                assert_never(effect)

    def _await(self, span: float, event: Event) -> None:
        """Feed the event when this much time has passed, unless something else comes up."""
        due = self._window_due = self._world.clock.now() + span
        self._window_timer = self._world.timers.at(due, partial(self._feed, event), self)

    def _await_backoff(self, span: float) -> None:
        self._await(span, BackoffEnded())

    # The target

    def _send(self, signum: int, option: str) -> None:
        self._drop_belated()
        try:
            pid = self.setup.target.send(signum)
        except UnwrittenError as error:
            # Its writer truncates the file and then writes: most likely in this moment.
            belated = self._belated = Belated(signum, option, str(error))
            due = self._world.clock.now() + LOOK_AGAIN
            self._world.timers.at(due, partial(self._send_belated, belated), self)
        except TargetError as error:
            self._not_sent(signum, option, error)
        else:
            self._tell(self._report.sent, signum, option, pid)

    def _not_sent(self, signum: int, option: str, error: TargetError) -> None:
        reason = str(error)
        self._tell(self._report.not_sent, signum, option, reason)
        if not error.passing:
            self._feed(TargetGone(reason) if error.gone else TargetMissing(reason))

    def _send_belated(self, belated: Belated) -> None:
        """Look at the pid file again: once soon, once at a tick, while nothing else has come up."""
        if self._belated is not belated:
            return
        # Later it would hit what the recovery script has started.
        goes_before_recovery = belated.option == "--fault-signal" and self.setup.recovery
        if goes_before_recovery and self._script is None:
            self._drop_belated()
            return
        self._belated = None
        signum, option = belated.signum, belated.option
        try:
            pid = self.setup.target.send(signum)
        except UnwrittenError as error:
            why = str(error)
            if not belated.at_tick and not goes_before_recovery:
                self._belated = belated._replace(at_tick=True)
                why = f"{why}; it is looked at again at the next tick"
            self._report.not_sent(signum, option, why)
        except TargetError as error:
            self._not_sent(signum, option, error)
        else:
            self._report.sent(signum, option, pid)

    def _drop_belated(self) -> None:
        belated, self._belated = self._belated, None
        if belated is not None and not belated.at_tick:
            self._tell(self._report.not_sent, belated.signum, belated.option, belated.why)

    def _wake(self) -> None:
        if (pid := self.setup.target.wake()) is not None:
            self._tell(self._report.woke, pid)

    def _wake_if_free(self) -> None:
        """Other options may have no use for a target that is stopped, and not continue it."""
        limits = self.setup.options.limits
        if STOPPING.isdisjoint((limits.signal, limits.fault_signal)):
            self._wake()

    def target_gone(self, reason: str) -> None:
        """The process of ``--pid`` has ended."""
        self._feed(TargetGone(reason))

    # The check

    def _run_check(self) -> None:
        if self._check is not None:  # It has ended, and is just about to be reaped.
            self._check_due = True
        elif self.exit_code is None:
            self._world.limiter.acquire(self._start_check, self)

    def _start_check(self) -> None:
        self._turn = True
        if self.exit_code is not None or self.model.paused:
            self._end_turn()
            self._feed(_NO_RESULT)
            return
        if self._world.tallies is not None:
            now = self._world.clock.now()
            self._world.tallies.late(self._row, now - self._due, now)
        told = Callbacks(
            self._check_ended,
            self._check_gone,
            self._check_stuck,
            self._check_printed,
            self._settled,
            None if self._left_told else self._tell_left,
        )
        try:
            self._check = self._run(self.setup.check, self.setup.options.timeout, told)
        except StartError as error:
            self._end_turn()
            self._check_not_started(error)

    def _check_not_started(self, error: StartError) -> None:
        why, now = str(error), int(self._world.clock.unix())
        if error.passing:
            checked = Checked(now, None, unknown=why)
            self._feed(_NO_RESULT, partial(self._tell_checked, checked, SILENT))
        elif self.setup.options.limits.spent_watch:
            at = self._world.clock.now() - self._start
            failed = CheckFailed(Failure(error.code, None, now, why), at)
            checked, output = Checked(now, error.code, text=why), on_stderr(why)
            self._feed(failed, partial(self._tell_checked, checked, output))
        else:
            self._feed(CheckImpossible(why))

    def _end_turn(self) -> None:
        if self._turn:
            self._turn = False
            self._world.limiter.release()

    def _run(self, program: Program, timeout: float | None, told: Callbacks) -> Run:
        world = self._world
        if program.file is not None:
            program.file.printed = self.scripts_printed
        return Run((world.clock, world.timers, world.launcher), program, timeout, told, self)

    def _check_ended(self, run: Run) -> None:
        self._feed(self._verdict(run), partial(self._tell_ended, run))

    def _verdict(self, run: Run) -> Event:
        code = _code(run)
        if code == 0:
            return _PASSED
        if code is None:
            return _NO_RESULT
        options = self.setup.options
        if run.killed and options.on_killed == "error":
            return CheckKilled(self._was_killed("check", run, "takes that for a failure"))
        if self._is_among(run, options.warn_codes):
            return _PASSED
        if self._is_among(run, options.unknown_codes):
            return _NO_RESULT
        failure = Failure(code, run.pid, int(self._world.clock.unix()), run.last_line)
        return CheckFailed(failure, self._world.clock.now() - self._start, run.timed_out)

    def _was_killed(self, what: str, run: Run, else_: str) -> str:
        name = signals.name(run.status.signal or 0)
        policy = self._report.spelled("on-killed", "fail")
        return (
            f"{what} {run.program.shown} (process {run.pid}) was killed by SIG{name}, and not by "
            f"HEAT; {policy} {else_}"
        )

    def _is_among(self, run: Run, codes: Sequence[int]) -> bool:
        """Its exit code is one of these; a check that timed out has none of its own."""
        if not codes or run.timed_out:
            return False
        killed = run.killed and self.setup.options.on_killed == "error"
        return not killed and _code(run) in codes

    def _tell_ended(self, run: Run, state: State, count: int) -> None:
        code, options = _code(run), self.setup.options
        unknown = "the check's exit code is lost" if code is None else ""
        if code is not None and self._is_among(run, options.unknown_codes):
            unknown = exit_code(code)
        checked = Checked(
            run.started_unix,
            code,
            run.pid,
            run.duration,
            run.status.signal,
            run.timed_out,
            unknown,
            run.timed_out and run.terminal,
            run.last_line,
            self._is_among(run, options.warn_codes),
        )
        if run.timed_out or run.drained():
            self._tell_checked(checked, run.output(), state, count)
        else:
            self._keep_result(checked)
            self._report.result(checked, state, count)
            self._settle_later(run, checked)

    def _tell_checked(self, checked: Checked, output: Output, state: State, count: int) -> None:
        self._keep_result(checked)
        self._report.checked(checked, output, state, count)

    def _keep_result(self, checked: Checked) -> None:
        now = self._world.clock.now()
        self._last = pack(checked, now)
        self._mend_record(checked)
        if not checked.unknown:
            self._unknown_since = None
        elif self._unknown_since is None:
            self._unknown_since = self._world.clock.unix()
        if self._world.tallies is not None:
            self._world.tallies.checked(self._row, checked, now)

    # What programs leave behind

    def _settle_later(self, run: Run, checked: Checked | None) -> None:
        if self._settling is None:
            self._settling = {}
        self._settling.setdefault(run, checked)

    def _check_printed(self, run: Run) -> None:
        """All that is waited for of its output is there."""
        if self._settling and (checked := self._settling.get(run)) is not None:
            self._settling[run] = None
            output = run.output()
            self._mend_text(checked, output.last_line)
            self._report.record(checked, output)

    def _mend_text(self, checked: Checked, text: str) -> None:
        """Its last line came after its verdict: whoever asks later is told of it."""
        if self._last is None or text in {"", checked.text}:
            return
        last, ended = unpack(self._last)
        if last == checked:
            mended = checked._replace(text=text)
            self._last = pack(mended, ended)
            self._mend_record(mended)

    def _mend_record(self, checked: Checked) -> None:
        """The same for the history."""
        failure = self.model.last_failure
        if self.record is None or failure is None or failure.pid != checked.pid:
            return
        if checked.text != failure.text:
            self.record.printed(checked.text)

    def _settled(self, run: Run) -> None:
        self._check_printed(run)
        self._report.late_output(run, run.output())
        if self._settling is not None:
            self._settling.pop(run, None)
            self._settling = self._settling or None
        self._leave_if_ended()

    def _tell_left(self, run: Run, processes: Sequence[str]) -> None:
        if not self._left_told:
            self._left_told = True
            self._report.left(run, processes)

    def _check_gone(self, run: Run) -> None:
        self._check = None
        self._end_turn()
        if self._check_due:
            self._check_due = False
            self._run_check()
        if run.timed_out:
            self._report.late_output(run, run.output())
            self._feed(_GONE)
        elif run.stopped:
            self._report.check_stopped(run, run.output())
        if not run.settled:
            self._settle_later(run, None)
        elif self._settling and run in self._settling:
            self._settled(run)  # Its output ended between the verdict and now.
        self._leave_if_ended()

    def _check_stuck(self, run: Run) -> None:
        self._end_turn()
        self._stuck(run)

    # The scripts

    def _run_fail(self, run: FailRun) -> None:
        program = self.setup.fail
        if self.exit_code is not None:
            return
        if program is None:  # It was wanted before the configuration was read again.
            self._feed(FailEnded())
            return
        told = self._told_of_script(self._fail_gone)
        program = program._replace(env=environment.of_fail(self.setup.options, run))
        try:
            self._script = self._run(program, self.setup.options.script_timeout, told)
        except StartError as error:
            self._tell(self._report.fail_not_started, str(error))
            self._feed(FailEnded())
        else:
            self._hold(FAIL, self._script)
            self._tell(self._report.fail_started, self._script.pid, run)
            self._mind_slow_fail(self._script)

    def _told_of_script(self, gone: Callable[[Run], None]) -> Callbacks:
        return Callbacks(_nothing, gone, self._stuck, settled=self._settled, left=self._tell_left)

    def _hold(self, role: str, run: Run) -> None:
        """Have the process known after a restart."""
        if self.record is not None:
            with suppress(OSError):  # For want of descriptors; the environment tells it too.
                self.record.hold(role, run.pid, run.identity())

    def _run_recovery(self, wanted: effects.RunRecovery) -> None:
        program = self.setup.recovery
        if self.exit_code is not None:
            return
        if program is None:  # It was wanted before the configuration was read again.
            self._feed(RecoveryEnded())
            return
        told = self._told_of_script(self._recovery_gone)
        variables = environment.of_recovery(
            self.setup.options, wanted.first, wanted.last, wanted.failures
        )
        program = program._replace(env=variables)
        try:
            self._script = self._run(program, self.setup.options.script_timeout, told)
        except StartError as error:
            if error.passing:
                self._tell(self._report.recovery_delayed, str(error))
                self._feed(RecoveryDelayed())
            elif self.setup.options.limits.spent_watch:
                self._recovery_not_started(str(error), error.code)
            else:
                self._feed(RecoveryImpossible(str(error)))
        else:
            self._hold(RECOVERY, self._script)
            self._tell(self._report.recovery_started, self._script.pid, wanted.attempt)
            self._mind_slowness(self._script, max(self.setup.options.interval, SLOW_SCRIPT))

    def _recovery_not_started(self, why: str, code: int) -> None:
        """Take that for its end: the service may come back all the same."""
        self._tell(self._report.recovery_not_started, why, code)
        ran = Ran(code, exit_code(code), why, self._world.clock.now())
        self.ran = {**self.ran, RECOVERY: ran}
        if self.record is not None:
            self.record.recovery_ended(ran, self._world.clock.unix())
        self._feed(RecoveryEnded())

    def _mind_slowness(self, run: Run, span: float) -> None:
        def slow() -> None:
            self._report.recovery_slow(run.pid, span)
            self._mind_slowness(run, 2 * span)

        self._slow_timer = self._world.timers.at(run.started + span, slow, self)

    def _mind_slow_fail(self, run: Run) -> None:
        """Say that it holds things up, as long as it does, each time the span has doubled."""
        base = max(self.setup.options.interval, SLOW_SCRIPT)
        self._look_at_fail(run, run.started + base, base)

    def _look_at_fail(self, run: Run, when: float, span: float) -> None:
        def slow() -> None:
            again = span
            if fail_holds_up(self.model):
                skips = self.model.limits.fail_overlap_skip
                self._report.fail_slow(run, checking=not skips)
                again = max(span, run.age)
            self._look_at_fail(run, when + again, span)

        self._slow_timer = self._world.timers.at(when, slow, self)

    def _bound_fail(self, told: Callable[..., None], *what: str) -> None:
        """Wait for the running fail script, not for ever."""
        if self._script is not None:
            self._script.limit_from_now(FAIL_LIMIT)
            self._tell(told, *what, self._script.time_left)

    def _end_script(self) -> None:
        """Let a fail script tell what it is to tell, and stop a recovery script."""
        if self.model.fail_running:
            self._bound_fail(self._report.end_waits_for_fail)
        elif self._script is not None:
            self._script.stop()

    def _fail_gone(self, run: Run) -> None:
        _cancel(self._slow_timer)
        self._feed(FailEnded(), self._script_gone(FAIL, run))
        self._leave_if_ended()

    def _recovery_gone(self, run: Run) -> None:
        _cancel(self._slow_timer)
        event: Event = RecoveryEnded()
        if run.killed and self.setup.options.on_killed == "error":
            goes_on = "takes that for its end, and goes on"
            event = RecoveryKilled(self._was_killed("recovery script", run, goes_on))
        tell = self._script_gone(RECOVERY, run)
        if self.record is not None:
            self.record.recovery_ended(self.ran[RECOVERY], self._world.clock.unix())
        self._feed(event, tell)
        self._leave_if_ended()

    def _script_gone(self, name: str, run: Run) -> Tell:
        """Keep how it went; take what it printed, before another prints to the same file."""
        self._script = None
        self._last_script = run.program.shown
        file = run.program.file
        output, text = (b"", "") if file is None else (file.take(), file.last_line)
        code = None if run.timed_out else _code(run)
        how = self._report.ending_of_run(run)
        self.ran = {**self.ran, name: Ran(code, how, text, self._world.clock.now())}
        if not run.settled:
            self._settle_later(run, None)
        return lambda _state, _count: self._report.script_ended(name, run, output, text)

    # A program that asks the terminal

    def runs(self, pid: int) -> bool:
        """This process leads one of its programs."""
        return any(run is not None and run.pid == pid for run in (self._check, self._script))

    def program_stopped(self, pid: int, signum: int | None) -> None:
        """A program of it was stopped by this signal, or, None, goes on."""
        what = "recovery script"
        if (run := self._script) is not None and run.pid == pid:
            what = "fail script" if self.model.fail_running else what
        elif (run := self._check) is not None and run.pid == pid:
            what = "check"
        if run is None or run.pid != pid or run.timed_out or run.stopped:
            return
        run.terminal = signum in signals.OF_TERMINAL
        if signum is not None and run.terminal and not (what == "check" and self._terminal_told):
            self._terminal_told = what == "check" or self._terminal_told
            self._report.waits_for_terminal(what, run, signum)

    def _stuck(self, run: Run) -> None:
        if not (run.denied and self._denied_told):
            self._denied_told = self._denied_told or run.denied
            self._report.stuck(run)
        self._end_if_done()
        self._leave_if_ended()

    # The end

    def give_in(self, exit_code: int) -> None:
        """HEAT ends by a signal of its own: stop, but let a fail script tell of the failure."""
        self._drop_queued()
        self._end(exit_code)
        if self._check is not None:
            self._check.stop()
        self._end_script()
        self._leave_if_ended()

    def _drop_queued(self) -> None:
        if self.exit_code is None and (run := self.model.fail_queued) is not None:
            self._report.fail_dropped(run)

    def stop(self, exit_code: int, *, at_once: bool = False) -> None:
        """Start no more checks, kill what runs, then end."""
        self._drop_queued()
        self._end(exit_code)
        for run in self._runs():
            run.stop()
            if at_once:
                run.stop_hard()
        self._leave_if_ended()

    def _runs(self) -> list[Run]:
        """All of which something may be left."""
        return [run for run in (self._check, self._script, *(self._settling or ())) if run]

    def crashed(self, error: Exception) -> None:
        """A bug of HEAT: write it down, and stop as for any error."""
        if self._crashed:
            self.abandon()
            return
        self._crashed = True
        self._events = self._told = None
        self._report.bug("".join(traceback.format_exception(error)))
        unsaid, self._unsaid = self._unsaid, None
        self._feed(WatchBroke(unforeseen(error)))
        self._write(unsaid or ())
        self._leave_if_ended()

    def abandon(self) -> None:
        """Kill what runs, and wait for nothing."""
        self._end(EXIT_ERROR)
        for run in self._runs():
            run.stop_hard()
        if not self.left:
            self.left = True
            self._end_turn()
            self._done(self)

    def _tally_useless(self, attempts: int) -> None:
        """Count the last recovery of the outage, if there was one, as one that did not help."""
        if attempts and not self._judged:
            self._tally("useless")

    def _give_up(self, reason: str) -> None:
        self._tally_useless(self.model.attempts)
        self._end(EXIT_ERROR)
        self._tell(self._report.error, reason)
        if self._check is not None:
            self._check.stop()
        self._end_script()

    def _end(self, exit_code: int) -> None:
        self.exit_code = exit_code if self.exit_code is None else self.exit_code
        self._drop_belated()
        self._events = None
        self._world.limiter.forget(self)
        timers = self._tick_timer, self._window_timer, self._slow_timer, self._pause_timer
        for timer in timers:
            _cancel(timer)

    def _leave_if_ended(self) -> None:
        if self.exit_code is None or self._told is not None or self.left:
            return
        if any(self._awaits(run) for run in self._runs()):
            return
        self._leave()

    def _awaits(self, run: Run) -> bool:
        # The end of one that is over may have been lost in the crash.
        return not run.outlived and not (self._crashed and run.over)

    def _leave(self) -> None:
        self.left = True
        self._end_turn()
        woken = self.setup.target.wake()
        try:
            self.scripts_printed()
            if woken is not None:
                self._report.woke(woken)
        finally:
            self._done(self)

    # What is asked

    def adopt(self, setup: Setup, first: float) -> None:
        """Go on with other setup; state and counts stay, and what runs is let end.

        ``first`` is when the ticks begin if there is another interval.
        """
        before, self.setup = self.setup, setup
        self._report.options = setup.options
        if setup.target is not before.target:
            self._drop_belated()
            if (pid := before.target.wake()) is not None:
                self._report.woke(pid)
        if self.exit_code is not None:
            return
        self._wake_if_free()
        if setup.options.interval != before.options.interval:
            self._beat.change(setup.options.interval, first)
            self._rearm_tick()
        self._feed(LimitsChanged(setup.options.limits))

    def warn(self, text: str) -> None:
        """Write down what is allowed in its options and may not be meant."""
        self._report.warn(text)

    def look(self) -> Look:
        """The watch as it can be seen now."""
        now = self._world.clock.now()
        last, ended = (None, 0.0) if self._last is None else unpack(self._last)
        return Look(
            last,
            now - ended,
            None if self.exit_code is not None else self._beat.due - now,
            check_runs(self.model) and self._check is None,
            self._script,
            None if self._window_due is None else self._window_due - now,
            None if self._check is None or self._check.limit is None else self._check.time_left,
            self._start - now,
            self._watched - now,
            self._unknown_since if self.model.unseen else None,
        )

    def describe(self) -> str:
        """One line: state, count, last check, next check."""
        look = self.look()
        last = "" if look.last is None else self.worded(look.last)
        if look.last is not None and look.last.warning:
            last = f"warning: {last}"
        return describe(self.model, last, look, self.paused)

    def worded(self, check: Checked) -> str:
        """How a check of it went, in a word or two, for people who ask."""
        return self._report.worded(check)

    def age(self, ran: Ran) -> float:
        """Seconds since a script of it has ended."""
        return self._world.clock.now() - ran.ended

    @property
    def row(self) -> int:
        """Where its numbers are in the tallies; negative if they are not kept."""
        return self._row

    # What is told by hand

    def ask(self) -> bool:
        """Check now; False if that cannot be."""
        before = self.model.checks
        self._due = self._world.clock.now()
        self._feed(CheckAsked())
        return self.model.checks > before

    def pause(self, until: float | None, reason: str) -> None:
        """No checks and no effects until this unix second; None: until it is resumed."""
        pause = Pause(self._world.clock.unix(), until, reason)
        if self.record is not None:
            self.record.paused(pause)
        before = self.paused
        self._keep_still(pause)
        self._report.paused(pause, before)

    def _keep_still(self, pause: Pause) -> None:
        self.paused = pause
        self._drop_belated()
        _cancel(self._pause_timer)
        if pause.until is not None:
            clock = self._world.clock
            due = clock.now() + pause.until - clock.unix()
            self._pause_timer = self._world.timers.at(due, self.resume, self)
        self._touch()
        waited = self._world.limiter.forget(self)
        self._feed(Paused())
        if waited:
            self._feed(_NO_RESULT)

    def resume(self) -> None:
        """The pause is over."""
        if self.paused is None:
            return
        self.paused = None
        _cancel(self._pause_timer)
        self._touch()
        if self.record is not None:
            self.record.resumed(self._world.clock.unix())
        self._report.resumed()
        self._feed(Resumed())

    def reset(self) -> None:
        """Forget the outage; nothing happens while the recovery script runs, or in ERROR."""
        before, attempts = self.model.state, self.model.attempts
        self._feed(Reset())
        if self.model.state is not before:
            self._report.reset(before)
            self._tally_useless(attempts)

    def _touch(self) -> None:
        if self._world.tallies is not None:
            self._world.tallies.touch(self._row, self._world.clock.now())


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
