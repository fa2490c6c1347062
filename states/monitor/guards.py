"""Guards of the table: each looks at one step and changes nothing.

A docstring states what holds if the guard is true. A guard sees other regions as they were
before the event: ``step.was``.
"""

from typing import TYPE_CHECKING

from states.monitor.events import CheckFailed
from states.monitor.model import IN_RECOVERY, Check, Fail, Monitor, Pause, Stage

if TYPE_CHECKING:
    from states.engine import Step

    MonitorStep = Step[Monitor]

# In Python 3.11 a member takes ten times as long to find as a name of the module.
_PAUSED, _ERROR, _OPEN = Pause.PAUSED, Stage.ERROR, Stage.OPEN
_AT_ONCE, _SCHEDULED, _DUE = Check.AT_ONCE, Check.SCHEDULED, Check.DUE
_IDLE = Fail.IDLE
_RECOVERING = frozenset(IN_RECOVERY)
_CHECKED = frozenset((Stage.NORMAL, Stage.FAILING, Stage.OPEN, Stage.BACKOFF, Stage.SPENT))


# The pause and the end


def paused(step: "MonitorStep") -> bool:
    """No checks, no effects."""
    return step.was.pause is _PAUSED


def not_paused(step: "MonitorStep") -> bool:
    """The monitor is not paused."""
    return step.was.pause is not _PAUSED


def watched(step: "MonitorStep") -> bool:
    """HEAT has not given up."""
    return step.was.stage is not _ERROR


def error_due(step: "MonitorStep") -> bool:
    """A reason for ERROR came while the recovery script ran, or in the pause."""
    return step.model.error_due is not None


# The check


def checked(step: "MonitorStep") -> bool:
    """The stage is one in which ticks start checks."""
    return step.was.stage in _CHECKED


def checks_left(step: "MonitorStep") -> bool:
    """``--count`` allows one more check."""
    most = step.model.limits.checks
    return most is None or step.model.checks < most


def fail_script_allows(step: "MonitorStep") -> bool:
    """No fail script runs, or ``--fail-overlap`` is not ``skip``."""
    return not (step.model.limits.fail_overlap_skip and step.model.fail_run is not None)


def timed_out(step: "MonitorStep") -> bool:
    """The check has failed, and is dying."""
    event: CheckFailed = step.event
    return event.dying


def in_start_period(step: "MonitorStep") -> bool:
    """The check has not passed yet, and ``--start-period`` is not over."""
    event: CheckFailed = step.event
    at = max(0.0, event.at)  # A check on request may come before the start.
    return not step.model.passed_once and at < step.model.limits.start_period


def told_later(step: "MonitorStep") -> bool:
    """There is no recovery, and the failures are still fewer than ``--threshold``."""
    limits, threshold = step.model.limits, step.model.limits.threshold
    return threshold is not None and step.model.count + 1 < threshold and not limits.recovers


def recovery_not_due(step: "MonitorStep") -> bool:
    """One more failure does not reach ``--threshold``, or there is no recovery."""
    limits, threshold = step.model.limits, step.model.limits.threshold
    return threshold is None or step.model.count + 1 < threshold or not limits.recovers


def passes_too_few(step: "MonitorStep") -> bool:
    """One more pass does not reach ``--success-threshold``."""
    return step.model.passes + 1 < step.model.limits.success_threshold


# The scripts and recovery


def fail_running(step: "MonitorStep") -> bool:
    """The fail script runs, so recovery must wait."""
    return step.model.fail_run is not None


def no_recovery_script(step: "MonitorStep") -> bool:
    """Recovery consists of signals only."""
    return not step.model.limits.recovery


def recovering(step: "MonitorStep") -> bool:
    """The monitor is in RECOVERING."""
    return step.was.stage in _RECOVERING


def recoveries_left(step: "MonitorStep") -> bool:
    """``--max-recoveries`` allows one more."""
    allowed = step.model.limits.max_recoveries
    return allowed is None or step.model.attempts < allowed


def backs_off(step: "MonitorStep") -> bool:
    """``--recovery-backoff`` wants a pause before the next recovery."""
    return step.model.limits.recovery_backoff > 0


def watches_on(step: "MonitorStep") -> bool:
    """``--when-spent`` is ``watch``."""
    return step.model.limits.spent_watch


def nothing_starts_recovery(step: "MonitorStep") -> bool:
    """Without its target, there is nothing that HEAT could do."""
    limits = step.model.limits
    return limits.threshold is None or not limits.recovers


# The window


def window_open(step: "MonitorStep") -> bool:
    """Checks run, and failures count towards the window's end."""
    return step.was.stage is _OPEN


def check_pending(step: "MonitorStep") -> bool:
    """A check is in flight, or due: its result still decides."""
    return step.was.check is _SCHEDULED or step.was.check is _AT_ONCE or step.was.check is _DUE


def last_check_passed(step: "MonitorStep") -> bool:
    """The last check passed, though not yet often enough."""
    return step.model.passes > 0


def overdue(step: "MonitorStep") -> bool:
    """The time is up, and the next failed check ends the window or the backoff."""
    return step.model.overdue


def only_failures_close(step: "MonitorStep") -> bool:
    """There is no ``--recovery-timeout``: only a failure closes the window."""
    return step.model.limits.recovery_timeout is None


def failure_closes_window(step: "MonitorStep") -> bool:
    """Time is up, or this is the window's ``--threshold``-th failure, and not the check at once."""
    monitor, limits = step.model, step.model.limits
    return monitor.overdue or (
        step.was.stage is _OPEN
        and limits.window is None
        and limits.threshold is not None
        and monitor.window_failures + 1 >= limits.threshold
        and step.was.check is not _AT_ONCE
    )


def window_changes(step: "MonitorStep") -> bool:
    """The reload changes the window's length, or what closes it."""
    before, now = step.model.limits, step.event.limits
    timed = now.recovery_timeout is not None
    return now.window != before.window or timed != (before.recovery_timeout is not None)
