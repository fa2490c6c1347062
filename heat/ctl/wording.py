"""Effects in words: what a pass, a failure or the end of a time limit does to a monitor.

Pure: HEAT has asked its table, and this module only words the effects that came back.
"""

from collections.abc import Callable, Mapping, Sequence

from heat.config.durations import exact, length, written
from heat.control.answers import Counted, Effect, Step, Steps, Why
from heat.text import escaped

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


def option(why: Why, name: str) -> str:
    """Return an option as it is written: ``--threshold 3``, or ``no --threshold``."""
    value = why["options"].get(name)
    if value is None:
        return f"no --{name}"
    if isinstance(value, str):
        return f"--{name} {escaped(value)}"
    return f"--{name} {written(value) if name in _DURATIONS else value}"


def number(why: Why, attempt: int) -> str:
    """Return the name of a recovery of this outage: ``recovery 2 of 5``."""
    most = why["max_recoveries"]
    return f"recovery {attempt}" if most is None else f"recovery {attempt} of {most}"


# Results of the check


def outcome(why: Why, steps: Steps) -> str:
    """Word what a result of the check leads to."""
    first = steps[0]
    if first["event"] == "passed":
        return _of_pass(why, first)
    notes, clauses = described(why, steps)
    if not notes and not clauses:
        return _of_failure(why, first)
    if not is_outside(first):
        return listed([*notes, *clauses])
    what = _which(why, first)
    joint = ", then " if notes else ", and "
    return joint.join([f"{what}: {', '.join(notes)}" if notes else what, *clauses])


def is_outside(step: Step) -> bool:
    """Return whether a failure came outside recovery; it may be the one that starts it."""
    begun = effect_of(step, "recovery")
    return not step["attempts"] or (begun is not None and begun["attempt"] == 1)


def _which(why: Why, step: Step) -> str:
    """Return the number of a failure outside recovery, with the threshold until it is reached."""
    threshold = why["threshold"]
    of = f" of {threshold}" if threshold is not None and step["count"] <= threshold else ""
    return f"it is failure {step['count']}{of}"


def _of_failure(why: Why, step: Step) -> str:
    """Word a failure that has no effects."""
    if step["window"] is not None:
        return _in_window(step["window"])
    if step["spent"]:
        most = why["max_recoveries"]
        left = most is None or step["attempts"] < most
        reason = "recoveries begin again after a reset" if left else "no recovery is left"
        return f"it is counted, and nothing else is done: {reason}"
    if step["backoff"] is not None:
        return "it is counted, and nothing else is done before the backoff is over"
    if effect_of(step, "not-counted"):
        return "it is logged and not counted, because of the start period"
    done = "logged" if why["threshold"] is None else "counted"
    return f"{_which(why, step)}: it is {done}, and nothing else is done"


def _in_window(window: Counted) -> str:
    failures, of = window["failures"], window["of"]
    if of is None:
        return "it is counted; the window stays open"
    if failures >= of:
        return "it is counted; the window stays open, as a check at once never closes it"
    return f"it is failure {failures} of {of} in this window"


def _of_pass(why: Why, step: Step) -> str:
    name, needed = escaped(why["name"]), why["success_threshold"]
    ended = effect_of(step, "recovered")
    if ended is None and step["attempts"]:
        return f"it is pass {step['passes']} of {needed} in a row (--success-threshold {needed})"
    if ended is None:
        counts = why["start_period"] is not None
        return f"nothing changes{', except that failures count from then on' if counts else ''}"
    if not ended["attempt"]:
        return f"{name} is {step['state']} again, and the count goes back to 0"
    how = "recovery has succeeded" if ended["helped"] else "the outage is over"
    notes, _ = described(why, [step])
    sent = f": {', '.join(notes)}" if notes else ""
    return f"{how}{sent}, and {name} is {step['state']} again"


# Effects


def described(why: Why, steps: Steps) -> tuple[list[str], list[str]]:
    """Word the effects: notes of what is sent and run, and clauses of what begins or ends.

    What a recovery sends and runs is part of its clause: ``recovery 1 begins: ./restart``.
    """
    each = ((step, effect) for step in steps for effect in step["effects"])
    effects = sorted(each, key=lambda pair: pair[1]["do"] == "pace")  # The new pace comes last.
    begins = (place for place, (_, effect) in enumerate(effects) if _begins_recovery(effect))
    start = next(begins, len(effects))
    notes, clauses = _split(why, effects[:start])
    if start < len(effects):
        clause = _beginning(why, steps, *effects[start])
        later = [pair for pair in effects[start:] if pair[1]["do"] not in _OF_WINDOW]
        sent, more = _split(why, later)
        clauses += [f"{clause}: {', '.join(sent)}" if sent else clause, *more]
    return notes, clauses


