"""The outlook of a monitor in words: what happens next, and what would change it.

Pure: HEAT has asked its table what a pass, a failure and a time would do, and each effect has its
words here. Nothing else is looked at.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from shlex import quote
from typing import NamedTuple

from heat.config.durations import exact, length, written
from heat.control.answers import Counted, Effect, Step, TimeUp, Turn, Why
from heat.text import counted, escaped

_DURATIONS = {
    "interval",
    "timeout",
    "retry-interval",
    "script-timeout",
    "recovery-timeout",
    "recovery-interval",
    "recovery-backoff",
    "recovery-backoff-max",
    "start-period",
}
Steps = Sequence[Step]


class Line(NamedTuple):
    """A text, and what stands in front of it: a word, a command, or nothing."""

    label: str
    text: str


def option(why: Why, name: str) -> str:
    """An option with its value, as it is written: ``--threshold 3``, or ``no --threshold``."""
    value = why["options"].get(name)
    if value is None:
        return f"no --{name}"
    if isinstance(value, str):
        return f"--{name} {escaped(value)}"
    return f"--{name} {written(value) if name in _DURATIONS else value}"


def number(why: Why, attempt: int) -> str:
    """A recovery of this outage: ``recovery 2 of 5``."""
    most = why["max_recoveries"]
    return f"recovery {attempt}" if most is None else f"recovery {attempt} of {most}"


# A course of events in words


def outcome(why: Why, steps: Steps) -> str:
    """Tell what a result of the check leads to."""
    first = steps[0]
    if first["event"] == "passed":
        return _of_pass(why, first)
    notes, clauses = _deeds(why, steps)
    if not notes and not clauses:
        return _of_failure(why, first)
    if not _is_outside(first):
        return _listed([*notes, *clauses])
    what = _which(why, first)
    joint = ", then " if notes else ", and "
    return joint.join([f"{what}: {', '.join(notes)}" if notes else what, *clauses])


def _is_outside(step: Step) -> bool:
    """A failure that came outside recovery, though recovery may begin with it."""
    begun = _effect(step, "recovery")
    return not step["attempts"] or (begun is not None and begun["attempt"] == 1)


def _which(why: Why, step: Step) -> str:
    """Number of a failure outside recovery, with the threshold until that is reached."""
    threshold = why["threshold"]
    of = f" of {threshold}" if threshold is not None and step["count"] <= threshold else ""
    return f"it is failure {step['count']}{of}"


def _of_failure(why: Why, step: Step) -> str:
    """A failure at which nothing is done."""
    if step["window"] is not None:
        return _in_window(step["window"])
    if step["spent"]:
        most = why["max_recoveries"]
        left = most is None or step["attempts"] < most
        why_not = "recoveries begin again after a reset" if left else "no recovery is left"
        return f"it is counted, and nothing else is done: {why_not}"
    if step["backoff"] is not None:
        return "it is counted, and nothing else is done before the backoff is over"
    if _effect(step, "not-counted"):
        return "it is logged and not counted, because of the start period"
    done = "logged" if why["threshold"] is None else "counted"
    return f"{_which(why, step)}: it is {done}, and nothing else is done"


def _in_window(window: Counted) -> str:
    failures, of = window["failures"], window["of"]
    if of is None:
        return "it is counted; the window stays open"
    if failures >= of:
        return "it is counted; the window stays open, as a check at once closes none"
    return f"it is failure {failures} of {of} in this window"


def _of_pass(why: Why, step: Step) -> str:
    name, ended, needed = escaped(why["name"]), _effect(step, "recovered"), why["success_threshold"]
    if ended is None and step["attempts"]:
        return f"it is pass {step['passes']} of {needed} in a row (--success-threshold {needed})"
    if ended is None:
        over = " but that failures count from then on" if why["start_period"] is not None else ""
        return f"nothing changes{over}"
    if not ended["attempt"]:
        return f"{name} is {step['state']} again, and the count goes back to 0"
    how = "recovery has succeeded" if ended["helped"] else "the outage is over"
    notes, _ = _deeds(why, [step])
    sent = f": {', '.join(notes)}" if notes else ""
    return f"{how}{sent}, and {name} is {step['state']} again"


def _deeds(why: Why, steps: Steps) -> tuple[list[str], list[str]]:
    """Effects in words: what is sent and run, and clauses of what begins or ends.

    What a recovery sends and runs is part of its clause.
    """
    notes, clauses, remedy, last = list[str](), list[str](), list[str](), list[str]()
    begins = ""
    for step in steps:
        for effect in step["effects"]:
            text = _word(why, step, effect)
            if _begins_remedy(effect) and not begins:
                begins = f"{number(why, effect.get('attempt', step['attempts']))} begins"
                clauses.append(begins)
            if text and effect["do"] in _NOTES:
                (remedy if begins else notes).append(text)
            elif text and not (begins and effect["do"] in _OF_WINDOW):
                (last if effect["do"] == "pace" else clauses).append(text)
        if begins and step["event"] == "fail-ended" and step is not steps[0]:
            waits = "that" if _effect(steps[0], "fail") else _script(why, "fail")
            clauses[clauses.index(begins)] = begins = f"{begins} when {waits} has ended"
    if remedy:
        clauses[clauses.index(begins)] = f"{begins}: {', '.join(remedy)}"
    return notes, clauses + last


_OF_WINDOW = {"open-window", "check"}
"""Effects that go without saying where a recovery has no script: how long it waits differs."""
_NOTES = {"signal", "fail", "queue-fail", "recovery-script", "wake"}


def _begins_remedy(effect: Effect) -> bool:
    of_recovery = effect["do"] in {"recovery", "recovery-script"}
    return of_recovery or effect.get("option") == "fault-signal"


def _word(why: Why, step: Step, effect: Effect) -> str:
    """One effect; empty for what goes without saying."""
    say = _WORDS.get(effect["do"])
    return "" if say is None else say(why, step, effect)


def _queue_fail(why: Why, step: Step, _: Effect) -> str:
    dropped = _effect(step, "drop-fail") is not None
    return "" if dropped else f"{_script(why, 'fail')} once more when it has ended"


def _drop_fail(why: Why, step: Step, _: Effect) -> str:
    queued = _effect(step, "queue-fail") is not None
    return "" if queued else f"{_script(why, 'fail')} is not run once more"


def _pace(_why: Why, _step: Step, effect: Effect) -> str:
    span = effect["seconds"]
    return "" if span is None else f"a check comes each {exact(span)} from then on"


def _backoff(why: Why, step: Step, effect: Effect) -> str:
    left = length(effect["seconds"] or 0.0)
    return f"{number(why, step['attempts'] + 1)} begins in {left} at the earliest"


def _give_up(why: Why, _step: Step, effect: Effect) -> str:
    limit = why["max_recoveries"] is not None and "did not help" in effect["reason"]
    told = f" ({option(why, 'max-recoveries')})" if limit else ""
    return f"it is ERROR: {escaped(effect['reason'])}{told}"


def _wake(why: Why, _step: Step, _effect: Effect) -> str:
    return "" if why["frozen"] is None else f"CONT to process {why['frozen']}"


_WORDS: Mapping[str, Callable[[Why, Step, Effect], str]] = {
    "signal": lambda why, _step, effect: _signal(why, effect["signal"]),
    "fail": lambda why, _step, _effect: _script(why, "fail"),
    "queue-fail": _queue_fail,
    "drop-fail": _drop_fail,
    "recovery-script": lambda why, _step, _effect: _script(why, "recovery"),
    "check": lambda _why, _step, _effect: "a check runs at once",
    "open-window": lambda _why, _step, _effect: "the window opens",
    "close-window": lambda _why, _step, _effect: "the window closes",
    "pace": _pace,
    "backoff": _backoff,
    "spent": lambda why, _step, _effect: f"no recovery is left ({option(why, 'max-recoveries')})",
    "wake": _wake,
    "give-up": _give_up,
}
"""Effects that are told, and how."""


def _effect(step: Step, do: str) -> Effect | None:
    return next((each for each in step["effects"] if each["do"] == do), None)


def _signal(why: Why, name: str) -> str:
    """A signal that is sent, and to whom: ``HUP to process 4711``."""
    shown, target = escaped(name), why["target"]
    if target is None:
        return f"{shown} to HEAT itself"
    if target["pid"] is None:
        return f"{shown} to the process of {escaped(target['pid_file'] or '--pid-file')}"
    return f"{shown} to process {target['pid']}"


def _script(why: Why, role: str) -> str:
    return escaped(str(why["options"].get(role) or f"the {role} script"))


# What happens next


def coming(why: Why) -> Iterator[str]:
    """Tell when the next check is, what follows from it, and what a time does."""
    there = why["outlook"]
    if there["ended"]:
        yield from _nothing(why)
    elif there["resumed"] is not None:
        yield from _after_pause(why, there["resumed"])
    elif there["coming"] is None:
        most = why["options"].get("count")
        yield f"No more checks: {why['checks']} are done (--count {most})."
    else:
        yield from _until_check(why, there["coming"])
    if there["passed"] is not None:
        yield f"If it passes, {outcome(why, there['passed'])}."
    if there["failed"] is not None:
        yield _if_failed(why, there["failed"])
    if there["time"] is not None:
        yield _at_time(why, there["time"])


def _nothing(why: Why) -> Iterator[str]:
    if not why["outlook"]["commands"]["reset"]:
        yield "Nothing: it is not checked any more."
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
        yield f"{escaped(why['script']['shown'])}, which runs, is let end."
    if text := what_is_done(why, steps):
        yield f"After the pause {text}."


def what_is_done(why: Why, steps: Steps) -> str:
    """Tell the effects of events alone; empty where none of them is told."""
    told, clauses = _deeds(why, steps)
    return _listed([*told, *clauses])


def _listed(parts: Sequence[str]) -> str:
    *most, last = parts or ("",)
    return f"{', '.join(most)}, and {last}" if most else last


def _until_check(why: Why, path: Steps) -> Iterator[str]:
    """Tell of each event until a check runs."""
    if not path:
        waits = why["checking"] == "waiting"
        yield "A check waits for its turn." if waits else "A check runs now."
        return
    awaited = list[str]()
    for step in path:
        text = what_is_done(why, [step])
        if step["event"] == "tick" and _effect(step, "check"):
            yield _at_tick(why, awaited)
        elif step["event"] == "tick":
            again = f"{_script(why, 'recovery')} is tried again"
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
    return f"No check runs until {_listed(awaited)}; {then}."


def _ends(why: Why, event: str) -> str:
    """The end that is waited for: ``./restart has ended, in 48 s at the latest``."""
    if event == "gone":
        return "the check that timed out is dead"
    role = event.removesuffix("-ended")
    runs = why["script"] if why["script"] and why["script"]["role"] == role else None
    latest = "" if runs is None or runs["left"] is None else f"{_in(runs['left'])} at the latest"
    skips = role == "fail" and not why["attempts"]
    return f"{_script(why, role)} has ended{latest}{' (--fail-overlap skip)' if skips else ''}"


def _in(span: float | None) -> str:
    return "" if span is None else f", in {length(span)}"


def _if_failed(why: Why, failed: Steps) -> str:
    late, still = why["outlook"]["late"], why["outlook"]["still"]
    when = "If it fails"
    if late is not None:
        left = length(why["start_period"] or 0.0)
        when = f"If it fails in the {left} that are left of the start period"
    told = [f"{when}, {outcome(why, failed)}"]
    if late is not None:
        told.append(f"after that, {outcome(why, late)}")
    if still is not None:
        told.append(f"where {_script(why, 'fail')} still runs then, {outcome(why, still)}")
    return f"{'; '.join(told)}."


def _at_time(why: Why, up: TimeUp) -> str:
    """Tell what the end of the window, or of the backoff, does."""
    variants = {"passed": up["passed"], "failed": up["failed"], "still runs": up["running"]}
    text = what_is_done(why, up["failed"] or ())
    head = _time_is_up(up["event"], up["in"], up["seconds"])
    if not text:
        then = up["then"] and what_is_done(why, up["then"])
        return f"{head}; from then on a failed check ends it: {then}." if then else f"{head}."
    calm = [
        word for word, steps in variants.items() if steps is None or not what_is_done(why, steps)
    ]
    unless = [{"passed": "has passed"}.get(word, word) for word in calm]
    return (
        f"{head}: unless the latest check {' or '.join(unless)}, {text}."
        if unless
        else (f"{head}: {text}.")
    )


def _time_is_up(event: str, left: float | None, span: float | None = None) -> str:
    what = "window's time is up" if event == "window-closed" else "backoff is over"
    when = f"In {length(left)}" if left is not None else f"{length(span or 0.0)} after that"
    return f"{when} the {what}"


# What would change it


def changes(why: Why) -> Iterator[Line]:
    """Tell which results change something, and which commands."""
    there, name = why["outlook"], quote(escaped(why["name"]))
    for text in (_passes(why, there["passes"]), _failures(why, there["failures"])):
        if text:
            yield Line("", text)
    for command, does in there["commands"].items():
        if does:
            more = " --for 10m" if command == "pause" else ""
            yield Line(f"heatctl {command} {name}{more}", _command(why, command))
    if why["outage"] is not None or there["ended"]:
        yield Line(f"heatctl history {name}", "what happened before, and what helped")


def _command(why: Why, command: str) -> str:
    if command == "reset" and why["outlook"]["ended"]:
        return "NORMAL again, once the cause is put right"
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
    if not _is_outside(steps[0]):
        return f"{many}: {_listed(_begun(why, steps))}"
    if _effect(steps[0], "recovery"):
        return f"{many}{row}: recovery starts{limit}"
    if turn["number"] == 1 and not why["count"]:
        return f"a failed check: {steps[0]['state']}"
    return f"{many}{row}: each is told from then on{limit}"


def _begun(why: Why, steps: Steps) -> list[str]:
    """Clauses of what begins or ends, without what is run and sent for it."""
    return [each.partition(": ")[0] for each in _deeds(why, steps)[1]]
