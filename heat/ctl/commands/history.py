"""The command ``heatctl history``."""

USAGE = """heatctl history: outages, what each recovery did, and the share of time well.

Usage:
  heatctl history [--since SECS] [--state FILE] [--json] [--control PATH] [NAME]

Options:
  --since SECS    how far back, such as 12h, 30d or 4w (default: 7d)
  --state FILE    read this state file, with or without a running HEAT
  --json          print each monitor as a JSON object on its own line
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

Without NAME it prints a table of all monitors; with NAME, each outage, recovery
and pause of that monitor. DOWN is the time in outages, and WELL the share of
time outside them. Both count watched time: HEAT ran, and the monitor existed
and was not paused. MTTR is the mean time to repair, over the outages that a
pass has ended. FLAPS is how often it left NORMAL in the last hour. USELESS
counts the recoveries that exited 0 and did not help.

Exit status: 0 no monitor is in an outage; 1 one is; 2 bad usage, or the file
cannot be read; 3 no HEAT answers.
"""

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from heat.config.durations import duration_back, length, short
from heat.control import answers
from heat.control.client import connect
from heat.control.history import as_object
from heat.control.protocol import RefusedError
from heat.ctl import output
from heat.ctl.errors import EXIT_UNWELL, EXIT_WELL
from heat.ctl.output import Cell
from heat.ctl.parser import Request, parse
from heat.ctl.times import clock
from heat.process.signals import worded
from heat.store.history import DEFAULT, read
from heat.store.outages import Account, Failed, Outage, Pause, Recovery
from heat.text import counted, escaped

HEAD = ("NAME", "OUTAGES", "DOWN", "MTTR", "FLAPS", "RECOVERIES", "HELPED", "USELESS", "WELL")


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
    back = asked.seconds("--since", "heatctl history", duration_back) or DEFAULT
    source = _source(asked)
    name = asked.operands[0] if asked.operands else None
    accounts = read(source.path, source.now, name, back=back, runs=source.runs)
    if asked.json:
        output.write_objects(map(as_object, accounts))
    elif asked.operands:
        output.write_lines(told(accounts[0]))
    else:
        _print(accounts)
    goes_on = any(each.goes_on for each in accounts)
    return EXIT_UNWELL if goes_on else EXIT_WELL


def _source(asked: Request) -> _Source:
    if "--state" in asked.values:
        return _Source(asked.values["--state"], time.time(), runs=False)
    with connect(asked.control) as client:
        about = answers.about(client.last("hello"))
    if about["state"] is None:
        message = "this HEAT keeps no history"
        hint = "start it with --state FILE; 'heatctl status' shows how it stands now"
        raise RefusedError(message, hint)
    return _Source(about["state"], about["now"], runs=True)


# One monitor


def told(of: Account) -> Iterator[str]:
    """The lines of one monitor: what it comes to, then each outage with its recoveries."""
    now = of.span.ended
    since = f"since {clock(of.span.began, now)} ({length(now - of.span.began)})"
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
