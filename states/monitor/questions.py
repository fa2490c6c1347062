"""Questions about a monitor as it is, for code that must not look at its stages.

`states.monitor.outlook` answers what it will do.
"""

from states.engine.named_tuple import NamedTuple
from states.monitor.model import Check, Monitor, Stage, State

_REPAIRING, _ERROR, _IDLE = Stage.REPAIRING, Stage.ERROR, Check.IDLE
_SCHEDULED, _AT_ONCE = Check.SCHEDULED, Check.AT_ONCE
_REMEDIES = {
    Stage.WAITING: ("waiting", "it waits for the fail script to end"),
    Stage.REPAIRING: ("running", "its script runs"),
    Stage.OWED: ("owed", "its script could not be started for want of resources"),
    Stage.OPEN: ("open", "its window is open"),
    Stage.BACKOFF: ("backoff", "it has not helped so far; the next one is not due yet"),
    Stage.SPENT: ("spent", "it did not help, and none is left"),
}
REMEDIES = {stage: word for stage, (word, _) in _REMEDIES.items()}
"""The progress of a recovery in one word, by stage."""
_OVER = ("none", "it is over")
_SHOWN = {Stage.BACKOFF: "BACKOFF", Stage.SPENT: "SPENT"}
_CHECKING = {
    Check.IDLE: "idle",
    Check.SCHEDULED: "running",
    Check.AT_ONCE: "running",
    Check.DYING: "dying",
    Check.DUE: "dying",
}
_UNDER_WAY = frozenset((Stage.WAITING, Stage.REPAIRING, Stage.OWED))


class Window(NamedTuple):
    """The open recovery window: ``of`` failures close it; None where its time does."""

    failures: int
    of: int | None
    overdue: bool


def well(monitor: Monitor) -> bool:
    """Tell if it is NORMAL, and the last check did not fail, not even in the start period."""
    return monitor.state is State.NORMAL and not monitor.last_check_failed


def shown(monitor: Monitor) -> str:
    """Return the word to show to people: the state, or PAUSED, BACKOFF or SPENT."""
    if monitor.paused and monitor.stage is not _ERROR:
        return "PAUSED"
    return _SHOWN.get(monitor.stage, monitor.state.value)


def stands(monitor: Monitor) -> str:
    """Return the state with what ``shown`` adds: ``RECOVERING (BACKOFF)``."""
    more = _SHOWN.get(monitor.stage)
    return monitor.state.value if more is None else f"{monitor.state.value} ({more})"


def recovery_runs(monitor: Monitor) -> bool:
    """Tell if the recovery script runs."""
    return monitor.stage is _REPAIRING


def remedy(monitor: Monitor) -> str:
    """Return the progress of this outage's recovery in one word."""
    return _REMEDIES.get(monitor.stage, _OVER)[0]


def remedy_text(monitor: Monitor) -> str:
    """Return the progress of this outage's recovery in a few words."""
    if monitor.stage is Stage.WAITING and not monitor.fail_running:
        return "it is yet to begin"
    if monitor.stage is Stage.SPENT and _more_allowed(monitor):
        return "it did not help, and none was left then"
    return _REMEDIES.get(monitor.stage, _OVER)[1]


def _more_allowed(monitor: Monitor) -> bool:
    """Tell if a reload allows more recoveries than there were."""
    allowed = monitor.limits.max_recoveries
    return allowed is None or monitor.attempts < allowed


def spent(monitor: Monitor) -> bool:
    """Tell if no recovery is left and checks go on."""
    return monitor.stage is Stage.SPENT


def backs_off(monitor: Monitor) -> bool:
    """Tell if the next recovery waits for its backoff."""
    return monitor.stage is Stage.BACKOFF


def window(monitor: Monitor) -> Window | None:
    """Return the recovery window; None if none is open."""
    if monitor.stage is not Stage.OPEN:
        return None
    limits = monitor.limits
    of = limits.threshold if limits.window is None else None
    return Window(monitor.window_failures, of, monitor.overdue)


def pace(monitor: Monitor) -> str:
    """Return the option that sets the time between checks now."""
    limits = monitor.limits
    if monitor.stage is Stage.FAILING and limits.retry_interval is not None:
        return "retry-interval"
    if monitor.stage is Stage.OPEN and limits.recovery_interval is not None:
        return "recovery-interval"
    return "interval"


def checking(monitor: Monitor) -> str:
    """Return the state of the check: ``idle``, ``running`` or ``dying``."""
    return _CHECKING[monitor.check]


def check_runs(monitor: Monitor) -> bool:
    """Tell if a check runs whose result will count."""
    return monitor.check is _SCHEDULED or monitor.check is _AT_ONCE


def fail_holds_up(monitor: Monitor) -> bool:
    """Tell if the fail script holds up checks, or another run of itself."""
    return monitor.fail_run is not None and (
        monitor.limits.fail_overlap_skip or monitor.fail_queued is not None
    )


def nothing_left(monitor: Monitor, *, stuck: bool = False) -> bool:
    """Tell if ``--count`` is reached, and nothing runs, waits or is queued any more.

    HEAT does not wait for a dying check that is ``stuck``: it has survived SIGKILL.
    """
    return (
        monitor.limits.checks is not None
        and monitor.checks >= monitor.limits.checks
        and (monitor.check is _IDLE or stuck)
        and monitor.fail_run is None
        and monitor.stage not in _UNDER_WAY
        and monitor.stage is not _ERROR
    )
