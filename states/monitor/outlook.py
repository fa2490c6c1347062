"""An outlook: steps on a copy of a monitor, which tell what would be; the monitor stays as it is.

Whoever tells what happens next asks here, and words the effects: the rules are told nowhere but
in the table.
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
"""A moment at which every start period is over."""

_NEVER = Failure(1, 0, 0)
_PASSED = events.CheckPassed()
_BY_ITSELF: "tuple[Event, ...]" = (
    events.Tick(),
    events.CheckGone(),
    events.FailEnded(),
    events.RecoveryEnded(),
    events.Resumed(),
)
"""Events that come in the course of time, the one that is waited for least first."""
_ENDS: "tuple[Event, ...]" = (events.CheckUnknown(), *_BY_ITSELF[1:4])
"""Ends of what runs."""
_TOLD = (effects.SendSignal, effects.RunFail, effects.QueueFail)


class Outlook(NamedTuple):
    """One event, the effects that it would have, and the monitor as it would be then."""

    event: "Event"
    effects: "list[Effect]"
    monitor: Monitor


Course = tuple[Outlook, ...]
"""Events one after the other."""


class Turn(NamedTuple):
    """The check, of those in a row with the same result, that changes something."""

    number: int
    course: Course


class TimeUp(NamedTuple):
    """A time that is up: of the window, or of the backoff; what it does as the last check went.

    None where the monitor is elsewhere by then. ``then`` is what a failed check does after it.
    """

    event: "Event"
    failed: Course | None
    passed: Course | None
    running: Course | None
    then: Course | None


def outlook(monitor: Monitor, *heard: "Event") -> Course:
    """Take these events on a copy, one after the other."""
    here, course = monitor, list[Outlook]()
    for event in heard:
        here = _copied(here)
        course.append(Outlook(event, step(here, event), here))
    return tuple(course)


def after(monitor: Monitor, *heard: "Event") -> Monitor:
    """A copy that has heard these events."""
    here = _copied(monitor)
    for event in heard:
        step(here, event)
    return here


def _copied(monitor: Monitor) -> Monitor:
    there = Monitor.__new__(Monitor)
    for name in Monitor.__slots__:
        setattr(there, name, getattr(monitor, name))
    return there


def failed(at: float = LATE) -> "Event":
    """A check fails ``at`` seconds after the monitor's start."""
    return events.CheckFailed(_NEVER, at)


def verdict(monitor: Monitor, event: "Event") -> Course:
    """A result of the check, and the recovery that waits for the fail script."""
    course = outlook(monitor, event)
    there = course[-1].monitor
    ended = outlook(there, events.FailEnded())
    return (*course, *ended) if ended[-1].monitor.stage is not there.stage else course


