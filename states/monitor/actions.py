"""Actions of the table: each does one thing to one step, and its name says which.

Actions named count, mark, clear or take change the monitor's counts. The others append effects,
announce something to another region, or raise an event that follows. They run before the state
changes; ``step.to`` is the state that the row leads to.
"""

from typing import TYPE_CHECKING, cast

from states.monitor import effects, events
from states.monitor.events import CheckFailed, LimitsChanged, Tick
from states.monitor.model import STATES, FailRun, Failure, Monitor, Stage

if TYPE_CHECKING:
    from states.engine import Step

    MonitorStep = Step[Monitor]

_RUN_CHECK = effects.RunCheck()


# Counts of the check


def count_skipped(step: "MonitorStep") -> None:
    """Count the tick as skipped, with those that were missed before it."""
    step.model.skipped += 1
    count_missed(step)


def count_missed(step: "MonitorStep") -> None:
    """Count the ticks that a busy machine missed."""
    event: Tick = step.event
    step.model.skipped += event.missed


def count_unknown(step: "MonitorStep") -> None:
    """Count a check without a result."""
    step.model.unknowns += 1


def count_passed(step: "MonitorStep") -> None:
    """Count a pass."""
    monitor = step.model
    monitor.passes += 1
    monitor.passed_once = True
    monitor.last_check_failed = False
    monitor.unknowns = 0


def mark_failed(step: "MonitorStep") -> None:
    """Remember that the last check failed, without counting it."""
    step.model.last_check_failed = True
    step.model.unknowns = 0


def count_failed(step: "MonitorStep") -> None:
    """Count a failure of this outage, and of this window."""
    event: CheckFailed = step.event
    monitor = step.model
    mark_failed(step)
    monitor.count += 1
    monitor.passes = 0
    monitor.window_failures += 1
    monitor.last_failure = event.failure
    if monitor.first_failure is None:
        monitor.first_failure = event.failure
        monitor.outage_at = event.at


# Counts of the outage and of recovery


def clear_outage(step: "MonitorStep") -> None:
    """Forget the outage, if there was one."""
    monitor = step.model
    monitor.count = monitor.attempts = 0
    monitor.first_failure = None


def count_recovery(step: "MonitorStep") -> None:
    """Count a recovery of this outage, and start its window's counts at 0."""
    step.model.attempts += 1
    clear_window(step)


def clear_window(step: "MonitorStep") -> None:
    """Start the window's counts at 0."""
    monitor = step.model
    monitor.passes = monitor.window_failures = 0
    monitor.overdue = False


def mark_overdue(step: "MonitorStep") -> None:
    """Let the next failed check end the window or backoff whose time is up."""
    step.model.overdue = True


def mark_error_due(step: "MonitorStep") -> None:
    """Enter ERROR later, when the recovery script has ended and the pause is over."""
    step.model.error_due = _reason(step)


def mark_recoveries_spent(step: "MonitorStep") -> None:
    """Set the reason for ERROR: the last recovery did not help."""
    runs = step.model.attempts
    step.model.error_due = f"{runs} {'recovery' if runs == 1 else 'recoveries'} did not help"


def take_limits(step: "MonitorStep") -> None:
    """Take the limits of the new configuration."""
    event: LimitsChanged = step.event
    step.model.limits = event.limits


# Checks


def run_check(step: "MonitorStep") -> None:
    """Start the check."""
    step.model.checks += 1
    step.effects.append(_RUN_CHECK)


def restart_ticks(step: "MonitorStep") -> None:
    """Count ticks from this check, the first of a window."""
    step.effects.append(effects.RestartTicks())


def order_check(step: "MonitorStep") -> None:
    """Order a check at once."""
    step.raised.append(events.CheckDue())


def say_not_counted(step: "MonitorStep") -> None:
    """Say that the failure does not count: the start period is not over."""
    step.effects.append(effects.NotCounted())


def set_retry_interval(step: "MonitorStep") -> None:
    """Tick at ``--retry-interval``, if set."""
    _pace(step, step.model.limits.retry_interval)


def end_retry_interval(step: "MonitorStep") -> None:
    """Tick at ``--interval`` again."""
    if step.model.limits.retry_interval is not None:
        step.effects.append(effects.Pace(None))


def change_retry_interval(step: "MonitorStep") -> None:
    """Tick at the new ``--retry-interval``."""
    event: LimitsChanged = step.event
    if event.limits.retry_interval != step.model.limits.retry_interval:
        step.effects.append(effects.Pace(event.limits.retry_interval))


def change_recovery_interval(step: "MonitorStep") -> None:
    """Tick at the new ``--recovery-interval``."""
    event: LimitsChanged = step.event
    if event.limits.recovery_interval != step.model.limits.recovery_interval:
        step.effects.append(effects.Pace(event.limits.recovery_interval))


def _pace(step: "MonitorStep", interval: float | None) -> None:
    if interval is not None:
        step.effects.append(effects.Pace(interval))


# Signals


def send_signal(step: "MonitorStep") -> None:
    """Send ``--signal``, if set."""
    _send(step, step.model.limits.signal, "--signal")


def send_fault_signal(step: "MonitorStep") -> None:
    """Send ``--fault-signal``, if set."""
    _send(step, step.model.limits.fault_signal, "--fault-signal")


def send_success_signal(step: "MonitorStep") -> None:
    """Send ``--success-signal``, if set."""
    _send(step, step.model.limits.success_signal, "--success-signal")


