"""Guards and actions of the table: each looks at one step, and reads as its name.

A guard tells whether a row applies, and changes nothing. An action appends effects to the
step; one whose name begins with ``note`` only keeps the monitor's counts. Actions run
before the state changes, so ``step.to`` is the state that the row leads to.
"""

from typing import Any, cast

from states import effects
from states.model import (
    CheckDue,
    CheckFailed,
    CheckSlot,
    Event,
    FailRun,
    Failure,
    LimitsChanged,
    Monitor,
    RecoveryDue,
    Remedy,
    State,
    Tick,
)

# In Python 3.11 a member takes ten times as long to find as a name of the module.
_IDLE, _RUNNING, _DYING = CheckSlot
_NONE, _WAITING, _RECOVERY_RUNS, _OWED, _OPEN = Remedy
_RUN_CHECK = effects.RunCheck()


class Step:
    """One event on its way through the table, and the effects gathered on it."""

    __slots__ = ("effects", "event", "monitor", "raised", "reason", "to")

    def __init__(self, monitor: Monitor, event: Event) -> None:
        self.monitor = monitor
        self.event: Any = event
        """A row knows of which kind it is."""
        self.to = monitor.state
        self.effects: list[effects.Effect] = []
        self.raised: list[Event] = []
        self.reason = ""


# Guards of the check


def check_idle(step: Step) -> bool:
    """No check runs, and none is dying of its timeout."""
    return step.monitor.check is _IDLE


def check_running(step: Step) -> bool:
    """A check runs; one that is dying of its timeout does not."""
    return step.monitor.check is _RUNNING


def checks_left(step: Step) -> bool:
    """``--count`` allows one more check."""
    most = step.monitor.limits.checks
    return most is None or step.monitor.checks < most


def fail_script_allows(step: Step) -> bool:
    """No fail script runs, or ``--fail-overlap`` is not ``skip``."""
    return not (step.monitor.limits.fail_overlap_skip and step.monitor.fail_running)


def check_owed(step: Step) -> bool:
    """The check at once waits until a timed-out one is gone."""
    return step.monitor.check_owed


def in_start_period(step: Step) -> bool:
    """The check never passed yet, and ``--start-period`` is not over."""
    event: CheckFailed = step.event
    at = max(0.0, event.at)  # One that was asked for may come earlier.
    return not step.monitor.passed_once and at < step.monitor.limits.start_period


def below_threshold(step: Step) -> bool:
    """One more failure does not reach ``--threshold``, or there is none."""
    threshold = step.monitor.limits.threshold
    return threshold is None or step.monitor.count + 1 < threshold


def passes_too_few(step: Step) -> bool:
    """One more pass does not reach ``--success-threshold``."""
    return step.monitor.passes + 1 < step.monitor.limits.success_threshold


# Guards of the scripts and of recovery


def fail_queued(step: Step) -> bool:
    """A run of the fail script waits for the one that ended."""
    return step.monitor.fail_queued is not None


def fail_running(step: Step) -> bool:
    """The fail script runs, and recovery has to wait for it."""
    return step.monitor.fail_running


def no_recovery_script(step: Step) -> bool:
    """Recovery is signals alone."""
    return not step.monitor.limits.recovery


def recovery_waiting(step: Step) -> bool:
    """Recovery waits for the fail script that ended."""
    return step.monitor.remedy is _WAITING


def recovery_running(step: Step) -> bool:
    """The recovery script runs."""
    return step.monitor.remedy is _RECOVERY_RUNS


def recovery_owed(step: Step) -> bool:
    """The recovery script could not be started for want of resources."""
    return step.monitor.remedy is _OWED


def recoveries_left(step: Step) -> bool:
    """``--max-recoveries`` allows one more."""
    allowed = step.monitor.limits.max_recoveries
    return allowed is None or step.monitor.attempts < allowed


def nothing_starts_recovery(step: Step) -> bool:
    """No threshold: a missing target is all that HEAT could have acted on."""
    return step.monitor.limits.threshold is None


