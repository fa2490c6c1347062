"""The screen of ``heatctl why``: from the facts of a monitor to what a person wants to know.

Pure: the facts go in, lines come out. Each number stands beside its limit, and that beside the
option which sets it.
"""

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import NamedTuple

from heat.ctl.answers import Ran, Why
from heat.ctl.times import clock
from heat.durations import exact, length, written
from heat.signals import worded
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
_OF_CHECK = ("retry-interval", "recovery-interval", "unknown-codes", "warn-codes")
"""Options of the check that are told where they are given."""


class Line(NamedTuple):
    """A text, and what stands in front of it: a word, a command, or nothing."""

    label: str
    text: str


class Part(NamedTuple):
    """A heading and its lines."""

    heading: str
    lines: Sequence[Line]


def tell(why: Why) -> list[Part]:
    """All there is to say of a monitor."""
    return [
        Part(_head(why), [Line(label, text) for label, text in _facts(why) if text]),
        Part("What happens next", [Line("", text) for text in _next(why)]),
        Part("What would change it", list(_changes(why))),
    ]


def _head(why: Why) -> str:
    paused = " and paused" if why["paused"] else ""
    since = clock(why["since"], why["now"])
    age = length(why["now"] - why["since"])
    return f"{escaped(why['name'])} is {why['state']}{paused}, since {since} ({age} ago)"


# The facts


def _facts(why: Why) -> Iterator[tuple[str, str]]:
    yield "check", _check(why)
    yield "came here", _came_here(why)
    yield "last check", _last_check(why)
    yield "last line", _last_line(why)
    yield "now", _now(why)
    yield "paused", _paused(why)
    yield "failures", _failures(why)
    yield "start period", _start_period(why)
    yield "outage", _outage(why)
    yield from _lines_of_outage(why)
    yield "recovery", _recovery(why)
    yield "last recovery", _ran(why.get("last_recovery"))
    yield "fail script", _ran(why.get("last_fail"))
    yield "script", _script(why)
    yield "window", _window(why)
    yield "passes", _passes(why)
    yield "target", _target(why)
    yield "stopped", _stopped(why)
    yield "checks", _checks(why)


def _option(why: Why, name: str) -> str:
    """An option with its value, as it is written: ``--threshold 3``, or ``no --threshold``."""
    value = why["options"].get(name)
    if value is None:
        return f"no --{name}"
    if isinstance(value, str):
        return f"--{name} {escaped(value)}"
    return f"--{name} {written(value) if name in _DURATIONS else value}"


def _check(why: Why) -> str:
    named = [_option(why, name) for name in ("interval", "timeout")]
    named += [_option(why, name) for name in _OF_CHECK if why["options"].get(name) is not None]
    return f"{escaped(why['check'])} ({', '.join(named)})"


def _came_here(why: Why) -> str:
    changed = why["changed"]
    if changed is None:
        return "no change of state is on record"
    at = clock(changed["at"], why["now"])
    reason = escaped(changed["reason"])
    text = f"{changed['before']} -> {changed['after']} at {at}"
    return f"{text}: {reason}" if reason else text


def _last_check(why: Why) -> str:
    last = why["last"]
    if last is None:
        return "none has ended yet"
    said = f"{last['result']}: {escaped(last['text'])}"
    if last["result"] == "ok":
        said = f"warning: {escaped(last['text'])}" if last.get("warning") else "OK"
    took = f"took {exact(last['duration'])}"
    if why["state"] == "NORMAL" and last["result"] == "failed" and not why["count"]:
        said += " (not counted)"
    return f"{said}; {took}, ended {length(last['age'])} ago"


def _last_line(why: Why) -> str:
    return "" if why["last"] is None else escaped(why["last"].get("message") or "")


def _now(why: Why) -> str:
    return {
        "running": "a check runs",
        "waiting": "a check waits for its turn, as max-running others run",
        "dying": "the check that timed out is being killed",
    }.get(why["checking"], "")


def _paused(why: Why) -> str:
    paused = why["paused"]
    if paused is None:
        return ""
    since = f"since {clock(paused['since'], why['now'])}"
    reason = f": {escaped(paused['reason'])}" if paused["reason"] else ""
    if paused["until"] is None:
        return f"{since}, until it is resumed{reason}"
    left = length(paused["until"] - why["now"])
    return f"{since}, until {clock(paused['until'], why['now'])} (in {left}){reason}"


def _failures(why: Why) -> str:
    text = f"{why['count']} in a row"
    if why["state"] in {"RECOVERING", "ERROR"}:
        return f"{text} ({_option(why, 'threshold')})" if why["count"] else ""
    if why["threshold"] is None:
        return f"{text}; no number of them starts recovery (no --recovery)"
    option = f"(--threshold {why['threshold']})"
    if not any(map(why["options"].get, ("recovery", "fault-signal", "success-signal"))):
        return f"{text}; from number {why['threshold']} on each is told {option}"
    return f"{text}; {why['threshold']} start recovery {option}"


