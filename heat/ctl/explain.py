"""The screen of ``heatctl why``: the facts of a monitor, worded for a person.

Pure: facts go in, lines come out. Each number comes with its limit, and each limit with the option
that sets it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from heat.config.durations import exact, length
from heat.control.answers import Ran, Why
from heat.ctl.outlook import Line, changes, coming
from heat.ctl.times import clock
from heat.ctl.wording import number, option
from heat.process.signals import worded
from heat.text import counted, escaped

_OF_CHECK = ("retry-interval", "recovery-interval", "unknown-codes", "warn-codes")
"""Options of the check that appear only where they are set."""


class Part(NamedTuple):
    """A heading and its lines."""

    heading: str
    lines: Sequence[Line]


def parts(why: Why) -> list[Part]:
    """Return the whole screen: the facts, what happens next, what would change it."""
    return [
        Part(_head(why), [Line(label, text) for label, text in _facts(why) if text]),
        Part("What happens next", [Line("", text) for text in coming(why)]),
        Part("What would change it", list(changes(why))),
    ]


def _head(why: Why) -> str:
    more = "" if why["shown"] in {why["state"], _PAUSED} else f" ({why['shown']})"
    paused = " and paused" if why["paused"] else ""
    since = clock(why["since"], why["now"])
    age = length(why["now"] - why["since"])
    return f"{escaped(why['name'])} is {why['state']}{more}{paused}, since {since} ({age} ago)"


_PAUSED = "PAUSED"


# The facts


def _facts(why: Why) -> Iterator[tuple[str, str]]:
    yield "check", _check(why)
    yield "came here", _came_here(why)
    yield "last check", _last_check(why)
    yield "last line", _last_line(why)
    yield "unknown", _unknown(why)
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


def _check(why: Why) -> str:
    options = [option(why, name) for name in ("interval", "timeout")]
    options += [option(why, name) for name in _OF_CHECK if why["options"].get(name) is not None]
    return f"{escaped(why['check'])} ({', '.join(options)})"


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
    result = f"{last['result']}: {escaped(last['text'])}"
    if last["result"] == "ok":
        result = f"warning: {escaped(last['text'])}" if last.get("warning") else "OK"
    took = f"took {exact(last['duration'])}"
    if last["result"] == "failed" and not why["count"] and not why["outlook"]["ended"]:
        result += " (not counted)"
    return f"{result}; {took}, ended {length(last['age'])} ago"


def _unknown(why: Why) -> str:
    if why["unknown_since"] is None:
        return ""
    since = clock(why["unknown_since"], why["now"])
    return f"since {since}, as no check has given a result"


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
    if why["attempts"] or why["outlook"]["ended"]:
        return f"{text} ({option(why, 'threshold')})" if why["count"] else ""
    if why["threshold"] is None:
        return f"{text}; recovery never starts (no --recovery)"
    limit = f"(--threshold {why['threshold']})"
    if not any(map(why["options"].get, ("recovery", "fault-signal", "success-signal"))):
        return f"{text}; failures take effect from number {why['threshold']} on {limit}"
    return f"{text}; {why['threshold']} start recovery {limit}"


def _start_period(why: Why) -> str:
    left = why["start_period"]
    if left is None:
        return ""
    limit = option(why, "start-period")
    return f"{length(left)} left, in which failures do not count until the first pass ({limit})"


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
    """Yield the last lines of its first and latest failure, each only once."""
    if (outage := why["outage"]) is None:
        return
    shown = _last_line(why)
    first = escaped(outage.get("first_message") or "")
    latest = escaped(outage.get("last_message") or "")
    yield "first failure", first if first != shown else ""
    yield "latest failure", latest if latest not in {shown, first} else ""


def _ran(ran: Ran | None) -> str:
    """Word the end of a script, and its last line."""
    if ran is None:
        return ""
    text = f"{escaped(ran['text'])}, ended {length(ran['age'])} ago"
    return f"{text}: {escaped(ran['message'])}" if ran["message"] else text


def _recovery(why: Why) -> str:
    if not why["attempts"]:
        return ""
    which = number(why, why["attempts"]).removeprefix("recovery ")
    limit = option(why, "max-recoveries")
    if why["max_recoveries"] is not None and why["options"].get("when-spent") is not None:
        limit += f", {option(why, 'when-spent')}"
    return f"{which} ({limit}); {escaped(why['remedy_text'])}"


def _script(why: Why) -> str:
    script = why["script"]
    if script is None:
        return ""
    runs = f"{script['role']} script {escaped(script['shown'])} runs, process {script['pid']}"
    text = f"{runs}, for {length(script['for'])}"
    if script["left"] is None:
        text += f", without a time limit ({option(why, 'script-timeout')})"
    else:
        text += f", is killed in {length(script['left'])} ({option(why, 'script-timeout')})"
    if why["fail_queued"]:
        text += "; it runs once more when it has ended"
    return f"{text}; it prints to heat.{escaped(why['name'])}.out"


def _window(why: Why) -> str:
    window, limit = why["window"], _limit_of_window(why)
    if window is None:
        return ""
    if window["overdue"]:
        return f"its time is up ({limit}): the next failed check closes it"
    failures = counted(window["failures"], "failure")
    if window["of"] is not None:
        close = "closes" if window["of"] == 1 else "close"
        return f"{failures} in it, {window['of']} {close} it ({limit})"
    if window["closes"] is None:
        return f"{failures} in it"
    left = length(window["closes"])
    if why["options"].get("recovery-timeout") is not None:
        return f"{failures} in it, it closes in {left} ({limit})"
    return f"{failures} in it, the first failed check after {left} closes it ({limit})"


def _limit_of_window(why: Why) -> str:
    if why["options"].get("recovery-timeout") is not None:
        return option(why, "recovery-timeout")
    if why["options"].get("recovery-interval") is not None:
        return f"{option(why, 'threshold')}, {option(why, 'interval')}"
    return option(why, "threshold")


def _passes(why: Why) -> str:
    if why["window"] is None and why["backoff"] is None and not why["spent"]:
        return ""
    needed = why["success_threshold"]
    end = "ends" if needed == 1 else "end"
    return f"{why['passes']} in a row, {needed} {end} recovery (--success-threshold {needed})"


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
    ticks = f", {counted(skipped, 'tick')} skipped" if skipped else ""
    return f"{why['checks']}{of} since HEAT was started{ticks}"