def _split(why: Why, effects: Sequence[tuple[Step, Effect]]) -> tuple[list[str], list[str]]:
    notes, clauses = list[str](), list[str]()
    for step, effect in effects:
        word = _WORDS.get(effect["do"])
        if word is not None and (text := word(why, step, effect)):
            (notes if effect["do"] in _NOTES else clauses).append(text)
    return notes, clauses


def _begins_recovery(effect: Effect) -> bool:
    of_recovery = effect["do"] in {"recovery", "recovery-script"}
    return of_recovery or effect.get("option") == "fault-signal"


def _beginning(why: Why, steps: Steps, step: Step, effect: Effect) -> str:
    begins = f"{number(why, effect.get('attempt', step['attempts']))} begins"
    later = steps[max(1, steps.index(step)) :]
    if all(each["event"] != "fail-ended" for each in later):
        return begins
    waits = "that" if effect_of(steps[0], "fail") else script(why, "fail")
    return f"{begins} when {waits} has ended"


_OF_WINDOW = {"open-window", "check"}
"""Effects that a recovery leaves out: with a script they come later, without one at once."""
_NOTES = {"signal", "fail", "queue-fail", "recovery-script", "wake"}


def _queue_fail(why: Why, step: Step, _: Effect) -> str:
    dropped = effect_of(step, "drop-fail") is not None
    return "" if dropped else f"{script(why, 'fail')} once more when it has ended"


def _drop_fail(why: Why, step: Step, _: Effect) -> str:
    queued = effect_of(step, "queue-fail") is not None
    return "" if queued else f"{script(why, 'fail')} is not run once more"


def _pace(_why: Why, _step: Step, effect: Effect) -> str:
    span = effect["seconds"]
    return "" if span is None else f"a check runs every {exact(span)} from then on"


def _backoff(why: Why, step: Step, effect: Effect) -> str:
    left = length(effect["seconds"] or 0.0)
    return f"{number(why, step['attempts'] + 1)} begins in {left} at the earliest"


def _give_up(why: Why, _step: Step, effect: Effect) -> str:
    limit = why["max_recoveries"] is not None and "did not help" in effect["reason"]
    by = f" ({option(why, 'max-recoveries')})" if limit else ""
    return f"it is ERROR: {escaped(effect['reason'])}{by}"


def _wake(why: Why, _step: Step, _effect: Effect) -> str:
    return "" if why["frozen"] is None else f"CONT to process {why['frozen']}"


_WORDS: Mapping[str, Callable[[Why, Step, Effect], str]] = {
    "signal": lambda why, _step, effect: _signal(why, effect["signal"]),
    "fail": lambda why, _step, _effect: script(why, "fail"),
    "queue-fail": _queue_fail,
    "drop-fail": _drop_fail,
    "recovery-script": lambda why, _step, _effect: script(why, "recovery"),
    "check": lambda _why, _step, _effect: "a check runs at once",
    "open-window": lambda _why, _step, _effect: "the window opens",
    "close-window": lambda _why, _step, _effect: "the window closes",
    "pace": _pace,
    "backoff": _backoff,
    "spent": lambda why, _step, _effect: f"no recovery is left ({option(why, 'max-recoveries')})",
    "wake": _wake,
    "give-up": _give_up,
}
"""The words of each effect; those that are not listed go without saying."""


def effect_of(step: Step, do: str) -> Effect | None:
    """Return the effect of this kind, if the step has one."""
    return next((each for each in step["effects"] if each["do"] == do), None)


def _signal(why: Why, name: str) -> str:
    """Return a signal and its target: ``HUP to process 4711``."""
    shown, target = escaped(name), why["target"]
    if target is None:
        return f"{shown} to HEAT itself"
    if target["pid"] is None:
        return f"{shown} to the process of {escaped(target['pid_file'] or '--pid-file')}"
    return f"{shown} to process {target['pid']}"


def script(why: Why, role: str) -> str:
    """Return a script by the name that its option has."""
    return escaped(str(why["options"].get(role) or f"the {role} script"))


def what_is_done(why: Why, steps: Steps) -> str:
    """Word the effects of some steps as one list; empty where none of them has words."""
    notes, clauses = described(why, steps)
    return listed([*notes, *clauses])


def listed(parts: Sequence[str]) -> str:
    """Join parts as a sentence does: ``a, b, and c``."""
    *most, last = parts or ("",)
    return f"{', '.join(most)}, and {last}" if most else last