def _start_period(why: Why) -> str:
    left = why["start_period"]
    if left is None:
        return ""
    option = _option(why, "start-period")
    return f"{length(left)} left, in which failures do not count until the first pass ({option})"


def _outage(why: Why) -> str:
    outage = why["outage"]
    if outage is None:
        return ""
    began = clock(outage["began"], why["now"])
    ago = length(why["now"] - outage["began"])
    first, latest = worded(outage["first_code"]), worded(outage["last_code"])
    codes = f"first exit code {first}, latest {latest}"
    return f"began {began}, {ago} ago; {counted(outage['failures'], 'failure')}, {codes}"


def _lines_of_outage(why: Why) -> Iterator[tuple[str, str]]:
    """Last lines of its first and its latest failure, unless they are told already."""
    if (outage := why["outage"]) is None:
        return
    told = _last_line(why)
    first = escaped(outage.get("first_message") or "")
    latest = escaped(outage.get("last_message") or "")
    yield "first failure", first if first != told else ""
    yield "latest failure", latest if latest not in {told, first} else ""


def _ran(ran: Ran | None) -> str:
    """How a script went that has ended, and its last line."""
    if ran is None:
        return ""
    text = f"{escaped(ran['text'])}, ended {length(ran['age'])} ago"
    return f"{text}: {escaped(ran['message'])}" if ran["message"] else text


def _number(why: Why, attempt: int) -> str:
    """A recovery of this outage: ``recovery 2 of 5``."""
    most = why["max_recoveries"]
    return f"recovery {attempt}" if most is None else f"recovery {attempt} of {most}"


def _recovery(why: Why) -> str:
    if not why["attempts"]:
        return ""
    how = {
        "waiting": "it waits for the fail script to end",
        "running": "its script runs",
        "owed": "its script could not be started for want of resources",
        "open": "it is over" if why["state"] == "ERROR" else "its window is open",
    }.get(why["remedy"], "it is over")
    number = _number(why, why["attempts"]).removeprefix("recovery ")
    limit = _option(why, "max-recoveries")
    if why["max_recoveries"] is not None and why["options"].get("when-spent") is not None:
        limit += f", {_option(why, 'when-spent')}"
    return f"{number} ({limit}); {how}"


def _script(why: Why) -> str:
    script = why["script"]
    if script is None:
        return ""
    runs = f"{script['role']} script {escaped(script['shown'])} runs, process {script['pid']}"
    text = f"{runs}, for {length(script['for'])}"
    if script["left"] is None:
        text += f", without a time limit ({_option(why, 'script-timeout')})"
    else:
        text += f", is killed in {length(script['left'])} ({_option(why, 'script-timeout')})"
    if why["fail_queued"]:
        text += "; it runs once more when it has ended"
    return f"{text}; it prints to heat.{escaped(why['name'])}.out"


def _window(why: Why) -> str:
    window = why["window"]
    if window is None or why["state"] == "ERROR":
        return ""
    if window["overdue"]:
        option = _option(why, "recovery-timeout")
        return f"its time is up ({option}): the next failed check closes it"
    failures = counted(window["failures"], "failure")
    if window["closes"] is not None:
        option = _option(why, "recovery-timeout")
        return f"{failures} in it, it closes in {length(window['closes'])} ({option})"
    if window["of"] == 1:
        return f"{failures} in it, 1 closes it, but not that of the check at once (--threshold 1)"
    if window["of"] is not None:
        return f"{failures} in it, {window['of']} close it (--threshold {window['of']})"
    return f"{failures} in it"


def _passes(why: Why) -> str:
    if why["window"] is None or why["state"] == "ERROR":
        return ""
    needed = why["success_threshold"]
    return f"{why['passes']} in a row, {needed} end recovery (--success-threshold {needed})"


def _target(why: Why) -> str:
    target = why["target"]
    if target is None:
        return ""
    if target["pid"] is not None:
        return f"process {target['pid']} ({'--pid-file' if target['pid_file'] else '--pid'})"
    return f"the process that {escaped(target['pid_file'] or 'nobody')} names (--pid-file)"


def _stopped(why: Why) -> str:
    if why["frozen"] is None:
        return ""
    return f"HEAT has stopped process {why['frozen']}, and owes it a CONT"


def _checks(why: Why) -> str:
    most = why["options"].get("count")
    of = f" of {most} (--count {most})" if most is not None else ""
    skipped = why["skipped"]
    ticks = f", {counted(skipped, 'tick')} without one" if skipped else ""
    return f"{why['checks']}{of} since HEAT was started{ticks}"


