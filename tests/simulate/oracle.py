"""Section 2 of the contract, written a second time: plainly, without a table or a library.

It hears the events that the machine hears, and returns the right effects, in order. Of section 17
it knows backoff, what follows the last recovery, and the other intervals; of sections 10 and 11
what a pause is, what somebody may ask for, and what a restart leaves.
"""

from typing import Literal

from states.monitor import effects as do
from states.monitor import events as happened
from states.monitor.effects import Effect
from states.monitor.events import Event
from states.monitor.limits import Limits
from states.monitor.model import Check, FailRun, Failure, Stage, State
from states.monitor.snapshot import Snapshot

# In Python 3.11 a member takes ten times as long to find as a name of the module.
_NORMAL, _FAILING, _RECOVERING, _ERROR = State
_IDLE, _RUNS, _DIES = "idle", "runs", "dies"
_NONE, _WAITING, _RUNNING, _OWED = "none", "WAITING", "REPAIRING", "OWED"
_OPEN, _BACKOFF, _SPENT = "OPEN", "BACKOFF", "SPENT"
_CHECKS_GO_ON = (_NONE, _OPEN, _BACKOFF, _SPENT)

_Inner = Literal["enter", "due", "begin", "open", "check", "close", "give up"]
"""The steps of a recovery."""

_CHECK_IS_NO_MORE = (happened.CheckKilled, happened.CheckImpossible)
_RECOVERY_IS_NO_MORE = (happened.RecoveryKilled, happened.RecoveryImpossible)
_CHECK_HAS_ENDED = (happened.CheckPassed, happened.CheckUnknown, happened.CheckKilled)
_NOT_IN_A_PAUSE = (happened.Tick, happened.CheckAsked, happened.WindowClosed)