def error_due(step: Step) -> bool:
    """A reason for ERROR came while the recovery script ran, or in the pause."""
    return step.monitor.error_due is not None


def paused(step: Step) -> bool:
    """No checks, no effects."""
    return step.monitor.paused


def not_paused(step: Step) -> bool:
    """Nothing is to be resumed."""
    return not step.monitor.paused


# Guards of the window


def window_open(step: Step) -> bool:
    """Checks run, and failures count towards the window's end."""
    return step.monitor.remedy is _OPEN


def window_not_open(step: Step) -> bool:
    """The report is about a window that is gone."""
    return step.monitor.remedy is not _OPEN


def check_pending(step: Step) -> bool:
    """A check is in flight, or owed: its result still decides."""
    return step.monitor.check is _RUNNING or step.monitor.check_owed


def last_check_passed(step: Step) -> bool:
    """The window's last check passed, though not yet often enough."""
    return step.monitor.passes > 0


def window_overdue(step: Step) -> bool:
    """The window's time is up, and waited for a check."""
    return step.monitor.overdue


def failure_closes_window(step: Step) -> bool:
    """Time is up, or this is the ``--threshold``-th failure and not the check at once."""
    monitor, limits = step.monitor, step.monitor.limits
    return monitor.overdue or (
        limits.recovery_timeout is None
        and limits.threshold is not None
        and monitor.remedy is _OPEN
        and monitor.window_failures + 1 >= limits.threshold
        and not monitor.at_once
    )


def window_length_changes(step: Step) -> bool:
    """``--recovery-timeout`` is not what it was when the window opened."""
    event: LimitsChanged = step.event
    return event.limits.recovery_timeout != step.monitor.limits.recovery_timeout


# Actions that keep the books


def note_skipped(step: Step) -> None:
    """Count the tick as skipped, with those that were missed before it."""
    step.monitor.skipped += 1
    note_missed(step)


def note_missed(step: Step) -> None:
    """Count the ticks that a busy machine passed over."""
    event: Tick = step.event
    step.monitor.skipped += event.missed


def note_check_ended(step: Step) -> None:
    """The check has a result, or never will have."""
    step.monitor.check = _IDLE
    step.monitor.at_once = False


def note_check_gone(step: Step) -> None:
    """The timed-out check is dead: the next one may start."""
    step.monitor.check = _IDLE


def note_check_owed(step: Step) -> None:
    """The check at once starts when the timed-out one is dead."""
    step.monitor.check_owed = True


def note_at_once(step: Step) -> None:
    """The check that runs already is the first of the window."""
    step.monitor.at_once = True


def note_passed(step: Step) -> None:
    """Count a pass."""
    note_check_ended(step)
    step.monitor.passes += 1
    step.monitor.passed_once = True
    step.monitor.last_check_failed = False


def note_uncounted_failure(step: Step) -> None:
    """A failed check that does not count towards the threshold."""
    note_check_ended(step)
    step.monitor.last_check_failed = True
    event: CheckFailed = step.event
    if event.dying:
        step.monitor.check = _DYING


def note_failed(step: Step) -> None:
    """Count a failure of this outage, and of this window."""
    event: CheckFailed = step.event
    monitor = step.monitor
    note_uncounted_failure(step)
    monitor.count += 1
    monitor.passes = 0
    monitor.window_failures += 1
    monitor.last_failure = event.failure
    if monitor.first_failure is None:
        monitor.first_failure = event.failure
        monitor.outage_at = event.at


def note_well(step: Step) -> None:
    """The outage, if there was one, is over."""
    monitor = step.monitor
    monitor.count = monitor.attempts = 0
    monitor.first_failure = None
    monitor.remedy = _NONE


def note_entry(step: Step) -> None:
    """A recovery of this outage begins: no window, no pass, no failure in it yet."""
    monitor = step.monitor
    monitor.attempts += 1
    monitor.passes = monitor.window_failures = 0
    monitor.overdue = False
    monitor.remedy = _NONE


