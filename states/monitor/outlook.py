"""Steps on a copy of a monitor, which show what would happen; the monitor stays as it is.

Code that says what happens next asks here and words the effects: no rule is written anywhere
but in the table.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from states.engine.named_tuple import NamedTuple
from states.monitor import actions as do
from states.monitor import effects, events
from states.monitor import guards as if_
from states.monitor.machine import step
from states.monitor.model import Check, Failure, Monitor, Pause, Stage, State
from states.monitor.questions import check_runs
from states.monitor.table import TABLE

if TYPE_CHECKING:
    from states.engine.table import Guard
    from states.monitor.effects import Effect
    from states.monitor.events import Event

LATE = float("inf")
"""A time at which every start period is over."""

_NEVER = Failure(1, 0, 0)
_PASSED = events.CheckPassed()
_BY_ITSELF: "tuple[Event, ...]" = (
    events.Tick(),
    events.CheckGone(),
    events.FailEnded(),
    events.RecoveryEnded(),
    events.Resumed(),
)
"""Events that come with time, in the order to try them."""
_ENDS: "tuple[Event, ...]" = (events.CheckUnknown(), *_BY_ITSELF[1:4])
"""Events that end what runs."""
_REPORTS = (effects.SendSignal, effects.RunFail, effects.QueueFail)


class Outlook(NamedTuple):
    """One event, the effects that it would have, and the monitor after it."""

    event: "Event"
    effects: "list[Effect]"
    monitor: Monitor


Course = tuple[Outlook, ...]
"""A sequence of events."""


class Turn(NamedTuple):
    """The check that changes something, in a row of checks with the same result."""

    number: int
    course: Course


class TimeUp(NamedTuple):
    """The end of the window's or the backoff's time, and its effect by the last check's result.

    None if the monitor has moved on by then. ``then`` is the effect of a failed check after it.
    """

    event: "Event"
    failed: Course | None
    passed: Course | None
    running: Course | None
    then: Course | None


def outlook(monitor: Monitor, *sequence: "Event") -> Course:
    """Feed these events to a copy, one after the other."""
    here, course = monitor, list[Outlook]()
    for event in sequence:
        here = _copied(here)
        course.append(Outlook(event, step(here, event), here))
    return tuple(course)


def after(monitor: Monitor, *sequence: "Event") -> Monitor:
    """Return a copy that has handled these events."""
    here = _copied(monitor)
    for event in sequence:
        step(here, event)
    return here


def _copied(monitor: Monitor) -> Monitor:
    there = Monitor.__new__(Monitor)
    for name in Monitor.__slots__:
        setattr(there, name, getattr(monitor, name))
    return there


def failed(at: float = LATE) -> "Event":
    """Return the failure of a check ``at`` seconds after the monitor's start."""
    return events.CheckFailed(_NEVER, at)


def verdict(monitor: Monitor, event: "Event") -> Course:
    """Return a result of the check, with the recovery that waits for the fail script."""
    course = outlook(monitor, event)
    there = course[-1].monitor
    ended = outlook(there, events.FailEnded())
    return (*course, *ended) if ended[-1].monitor.stage is not there.stage else course


def coming(monitor: Monitor, *first: "Event") -> "tuple[Event, ...] | None":
    """Return the events until the next check runs; None if no check will.

    Empty if one runs now. ``first`` are events that come before all others.
    """
    path, here = [*first], after(monitor, *first)
    while here.paused or not check_runs(here):
        event = _next(here, (_ENDS[0], *_BY_ITSELF) if here.paused else _BY_ITSELF)
        if event is None:
            return None
        path.append(event)
        here = after(here, event)
    return tuple(path)


def changes(monitor: Monitor, event: "Event") -> bool:
    """Tell if the event changes the state of any region."""
    return _regions(after(monitor, event)) != _regions(monitor)


def _next(monitor: Monitor, candidates: "Iterable[Event]") -> "Event | None":
    """Return the first event that changes the state of any region."""
    return next((each for each in candidates if changes(monitor, each)), None)


def _regions(monitor: Monitor) -> tuple[str, ...]:
    return monitor.stage, monitor.check, monitor.fail, monitor.pause


def resumed(monitor: Monitor) -> Course:
    """Return the end of a pause, after everything that runs has ended."""
    here = monitor
    while (event := _next(here, _ENDS)) is not None:
        here = after(here, event)
    return outlook(here, events.Resumed())


# Times


def time_event(monitor: Monitor) -> "Event | None":
    """Return the event at the end of the running time limit; None if there is no limit."""
    if monitor.overdue or monitor.paused:
        return None
    if monitor.stage is Stage.OPEN and monitor.limits.window is not None:
        return events.WindowClosed()
    return events.BackoffEnded() if monitor.stage is Stage.BACKOFF else None


def time_up(monitor: Monitor, path: "Sequence[Event] | None") -> TimeUp | None:
    """Return the end of the time limit that runs after these events until the next check."""
    there = after(monitor, *path or ())
    event = time_event(there)
    if event is None:
        return None
    if path is None:
        course = verdict(there, event)
        if there.passes:
            return TimeUp(event, None, course, None, None)
        return TimeUp(event, course, None, None, None)

    def once(*results: "Event") -> Course | None:
        then = after(there, *results)
        return verdict(then, event) if then.stage is there.stage else None

    running = verdict(there, event)
    then = verdict(running[-1].monitor, failed())
    # Where a pass would end recovery now, it may be the first of several after a failure.
    passed = once(_PASSED) or once(failed(), events.Tick(), _PASSED)
    return TimeUp(event, once(failed()), passed, running, then)


