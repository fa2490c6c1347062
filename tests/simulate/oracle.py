"""Section 2 of the contract, written a second time: plainly, without a table or a library.

It hears the events that the machine hears, and says what should be done, in order.
"""

from typing import Literal

from states import effects as do
from states import model as happened
from states.effects import Effect
from states.model import CheckSlot, Event, FailRun, Failure, Limits, Remedy, State

_NORMAL, _FAILING, _RECOVERING, _ERROR = State


class Oracle:
    """One monitor, as the contract has it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = _NORMAL
        self.count = 0
        self.checks = 0
        self.skipped = 0
        self.check = CheckSlot.IDLE
        self.check_is_owed = False
        self.check_is_at_once = False
        self.ever_passed = False
        self.passes = 0
        self.first: Failure | None = None
        self.last: Failure | None = None
        self.outage_at = 0.0
        self.fail_runs = False
        self.fail_waits: FailRun | None = None
        self.recovery = Remedy.NONE
        self.recoveries = 0
        self.failures_in_window = 0
        self.time_is_up = False
        self.target_ended = ""

    def hear(self, event: Event) -> list[Effect]:  # noqa: C901, PLR0912, PLR0915 - one loop
        said: list[Effect] = []
        limits = self.limits
        heard: list[Event | Literal["enter", "begin", "open", "close", "give up"]] = [event]
        why = ""
        while heard:
            now = heard.pop(0)
            if self.state is _ERROR:
                continue
            in_recovery = self.state is _RECOVERING
            checks_left = limits.checks is None or self.checks < limits.checks

            # What recovery consists of.
            if now == "enter":
                self.state = _RECOVERING
                self.recoveries += 1
                self.passes = self.failures_in_window = 0
                self.time_is_up = False
                self.recovery = Remedy.NONE
                said.append(do.EnterRecovery(self.recoveries, self.count))
                if limits.recovery and self.fail_runs:
                    self.recovery = Remedy.WAITING
                    if self.fail_waits is not None:
                        said.append(do.DropFail(self.fail_waits))
                        self.fail_waits = None
                    said.append(do.BoundFail())
                else:
                    heard.append("begin")
            elif now == "begin":
                if limits.fault_signal is not None:
                    said.append(do.SendSignal(limits.fault_signal, "--fault-signal"))
                if limits.recovery or self.recovery is Remedy.WAITING:
                    # What has waited was wanted before the configuration was read again.
                    self._run_recovery(said)
                else:
                    heard.append("open")
            elif now == "open":
                self.recovery = Remedy.OPEN
                said.append(do.OpenWindow(limits.recovery_timeout))
                if checks_left and self.check is CheckSlot.IDLE:
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
                if self.fail_waits is not None:
                    said.append(do.DropFail(self.fail_waits))
                said.append(do.GiveUp(why))
                self.state = _ERROR

            # Ticks.
            elif isinstance(now, happened.Tick):
                if in_recovery and self.recovery is Remedy.OWED:
                    self.skipped += 1 + now.missed
                    self._run_recovery(said)
                elif checks_left:
                    in_the_way = limits.fail_overlap_skip and self.fail_runs
                    may = not in_recovery or self.recovery is Remedy.OPEN
                    self.skipped += now.missed
                    if may and self.check is CheckSlot.IDLE and not in_the_way:
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
                    self.state = _NORMAL
                    self.count = self.recoveries = 0
                    self.first = None
                    self.recovery = Remedy.NONE
            elif isinstance(now, happened.CheckFailed):
                was_at_once = self.check_is_at_once
                self._check_ended()
                if now.dying:
                    self.check = CheckSlot.DYING
                starting = not self.ever_passed and now.at < limits.start_period
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
                    and self.recovery is Remedy.OPEN
                    and limits.threshold is not None
                    and self.failures_in_window >= limits.threshold
                    and not was_at_once
                ):
                    heard.append("close")
            elif isinstance(now, happened.CheckUnknown):
                self._check_ended()
                if in_recovery and self.time_is_up and not self.passes:
                    heard.append("close")
            elif isinstance(now, happened.CheckKilled | happened.CheckImpossible):
                self._check_ended()
                why = now.reason
                heard.append("give up")
            elif isinstance(now, happened.CheckGone):
                self.check = CheckSlot.IDLE
                if in_recovery and self.check_is_owed and checks_left:
                    self._run_check_at_once(said)

            # The scripts.
            elif isinstance(now, happened.FailEnded):
                self.fail_runs = False
                if in_recovery and self.recovery is Remedy.WAITING:
                    heard.append("begin")
                elif self.fail_waits is not None:
                    said.append(do.RunFail(self.fail_waits))
                    self.fail_runs, self.fail_waits = True, None
            elif isinstance(now, happened.RecoveryEnded):
                if in_recovery and self.target_ended:
                    why = self.target_ended
                    heard.append("give up")
                elif in_recovery:
                    heard.append("open")
            elif isinstance(now, happened.RecoveryDelayed):
                if in_recovery and self.target_ended:
                    why = self.target_ended
                    heard.append("give up")
                elif in_recovery:
                    self.recovery = Remedy.OWED
            elif isinstance(now, happened.RecoveryKilled | happened.RecoveryImpossible):
                if in_recovery:
                    why = now.reason
                    heard.append("give up")

            # The window.
            elif isinstance(now, happened.WindowClosed):
                if not in_recovery or self.recovery is not Remedy.OPEN:
                    continue
                if self.check is CheckSlot.RUNNING or self.check_is_owed or self.passes:
                    self.time_is_up = True
                else:
                    heard.append("close")

            # The target, and HEAT itself.
            elif isinstance(now, happened.TargetGone):
                if in_recovery and self.recovery is Remedy.RUNNING:
                    self.target_ended = now.reason
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
                if in_recovery and self.recovery is Remedy.OPEN and another:
                    self.time_is_up = False
                    said.append(do.CloseWindow())
                    said.append(do.OpenWindow(limits.recovery_timeout))
            else:
                raise AssertionError(f"the oracle does not know {now}")
        return said

    def _check_ended(self) -> None:
        self.check = CheckSlot.IDLE
        self.check_is_at_once = False

    def _run_check(self, said: list[Effect]) -> None:
        self.check = CheckSlot.RUNNING
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
        self.recovery = Remedy.RUNNING
        said.append(do.RunRecovery(self.first, self.last, self.count, self.recoveries))

    def _tell_failure(self, said: list[Effect], state: State) -> None:
        assert self.last is not None
        run = FailRun(self.last, self.count, state)
        if self.fail_runs:
            self.fail_waits = run
            said.append(do.QueueFail(run))
        else:
            self.fail_runs = True
            said.append(do.RunFail(run))