def note_overdue(step: Step) -> None:
    """The window's time is up; the next failed check closes it."""
    step.monitor.overdue = True


def note_waiting(step: Step) -> None:
    """Recovery waits for the fail script."""
    step.monitor.remedy = _WAITING


def note_owed(step: Step) -> None:
    """Recovery is tried again at the next tick."""
    step.monitor.remedy = _OWED


def note_fail_ended(step: Step) -> None:
    """No fail script runs."""
    step.monitor.fail_run = None


def note_error_due(step: Step) -> None:
    """ERROR follows when the recovery script has ended and the pause is over."""
    step.monitor.error_due = _told_reason(step)


def note_limits(step: Step) -> None:
    """Take up what the configuration says now."""
    event: LimitsChanged = step.event
    step.monitor.limits = event.limits


def note_recoveries_spent(step: Step) -> None:
    """Why ERROR is entered: the last recovery did not help."""
    runs = step.monitor.attempts
    step.reason = f"{runs} {'recovery' if runs == 1 else 'recoveries'} did not help"


def note_reason_kept(step: Step) -> None:
    """Why ERROR is entered: what happened before it could be."""
    step.reason = step.monitor.error_due or ""


# Actions of a pause, and of what is told by hand


def note_paused(step: Step) -> None:
    """From here on nothing begins."""
    step.monitor.paused = True


def note_resumed(step: Step) -> None:
    """From here on things begin again."""
    step.monitor.paused = False


def note_window_anew(step: Step) -> None:
    """The window begins once more: no pass, no failure in it yet."""
    monitor = step.monitor
    monitor.passes = monitor.window_failures = 0
    monitor.overdue = False


def note_recovery_ended(step: Step) -> None:
    """The recovery script has ended in the pause; the window opens after it."""
    step.monitor.remedy = _OPEN


def note_fail_lost(step: Step) -> None:
    """The failure that the lost fail script was to tell is still to be told."""
    monitor = step.monitor
    monitor.fail_queued = monitor.fail_queued or monitor.fail_run
    monitor.fail_run = None


# Actions that append effects


def run_check(step: Step) -> None:
    """Start the check."""
    step.monitor.check = _RUNNING
    step.monitor.check_owed = False
    step.monitor.checks += 1
    step.effects.append(_RUN_CHECK)


def run_check_at_once(step: Step) -> None:
    """Start the first check of a window; ticks count from it."""
    step.effects.append(effects.RestartTicks())
    run_check(step)
    step.monitor.at_once = True


def run_check_asked(step: Step) -> None:
    """Start a check between the ticks; like the one at once it closes no window."""
    run_check(step)
    step.monitor.at_once = True


def send_signal(step: Step) -> None:
    """``--signal``, where one is sent."""
    _send(step, step.monitor.limits.signal, "--signal")


def send_fault_signal(step: Step) -> None:
    """``--fault-signal``, where one is sent."""
    _send(step, step.monitor.limits.fault_signal, "--fault-signal")


def send_success_signal(step: Step) -> None:
    """``--success-signal``, where one is sent."""
    _send(step, step.monitor.limits.success_signal, "--success-signal")


def _send(step: Step, signal: int | None, option: str) -> None:
    if signal is not None:
        step.effects.append(effects.SendSignal(signal, option))


def run_fail(step: Step) -> None:
    """Run the fail script, where there is one; if it runs already, once more after."""
    monitor = step.monitor
    if not monitor.limits.fail:
        return
    run = FailRun(cast(Failure, monitor.last_failure), monitor.count, step.to)
    if monitor.fail_run is not None:
        monitor.fail_queued = run
        step.effects.append(effects.QueueFail(run))
    else:
        monitor.fail_run = run
        step.effects.append(effects.RunFail(run))


def run_queued_fail(step: Step) -> None:
    """Run the fail script with the values that were queued."""
    monitor = step.monitor
    run = cast(FailRun, monitor.fail_queued)
    step.effects.append(effects.RunFail(run))
    monitor.fail_run, monitor.fail_queued = run, None


