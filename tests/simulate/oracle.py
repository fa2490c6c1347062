"""Section 2 of the contract, written a second time: plainly, without a table or a library.

It hears the events that the machine hears, and says what should be done, in order. Of sections
10 and 11 it knows what a pause is, what somebody may ask for, and what a restart leaves.
"""

from typing import Literal

from states.monitor import effects as do
from states.monitor import events as happened
from states.monitor.effects import Effect
from states.monitor.events import Event
from states.monitor.limits import Limits
from states.monitor.model import Check, FailRun, Failure, State
from states.monitor.snapshot import Snapshot

# In Python 3.11 a member takes ten times as long to find as a name of the module.
_NORMAL, _FAILING, _RECOVERING, _ERROR = State
_IDLE, _CHECK_RUNS, _DYING = Check
_NONE, _WAITING, _RUNNING, _OWED, _OPEN = Remedy

_Inner = Literal["enter", "due", "begin", "open", "close", "give up"]
"""What recovery consists of."""

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
        self.check = _IDLE
        self.check_is_owed = False
        self.check_is_at_once = False
        self.ever_passed = False
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
        self.error_is_due = ""
        self.paused = False

    def hear(self, event: Event) -> list[Effect]:  # noqa: C901, PLR0912, PLR0915 - one loop
        said: list[Effect] = []
        limits = self.limits
        heard: list[Event | _Inner] = [event]
        why = ""
        while heard:
            now = heard.pop(0)
            if self.state is _ERROR:
                continue
            if self.paused and self._only_noted(now):
                continue
            in_recovery = self.state is _RECOVERING
            checks_left = limits.checks is None or self.checks < limits.checks

            # Ticks.
            if isinstance(now, happened.Tick):
                if in_recovery and self.recovery is _OWED:
                    self.skipped += 1 + now.missed
                    self._run_recovery(said)
                elif checks_left:
                    in_the_way = limits.fail_overlap_skip and self.fail_runs
                    may = not in_recovery or self.recovery is _OPEN
                    self.skipped += now.missed
                    if may and self.check is _IDLE and not in_the_way:
                        self._run_check(said)
                    else:
                        self.skipped += 1

            # The check.
            elif isinstance(now, happened.CheckPassed):
                self._check_ended()
                self.ever_passed = True
                self.passes += 1
                enough = self.passes >= limits.success_threshold
                if self.state is _FAILING or (in_recovery and enough):
                    if in_recovery and limits.success_signal is not None:
                        said.append(do.SendSignal(limits.success_signal, "--success-signal"))
                    said.append(do.Recovered(self.count, self.outage_at, self.recoveries))
                    if in_recovery:
                        said.append(do.CloseWindow())
                    self._all_is_well()
            elif isinstance(now, happened.CheckFailed):
                was_at_once = self.check_is_at_once
                self._check_ended()
                if now.dying:
                    self.check = _DYING
                starting = not self.ever_passed and max(0.0, now.at) < limits.start_period
                if self.state is _NORMAL and starting:
                    said.append(do.NotCounted())
                    continue
                self.count += 1
                self.passes = 0
                self.failures_in_window += 1
                self.last = now.failure
                if self.first is None:
                    self.first, self.outage_at = now.failure, now.at
                if not in_recovery:
                    reached = limits.threshold is not None and self.count >= limits.threshold
                    if limits.signal is not None:
                        said.append(do.SendSignal(limits.signal, "--signal"))
                    if limits.fail:
                        self._tell_failure(said, _RECOVERING if reached else _FAILING)
                    self.state = _FAILING
                    if reached:
                        heard.append("enter")
                elif self.time_is_up or (
                    limits.recovery_timeout is None
                    and self.recovery is _OPEN
                    and limits.threshold is not None
                    and self.failures_in_window >= limits.threshold
                    and not was_at_once
                ):
                    heard.append("close")

            # What recovery consists of.
            elif now == "enter":
                self.state = _RECOVERING
                self.recoveries += 1
                self.passes = self.failures_in_window = 0
                self.time_is_up = False
                self.recovery = _NONE
                said.append(do.EnterRecovery(self.recoveries, self.count))
                heard.append("due")
            elif now == "due":
                if limits.recovery and self.fail_runs:
                    self.recovery = _WAITING
                    self._drop_what_waits(said)
                    said.append(do.BoundFail())
                else:
                    self.recovery = _NONE
                    heard.append("begin")
            elif now == "begin":
                if limits.fault_signal is not None:
                    said.append(do.SendSignal(limits.fault_signal, "--fault-signal"))
                if limits.recovery or self.recovery is _WAITING:
                    # What has waited was wanted before the configuration was read again.
                    self._run_recovery(said)
                else:
                    heard.append("open")
            elif now == "open":
                self.recovery = _OPEN
                said.append(do.OpenWindow(limits.recovery_timeout))
                if self.check is _CHECK_RUNS:
                    self.check_is_at_once = True
                elif checks_left and self.check is _IDLE:
                    self._run_check_at_once(said)
                elif checks_left:
                    self.check_is_owed = True
            elif now == "close":
                if limits.max_recoveries is None or self.recoveries < limits.max_recoveries:
                    said.append(do.CloseWindow())
                    heard.append("enter")
                else:
                    number = self.recoveries
                    word = "recovery" if number == 1 else "recoveries"
                    why = f"{number} {word} did not help"
                    heard.append("give up")
            elif now == "give up":
                if in_recovery:
                    said.append(do.CloseWindow())
                self._drop_what_waits(said)
                said.append(do.GiveUp(why))
                self.state = _ERROR

            # What else comes of a check.
            elif isinstance(now, happened.CheckUnknown):
                self._check_ended()
                if in_recovery and self.time_is_up and not self.passes:
                    heard.append("close")
            elif isinstance(now, _CHECK_IS_NO_MORE):
                self._check_ended()
                why = now.reason
                heard.append("give up")
            elif isinstance(now, happened.CheckGone):
                self.check = _IDLE
                if in_recovery and self.check_is_owed and checks_left:
                    self._run_check_at_once(said)

            # The scripts.
            elif isinstance(now, happened.FailEnded):
                self.fail_runs = None
                if in_recovery and self.recovery is _WAITING:
                    heard.append("begin")
                else:
                    self._tell_what_waits(said)
            elif isinstance(now, happened.RecoveryEnded):
                if in_recovery and self.error_is_due:
                    why = self.error_is_due
                    heard.append("give up")
                elif in_recovery:
                    heard.append("open")
            elif isinstance(now, happened.RecoveryDelayed):
                if in_recovery and self.error_is_due:
                    why = self.error_is_due
                    heard.append("give up")
                elif in_recovery:
                    self.recovery = _OWED
            elif isinstance(now, _RECOVERY_IS_NO_MORE):
                if in_recovery:
                    why = now.reason
                    heard.append("give up")

            # The window.
            elif isinstance(now, happened.WindowClosed):
                if not in_recovery or self.recovery is not _OPEN:
                    continue
                if self.check is _CHECK_RUNS or self.check_is_owed or self.passes:
                    self.time_is_up = True
                else:
                    heard.append("close")

            # The target, and HEAT itself.
            elif isinstance(now, happened.TargetGone):
                if in_recovery and self.recovery is _RUNNING:
                    self.error_is_due = now.reason
                else:
                    why = now.reason
                    heard.append("give up")
            elif isinstance(now, happened.TargetMissing):
                if limits.threshold is None:
                    why = now.reason
                    heard.append("give up")
            elif isinstance(now, happened.WatchBroke):
                why = now.reason
                heard.append("give up")
            elif isinstance(now, happened.LimitsChanged):
                before, limits = limits, now.limits
                self.limits = limits
                another = before.recovery_timeout != limits.recovery_timeout
                if in_recovery and self.recovery is _OPEN and another:
                    self.time_is_up = False
                    said.append(do.CloseWindow())
                    said.append(do.OpenWindow(limits.recovery_timeout))

            # What somebody has told it, and a restart, which is a pause that nobody asked for.
            elif isinstance(now, happened.Paused):
                self.paused = True
                self._drop_what_waits(said)
                if in_recovery:
                    said.append(do.CloseWindow())
            elif isinstance(now, happened.Resumed):
                if not self.paused:
                    continue
                self.paused = False
                runs = in_recovery and self.recovery is _RUNNING
                if self.error_is_due and not runs:
                    why = self.error_is_due
                    heard.append("give up")
                    continue
                if not self.fail_runs:
                    self._tell_what_waits(said)
                if self.state is _NORMAL:
                    said.append(do.WakeTarget())
                elif in_recovery and self.recovery is _WAITING:
                    heard.append("due")
                elif in_recovery and self.recovery is _OPEN:
                    self.passes = self.failures_in_window = 0
                    self.time_is_up = False
                    heard.append("open")
            elif isinstance(now, happened.CheckAsked):
                in_the_way = limits.fail_overlap_skip and self.fail_runs
                may = not in_recovery or self.recovery is _OPEN
                if may and checks_left and self.check is _IDLE and not in_the_way:
                    self._run_check(said)
                    self.check_is_at_once = in_recovery
            elif isinstance(now, happened.Reset):
                if self.state is _NORMAL or (in_recovery and self.recovery is _RUNNING):
                    continue
                self._drop_what_waits(said)
                said.append(do.WakeTarget())
                if in_recovery:
                    said.append(do.CloseWindow())
                self._all_is_well()
            elif isinstance(now, happened.FailLost):
                self.fail_waits = self.fail_waits or self.fail_runs
                self.fail_runs = None
            elif isinstance(now, happened.RecoveryLost):
                if in_recovery:
                    self.recovery = _WAITING
            else:
                raise AssertionError(f"the oracle does not know {now}")
        return said

    def _only_noted(self, now: Event | _Inner) -> bool:
        """What comes in a pause leads nowhere; False for what does all the same."""
        if isinstance(now, _CHECK_HAS_ENDED):
            self._check_ended()
        elif isinstance(now, happened.CheckFailed):
            self._check_ended()
            if now.dying:
                self.check = _DYING
        elif isinstance(now, happened.CheckGone):
            self.check = _IDLE
        elif isinstance(now, happened.FailEnded):
            self.fail_runs = None
        elif isinstance(now, happened.RecoveryEnded):
            self.recovery = _OPEN
        elif isinstance(now, happened.RecoveryKilled):
            self.recovery = _OPEN
            self.error_is_due = now.reason
        elif isinstance(now, happened.TargetGone):
            self.error_is_due = now.reason
        elif isinstance(now, happened.LimitsChanged):
            self.limits = now.limits
        else:
            return isinstance(now, _NOT_IN_A_PAUSE)
        return True

    def memory(self) -> Snapshot:
        """What has to be known of it after a restart."""
        return Snapshot(
            self.state,
            self.count,
            self.recoveries,
            self.recovery,
            self.first,
            self.last,
            self.fail_runs,
            self.fail_waits,
            self.error_is_due or None,
            self.ever_passed and self.limits.start_period > 0,
        )

    def restarted(self, limits: Limits) -> None:
        """HEAT was killed, and is there again: no check runs, and what was counted of them is gone.

        It is paused, until it is resumed.
        """
        self.limits = limits
        self._check_ended()
        self.checks = self.skipped = 0
        self.check_is_owed = False
        self.passes = self.failures_in_window = 0
        self.time_is_up = False
        self.paused = True

    def _all_is_well(self) -> None:
        self.state = _NORMAL
        self.count = self.recoveries = 0
        self.first = None
        self.recovery = _NONE

    def _check_ended(self) -> None:
        self.check = _IDLE
        self.check_is_at_once = False

    def _run_check(self, said: list[Effect]) -> None:
        self.check = _CHECK_RUNS
        self.check_is_owed = False
        self.checks += 1
        said.append(do.RunCheck())

    def _run_check_at_once(self, said: list[Effect]) -> None:
        said.append(do.RestartTicks())
        self._run_check(said)
        self.check_is_at_once = True

    def _run_recovery(self, said: list[Effect]) -> None:
        assert self.first is not None
        assert self.last is not None
        self.recovery = _RUNNING
        said.append(do.RunRecovery(self.first, self.last, self.count, self.recoveries))

    def _tell_failure(self, said: list[Effect], state: State) -> None:
        assert self.last is not None
        run = FailRun(self.last, self.count, state)
        if self.fail_runs:
            self.fail_waits = run
            said.append(do.QueueFail(run))
        else:
            self.fail_runs = run
            said.append(do.RunFail(run))

    def _tell_what_waits(self, said: list[Effect]) -> None:
        if self.fail_waits is not None:
            said.append(do.RunFail(self.fail_waits))
            self.fail_runs, self.fail_waits = self.fail_waits, None

    def _drop_what_waits(self, said: list[Effect]) -> None:
        if self.fail_waits is not None:
            said.append(do.DropFail(self.fail_waits))
            self.fail_waits = None
