"""The outlook of a monitor in words: what happens next, and what would change it.

Pure: HEAT has asked its table what a pass, a failure and a time limit would do. Nothing else
decides what is written here.
"""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import NamedTuple

from heat.config.durations import length
from heat.control.answers import Steps, TimeUp, Turn, Why
from heat.ctl.wording import (
    described,
    effect_of,
    is_outside,
    listed,
    option,
    outcome,
    script,
    what_is_done,
)
from heat.text import counted, escaped


class Line(NamedTuple):
    """A text, and what stands in front of it: a word, a command, or nothing."""

    label: str
    text: str


# What happens next


def coming(why: Why) -> Iterator[str]:
    """Yield when the next check comes, what follows from it, and what a time limit does."""
    outlook = why["outlook"]
    if outlook["ended"]:
        yield from _nothing(why)
    elif outlook["resumed"] is not None:
        yield from _after_pause(why, outlook["resumed"])
    elif outlook["coming"] is None:
        most = why["options"].get("count")
        yield f"No more checks: {why['checks']} are done (--count {most})."
    else:
        yield from _until_check(why, outlook["coming"])
    if outlook["passed"] is not None:
        yield f"If it passes, {outcome(why, outlook['passed'])}."
    if outlook["failed"] is not None:
        yield _if_failed(why, outlook["failed"])
    if outlook["time"] is not None:
        yield _at_time(why, outlook["time"])


def _nothing(why: Why) -> Iterator[str]:
    if not why["outlook"]["commands"]["reset"]:
        yield "Nothing: HEAT no longer checks it."
        return
    yield "Nothing by itself: no check runs until it is reset."
    if why["frozen"] is not None:
        yield f"Process {why['frozen']} stays stopped until HEAT ends and sends it CONT."


def _after_pause(why: Why, steps: Steps) -> Iterator[str]:
    until = why["paused"]["until"] if why["paused"] else None
    if until is None:
        yield "Nothing by itself: no checks and no effects until it is resumed."
    else:
        left = length(until - why["now"])
        yield f"The pause ends by itself in {left}; no checks and no effects until then."
    if why["script"] is not None:
        yield f"{escaped(why['script']['shown'])}, which is running, may finish."
    if text := what_is_done(why, steps):
        yield f"After the pause {text}."


def _until_check(why: Why, path: Steps) -> Iterator[str]:
    """Yield each event until a check runs."""
    if not path:
        waits = why["checking"] == "waiting"
        yield "A check waits for its turn." if waits else "A check runs now."
        return
    awaited = list[str]()
    for step in path:
        text = what_is_done(why, [step])
        if step["event"] == "tick" and effect_of(step, "check"):
            yield _at_tick(why, awaited)
        elif step["event"] == "tick":
            again = f"{script(why, 'recovery')} is tried again"
            yield f"At the next tick{_in(why['outlook']['tick'])}, {again}."
        elif step["event"] in _TIMES:
            yield f"{_time_is_up(step['event'], why['outlook']['due'])}{text and f': {text}'}."
        elif text:
            yield f"When {_ends(why, step['event'])}, {text}."
        else:
            awaited.append(_ends(why, step["event"]))
    if path[-1]["event"] in {"fail-ended", "recovery-ended"}:
        yield "Until then no check runs."


_TIMES = {"window-closed", "backoff-ended"}


def _at_tick(why: Why, awaited: Sequence[str]) -> str:
    tick, pace = why["outlook"]["tick"], option(why, why["outlook"]["pace"])
    when = f"in {length(tick or 0.0)}"
    if not awaited:
        return f"The next check is {when} ({pace})."
    then = f"the next one is at the first tick after that, {when} at the earliest"
    return f"No check runs until {listed(awaited)}; {then}."


def _ends(why: Why, event: str) -> str:
    """Word an end for which HEAT waits: ``./restart has ended, in 48 s at the latest``."""
    if event == "gone":
        return "the check that timed out is dead"
    role = event.removesuffix("-ended")
    runs = why["script"] if why["script"] and why["script"]["role"] == role else None
    latest = "" if runs is None or runs["left"] is None else f"{_in(runs['left'])} at the latest"
    skips = role == "fail" and not why["attempts"]
    return f"{script(why, role)} has ended{latest}{' (--fail-overlap skip)' if skips else ''}"