def run_lost_fail(step: Step) -> None:
    """Run the fail script for what was queued before the restart, if nothing runs."""
    if step.monitor.fail_queued is not None and step.monitor.fail_run is None:
        run_queued_fail(step)


def drop_queued_fail(step: Step) -> None:
    """Forget the queued run of the fail script, and say so."""
    monitor = step.monitor
    if monitor.fail_queued is not None:
        step.effects.append(effects.DropFail(monitor.fail_queued))
        monitor.fail_queued = None


def limit_fail(step: Step) -> None:
    """The fail script that recovery waits for gets a time limit."""
    step.effects.append(effects.BoundFail())


def begin_recovery(step: Step) -> None:
    """Say which recovery of this outage begins."""
    monitor = step.monitor
    step.effects.append(effects.EnterRecovery(monitor.attempts, monitor.count))
    step.raised.append(RecoveryDue())


def begin_remedy(step: Step) -> None:
    """The recovery that was entered is due."""
    step.raised.append(RecoveryDue())


def wake_target(step: Step) -> None:
    """Continue a target that the fault signal has stopped."""
    step.effects.append(effects.WakeTarget())


def run_recovery(step: Step) -> None:
    """Run the recovery script."""
    monitor = step.monitor
    monitor.remedy = _RECOVERY_RUNS
    first, last = cast(Failure, monitor.first_failure), cast(Failure, monitor.last_failure)
    step.effects.append(effects.RunRecovery(first, last, monitor.count, monitor.attempts))


def open_window(step: Step) -> None:
    """Open the recovery window; a check is due at once."""
    step.monitor.remedy = _OPEN
    step.effects.append(effects.OpenWindow(step.monitor.limits.recovery_timeout))
    step.raised.append(CheckDue())


def begin_window_anew(step: Step) -> None:
    """The open window has its new length, from now on, also where its time was up before."""
    step.monitor.overdue = False
    step.effects.append(effects.CloseWindow())
    step.effects.append(effects.OpenWindow(step.monitor.limits.recovery_timeout))


def close_window(step: Step) -> None:
    """RECOVERING is left, or entered anew: the window's time limit no longer counts."""
    step.effects.append(effects.CloseWindow())


def say_recovered(step: Step) -> None:
    """Say that the check passes again, and what the outage was."""
    monitor = step.monitor
    step.effects.append(effects.Recovered(monitor.count, monitor.outage_at, monitor.attempts))


def say_not_counted(step: Step) -> None:
    """Say that the failure does not count: the start period is not over."""
    step.effects.append(effects.NotCounted())


def give_up(step: Step) -> None:
    """ERROR: write it down, say it, stop."""
    step.effects.append(effects.GiveUp(step.reason or _told_reason(step)))


def _told_reason(step: Step) -> str:
    reason: str = getattr(step.event, "reason", "")
    return reason


# Asked by the watch


def well(monitor: Monitor) -> bool:
    """NORMAL, and the last check did not fail, not even in the start period."""
    return monitor.state is State.NORMAL and not monitor.last_check_failed


def resettable(monitor: Monitor) -> bool:
    """Its outage can be forgotten now: no recovery script runs."""
    return monitor.remedy is not _RECOVERY_RUNS or monitor.state is State.ERROR


def fail_holds_up(monitor: Monitor) -> bool:
    """The running fail script keeps checks from being run, or a failure from being told."""
    return monitor.fail_run is not None and (
        monitor.limits.fail_overlap_skip or monitor.fail_queued is not None
    )


def nothing_left(monitor: Monitor, *, stuck: bool = False) -> bool:
    """``--count`` is reached, and nothing runs, waits or is queued any more.

    A dying check that is ``stuck`` outlives SIGKILL, and is not waited for.
    """
    return (
        monitor.limits.checks is not None
        and monitor.checks >= monitor.limits.checks
        and (monitor.check is _IDLE or stuck)
        and not monitor.fail_running
        and monitor.remedy in (_NONE, _OPEN)
        and monitor.state is not State.ERROR
    )
