"""The outlook of a monitor as facts for those who ask: what a pass, a failure, a time would do.

Each is a step on a copy, made by the table; docs/protocol.md has the keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from heat.monitor.ahead import ahead
from heat.monitor.exit_codes import EXIT_ERROR
from heat.process import signals
from states.monitor import effects, outlook
from states.monitor.events import (
    BackoffEnded,
    CheckAsked,
    CheckFailed,
    CheckGone,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    RecoveryEnded,
    Reset,
    Resumed,
    Tick,
    WindowClosed,
)
from states.monitor.model import Monitor as Model
from states.monitor.outlook import LATE, Course, Outlook, TimeUp, Turn
from states.monitor.questions import backs_off, pace, spent, window

if TYPE_CHECKING:
    from heat.monitor.monitor import Monitor
    from heat.monitor.status_line import Look

Facts = dict[str, Any]

_NAMES: dict[type[Event], str] = {
    Tick: "tick",
    CheckPassed: "passed",
    CheckFailed: "failed",
    CheckUnknown: "unknown",
    CheckGone: "gone",
    FailEnded: "fail-ended",
    RecoveryEnded: "recovery-ended",
    WindowClosed: "window-closed",
    BackoffEnded: "backoff-ended",
    Resumed: "resumed",
    Reset: "reset",
}
_TIMED = (effects.OpenWindow, effects.StartBackoff)
_PASSED = CheckPassed()
Path = tuple[Event, ...] | None


def of(monitor: Monitor, look: Look) -> Facts:
    """All that can be told of what would be."""
    model = monitor.model
    path = ahead(model, look)
    decides = None if model.paused else path
    return {
        "ended": monitor.exit_code is not None,
        "pace": pace(model),
        "tick": _left(look.next_in),
        "due": _left(look.window_left),
        "coming": None if path is None else course_facts(outlook.outlook(model, *path)),
        "passed": _verdict(model, decides, _PASSED),
        **_failed(monitor, look, decides),
        "time": None if model.paused else _time_up(model, look, path),
        "passes": None if decides is None else _turn(outlook.passes(model)),
        "failures": None if decides is None else _turn(outlook.failures(model)),
        "resumed": course_facts(outlook.resumed(model)) if monitor.paused is not None else None,
        "commands": _commands(monitor),
    }


def _left(span: float | None) -> float | None:
    return None if span is None else round(max(0.0, span), 3)


def _verdict(model: Model, path: Path, event: Event) -> list[Facts] | None:
    if path is None:
        return None
    return course_facts(outlook.verdict(outlook.after(model, *path), event))


def _failed(monitor: Monitor, look: Look, path: Path) -> dict[str, list[Facts] | None]:
    """Courses of a failure, where they depend on the moment at which it comes.

    The start period is about the moment at which the check ends; the fail script may have ended.
    """
    model = monitor.model
    if path is None:
        return {"failed": None, "late": None, "still": None}
    there = outlook.after(model, *path)
    at, at_most = _end_of_check(monitor, look, path)
    ended = outlook.settled(there)
    failed = course_facts(outlook.verdict(ended, outlook.failed(at)))
    late = course_facts(outlook.verdict(ended, outlook.failed(at_most)))
    still = course_facts(outlook.verdict(there, outlook.failed(at)))
    return {
        "failed": failed,
        "late": None if late == failed else late,
        "still": None if still == failed else still,
    }


def _end_of_check(monitor: Monitor, look: Look, path: Path) -> tuple[float, float]:
    """When the next check ends at the earliest and at the latest, from the monitor's start."""
    now, timeout = -look.began, monitor.setup.options.timeout
    begins = max(0.0, look.next_in or 0.0) if path and Tick in map(type, path) else 0.0
    if not path:
        return now, LATE if look.check_left is None else now + look.check_left
    return now + begins, LATE if timeout is None else now + begins + timeout


def course_facts(course: Iterable[Outlook]) -> list[Facts]:
    """Events one after the other, as steps."""
    return [_step(each.event, each.effects, each.monitor) for each in course]


