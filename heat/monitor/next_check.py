"""The next check: the events that come before it, and when it is. The table decides.

Loaded after the first check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.report.wording import until
from states.monitor import outlook
from states.monitor.events import (
    BackoffEnded,
    CheckPassed,
    Event,
    FailEnded,
    RecoveryEnded,
    Tick,
    WindowClosed,
)
from states.monitor.outlook import refusal, time_event
from states.monitor.questions import check_runs

if TYPE_CHECKING:
    from heat.monitor.status_line import Look
    from heat.records import Pause
    from states.monitor.model import Monitor as Model

_TICK = Tick()
_PASSED = CheckPassed()
_CLOCK = frozenset((Tick, WindowClosed, BackoffEnded))
"""Events that come at a time."""


def events_before(model: Model, look: Look) -> tuple[Event, ...] | None:
    """Return the events until the next check runs; none if one does, None if none will."""
    if look.next_in is None:
        return None
    if look.window_left is None:
        return (_TICK,) if not refusal(model, _TICK) else outlook.coming(model)
    up = time_event(model)
    comes_first = up is not None and look.window_left <= look.next_in and not check_runs(model)
    return outlook.coming(model, *([up] if up is not None and comes_first else []))


def seconds_until(model: Model, look: Look, path: tuple[Event, ...] | None) -> float | None:
    """Return the seconds until the next check; None if the clock does not decide, or none comes."""
    if path is None or look.next_in is None or model.paused:
        return None
    if not path and refusal(outlook.after(model, _PASSED), _TICK):
        return None
    if any(type(event) not in _CLOCK for event in path):
        return None
    at_tick = not path or type(path[-1]) is Tick
    return max(0.0, look.next_in if at_tick else look.window_left or 0.0)


def describe_next(model: Model, look: Look, pause: Pause | None) -> str:
    """Tell when the next check is."""
    if pause is not None:
        return f"paused {until(pause)}"
    path = events_before(model, look)
    if path is None:
        return "no more checks"
    if not path:
        return "a check waits for its turn" if look.waits else "a check runs now"
    following = seconds_until(model, look, path)
    if following is not None:
        return f"next check in {following:.1f}".removesuffix(".0") + " s"
    return _after(path)


def _after(path: tuple[Event, ...]) -> str:
    """Tell which event the next check waits for."""
    kinds = [type(event) for event in path]
    if kinds == [Tick, RecoveryEnded]:
        return "the recovery script is tried again at the next tick"
    scripts = [name for kind, name in _SCRIPTS.items() if kind in kinds]
    if not scripts:
        return "next check when the one that timed out is dead"
    which = "next " if kinds[0] in _CLOCK else ""
    have = "have" if len(scripts) > 1 else "has"
    return f"next check when the {which}{' and the '.join(scripts)} script {have} ended"


_SCRIPTS = {FailEnded: "fail", RecoveryEnded: "recovery"}