def _in(span: float | None) -> str:
    return "" if span is None else f", in {length(span)}"


def _if_failed(why: Why, failed: Steps) -> str:
    late, still = why["outlook"]["late"], why["outlook"]["still"]
    when = "If it fails"
    if late is not None:
        left = length(why["start_period"] or 0.0)
        when = f"If it fails in the {left} that are left of the start period"
    parts = [f"{when}, {outcome(why, failed)}"]
    if late is not None:
        parts.append(f"after that, {outcome(why, late)}")
    if still is not None:
        parts.append(f"if {script(why, 'fail')} still runs then, {outcome(why, still)}")
    return f"{'; '.join(parts)}."


def _at_time(why: Why, up: TimeUp) -> str:
    """Word what the end of the window, or of the backoff, does."""
    others = {"has passed": up["passed"], "still runs": up["running"]}
    text = what_is_done(why, up["failed"] or ())
    head = _time_is_up(up["event"], up["in"], up["seconds"])
    if not text:
        then = up["then"] and what_is_done(why, up["then"])
        return f"{head}; from then on a failed check ends it: {then}." if then else f"{head}."
    calm = [word for word, steps in others.items() if not what_is_done(why, steps or ())]
    unless = f"unless the latest check {' or '.join(calm)}, " if calm else ""
    return f"{head}: {unless}{text}."


def _time_is_up(event: str, left: float | None, span: float | None = None) -> str:
    what = "window's time is up" if event == "window-closed" else "backoff is over"
    when = f"In {length(left)}" if left is not None else f"{length(span or 0.0)} after that"
    return f"{when} the {what}"


# What would change it


def changes(why: Why) -> Iterator[Line]:
    """Yield the results and the commands that change something."""
    outlook, name = why["outlook"], quote(escaped(why["name"]))
    for text in (_passes(why, outlook["passes"]), _failures(why, outlook["failures"])):
        if text:
            yield Line("", text)
    for command, does in outlook["commands"].items():
        if does:
            more = " --for 10m" if command == "pause" else ""
            yield Line(f"heatctl {command} {name}{more}", _command(why, command))
    if why["outage"] is not None or outlook["ended"]:
        yield Line(f"heatctl history {name}", "what happened before, and what helped")


def _command(why: Why, command: str) -> str:
    if command == "reset" and why["outlook"]["ended"]:
        return "NORMAL again; fix the cause first"
    if command == "reset" and why["spent"]:
        return "NORMAL, with all counts at 0: recoveries begin again"
    return _COMMANDS[command]


_COMMANDS = {
    "check": "checks now",
    "pause": "no checks and no effects for 10 minutes",
    "resume": "ends the pause now",
    "reset": "NORMAL, with all counts at 0",
}


def _passes(why: Why, turn: Turn | None) -> str:
    if turn is None:
        return ""
    row = " in a row" if turn["number"] > 1 else ""
    more = "more " if why["passes"] else ""
    needed = why["success_threshold"]
    limit = f" (--success-threshold {needed})" if why["attempts"] else ""
    passes = counted(turn["number"], f"{more}pass", f"{more}passes")
    return f"{passes}{row}: {turn['steps'][-1]['state']}{limit}"


def _failures(why: Why, turn: Turn | None) -> str:
    if turn is None:
        return ""
    steps, limit = turn["steps"], f" ({option(why, 'threshold')})" if why["threshold"] else ""
    many = counted(turn["number"], "more failure" if why["count"] else "failure")
    row = "" if why["count"] or turn["number"] == 1 else " in a row"
    if not is_outside(steps[0]):
        return f"{many}: {listed(_begun(why, steps))}"
    if effect_of(steps[0], "recovery"):
        return f"{many}{row}: recovery starts{limit}"
    if turn["number"] == 1 and not why["count"]:
        return f"a failed check: {steps[0]['state']}"
    return f"{many}{row}: failures take effect from then on{limit}"


def _begun(why: Why, steps: Steps) -> list[str]:
    """Return the clauses of what begins or ends, without what is run and sent for it."""
    return [each.partition(": ")[0] for each in described(why, steps)[1]]