def _step(event: Event, wanted: Sequence[effects.Effect], model: Model) -> Facts:
    """One event: its effects, and the monitor as it is then."""
    there = window(model)
    return {
        "event": _NAMES[type(event)],
        "state": model.state,
        "count": model.count,
        "passes": model.passes if model.attempts else 0,
        "attempts": model.attempts,
        "window": None if there is None else there._asdict(),
        "backoff": model.backoff if backs_off(model) else None,
        "spent": spent(model),
        "effects": [effect_facts(each) for each in wanted],
    }


def effect_facts(effect: effects.Effect) -> Facts:  # noqa: C901, PLR0911, PLR0912 - an arm an effect
    """An effect as an object: what HEAT does, and the numbers that belong to it."""
    match effect:
        case effects.SendSignal(signum, option):
            sent = signals.name(signum)
            return {"do": "signal", "signal": sent, "option": option.removeprefix("--")}
        case effects.RunFail(run):
            return {"do": "fail", "failure": run.failures}
        case effects.QueueFail(run):
            return {"do": "queue-fail", "failure": run.failures}
        case effects.DropFail(run):
            return {"do": "drop-fail", "failure": run.failures}
        case effects.BoundFail():
            return {"do": "limit-fail"}
        case effects.EnterRecovery(attempt, _):
            return {"do": "recovery", "attempt": attempt}
        case effects.RunRecovery():
            return {"do": "recovery-script", "attempt": effect.attempt}
        case effects.RunCheck():
            return {"do": "check"}
        case effects.RestartTicks():
            return {"do": "restart-ticks"}
        case effects.Pace(seconds):
            return {"do": "pace", "seconds": seconds}
        case effects.OpenWindow(seconds):
            return {"do": "open-window", "seconds": seconds}
        case effects.CloseWindow():
            return {"do": "close-window"}
        case effects.StartBackoff(seconds):
            return {"do": "backoff", "seconds": seconds}
        case effects.EndBackoff():
            return {"do": "end-backoff"}
        case effects.Spent(attempts, _):
            return {"do": "spent", "attempt": attempts}
        case effects.Recovered(failures, _, attempts, helped):
            return {"do": "recovered", "failure": failures, "attempt": attempts, "helped": helped}
        case effects.NotCounted():
            return {"do": "not-counted"}
        case effects.WakeTarget():
            return {"do": "wake"}
        case effects.GiveUp(reason):
            return {"do": "give-up", "reason": reason}
        case _:
            assert_never(effect)


def _time_up(model: Model, look: Look, path: Path) -> Facts | None:
    """The end of the window, or of the backoff, that runs when the next check comes."""
    up: TimeUp | None = outlook.time_up(model, path)
    if up is None:
        return None
    there = outlook.outlook(model, *path or ())
    opened = [_length(each) for step in there for each in step.effects if _length(each)]
    begun = look.window_left if not opened else None
    return {
        "event": _NAMES[type(up.event)],
        "in": _left(begun),
        "seconds": opened[-1] if opened else None,
        "failed": _maybe(up.failed),
        "passed": _maybe(up.passed),
        "running": _maybe(up.running),
        "then": _maybe(up.then),
    }


def _length(effect: effects.Effect) -> float | None:
    """Seconds of a window or a backoff that begins."""
    return effect.seconds if isinstance(effect, _TIMED) else None


def _maybe(course: Course | None) -> list[Facts] | None:
    return None if course is None else course_facts(course)


def _turn(turn: Turn | None) -> Facts | None:
    return None if turn is None else {"number": turn.number, "steps": course_facts(turn.course)}


def _commands(monitor: Monitor) -> dict[str, bool]:
    """Which commands of heatctl would do something now."""
    model, ended, paused = monitor.model, monitor.exit_code is not None, monitor.paused is not None
    live = not ended and not paused
    reset = live and outlook.changes(model, Reset())
    return {
        "check": live and not outlook.refusal(model, CheckAsked()),
        "pause": live,
        "resume": paused and not ended,
        "reset": reset or monitor.exit_code == EXIT_ERROR,
    }
