"""A snapshot of a monitor: the part that survives a restart, as a plain value.

It has no window, which begins again after a restart, and no counts of checks.
"""

from typing import Any

from states.engine.named_tuple import NamedTuple
from states.monitor.model import (
    IN_RECOVERY,
    STATES,
    Fail,
    FailRun,
    Failure,
    Monitor,
    Pause,
    Stage,
    State,
)


class Snapshot(NamedTuple):
    """One monitor's machine after a step; the start of the outage is kept elsewhere."""

    stage: Stage = Stage.NORMAL
    failures: int = 0
    attempts: int = 0
    first_failure: Failure | None = None
    last_failure: Failure | None = None
    fail_run: FailRun | None = None
    fail_queued: FailRun | None = None
    error_due: str | None = None
    passed_once: bool = False
    backoff: float | None = None

    @property
    def state(self) -> State:
        """The public state."""
        return STATES[self.stage]

    @property
    def well(self) -> bool:
        """True if there is no outage."""
        return self.stage is Stage.NORMAL

    @property
    def given_up(self) -> bool:
        """True if HEAT gave the monitor up."""
        return self.stage is Stage.ERROR

    @property
    def repairing(self) -> bool:
        """True while the recovery script runs."""
        return self.stage is Stage.REPAIRING

    @property
    def spent(self) -> bool:
        """True if no recovery is left and checks go on."""
        return self.stage is Stage.SPENT


def save(monitor: Monitor) -> Snapshot:
    """Return the part of the monitor that survives a restart."""
    return Snapshot(
        monitor.stage,
        monitor.count,
        monitor.attempts,
        monitor.first_failure,
        monitor.last_failure,
        monitor.fail_run,
        monitor.fail_queued,
        monitor.error_due,
        monitor.passed_once and monitor.limits.start_period > 0,
        monitor.backoff,
    )


def unchanged(monitor: Monitor, snapshot: Snapshot) -> bool:
    """Tell if the monitor surely equals the snapshot; runs at each step, so it builds nothing."""
    return (
        monitor.stage is snapshot.stage
        and monitor.count == snapshot.failures
        and monitor.attempts == snapshot.attempts
        and monitor.last_failure is snapshot.last_failure
        and monitor.first_failure is snapshot.first_failure
        and monitor.fail_run is snapshot.fail_run
        and monitor.fail_queued is snapshot.fail_queued
        and monitor.error_due is snapshot.error_due
        and (monitor.passed_once == snapshot.passed_once or not monitor.limits.start_period)
    )


def of_now(plain: list[Any]) -> list[Any]:
    """Return the fields of a stored snapshot; 0.1.0 stored a state and a remedy, not a stage.

    Raises ValueError for an unknown stage.
    """
    stage, count, attempts, *rest = plain
    if isinstance(rest[0], str):
        remedy, *rest = rest[0], *rest[1:], None
        stage = _STAGES.get(remedy, stage) if stage == State.RECOVERING else stage
    return [Stage(stage), count, attempts, *rest]


_STAGES = {
    "waiting": Stage.WAITING,
    "running": Stage.REPAIRING,
    "owed": Stage.OWED,
    "open": Stage.OPEN,
}


def sound(snapshot: Snapshot) -> bool:
    """Tell if a snapshot from a file is one that a machine can have."""
    if snapshot.well or snapshot.given_up:
        return snapshot.backoff is None
    failed = snapshot.first_failure is not None and snapshot.last_failure is not None
    return (
        failed
        and snapshot.failures > 0
        and (snapshot.stage in IN_RECOVERY) == (snapshot.attempts > 0)
        and (snapshot.stage is Stage.BACKOFF) == (snapshot.backoff is not None)
    )


def restore(monitor: Monitor, snapshot: Snapshot, *, paused: bool = True) -> None:
    """Put a new monitor into this state; a paused one goes on when it is resumed."""
    (
        monitor.stage,
        monitor.count,
        monitor.attempts,
        monitor.first_failure,
        monitor.last_failure,
        monitor.fail_run,
        monitor.fail_queued,
        monitor.error_due,
        monitor.passed_once,
        monitor.backoff,
    ) = snapshot
    if monitor.fail_run is not None:
        monitor.fail = Fail.RUNNING if monitor.fail_queued is None else Fail.QUEUED
    elif monitor.fail_queued is not None:
        monitor.fail = Fail.LOST
    monitor.pause = Pause.PAUSED if paused else Pause.ACTIVE
