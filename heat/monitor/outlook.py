"""The outlook of a monitor as facts for those who ask: what a pass, a failure, a time would do.

Each is a step on a copy, made by the table; docs/protocol.md has the keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from heat.monitor.ahead import ahead
from heat.monitor.watch import EXIT_ERROR
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
from states.monitor.model import Monitor
from states.monitor.outlook import LATE, Course, Outlook, TimeUp, Turn
from states.monitor.questions import backs_off, pace, spent, window

if TYPE_CHECKING:
    from heat.monitor.status_line import Look
    from heat.monitor.watch import Watch

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


def of(watch: Watch, look: Look) -> Facts:
    """All that can be told of what would be."""
    monitor = watch.monitor
    path = ahead(monitor, look)
    decides = None if monitor.paused else path
    return {
        "ended": watch.exit_code is not None,
        "pace": pace(monitor),
        "tick": _left(look.next_in),
        "due": _left(look.window_left),
        "coming": None if path is None else course_facts(outlook.outlook(monitor, *path)),
        "passed": _verdict(monitor, decides, _PASSED),
        **_failed(watch, look, decides),
        "time": None if monitor.paused else _time_up(monitor, look, path),
        "passes": None if decides is None else _turn(outlook.passes(monitor)),
        "failures": None if decides is None else _turn(outlook.failures(monitor)),
        "resumed": course_facts(outlook.resumed(monitor)) if watch.paused is not None else None,
        "commands": _commands(watch),
    }


def _left(span: float | None) -> float | None:
    return None if span is None else round(max(0.0, span), 3)


def _verdict(monitor: Monitor, path: Path, event: Event) -> list[Facts] | None:
    if path is None:
        return None
    return course_facts(outlook.verdict(outlook.after(monitor, *path), event))


def _failed(watch: Watch, look: Look, path: Path) -> dict[str, list[Facts] | None]:
    """Courses of a failure, where they depend on the moment at which it comes.

    The start period is about the moment at which the check ends; the fail script may have ended.
    """
    monitor = watch.monitor
    if path is None:
        return {"failed": None, "late": None, "still": None}
    there = outlook.after(monitor, *path)
    at, at_most = _end_of_check(watch, look, path)
    ended = outlook.settled(there)
    failed = course_facts(outlook.verdict(ended, outlook.failed(at)))
    late = course_facts(outlook.verdict(ended, outlook.failed(at_most)))
    still = course_facts(outlook.verdict(there, outlook.failed(at)))
    return {
        "failed": failed,
        "late": None if late == failed else late,
        "still": None if still == failed else still,
    }


def _end_of_check(watch: Watch, look: Look, path: Path) -> tuple[float, float]:
    """When the next check ends at the earliest and at the latest, from the monitor's start."""
    now, timeout = -look.began, watch.parts.options.timeout
    begins = max(0.0, look.next_in or 0.0) if path and Tick in map(type, path) else 0.0
    if not path:
        return now, LATE if look.check_left is None else now + look.check_left
    return now + begins, LATE if timeout is None else now + begins + timeout


def course_facts(course: Iterable[Outlook]) -> list[Facts]:
    """Events one after the other, as steps."""
    return [_step(each.event, each.effects, each.monitor) for each in course]


def _step(event: Event, wanted: Sequence[effects.Effect], monitor: Monitor) -> Facts:
    """One event: its effects, and the monitor as it is then."""
    there = window(monitor)
    return {
        "event": _NAMES[type(event)],
        "state": monitor.state,
        "count": monitor.count,
        "passes": monitor.passes if monitor.attempts else 0,
        "attempts": monitor.attempts,
        "window": None if there is None else there._asdict(),
        "backoff": monitor.backoff if backs_off(monitor) else None,
        "spent": spent(monitor),
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


def _time_up(monitor: Monitor, look: Look, path: Path) -> Facts | None:
    """The end of the window, or of the backoff, that runs when the next check comes."""
    up: TimeUp | None = outlook.time_up(monitor, path)
    if up is None:
        return None
    there = outlook.outlook(monitor, *path or ())
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


def _commands(watch: Watch) -> dict[str, bool]:
    """Which commands of heatctl would do something now."""
    monitor, ended, paused = watch.monitor, watch.exit_code is not None, watch.paused is not None
    live = not ended and not paused
    reset = live and outlook.changes(monitor, Reset())
    return {
        "check": live and not outlook.refusal(monitor, CheckAsked()),
        "pause": live,
        "resume": paused and not ended,
        "reset": reset or watch.exit_code == EXIT_ERROR,
    }
