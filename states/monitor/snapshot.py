"""A snapshot of a monitor: what goes on after a restart, as a plain value.

A window is not kept: a monitor that goes on begins it again. Nor are counts of checks.
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
    """One monitor's machine as it was after a step; when it began is kept elsewhere."""

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
        """The state for everybody to see."""
        return STATES[self.stage]

    @property
    def well(self) -> bool:
        """There is no outage."""
        return self.stage is Stage.NORMAL

    @property
    def given_up(self) -> bool:
        """HEAT could not do its work any more."""
        return self.stage is Stage.ERROR

    @property
    def repairing(self) -> bool:
        """The recovery script runs."""
        return self.stage is Stage.REPAIRING

    @property
    def spent(self) -> bool:
        """No recovery is left, and checks go on."""
        return self.stage is Stage.SPENT


def save(monitor: Monitor) -> Snapshot:
    """Take the part of it that is to be kept."""
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
    """Tell if it is surely what was kept; asked at each step, so it makes no value."""
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
    """Fields of a snapshot that was written, with its stage; 0.1.0 wrote a state and a remedy.

    Raises ValueError for a stage that is none.
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
    """Tell if a machine can be like that: it is asked of what was read from a file."""
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
    """Make a new monitor what it was; one that is paused goes on when it is resumed."""
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
