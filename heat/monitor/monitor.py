"""One monitor at work: its ticks are events, and it performs the effects of its machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, assert_never

from heat.monitor.exit_codes import EXIT_ERROR
from heat.monitor.lifecycle import Lifecycle
from heat.monitor.script_runner import NO_RESULTS
from heat.monitor.status_line import Look, describe, look
from heat.monitor.target_signals import wake
from heat.records import RESET, Changed, Pause, ScriptResult
from states.monitor import effects
from states.monitor.events import (
    BackoffEnded,
    CheckAsked,
    CheckFailed,
    Event,
    Reset,
    TargetGone,
    Tick,
    WindowClosed,
)
from states.monitor.model import State

if TYPE_CHECKING:
    from heat.monitor.counters import Count
    from heat.monitor.setup import Setup, World
    from heat.report.monitor_report import MonitorReport
    from heat.store.monitor_record import MonitorRecord

_TICK = Tick()


class Monitor(Lifecycle):
    """One monitor at work; ``done`` is called when it has ended and nothing of it is left."""

    __slots__ = ("_counted", "changed")

    def __init__(
        self,
        setup: Setup,
        world: World,
        report: MonitorReport,
        done: Callable[[Monitor], None],
        record: MonitorRecord | None = None,
    ) -> None:
        super().__init__(setup, world, report, done, record)
        self.changed: Changed | None = None
        """The last change of state; None if it never left the first one."""
        self._counted = False
        """The last recovery is counted already as one that did not help."""

    def __call__(self) -> None:
        """Tick."""
        self.checks.due = self.ticks.due
        missed = self.ticks.advance(self.world.clock.now())
        if self._signals is not None:
            self._signals.tick()
        self.feed(Tick(missed) if missed else _TICK)
        if self._scripts is not None:
            self._scripts.take_output()

    # The machine

    def _perform(self, effect: effects.Effect) -> None:  # noqa: C901, PLR0912, PLR0915 - an arm an effect
        write, report = self.write, self.report
        match effect:  # The most urgent first.
            case effects.SendSignal(signum, option):
                self.signals.send(signum, option)
            case effects.RunFail(run):
                self.scripts.run_fail(run)
            case effects.RunRecovery():
                self.scripts.run_recovery(effect)
            case effects.RunCheck():
                self.checks.run()
            case effects.RestartTicks():
                self.checks.due = self.world.clock.now()
                self.ticks.restart(self.checks.due)
            case effects.Pace(seconds):
                self.ticks.pace(seconds, self.world.clock.now())
            case effects.QueueFail(run):
                write(report.fail_queued, run)
            case effects.DropFail(run):
                write(report.fail_dropped, run)
            case effects.BoundFail():
                self.scripts.bound_fail(report.waiting_for_fail, "recovery")
            case effects.EnterRecovery(attempt, count):
                self._count_recovery(attempt)
                last = self.model.last_failure
                write(report.entered_recovery, attempt, count, "" if last is None else last.text)
            case effects.OpenWindow(span):
                if span is not None:
                    self._await(span, WindowClosed())
                write(report.window_opens, span)
            case effects.StartBackoff(span):
                self._await_backoff(span)
                write(report.backs_off, span, self.model.attempts + 1)
            case effects.CloseWindow() | effects.EndBackoff():
                self._cancel_window()
            case effects.Spent(attempts, count):
                self._count_useless(attempts)
                self._counted = True
                self.touch()
                write(report.spent, attempts, count)
            case effects.WakeTarget():
                wake(self)
            case effects.Recovered(count, outage_at, attempts, helped):
                if attempts and helped:
                    self._count("helped")
                write(report.recovered, count, self.age - outage_at, attempts)
            case effects.NotCounted():
                write(report.not_counted)
            case effects.GiveUp(reason):
                self._give_up(reason)
            case _:
                assert_never(effect)

    def _await(self, span: float, event: Event) -> None:
        """Feed the event when this much time has passed, unless something else comes up."""
        due = self.world.clock.now() + span
        self._window = due, self.world.timers.at(due, partial(self.feed, event), self)

    def _await_backoff(self, span: float) -> None:
        self._await(span, BackoffEnded())

    def _cancel_window(self) -> None:
        if self._window is not None:
            self._window[1].cancel()
            self._window = None

    def _give_up(self, reason: str) -> None:
        self._count_useless(self.model.attempts)
        self._end(EXIT_ERROR)
        self.write(self.report.error, reason)
        self._end_programs()

    def _change_state(
        self, before: State, event: Event, issued: Iterable[effects.Effect]
    ) -> Changed:
        unix, model, counters = self.world.clock.unix(), self.model, self.world.counters
        reason = self._reason(event, issued)
        changed = self.changed = Changed(before, model.state, unix, model.count, reason)
        if counters is not None:
            counters.touch(self.row, self.world.clock.now())
            if changed.begins_outage:
                counters.count(self.row, "outages")
        self.drop_signal()
        return changed

    def _reason(self, event: Event, issued: Iterable[effects.Effect]) -> str:
        for effect in issued:
            if isinstance(effect, effects.GiveUp):
                return effect.reason
        if isinstance(event, CheckFailed):
            check = self.checks.attempt
            terminal = check is not None and check.terminal
            return self.report.reason(event.failure, timed_out=event.dying, terminal=terminal)
        return RESET if isinstance(event, Reset) else "the check passed"

    # Numbers

    def _count(self, what: Count) -> None:
        if self.world.counters is not None:
            self.world.counters.count(self.row, what)

    def _count_recovery(self, attempt: int) -> None:
        self._count("recoveries")
        if attempt > 1:
            self._count("useless")
        self._counted = False

    def _count_useless(self, attempts: int) -> None:
        """Count the last recovery of the outage, if there was one, as one that did not help."""
        if attempts and not self._counted:
            self._count("useless")

    # Orders from outside

    def target_gone(self, reason: str) -> None:
        """Take it that the process of ``--pid`` has ended."""
        self.feed(TargetGone(reason))

    def ask(self) -> bool:
        """Check now; return False if that cannot be."""
        before = self.model.checks
        self.checks.due = self.world.clock.now()
        self.feed(CheckAsked())
        return self.model.checks > before

    def reset(self) -> None:
        """Forget the outage; nothing happens while the recovery script runs, or in ERROR."""
        before, attempts = self.model.state, self.model.attempts
        self.feed(Reset())
        if self.model.state is not before:
            self.report.reset(before)
            self._count_useless(attempts)

    def pause(self, until: float | None, reason: str) -> None:
        """Pause until this unix second; None: until somebody resumes."""
        self.pauses.begin(until, reason)

    def resume(self) -> None:
        """End the pause."""
        if self._pauses is not None:
            self._pauses.end()

    # For those who ask

    def look(self) -> Look:
        """Return what can be seen of it now."""
        return look(self)

    def describe(self) -> str:
        """Return one line: state, count, last check, next check."""
        return describe(self)

    @property
    def window_left(self) -> float | None:
        """Seconds until the recovery window closes, or the backoff is over; None without one."""
        return None if self._window is None else self._window[0] - self.world.clock.now()

    def since(self, result: ScriptResult) -> float:
        """Seconds since a script of it ended."""
        return self.world.clock.now() - result.ended

    @property
    def paused(self) -> Pause | None:
        """Its pause by hand; None while it is not paused."""
        return None if self._pauses is None else self._pauses.pause

    @property
    def script_results(self) -> Mapping[str, ScriptResult]:
        """The last result of each script, by its role."""
        return NO_RESULTS if self._scripts is None else self._scripts.results
