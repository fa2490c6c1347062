"""Questions about a monitor, for those who must not look at its stages."""

from states.monitor.model import Check, Monitor, Stage, State

_REPAIRING, _SPENT, _ERROR, _IDLE = Stage.REPAIRING, Stage.SPENT, Stage.ERROR, Check.IDLE
REMEDIES = {
    Stage.WAITING: "waiting",
    Stage.REPAIRING: "running",
    Stage.OWED: "owed",
    Stage.OPEN: "open",
    Stage.BACKOFF: "backoff",
    Stage.SPENT: "spent",
}
_CHECKING = {
    Check.IDLE: "idle",
    Check.SCHEDULED: "running",
    Check.AT_ONCE: "running",
    Check.DYING: "dying",
    Check.DUE: "dying",
}
_UNDER_WAY = frozenset((Stage.WAITING, Stage.REPAIRING, Stage.OWED))


def well(monitor: Monitor) -> bool:
    """Tell if it is NORMAL, and the last check did not fail, not even in the start period."""
    return monitor.state is State.NORMAL and not monitor.last_check_failed


def recovery_runs(monitor: Monitor) -> bool:
    """Tell if the recovery script runs."""
    return monitor.stage is _REPAIRING


def remedy(monitor: Monitor) -> str:
    """How far the recovery of this outage has come, in a word."""
    return REMEDIES.get(monitor.stage, "none")


def spent(monitor: Monitor) -> bool:
    """Tell if no recovery is left, and checks go on."""
    return monitor.stage is _SPENT


def held_up(monitor: Monitor) -> bool:
    """Tell if a recovery has to be over before the next check."""
    return monitor.stage in _UNDER_WAY


def checking(monitor: Monitor) -> str:
    """What the check does: ``idle``, ``running`` or ``dying``."""
    return _CHECKING[monitor.check]


def resettable(monitor: Monitor) -> bool:
    """Tell if its outage can be forgotten now: no recovery script runs."""
    return monitor.stage is not _REPAIRING


def fail_holds_up(monitor: Monitor) -> bool:
    """Tell if the fail script keeps checks from being run, or a failure from being told."""
    return monitor.fail_run is not None and (
        monitor.limits.fail_overlap_skip or monitor.fail_queued is not None
    )


def nothing_left(monitor: Monitor, *, stuck: bool = False) -> bool:
    """Tell if ``--count`` is reached, and nothing runs, waits or is queued any more.

    A dying check that is ``stuck`` outlives SIGKILL, and is not waited for.
    """
    return (
        monitor.limits.checks is not None
        and monitor.checks >= monitor.limits.checks
        and (monitor.check is _IDLE or stuck)
        and monitor.fail_run is None
        and monitor.stage not in _UNDER_WAY
        and monitor.stage is not _ERROR
    )