# What happens next


def _next(why: Why) -> Iterator[str]:
    if why["state"] == "ERROR":
        yield "Nothing by itself: no check runs until it is reset."
        if why["frozen"] is not None:
            yield f"Process {why['frozen']} stays stopped until HEAT ends and sends it CONT."
    elif why["paused"]:
        yield from _after_pause(why)
    elif why["remedy"] in {"waiting", "running", "owed"}:
        yield from _before_window(why)
    else:
        yield from _checks_to_come(why)


def _after_pause(why: Why) -> Iterator[str]:
    until = why["paused"]["until"] if why["paused"] else None
    if until is None:
        yield "Nothing by itself: no checks and no effects until it is resumed."
    else:
        left = length(until - why["now"])
        yield f"The pause ends by itself in {left}; no checks and no effects until then."
    if why["script"] is not None:
        yield f"{escaped(why['script']['shown'])}, which runs, is let end."
    if why["remedy"] == "waiting":
        begins = f"begins{_effects_of_recovery(why)}"
        yield f"After the pause {_number(why, why['attempts'])} {begins}."
    elif why["remedy"] == "open":
        yield "After the pause a check runs at once, and the recovery window opens anew."


def _before_window(why: Why) -> Iterator[str]:
    number = _number(why, why["attempts"])
    script = escaped(str(why["options"].get("recovery") or "the recovery script"))
    if why["remedy"] == "waiting":
        latest = why["script"]["left"] if why["script"] else None
        at_most = f", in {length(latest)} at the latest" if latest is not None else ""
        begins = f"{number} begins{_effects_of_recovery(why)}"
        yield f"When the fail script has ended{at_most}, {begins}."
    elif why["remedy"] == "owed":
        when = f" in {length(why['next'])}" if why["next"] is not None else ""
        yield f"At the next tick{when}, {script} is tried again."
    left = why["script"]["left"] if why["script"] and why["remedy"] == "running" else None
    at_most = f", in {length(left)} at the latest" if left is not None else ""
    yield f"When {script} has ended{at_most}, a check runs at once, and the window opens."
    yield f"{_window_to_come(why)} Until {script} has ended there are no checks."


def _window_to_come(why: Why) -> str:
    """How long the window that is not open yet will be, and what then."""
    if why["options"].get("recovery-timeout") is not None:
        span = f"for {_option(why, 'recovery-timeout').split()[1]} s (--recovery-timeout)"
    else:
        failures = counted(why["threshold"] or 1, "failed check")
        span = f"until {failures} ({_option(why, 'threshold')})"
    return f"It stays open {span}; if the check does not pass in it, {_closing(why)}."


def _closing(why: Why) -> str:
    """Tell what follows when the window closes without success."""
    most = why["max_recoveries"]
    if most is not None and why["attempts"] >= most:
        return f"it is ERROR: no recovery is left (--max-recoveries {most})"
    return f"{_number(why, why['attempts'] + 1)} begins{_effects_of_recovery(why)}"


def _checks_to_come(why: Why) -> Iterator[str]:
    if why["checking"] in {"running", "waiting"}:
        when = (
            "A check runs now." if why["checking"] == "running" else "A check waits for its turn."
        )
    elif why["next"] is None:
        text = escaped(why["next_text"]) or "no more checks"
        yield f"{text[0].upper()}{text[1:]}{_count_reached(why)}."
        if why["checking"] == "dying" or "no more" in text:
            return
        when = ""
    else:
        when = f"The next check is in {length(why['next'])} ({_option(why, 'interval')})."
    if when:
        yield when
    yield f"If it passes, {_if_passed(why)}."
    yield f"If it fails, {_if_failed(why)}."
    window = why["window"]
    if window is not None and window["closes"] is not None and not window["overdue"]:
        yield _at_closing(why, window["closes"])


def _count_reached(why: Why) -> str:
    most = why["options"].get("count")
    return f": {why['checks']} are done (--count {most})" if most is not None else ""


def _if_passed(why: Why) -> str:
    name = escaped(why["name"])
    if why["state"] == "NORMAL":
        over = " but that failures count from then on" if why["start_period"] is not None else ""
        return f"nothing changes{over}"
    if why["state"] == "FAILING":
        return f"{name} is NORMAL again, and the count goes back to 0"
    number, needed = why["passes"] + 1, why["success_threshold"]
    if number < needed:
        return f"it is pass {number} of {needed} in a row (--success-threshold {needed})"
    sent = _signal(why, "success-signal")
    return f"recovery has succeeded: {f'{sent}, and ' if sent else ''}{name} is NORMAL again"