def coming(monitor: Monitor, *first: "Event") -> "tuple[Event, ...] | None":
    """Events until the next check runs, if all goes its way; None if none will.

    Empty if one runs. ``first`` are events that come before all others.
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
    """Tell if the event leads anywhere."""
    return _regions(after(monitor, event)) != _regions(monitor)


def _next(monitor: Monitor, candidates: "Iterable[Event]") -> "Event | None":
    """The first one that leads to another state of a region."""
    return next((each for each in candidates if changes(monitor, each)), None)


def _regions(monitor: Monitor) -> tuple[str, ...]:
    return monitor.stage, monitor.check, monitor.fail, monitor.pause


def resumed(monitor: Monitor) -> Course:
    """The end of a pause, before which what runs has ended."""
    here = monitor
    while (event := _next(here, _ENDS)) is not None:
        here = after(here, event)
    return outlook(here, events.Resumed())


# Times


def time_event(monitor: Monitor) -> "Event | None":
    """The event that a running time limit ends with; None if there is no such limit."""
    if monitor.overdue or monitor.paused:
        return None
    if monitor.stage is Stage.OPEN and monitor.limits.window is not None:
        return events.WindowClosed()
    return events.BackoffEnded() if monitor.stage is Stage.BACKOFF else None


def time_up(monitor: Monitor, path: "Sequence[Event] | None") -> TimeUp | None:
    """The end of a time limit that runs when the next check has come by this path."""
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
    # A pass that ends recovery now may be the first one of several after a failure.
    passed = once(_PASSED) or once(failed(), events.Tick(), _PASSED)
    return TimeUp(event, once(failed()), passed, running, then)


# Results in a row


def failures(monitor: Monitor) -> Turn | None:
    """How many failures in a row it takes until something else is done; None if nothing is."""
    return _turn(monitor, failed(), monitor.limits.threshold)


def passes(monitor: Monitor) -> Turn | None:
    """How many passes in a row it takes until something changes; None if nothing does."""
    return _turn(monitor, _PASSED, monitor.limits.success_threshold)


def _turn(monitor: Monitor, result: "Event", of: int | None) -> Turn | None:
    """The last of these results that does something else than the one before it.

    The first one that recovery begins or ends with is the last.
    """
    here, found, number, told = monitor, None, 0, _last_was_told(monitor)
    for _ in range(_ENOUGH):
        path = coming(here)
        if path is None:
            break
        ready, number = settled(after(here, *path)), number + 1
        course = verdict(ready, result)
        moved, tells = _standing(course[0].monitor) != _standing(ready), _told(course[0])
        if moved or tells is not told:
            found, told = Turn(number, course), tells
        here = _copied(course[-1].monitor)
        if moved and here.stage is not Stage.FAILING:
            break
        number += _skip(here, (of or 1) - 2)
    return found


_ENOUGH = 6


def _told(step: Outlook) -> bool:
    return any(isinstance(effect, _TOLD) for effect in step.effects)


def _last_was_told(monitor: Monitor) -> bool:
    """Tell if the latest failure, outside recovery, was told to anybody."""
    if not monitor.count or monitor.attempts:
        return False
    then = _copied(monitor)
    then.count -= 1
    then.pause = Pause.ACTIVE
    return _told(verdict(then, failed())[0])


def _standing(monitor: Monitor) -> tuple[Stage, int]:
    return monitor.stage, monitor.attempts


def _skip(monitor: Monitor, to: int) -> int:
    """Count results without a step, all but the last ones before a limit; return how many.

    Limits are all that counts are compared with, so the steps would be alike.
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
    """A monitor whose fail script does not run any more."""
    while monitor.fail_running:
        monitor = after(monitor, events.FailEnded())
    return monitor


# Refusals


def resettable(monitor: Monitor) -> bool:
    """Tell if a reset forgets the outage now, or there is none."""
    return after(monitor, events.Reset()).state in {State.NORMAL, State.ERROR}


def refusal(monitor: Monitor, event: "Event") -> str:
    """Why this tick, or this wish for a check, starts none; empty if it does.

    The first guard that does not hold, of the row that would run the check.
    """
    asked: Any = _Asked(monitor, event)
    why, kind = _BUSY.get(monitor.check, ""), cast("type", type(event))
    for guards, runs in _rows(kind, monitor.check):
        for guard in guards:
            if not guard(asked):
                if runs:
                    why = _sentence(guard, monitor)
                break
        else:
            return "" if runs else why or _sentence(guards[0], monitor)
    return why  # pragma: no cover - no table has a hole


class _Asked:
    """A step that is not taken, as a guard looks at it."""

    __slots__ = ("event", "model", "was")

    def __init__(self, monitor: Monitor, event: "Event") -> None:
        self.model = self.was = monitor
        self.event = event


@cache
def _rows(event: type, leaf: str) -> "list[tuple[tuple[Guard, ...], bool]]":
    """Guards of each row, and whether it runs a check."""
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
    """Word the guard that did not let a check run."""
    return _SENTENCES.get(guard) or _UNCHECKED.get(monitor.stage, "")