# Results in a row


def failures(monitor: Monitor) -> Turn | None:
    """Return the failure in a row that changes what HEAT does; None if none does."""
    return _turn(monitor, failed(), monitor.limits.threshold)


def passes(monitor: Monitor) -> Turn | None:
    """Return the pass in a row that changes something; None if none does."""
    return _turn(monitor, _PASSED, monitor.limits.success_threshold)


def _turn(monitor: Monitor, result: "Event", of: int | None) -> Turn | None:
    """Return the last of these results that does something other than the one before it.

    The search stops at the first one that begins or ends a recovery.
    """
    here, turn, number, reported = monitor, None, 0, _last_was_reported(monitor)
    for _ in range(_ENOUGH):
        path = coming(here)
        if path is None:
            break
        ready, number = settled(after(here, *path)), number + 1
        course = verdict(ready, result)
        moved, reports = _standing(course[0].monitor) != _standing(ready), _reports(course[0])
        if moved or reports is not reported:
            turn, reported = Turn(number, course), reports
        here = _copied(course[-1].monitor)
        if moved and here.stage is not Stage.FAILING:
            break
        number += _skip(here, (of or 1) - 2)
    return turn


_ENOUGH = 6


def _reports(step: Outlook) -> bool:
    return any(isinstance(effect, _REPORTS) for effect in step.effects)


def _last_was_reported(monitor: Monitor) -> bool:
    """Tell if the latest failure outside recovery had a signal or a fail script."""
    if not monitor.count or monitor.attempts:
        return False
    then = _copied(monitor)
    then.count -= 1
    then.pause = Pause.ACTIVE
    return _reports(verdict(then, failed())[0])


def _standing(monitor: Monitor) -> tuple[Stage, int]:
    return monitor.stage, monitor.attempts


def _skip(monitor: Monitor, to: int) -> int:
    """Count most results before a limit without a step each, and return how many.

    The rules compare counts only with limits, so those steps would be alike.
    """
    failures = monitor.window_failures if monitor.attempts else monitor.count
    done = monitor.passes or failures
    skipped = max(0, to - done)
    monitor.checks += skipped
    monitor.count += skipped
    monitor.window_failures += skipped
    monitor.passes += skipped if monitor.passes else 0
    return skipped


def settled(monitor: Monitor) -> Monitor:
    """Return a monitor whose fail script does not run any more."""
    while monitor.fail_running:
        monitor = after(monitor, events.FailEnded())
    return monitor


# Refusals


def resettable(monitor: Monitor) -> bool:
    """Tell if a reset would end in NORMAL, or ERROR stands."""
    return after(monitor, events.Reset()).state in {State.NORMAL, State.ERROR}


def refusal(monitor: Monitor, event: "Event") -> str:
    """Say why this tick, or this request for a check, starts none; empty if it starts one.

    The reason is the first guard that does not hold, of the row that would run the check.
    """
    query: Any = _Query(monitor, event)
    why, kind = _BUSY.get(monitor.check, ""), cast("type", type(event))
    for guards, runs in _rows(kind, monitor.check):
        for guard in guards:
            if not guard(query):
                if runs:
                    why = _sentence(guard, monitor)
                break
        else:
            return "" if runs else why or _sentence(guards[0], monitor)
    return why  # pragma: no cover - no table has a hole


class _Query:
    """A step that is not taken, for guards to look at."""

    __slots__ = ("event", "model", "was")

    def __init__(self, monitor: Monitor, event: "Event") -> None:
        self.model = self.was = monitor
        self.event = event


@cache
def _rows(event: type, leaf: str) -> "list[tuple[tuple[Guard, ...], bool]]":
    """Return each row's guards, and whether it runs a check."""
    rows = TABLE.regions["check"].rows_of(event, leaf)
    return [(row.guards, do.run_check in row.actions) for row in rows]


_BUSY = {
    Check.SCHEDULED: "a check runs already",
    Check.AT_ONCE: "a check runs already",
    Check.DYING: "a check that timed out is still dying",
    Check.DUE: "a check that timed out is still dying",
}
_UNCHECKED = {
    Stage.WAITING: "it recovers: the next check comes when the fail and the recovery script have "
    "ended",
    Stage.REPAIRING: "it recovers: the next check comes when the recovery script has ended",
    Stage.OWED: "it recovers: the recovery script could not be started, and is tried again at the "
    "next tick",
    Stage.ERROR: "HEAT has given it up",
}
_SENTENCES: dict[Callable[..., bool], str] = {
    if_.paused: "it is paused",
    if_.checks_left: "its checks are counted out (count)",
    if_.fail_script_allows: "the fail script runs, and fail-overlap is skip",
}


def _sentence(guard: Callable[..., bool], monitor: Monitor) -> str:
    """Say in words why the guard does not let a check run."""
    return _SENTENCES.get(guard) or _UNCHECKED.get(monitor.stage, "")