def _if_failed(why: Why) -> str:
    if why["window"] is not None:
        return _if_failed_in_window(why)
    left = why["start_period"]
    if left is not None and (why["next"] or 0.0) < left and why["state"] == "NORMAL":
        return "it is logged and not counted, because of the start period"
    number, threshold = why["count"] + 1, why["threshold"]
    effects = ", ".join(filter(None, (_signal(why, "signal"), _fail_script(why))))
    if threshold is None:
        return f"it is failure {number}: {effects or 'it is logged, and nothing else is done'}"
    text = f"it is failure {number} of {threshold}"
    if number < threshold:
        return f"{text}: {effects or 'it is counted, and nothing else is done'}"
    begins = f"{_number(why, 1)} begins{_effects_of_recovery(why)}"
    return f"{text}: {effects}, then {begins}" if effects else f"{text}, and {begins}"


def _if_failed_in_window(why: Why) -> str:
    window = why["window"]
    if window is None:
        return ""
    if window["overdue"]:
        return f"the window closes, and {_closing(why)}"
    if window["of"] is None:
        return "it is counted; the window stays open"
    number = window["failures"] + 1
    if number < window["of"]:
        return f"it is failure {number} of {window['of']} in this window"
    # Not so with the check at once; of a window of more failures it can not be the last.
    first = ", unless it is the check at once" if window["failures"] == 0 else ""
    return f"the window closes{first}, and {_closing(why)}"


def _at_closing(why: Why, closes: float) -> str:
    when = f"In {length(closes)}"
    if why["passes"]:
        return f"{when} the window's time is up; from then on a failed check closes it."
    return f"{when} its time is up: unless the latest check has passed, {_closing(why)}."


def _signal(why: Why, option: str) -> str:
    """A signal that is sent, and to whom: ``HUP to process 4711``; empty if none is."""
    name = why["options"].get(option)
    if name is None or str(name).lower() == "none":
        return ""
    shown, target = escaped(str(name)), why["target"]
    if target is None:
        return f"{shown} to HEAT itself"
    if target["pid"] is None:
        return f"{shown} to the process of {escaped(target['pid_file'] or '--pid-file')}"
    return f"{shown} to process {target['pid']}"


def _fail_script(why: Why) -> str:
    script = why["options"].get("fail")
    if script is None:
        return ""
    running = why["script"] is not None and why["script"]["role"] == "fail"
    more = " once more when it has ended" if running else ""
    return f"{escaped(str(script))}{more}"


def _effects_of_recovery(why: Why) -> str:
    """The effects of a recovery, behind a colon; empty if it has none."""
    script = why["options"].get("recovery")
    effects = [_signal(why, "fault-signal"), escaped(str(script)) if script is not None else ""]
    told = ", ".join(filter(None, effects))
    return f": {told}" if told else ""


# What would change it


def _changes(why: Why) -> Iterator[Line]:
    name = quote(escaped(why["name"]))
    if not why["paused"]:
        yield from _changes_by_itself(why)
    if why["state"] == "ERROR":
        yield Line(f"heatctl reset {name}", "NORMAL again, once the cause is put right")
    elif why["paused"]:
        yield Line(f"heatctl resume {name}", "ends the pause now")
    else:
        if why["checking"] == "idle" and why["remedy"] in {"none", "open"}:
            yield Line(f"heatctl check {name}", "checks now")
        yield Line(f"heatctl pause {name} --for 10m", "no checks and no effects for 10 minutes")
        if why["count"] and why["remedy"] != "running":  # HEAT refuses it until then.
            yield Line(f"heatctl reset {name}", "NORMAL, with all counts at 0")
    if why["state"] != "NORMAL":
        yield Line(f"heatctl history {name}", "what happened before, and what helped")


def _changes_by_itself(why: Why) -> Iterator[Line]:
    if why["state"] == "NORMAL" and why["threshold"] is not None:
        failures = counted(why["threshold"], "failure")
        yield Line("", f"{failures} in a row: recovery starts (--threshold {why['threshold']})")
    elif why["state"] == "NORMAL":
        yield Line("", "a failed check: FAILING")
    elif why["state"] == "FAILING":
        yield Line("", "1 pass: NORMAL")
        if why["threshold"] is not None:
            left = counted(why["threshold"] - why["count"], "more failure")
            yield Line("", f"{left}: recovery starts (--threshold {why['threshold']})")
    elif why["state"] == "RECOVERING":
        needed = why["success_threshold"]
        passes = f"{counted(needed, 'pass', 'passes')}{' in a row' if needed > 1 else ''}"
        yield Line("", f"{passes}: NORMAL (--success-threshold {needed})")