class Oracle:
    """One monitor, as the contract has it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = _NORMAL
        self.count = 0
        self.checks = 0
        self.skipped = 0
        self.unknowns = 0
        self.check = _IDLE
        self.check_is_owed = False
        self.check_is_at_once = False
        self.ever_passed = False
        self.last_failed = False
        self.passes = 0
        self.first: Failure | None = None
        self.last: Failure | None = None
        self.outage_at = 0.0
        self.fail_runs: FailRun | None = None
        self.fail_waits: FailRun | None = None
        self.recovery = _NONE
        self.recoveries = 0
        self.failures_in_window = 0
        self.time_is_up = False
        self.backoff: float | None = None
        self.error_is_due = ""
        self.paused = False

    def hear(self, event: Event) -> list[Effect]:  # noqa: C901, PLR0912, PLR0915 - one loop
        effects: list[Effect] = []
        limits = self.limits
        queue: list[Event | _Inner] = [event]
        why = ""
        while queue:
            now = queue.pop(0)
            if self.state is _ERROR:
                continue
            if self.paused and self._only_noted(now, effects):
                continue
            in_recovery = self.state is _RECOVERING
            recovers = limits.recovery or {limits.fault_signal, limits.success_signal} != {None}
            checks_left = limits.checks is None or self.checks < limits.checks

            # Ticks.
            if isinstance(now, happened.Tick):
                if self.recovery == _OWED:
                    self._run_recovery(effects)
                    self.skipped += 1 + now.missed if checks_left else 0
                elif checks_left:
                    in_the_way = limits.fail_overlap_skip and self.fail_runs
                    may = self.recovery in _CHECKS_GO_ON
                    self.skipped += now.missed
                    if may and self.check == _IDLE and not in_the_way:
                        self._run_check(effects)
                    else:
                        self.skipped += 1

            # The check.
            elif isinstance(now, happened.CheckPassed):
                self._check_ended()
                self.ever_passed = True
                self.last_failed = False
                self.unknowns = 0
                self.passes += 1
                enough = self.passes >= limits.success_threshold
                if self.state is _FAILING or (in_recovery and enough):
                    if in_recovery and limits.success_signal is not None:
                        effects.append(do.SendSignal(limits.success_signal, "--success-signal"))
                    helped = self.recovery != _SPENT
                    effects.append(
                        do.Recovered(self.count, self.outage_at, self.recoveries, helped)
                    )
                    self._leave(effects)
                    self._all_is_well()
            elif isinstance(now, happened.CheckFailed):
                was_at_once = self.check_is_at_once
                self._check_ended()
                self.last_failed = True
                self.unknowns = 0
                if now.dying:
                    self.check = _DIES
                starting = not self.ever_passed and max(0.0, now.at) < limits.start_period
                if self.state is _NORMAL and starting:
                    effects.append(do.NotCounted())
                    continue
                self.count += 1
                self.passes = 0
                self.failures_in_window += 1
                self.last = now.failure
                if self.first is None:
                    self.first, self.outage_at = now.failure, now.at
                if not in_recovery:
                    reached = limits.threshold is not None and self.count >= limits.threshold
                    if recovers or reached or limits.threshold is None:
                        if limits.signal is not None:
                            effects.append(do.SendSignal(limits.signal, "--signal"))
                        if limits.fail:
                            after = _RECOVERING if reached and recovers else _FAILING
                            self._tell_failure(effects, after)
                    if reached and recovers:
                        self._leave(effects)
                        queue.append("enter")
                    elif self.state is _NORMAL:
                        self.state = _FAILING
                        self._change_pace(effects, limits.retry_interval)
                elif self.time_is_up or (
                    self.recovery == _OPEN
                    and limits.recovery_timeout is None
                    and limits.recovery_interval is None
                    and limits.threshold is not None
                    and self.failures_in_window >= limits.threshold
                    and not was_at_once
                ):
                    queue.append("close")

            # What recovery consists of.
            elif now == "enter":
                self.state = _RECOVERING
                self.recoveries += 1
                self._nothing_seen_yet()
                self.recovery = _WAITING
                effects.append(do.EnterRecovery(self.recoveries, self.count))
                queue.append("due")
            elif now == "due":
                if limits.recovery and self.fail_runs:
                    self._drop_what_waits(effects)
                    effects.append(do.BoundFail())
                else:
                    queue.append("begin" if limits.recovery else "open")
            elif now == "begin":
                self._send_fault_signal(effects)
                self._run_recovery(effects)
            elif now == "open":
                if self.recovery == _WAITING:
                    self._send_fault_signal(effects)
                self.recovery = _OPEN
                self._change_pace(effects, limits.recovery_interval)
                effects.append(do.OpenWindow(self._window()))
                queue.append("check")
            elif now == "check":
                if self.check == _RUNS:
                    self.check_is_at_once = True
                elif checks_left and self.check == _IDLE:
                    self._run_check_at_once(effects)
                elif checks_left:
                    self.check_is_owed = True
            elif now == "close":
                another = limits.max_recoveries is None or self.recoveries < limits.max_recoveries
                if another and limits.recovery_backoff and self.recovery == _OPEN:
                    self._leave(effects)
                    self._back_off(effects)
                elif another:
                    self._leave(effects)
                    queue.append("enter")
                elif limits.spent_watch:
                    self._leave(effects)
                    self._nothing_seen_yet()
                    self.recovery = _SPENT
                    effects.append(do.Spent(self.recoveries, self.count))
                else:
                    number = self.recoveries
                    word = "recovery" if number == 1 else "recoveries"
                    why = f"{number} {word} did not help"
                    queue.append("give up")
            elif now == "give up":
                self._leave(effects)
                self._drop_what_waits(effects)
                effects.append(do.GiveUp(why))
                self.error_is_due = why
                self.state = _ERROR

            # What else comes of a check.
            elif isinstance(now, happened.CheckUnknown):
                self._check_ended()
                self.unknowns += 1
                waits = self.recovery == _OPEN and limits.recovery_timeout is None
                if in_recovery and self.time_is_up and not self.passes and not waits:
                    queue.append("close")
            elif isinstance(now, _CHECK_IS_NO_MORE):
                self._check_ended()
                why = now.reason
                queue.append("give up")
            elif isinstance(now, happened.CheckGone):
                self.check = _IDLE
                owed, self.check_is_owed = self.check_is_owed, False
                if in_recovery and owed and checks_left:
                    self._run_check_at_once(effects)

            # The scripts.
            elif isinstance(now, happened.FailEnded):
                self.fail_runs = None
                if self.recovery == _WAITING:
                    queue.append("begin")
                else:
                    self._tell_what_waits(effects)
            elif isinstance(now, happened.RecoveryEnded):
                if in_recovery and self.error_is_due:
                    why = self.error_is_due
                    queue.append("give up")
                elif in_recovery:
                    queue.append("open")
            elif isinstance(now, happened.RecoveryDelayed):
                if in_recovery and self.error_is_due:
                    why = self.error_is_due
                    queue.append("give up")
                elif in_recovery:
                    self.recovery = _OWED
            elif isinstance(now, _RECOVERY_IS_NO_MORE):
                if in_recovery:
                    why = now.reason
                    queue.append("give up")

            # The window, and the pause before the next recovery.
            elif isinstance(now, happened.WindowClosed):
                if self.recovery != _OPEN:
                    continue
                by_failures = limits.recovery_timeout is None
                if self.check == _RUNS or self.check_is_owed or self.passes or by_failures:
                    self.time_is_up = True
                else:
                    queue.append("close")
            elif isinstance(now, happened.BackoffEnded):
                if self.recovery != _BACKOFF:
                    continue
                if self.check == _RUNS or self.check_is_owed or self.passes:
                    self.time_is_up = True
                else:
                    queue.append("close")

            # The target, and HEAT itself.
            elif isinstance(now, happened.TargetGone):
                if self.recovery == _RUNNING:
                    self.error_is_due = now.reason
                else:
                    why = now.reason
                    queue.append("give up")
            elif isinstance(now, happened.TargetMissing):
                if limits.threshold is None or not recovers:
                    why = now.reason
                    queue.append("give up")
            elif isinstance(now, happened.WatchBroke):
                why = now.reason
                queue.append("give up")
            elif isinstance(now, happened.LimitsChanged):
                before = self._window(), limits.recovery_timeout
                self._take_limits(now.limits, effects)
                limits = now.limits
                another = (self._window(), limits.recovery_timeout) != before
                if self.recovery == _OPEN and another:
                    self.time_is_up = False
                    effects.append(do.CloseWindow())
                    effects.append(do.OpenWindow(self._window()))

            # What somebody has told it, and a restart, which is a pause that nobody asked for.
            elif isinstance(now, happened.Paused):
                self.paused = True
                self._drop_what_waits(effects)
                if self.recovery == _OPEN:
                    effects.append(do.CloseWindow())
            elif isinstance(now, happened.Resumed):
                if not self.paused:
                    continue
                self.paused = False
                if self.error_is_due and self.recovery != _RUNNING:
                    why = self.error_is_due
                    queue.append("give up")
                    continue
                if not self.fail_runs:
                    self._tell_what_waits(effects)
                if self.state is _NORMAL:
                    effects.append(do.WakeTarget())
                elif self.state is _FAILING:
                    self._change_pace(effects, limits.retry_interval)
                elif self.recovery == _WAITING:
                    queue.append("due")
                elif self.recovery == _OPEN:
                    self._nothing_seen_yet()
                    queue.append("open")
                elif self.recovery == _BACKOFF:
                    queue.append("check")
            elif isinstance(now, happened.CheckAsked):
                in_the_way = limits.fail_overlap_skip and self.fail_runs
                may = self.recovery in _CHECKS_GO_ON
                if may and checks_left and self.check == _IDLE and not in_the_way:
                    self._run_check(effects)
                    self.check_is_at_once = self.recovery == _OPEN
            elif isinstance(now, happened.Reset):
                if self.state is _NORMAL or self.recovery == _RUNNING:
                    continue
                self._drop_what_waits(effects)
                effects.append(do.WakeTarget())
                self._leave(effects)
                self._all_is_well()
            elif isinstance(now, happened.FailLost):
                self.fail_waits = self.fail_waits or self.fail_runs
                self.fail_runs = None
            elif isinstance(now, happened.RecoveryLost):
                if in_recovery:
                    self.recovery = _WAITING
            else:
                raise AssertionError(f"the oracle does not know {now}")
        return effects

    @property
    def stage(self) -> Stage:
        """The state, and in recovery how far that has come."""
        return Stage(self.recovery if self.state is _RECOVERING else self.state.value)

    @property
    def slot(self) -> Check:
        """The check, with what is special about it."""
        if self.check == _RUNS:
            return Check.AT_ONCE if self.check_is_at_once else Check.SCHEDULED
        if self.check == _DIES:
            return Check.DUE if self.check_is_owed else Check.DYING
        return Check.IDLE

    def _only_noted(  # noqa: C901 - an event after another
        self, now: Event | _Inner, effects: list[Effect]
    ) -> bool:
        """Note an event in a pause, without effects; return False if it has some all the same."""
        if isinstance(now, _CHECK_HAS_ENDED):
            self._check_ended()
        elif isinstance(now, happened.CheckFailed):
            self._check_ended()
            self.last_failed = True
            self.unknowns = 0
            if now.dying:
                self.check = _DIES
        elif isinstance(now, happened.CheckGone):
            self.check = _IDLE
            self.check_is_owed = False
        elif isinstance(now, happened.FailEnded):
            self.fail_runs = None
        elif isinstance(now, happened.RecoveryEnded):
            self.recovery = _OPEN
        elif isinstance(now, happened.RecoveryKilled):
            self.recovery = _OPEN
            self.error_is_due = now.reason
        elif isinstance(now, happened.TargetGone):
            self.error_is_due = now.reason
        elif isinstance(now, happened.BackoffEnded):
            self.time_is_up = self.time_is_up or self.recovery == _BACKOFF
        elif isinstance(now, happened.LimitsChanged):
            self._take_limits(now.limits, effects)
        else:
            return isinstance(now, _NOT_IN_A_PAUSE)
        return True

    def _take_limits(self, limits: Limits, effects: list[Effect]) -> None:
        """Other limits; ticks that come at an interval of their own take up the new one."""
        before, self.limits = self.limits, limits
        if self.state is _FAILING and limits.retry_interval != before.retry_interval:
            effects.append(do.Pace(limits.retry_interval))
        if self.recovery == _OPEN and limits.recovery_interval != before.recovery_interval:
            effects.append(do.Pace(limits.recovery_interval))

    def memory(self) -> Snapshot:
        """Return what a restart must find."""
        return Snapshot(
            self.stage,
            self.count,
            self.recoveries,
            self.first,
            self.last,
            self.fail_runs,
            self.fail_waits,
            self.error_is_due or None,
            self.ever_passed and self.limits.start_period > 0,
            self.backoff,
        )

    def restarted(self, limits: Limits) -> None:
        """HEAT was killed, and is there again: no check runs, and what was counted of them is gone.

        It is paused, until it is resumed.
        """
        self.limits = limits
        self._check_ended()
        self.checks = self.skipped = self.unknowns = 0
        self.check_is_owed = self.last_failed = False
        self._nothing_seen_yet()
        self.paused = True

    def _all_is_well(self) -> None:
        self.state = _NORMAL
        self.count = self.recoveries = 0
        self.first = None
        self.recovery = _NONE

    def _nothing_seen_yet(self) -> None:
        self.passes = self.failures_in_window = 0
        self.time_is_up = False

    def _leave(self, effects: list[Effect]) -> None:
        """FAILING, a window and a backoff have something that ends with them."""
        if self.state is _FAILING and self.limits.retry_interval is not None:
            effects.append(do.Pace(None))
        if self.recovery == _OPEN:
            effects.append(do.CloseWindow())
            if self.limits.recovery_interval is not None:
                effects.append(do.Pace(None))
        if self.recovery == _BACKOFF:
            self.backoff = None
            effects.append(do.EndBackoff())

    def _change_pace(self, effects: list[Effect], interval: float | None) -> None:
        if interval is not None:
            effects.append(do.Pace(interval))

    def _window(self) -> float | None:
        """Return the length of a window that time closes."""
        limits = self.limits
        if limits.recovery_timeout is not None:
            return limits.recovery_timeout
        if limits.recovery_interval is None or limits.threshold is None:
            return None
        return limits.threshold * limits.interval

    def _back_off(self, effects: list[Effect]) -> None:
        limits = self.limits
        span = limits.recovery_backoff
        for _ in range(self.recoveries - 1):
            if 2 * span > limits.recovery_backoff_max:
                span = max(span, limits.recovery_backoff_max)
                break
            span *= 2
        self._nothing_seen_yet()
        self.recovery = _BACKOFF
        self.backoff = span
        effects.append(do.StartBackoff(span))

    def _check_ended(self) -> None:
        self.check = _IDLE
        self.check_is_at_once = False

    def _send_fault_signal(self, effects: list[Effect]) -> None:
        if self.limits.fault_signal is not None:
            effects.append(do.SendSignal(self.limits.fault_signal, "--fault-signal"))

    def _run_check(self, effects: list[Effect]) -> None:
        self.check = _RUNS
        self.check_is_owed = False
        self.checks += 1
        effects.append(do.RunCheck())

    def _run_check_at_once(self, effects: list[Effect]) -> None:
        effects.append(do.RestartTicks())
        self._run_check(effects)
        self.check_is_at_once = True

    def _run_recovery(self, effects: list[Effect]) -> None:
        assert self.first is not None
        assert self.last is not None
        self.recovery = _RUNNING
        effects.append(do.RunRecovery(self.first, self.last, self.count, self.recoveries))

    def _tell_failure(self, effects: list[Effect], state: State) -> None:
        assert self.last is not None
        run = FailRun(self.last, self.count, state)
        if self.fail_runs:
            self.fail_waits = run
            effects.append(do.QueueFail(run))
        else:
            self.fail_runs = run
            effects.append(do.RunFail(run))

    def _tell_what_waits(self, effects: list[Effect]) -> None:
        if self.fail_waits is not None:
            effects.append(do.RunFail(self.fail_waits))
            self.fail_runs, self.fail_waits = self.fail_waits, None

    def _drop_what_waits(self, effects: list[Effect]) -> None:
        if self.fail_waits is not None:
            effects.append(do.DropFail(self.fail_waits))
            self.fail_waits = None