def _send(step: "MonitorStep", signal: int | None, option: str) -> None:
    if signal is not None:
        step.effects.append(effects.SendSignal(signal, option))


def wake_target(step: "MonitorStep") -> None:
    """Continue a target that the fault signal stopped."""
    step.effects.append(effects.WakeTarget())


# Requests of the stage to the fail script


def want_fail(step: "MonitorStep") -> None:
    """Request a run of the fail script for this failure, if there is a script."""
    monitor = step.model
    if monitor.limits.fail:
        state = STATES[Stage(step.to)]
        run = FailRun(cast(Failure, monitor.last_failure), monitor.count, state)
        step.announce(events.FailWanted(run))


def want_lost_fail(step: "MonitorStep") -> None:
    """Request the run that was queued before the restart."""
    step.announce(events.LostFailWanted())


def drop_queue(step: "MonitorStep") -> None:
    """Cancel the queued run of the fail script."""
    step.announce(events.QueueDropped())


def limit_fail(step: "MonitorStep") -> None:
    """Limit the time of a fail script that recovery waits for."""
    step.effects.append(effects.BoundFail())


# The fail script itself


def run_fail(step: "MonitorStep") -> None:
    """Run the fail script for this failure."""
    event: events.FailWanted = step.event
    step.model.fail_run = event.run
    step.effects.append(effects.RunFail(event.run))


def queue_fail(step: "MonitorStep") -> None:
    """Run the fail script once more when it has ended, with these values."""
    event: events.FailWanted = step.event
    step.model.fail_queued = event.run
    step.effects.append(effects.QueueFail(event.run))


def run_queued_fail(step: "MonitorStep") -> None:
    """Run the fail script with the values that were queued."""
    monitor = step.model
    run = cast(FailRun, monitor.fail_queued)
    step.effects.append(effects.RunFail(run))
    monitor.fail_run, monitor.fail_queued = run, None


def drop_queued_fail(step: "MonitorStep") -> None:
    """Drop the queued run of the fail script, and say so."""
    monitor = step.model
    step.effects.append(effects.DropFail(cast(FailRun, monitor.fail_queued)))
    monitor.fail_queued = None


def clear_fail(step: "MonitorStep") -> None:
    """Remember that no fail script runs."""
    step.model.fail_run = None


def queue_lost_fail(step: "MonitorStep") -> None:
    """Queue the failure of the fail script that was lost."""
    monitor = step.model
    monitor.fail_queued = monitor.fail_queued or monitor.fail_run
    monitor.fail_run = None


# Recovery


def say_recovery(step: "MonitorStep") -> None:
    """Say that a recovery begins, and which one."""
    step.effects.append(effects.EnterRecovery(step.model.attempts, step.model.count))


def order_recovery(step: "MonitorStep") -> None:
    """Begin the recovery, or wait for the fail script."""
    step.raised.append(events.RecoveryDue())


def run_recovery(step: "MonitorStep") -> None:
    """Run the recovery script."""
    monitor = step.model
    first, last = cast(Failure, monitor.first_failure), cast(Failure, monitor.last_failure)
    step.effects.append(effects.RunRecovery(first, last, monitor.count, monitor.attempts))


def open_window(step: "MonitorStep") -> None:
    """Open the recovery window; a check is due at once."""
    limits = step.model.limits
    _pace(step, limits.recovery_interval)
    step.effects.append(effects.OpenWindow(limits.window))
    order_check(step)


def change_window(step: "MonitorStep") -> None:
    """Give the open window its new length, counted from now, even if its time was up."""
    event: LimitsChanged = step.event
    step.model.overdue = False
    step.effects.append(effects.CloseWindow())
    step.effects.append(effects.OpenWindow(event.limits.window))


def close_window(step: "MonitorStep") -> None:
    """Forget the window's time limit."""
    step.effects.append(effects.CloseWindow())


def end_recovery_interval(step: "MonitorStep") -> None:
    """Tick at ``--interval`` again."""
    if step.model.limits.recovery_interval is not None:
        step.effects.append(effects.Pace(None))


def start_backoff(step: "MonitorStep") -> None:
    """Start the backoff: checks go on, and the next recovery waits."""
    monitor = step.model
    clear_window(step)
    monitor.backoff = monitor.limits.backoff(monitor.attempts)
    step.effects.append(effects.StartBackoff(monitor.backoff))


def end_backoff(step: "MonitorStep") -> None:
    """End the backoff, and forget its time limit."""
    step.model.backoff = None
    step.effects.append(effects.EndBackoff())


def say_spent(step: "MonitorStep") -> None:
    """Say that no recovery is left and that checks go on."""
    clear_window(step)
    step.effects.append(effects.Spent(step.model.attempts, step.model.count))


def say_recovered(step: "MonitorStep") -> None:
    """Say that the check passes again, and how the outage went."""
    monitor = step.model
    step.effects.append(effects.Recovered(monitor.count, monitor.outage_at, monitor.attempts))


def say_well_again(step: "MonitorStep") -> None:
    """Say that the check passes again, not because of a recovery."""
    monitor = step.model
    outage = monitor.count, monitor.outage_at, monitor.attempts
    step.effects.append(effects.Recovered(*outage, helped=False))


def give_up(step: "MonitorStep") -> None:
    """Record the reason, say it, and stop watching."""
    step.model.error_due = _reason(step) or step.model.error_due or ""
    step.effects.append(effects.GiveUp(step.model.error_due))


def _reason(step: "MonitorStep") -> str:
    reason: str = getattr(step.event, "reason", "")
    return reason
