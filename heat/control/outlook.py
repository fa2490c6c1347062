"""The outlook of a monitor for the control socket: what a pass, a failure or a time would do.

Each is a step of the table on a copy; `heat.control.answers` has the keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, assert_never, cast

from heat.monitor.exit_codes import EXIT_ERROR
from heat.monitor.next_check import events_before
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
from states.monitor.questions import Window, backs_off, pace, spent, window

if TYPE_CHECKING:
    from heat.control import answers
    from heat.monitor.monitor import Monitor
    from heat.monitor.status_line import Look

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
_Steps = Sequence["answers.Step"]


def view(monitor: Monitor, look: Look) -> answers.Outlook:
    """Return what would come, as the table says."""
    model = monitor.model
    path = events_before(model, look)
    decides = None if model.paused else path
    failed, late, still = _failed(monitor, look, decides)
    return {
        "ended": monitor.exit_code is not None,
        "pace": cast("answers.Pace", pace(model)),
        "tick": _left(look.next_in),
        "due": _left(look.window_left),
        "coming": None if path is None else steps(outlook.outlook(model, *path)),
        "passed": _verdict(model, decides, _PASSED),
        "failed": failed,
        "late": late,
        "still": still,
        "time": None if model.paused else _time_up(model, look, path),
        "passes": None if decides is None else _turn(outlook.passes(model)),
        "failures": None if decides is None else _turn(outlook.failures(model)),
        "resumed": steps(outlook.resumed(model)) if monitor.paused is not None else None,
        "commands": _commands(monitor),
    }


def _left(span: float | None) -> float | None:
    return None if span is None else round(max(0.0, span), 3)


def _verdict(model: Model, path: Path, event: Event) -> _Steps | None:
    if path is None:
        return None
    return steps(outlook.verdict(outlook.after(model, *path), event))


def _failed(
    monitor: Monitor, look: Look, path: Path
) -> tuple[_Steps | None, _Steps | None, _Steps | None]:
    """Return the steps of a failure; after the start period; while the fail script still runs.

    The start period asks when the check ends. The latter two are None where they are the same.
    """
    if path is None:
        return None, None, None
    model = outlook.after(monitor.model, *path)
    earliest, latest = _end_of_check(monitor, look, path)
    settled = outlook.settled(model)
    failed = steps(outlook.verdict(settled, outlook.failed(earliest)))
    late = steps(outlook.verdict(settled, outlook.failed(latest)))
    still = steps(outlook.verdict(model, outlook.failed(earliest)))
    return failed, None if late == failed else late, None if still == failed else still


def _end_of_check(monitor: Monitor, look: Look, path: Path) -> tuple[float, float]:
    """Return when the next check ends at the earliest and at the latest, since the start."""
    now, timeout = -look.began, monitor.setup.options.timeout
    begins = max(0.0, look.next_in or 0.0) if path and Tick in map(type, path) else 0.0
    if not path:
        return now, LATE if look.check_left is None else now + look.check_left
    return now + begins, LATE if timeout is None else now + begins + timeout


def steps(course: Iterable[Outlook]) -> list[answers.Step]:
    """Return events one after the other, as objects."""
    return [_step(each.event, each.effects, each.monitor) for each in course]


def _step(event: Event, performed: Sequence[effects.Effect], model: Model) -> answers.Step:
    """Return an event, its effects, and the monitor after it."""
    return {
        "event": _NAMES[type(event)],
        "state": cast("answers.State", model.state),
        "count": model.count,
        "passes": model.passes if model.attempts else 0,
        "attempts": model.attempts,
        "window": counted(window(model)),
        "backoff": model.backoff if backs_off(model) else None,
        "spent": spent(model),
        "effects": [effect_view(each) for each in performed],
    }


def counted(window: Window | None) -> answers.Counted | None:
    """Return a window as an object."""
    if window is None:
        return None
    return {"failures": window.failures, "of": window.of, "overdue": window.overdue}


def effect_view(effect: effects.Effect) -> answers.Effect:  # noqa: C901, PLR0911, PLR0912 - an arm an effect
    """Return an effect as an object."""
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


def _time_up(model: Model, look: Look, path: Path) -> answers.TimeUp | None:
    """Return the end of the window, or of the backoff, that runs when the next check comes."""
    up: TimeUp | None = outlook.time_up(model, path)
    if up is None:
        return None
    course = outlook.outlook(model, *path or ())
    opened = [_length(each) for step in course for each in step.effects if _length(each)]
    return {
        "event": cast("answers.TimeEvent", _NAMES[type(up.event)]),
        "in": None if opened else _left(look.window_left),
        "seconds": opened[-1] if opened else None,
        "failed": _maybe(up.failed),
        "passed": _maybe(up.passed),
        "running": _maybe(up.running),
        "then": _maybe(up.then),
    }


def _length(effect: effects.Effect) -> float | None:
    """Return the seconds of a window or a backoff that begins."""
    return effect.seconds if isinstance(effect, _TIMED) else None


def _maybe(course: Course | None) -> _Steps | None:
    return None if course is None else steps(course)


def _turn(turn: Turn | None) -> answers.Turn | None:
    return None if turn is None else {"number": turn.number, "steps": steps(turn.course)}


def _commands(monitor: Monitor) -> answers.Commands:
    model, ended, paused = monitor.model, monitor.exit_code is not None, monitor.paused is not None
    live = not ended and not paused
    reset = live and outlook.changes(model, Reset())
    return {
        "check": live and not outlook.refusal(model, CheckAsked()),
        "pause": live,
        "resume": paused and not ended,
        "reset": reset or monitor.exit_code == EXIT_ERROR,
    }
