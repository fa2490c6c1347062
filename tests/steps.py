"""Limits, events and effects of a monitor, and how to lead it somewhere."""

from typing import Any, NamedTuple

from states.monitor import effects
from states.monitor.events import CheckFailed, Event, RecoveryEnded, Tick
from states.monitor.limits import Limits
from states.monitor.machine import step
from states.monitor.model import FailRun, Failure, Monitor, State

NORMAL, FAILING, RECOVERING, ERROR = State
HUP, USR1, USR2 = 1, 10, 12
SIGNAL = effects.SendSignal(HUP, "--signal")
FAULT = effects.SendSignal(USR1, "--fault-signal")
SUCCESS = effects.SendSignal(USR2, "--success-signal")
CHECK, RESTART, CLOSE = effects.RunCheck(), effects.RestartTicks(), effects.CloseWindow()
FULL = Limits(
    threshold=2,
    fail=True,
    recovery=True,
    recovery_timeout=60.0,
    signal=HUP,
    fault_signal=USR1,
    success_signal=USR2,
)
PLAIN = Limits()
RECOVER = Limits(threshold=1, recovery=True)
SIGNALS = Limits(threshold=1, fault_signal=USR1, success_signal=USR2)


def failed(time: int = 100, *, at: float = 5.0, dying: bool = False) -> CheckFailed:
    return CheckFailed(Failure(7, 4000 + time, time), at, dying)


def fail_run(time: int, failures: int, state: State) -> FailRun:
    return FailRun(Failure(7, 4000 + time, time), failures, state)


def typed(values: list[Any]) -> list[Any]:
    """Named tuples of two types can be equal; here they are not."""
    return [(type(value), value) for value in values]


def led(limits: Limits, *events: Event) -> Monitor:
    monitor = Monitor(limits)
    for event in events:
        step(monitor, event)
    return monitor


FAIL = (Tick(), failed(100))
RECOVERY = (Tick(), failed(100))  # with threshold 1
WINDOW = (*RECOVERY, RecoveryEnded())  # its check at once runs
TWICE = RECOVER._replace(max_recoveries=2, recovery_timeout=60.0)


class Case(NamedTuple):
    """A monitor with these limits is led by these events; what the next one does."""

    what: str
    limits: Limits
    before: tuple[Event, ...]
    event: Event
    state: State
    expected: list[effects.Effect]


def recovery(
    attempt: int = 1, failures: int = 1, first: int = 100, last: int = 100
) -> effects.RunRecovery:
    of = Failure(7, 4000 + first, first), Failure(7, 4000 + last, last)
    return effects.RunRecovery(*of, failures, attempt)


CLOSES = (*WINDOW, failed(101), Tick())
"""With a threshold of 1, the next failure closes the window."""
REST = RECOVER._replace(recovery_backoff=20.0)
RESTING = (*CLOSES, failed(102))
ONCE = RECOVER._replace(max_recoveries=1)
WATCHES = ONCE._replace(spent_watch=True)
IS_SPENT = (*CLOSES, failed(102))
