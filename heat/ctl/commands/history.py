"""The command ``heatctl history``."""

USAGE = """heatctl history: outages, what each recovery did, and the share of time well.

Usage:
  heatctl history [--since SECS] [--state FILE] [--json] [--control PATH] [NAME]

Options:
  --since SECS    how far back, such as 12h, 30d or 4w (default: 7d)
  --state FILE    read this state file; no HEAT is asked then, nor needs to run
  --json          each monitor as a JSON object on a line of its own
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock else)
  -h, --help      print this

Without NAME it prints a table of all monitors, with NAME each outage, recovery
and pause of that one. DOWN is the time in outages and WELL the share of the
other time, both of the time watched: HEAT ran, the monitor was there, and not
paused. MTTR is the mean time to repair, of the outages that a pass has ended.
FLAPS is how often it left NORMAL in the last hour. USELESS are the recoveries
that exited 0 and did not help.

Exit status: 0 no outage goes on; 1 one does; 2 bad usage, or the file cannot be
read; 3 no HEAT answers.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from heat.config.durations import DAY, duration_back, length, short
from heat.control import answers
from heat.control.client import connect
from heat.ctl import output
from heat.ctl.errors import EXIT_UNWELL, EXIT_WELL, CtlError, RefusedError
from heat.ctl.output import Cell
from heat.ctl.parser import Asked, nearest, parse
from heat.ctl.times import clock
from heat.diagnostics import Diagnostic
from heat.process.signals import worded
from heat.store.history import History
from heat.store.outages import Account, Failed, Outage, Pause, Recovery, Span, account
from heat.text import counted, escaped

HEAD = ("NAME", "OUTAGES", "DOWN", "MTTR", "FLAPS", "RECOVERIES", "HELPED", "USELESS", "WELL")
_DEFAULT = 7 * DAY


class _Source(NamedTuple):
    """The state file, the moment that counts as now, and whether HEAT runs."""

    path: str
    now: float
    runs: bool


def main(words: Sequence[str]) -> int:
    """Print the history; the exit status is returned."""
    asked = parse(USAGE, words)
    if asked is None:
        return EXIT_WELL
    back = asked.seconds("--since", "heatctl history", duration_back) or _DEFAULT
    source = _source(asked)
    accounts = _accounts(source, back, asked.operands[0] if asked.operands else None)
    if asked.json:
        output.write_objects(map(as_object, accounts))
    elif asked.operands:
        output.write_lines(told(accounts[0]))
    else:
        _print(accounts)
    goes_on = any(each.goes_on for each in accounts)
    return EXIT_UNWELL if goes_on else EXIT_WELL


def answer(path: str, name: str | None, back: float | None, now: float) -> list[dict[str, Any]]:
    """The objects of ``--json``, from the state file of a HEAT that runs. Raises CtlError."""
    accounts = _accounts(_Source(path, now, runs=True), back or _DEFAULT, name)
    return [as_object(each) for each in accounts]


def _source(asked: Asked) -> _Source:
    if "--state" in asked.given:
        return _Source(asked.given["--state"], time.time(), runs=False)
    with connect(asked.control) as client:
        about = answers.about(client.last("hello").get("about"))
    if about["state"] is None:
        told = "Error: this HEAT keeps no history"
        hint = "start it with --state FILE; 'heatctl status' shows how it stands now"
        raise RefusedError(Diagnostic(told, hint))
    return _Source(about["state"], about["now"], runs=True)


def _accounts(source: _Source, back: float, name: str | None) -> list[Account]:
    archive = History(source.path)
    try:
        asked = Span(source.now - back, source.now)
        lives = archive.lives(asked.began, asked.ended, name)
        if name is not None and not lives:
            raise _unknown(name, archive.names(), source.path)
        sessions = archive.sessions(source.now if source.runs else None)
    finally:
        archive.close()
    accounts = [account(life, sessions, asked) for life in lives]
    return sorted(accounts, key=lambda each: (not each.goes_on, -each.down, each.name))


def _unknown(name: str, names: Sequence[str], path: str) -> CtlError:
    near = nearest(name, names)
    hint = f"did you mean {escaped(near)}?" if near else "'heatctl history' lists those that are"
    told = f"Error: no monitor named {escaped(name)} is on record in {escaped(path)}"
    return CtlError(Diagnostic(told, hint))


# One monitor


def told(of: Account) -> Iterator[str]:
    """The lines of one monitor: what it comes to, then each outage with its recoveries."""
    now = of.asked.ended
    since = f"since {clock(of.asked.began, now)} ({length(now - of.asked.began)})"
    yield f"{escaped(of.name)}: {counted(len(of.outages), 'outage')} {since}"
    yield f"  well                 {_share(of)} of {length(of.watched)} watched"
    repair = of.mean_time_to_repair
    yield f"  mean time to repair  {'-' if repair is None else length(repair)}"
    yield f"  flaps                {of.flaps} in the last hour"
    for outage in of.outages:
        yield ""
        yield _told_outage(outage, now)
        yield from told_reasons(outage)
        for recovery in outage.recoveries:
            yield f"  recovery {recovery.attempt}  {_told_recovery(recovery, outage, now)}"
            if recovery.message:
                yield f"    {escaped(recovery.message)}"
    if of.pauses:
        yield ""
        yield from (_told_pause(pause, now) for pause in of.pauses)


def _share(of: Account) -> str:
    return "-" if of.well is None else f"{percent(of.well)} %"


def percent(share: float) -> str:
    """``99.93``; never 100 when something was not well."""
    shown = f"{100 * share:.2f}"
    return shown if share == 1 or shown != "100.00" else "99.99"


def _told_outage(outage: Outage, now: float) -> str:
    began = clock(outage.began, now)
    failures = counted(outage.failures, "failure")
    parts = [failures, counted(outage.attempts, "recovery", "recoveries")]
    lasted = length(outage.length(now))
    if outage.ended is None:
        return f"{began}  goes on, for {lasted}: {', '.join(parts)}"
    if helper := outage.helper:
        parts.append(f"recovery {helper.attempt} helped")
    elif outage.ending == "passed":
        parts.append("it passed again by itself")
    else:
        parts.append(f"ended by {_ENDINGS.get(outage.ending or '', 'nobody knows what')}")
    return f"{began}  for {lasted}, until {clock(outage.ended, now)}: {', '.join(parts)}"


def told_reasons(outage: Outage) -> Iterator[str]:
    """Why it began; and, where that is something else, why it went on."""
    first, last = _told_failure(outage.first), _told_failure(outage.last)
    if first:
        yield f"  first failure   {first}"
    if last not in {"", first}:
        yield f"  latest failure  {last}"


def _told_failure(failed: Failed) -> str:
    if failed.code is None:
        return ""
    how = f"exit code {worded(failed.code)}"
    return f"{how}: {escaped(failed.message)}" if failed.message else how


_ENDINGS = {"reset": "a reset", "removed": "the monitor's removal"}


def _told_recovery(recovery: Recovery, outage: Outage, now: float) -> str:
    began = f"at {clock(recovery.began, now)}"
    if recovery.ended is None:
        runs = outage.ended is None
        return f"{began}, {'runs still' if runs else 'nobody knows how it ended'}"
    how = escaped(recovery.how or "ended")
    if recovery.code is not None:
        how = f"exit code {worded(recovery.code)}"
    if not how.startswith("Timed out after"):
        how += f" after {length(recovery.ended - recovery.began)}"
    return f"{began}, {how}: {verdict(recovery)}"


def _told_pause(pause: Pause, now: float) -> str:
    lasted, reason = length(pause.span(now).length), f": {escaped(pause.reason)}"
    told = f"paused for {lasted}, until {clock(pause.ended or now, now)}"
    if pause.ended is None:
        end = "it is resumed" if pause.until is None else clock(pause.until, now)
        told = f"paused until {end}, for {lasted} so far"
    return f"{clock(pause.began, now)}  {told}{reason if pause.reason else ''}"


def verdict(recovery: Recovery) -> str:
    """Tell what a recovery did."""
    if recovery.helped:
        after = recovery.well_after
        passed = "" if after is None else f", the check passed {length(after)} after its end"
        return f"helped{passed}"
    if recovery.useless:
        return "exits 0 and does not help"
    return "did not help" if recovery.helped is False else "nobody knows yet whether it helped"


# All of them


def row(of: Account) -> tuple[Cell, ...]:
    """The words of one monitor under `HEAD`."""
    recoveries = of.recoveries
    repair = of.mean_time_to_repair
    colour = output.COLOURS["ERROR"] if of.goes_on else ""
    return (
        (escaped(of.name), colour),
        (str(len(of.outages)), ""),
        (short(of.down) if of.down else "0s", ""),
        ("-" if repair is None else short(repair), ""),
        (str(of.flaps), ""),
        (str(len(recoveries)), ""),
        (str(sum(each.helped is True for each in recoveries)), ""),
        (str(sum(each.useless for each in recoveries)), ""),
        ("-" if of.well is None else f"{percent(of.well)}%", ""),
    )


def _print(accounts: Sequence[Account]) -> None:
    colour = output.is_coloured()
    output.write_lines(output.aligned(HEAD, [row(each) for each in accounts], colour=colour))
    if output.is_terminal():
        goes_on = sum(each.goes_on for each in accounts)
        now = f"; {counted(goes_on, 'outage')} now" if goes_on else ""
        told = "'heatctl history NAME' tells of each outage"
        output.write(f"{counted(len(accounts), 'monitor')}{now}; {told}\n")


def as_object(of: Account) -> dict[str, Any]:
    """The same for JSON; moments are unix seconds, lengths seconds, shares from 0 to 1."""
    now = of.asked.ended
    return {
        "monitor": of.name,
        "from": of.asked.began,
        "to": now,
        "watched": of.watched,
        "down": of.down,
        "well": of.well,
        "mean_time_to_repair": of.mean_time_to_repair,
        "flaps": of.flaps,
        "outages": [_outage_object(each, now) for each in of.outages],
        "pauses": [each._asdict() for each in of.pauses],
    }


def _outage_object(outage: Outage, now: float) -> dict[str, Any]:
    helper = outage.helper
    return {
        "began": outage.began,
        "ended": outage.ended,
        "length": outage.length(now),
        "failures": outage.failures,
        "ending": outage.ending,
        "helped": None if helper is None else helper.attempt,
        "first_code": outage.first.code,
        "first_message": outage.first.message,
        "last_code": outage.last.code,
        "last_message": outage.last.message,
        "recoveries": [
            {
                "attempt": each.attempt,
                "began": each.began,
                "ended": each.ended,
                "duration": None if each.ended is None else each.ended - each.began,
                "code": each.code,
                "how": each.how,
                "helped": each.helped,
                "useless": each.useless,
                "well_after": each.well_after,
                "message": each.message,
            }
            for each in outage.recoveries
        ],
    }
