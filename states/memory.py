"""The memory of a monitor that goes on after a restart, as a plain value.

A window is not remembered: a monitor that goes on begins it anew.
"""

from states.model import FailRun, Failure, Monitor, Remedy, State
from states.values import NamedTuple


class Memory(NamedTuple):
    """One monitor's machine as it was after a step; when it began is remembered elsewhere."""

    state: State = State.NORMAL
    failures: int = 0
    attempts: int = 0
    remedy: Remedy = Remedy.NONE
    first_failure: Failure | None = None
    last_failure: Failure | None = None
    fail_run: FailRun | None = None
    fail_queued: FailRun | None = None
    error_due: str | None = None
    passed_once: bool = False

    @property
    def well(self) -> bool:
        """There is no outage."""
        return self.state is State.NORMAL

    @property
    def given_up(self) -> bool:
        """HEAT could not do its work any more."""
        return self.state is State.ERROR


def remember(monitor: Monitor) -> Memory:
    """The part of it that is to be kept."""
    return Memory(
        monitor.state,
        monitor.count,
        monitor.attempts,
        monitor.remedy,
        monitor.first_failure,
        monitor.last_failure,
        monitor.fail_run,
        monitor.fail_queued,
        monitor.error_due,
        monitor.passed_once and monitor.limits.start_period > 0,
    )


def unchanged(monitor: Monitor, memory: Memory) -> bool:
    """It is surely what is remembered; asked at each step, so it looks before it makes a value."""
    return (
        monitor.state is memory.state
        and monitor.count == memory.failures
        and monitor.remedy is memory.remedy
        and monitor.attempts == memory.attempts
        and monitor.last_failure is memory.last_failure
        and monitor.first_failure is memory.first_failure
        and monitor.fail_run is memory.fail_run
        and monitor.fail_queued is memory.fail_queued
        and monitor.error_due is memory.error_due
        and (monitor.passed_once == memory.passed_once or not monitor.limits.start_period)
    )


def sound(memory: Memory) -> bool:
    """Tell if a machine can be like that: it is asked of what was read from a file."""
    failed = memory.first_failure is not None and memory.last_failure is not None
    if memory.well or memory.given_up:
        return memory.remedy is Remedy.NONE or memory.given_up
    recovering = memory.state is State.RECOVERING
    return (
        failed
        and memory.failures > 0
        and recovering == (memory.attempts > 0)
        and recovering == (memory.remedy is not Remedy.NONE)
    )


def recall(monitor: Monitor, memory: Memory) -> None:
    """Make a new monitor what it was; it is paused, and goes on when it is resumed."""
    (
        monitor.state,
        monitor.count,
        monitor.attempts,
        monitor.remedy,
        monitor.first_failure,
        monitor.last_failure,
        monitor.fail_run,
        monitor.fail_queued,
        monitor.error_due,
        monitor.passed_once,
    ) = memory
    monitor.paused = True
