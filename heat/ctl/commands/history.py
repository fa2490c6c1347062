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
    """A state file, the present moment, and whether HEAT runs."""

    path: str
    now: float
    runs: bool


def main(words: Sequence[str]) -> int:
    """Print the history; return the exit status."""
    request = parse(USAGE, words)
    if request is None:
        return EXIT_WELL
    back = request.seconds("--since", "heatctl history", duration_back) or DEFAULT
    source = _source(request)
    name = request.operands[0] if request.operands else None
    accounts = read(source.path, source.now, name, back=back, runs=source.runs)
    if request.json:
        output.write_objects(map(as_object, accounts))
    elif name is not None:
        output.write_lines(lines(accounts[0]))
    else:
        _print(accounts)
    return EXIT_UNWELL if any(each.goes_on for each in accounts) else EXIT_WELL


def _source(request: Request) -> _Source:
    if "--state" in request.values:
        return _Source(request.values["--state"], time.time(), runs=False)
    with connect(request.control) as client:
        about = answers.about(client.last("hello"))
    if about["state"] is None:
        message = "this HEAT keeps no history"
        hint = "start it with --state FILE; 'heatctl status' shows how it stands now"
        raise RefusedError(message, hint)
    return _Source(about["state"], about["now"], runs=True)


# One monitor


def lines(account: Account) -> Iterator[str]:
    """Yield the lines of one monitor: the totals, each outage with its recoveries, the pauses."""
    yield from _totals(account)
    now = account.span.ended
    for outage in account.outages:
        yield ""
        yield _outage(outage, now)
        yield from failures(outage)
        for recovery in outage.recoveries:
            yield f"  recovery {recovery.attempt}  {_recovery(recovery, outage, now)}"
            if recovery.message:
                yield f"    {escaped(recovery.message)}"
    if account.pauses:
        yield ""
        yield from (_pause(pause, now) for pause in account.pauses)


def _totals(account: Account) -> Iterator[str]:
    began, now = account.span.began, account.span.ended
    outages, repair = counted(len(account.outages), "outage"), account.mean_time_to_repair
    yield f"{escaped(account.name)}: {outages} since {clock(began, now)} ({length(now - began)})"
    share = "-" if account.well is None else f"{percent(account.well)} %"
    yield f"  well                 {share} of {length(account.watched)} watched"
    yield f"  mean time to repair  {'-' if repair is None else length(repair)}"
    yield f"  flaps                {account.flaps} in the last hour"


def percent(share: float) -> str:
    """Return ``99.93``, and never 100.00 for less than all."""
    shown = f"{100 * share:.2f}"
    return shown if share == 1 or shown != "100.00" else "99.99"


def _outage(outage: Outage, now: float) -> str:
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
        parts.append(f"ended by {_ENDINGS.get(outage.ending or '', 'an unknown cause')}")
    return f"{began}  for {lasted}, until {clock(outage.ended, now)}: {', '.join(parts)}"


def failures(outage: Outage) -> Iterator[str]:
    """Yield its first failure, and its latest if that differs."""
    first, last = _failure(outage.first), _failure(outage.last)
    if first:
        yield f"  first failure   {first}"
    if last not in {"", first}:
        yield f"  latest failure  {last}"


def _failure(failed: Failed) -> str:
    if failed.code is None:
        return ""
    how = f"exit code {worded(failed.code)}"
    return f"{how}: {escaped(failed.message)}" if failed.message else how


_ENDINGS = {"reset": "a reset", "removed": "the monitor's removal"}


def _recovery(recovery: Recovery, outage: Outage, now: float) -> str:
    began = f"at {clock(recovery.began, now)}"
    if recovery.ended is None:
        runs = outage.ended is None
        return f"{began}, {'still runs' if runs else 'its end is not on record'}"
    how = escaped(recovery.how or "ended")
    if recovery.code is not None:
        how = f"exit code {worded(recovery.code)}"
    if not how.startswith("Timed out after"):
        how += f" after {length(recovery.ended - recovery.began)}"
    return f"{began}, {how}: {verdict(recovery)}"


def _pause(pause: Pause, now: float) -> str:
    lasted = length(pause.span(now).length)
    text = f"paused for {lasted}, until {clock(pause.ended or now, now)}"
    if pause.ended is None:
        end = "it is resumed" if pause.until is None else clock(pause.until, now)
        text = f"paused until {end}, for {lasted} so far"
    reason = f": {escaped(pause.reason)}" if pause.reason else ""
    return f"{clock(pause.began, now)}  {text}{reason}"


def verdict(recovery: Recovery) -> str:
    """Word what a recovery did."""
    if recovery.helped:
        after = recovery.well_after
        passed = "" if after is None else f", the check passed {length(after)} after its end"
        return f"helped{passed}"
    if recovery.useless:
        return "exits 0 and does not help"
    return "did not help" if recovery.helped is False else "not yet known whether it helped"


# All monitors


def row(account: Account) -> tuple[Cell, ...]:
    """Return the cells of one monitor under `HEAD`."""
    recoveries = account.recoveries
    repair = account.mean_time_to_repair
    colour = output.COLOURS["ERROR"] if account.goes_on else ""
    return (
        (escaped(account.name), colour),
        (str(len(account.outages)), ""),
        (short(account.down) if account.down else "0s", ""),
        ("-" if repair is None else short(repair), ""),
        (str(account.flaps), ""),
        (str(len(recoveries)), ""),
        (str(sum(each.helped is True for each in recoveries)), ""),
        (str(sum(each.useless for each in recoveries)), ""),
        ("-" if account.well is None else f"{percent(account.well)}%", ""),
    )


def _print(accounts: Sequence[Account]) -> None:
    colour = output.is_coloured()
    output.write_lines(output.aligned(HEAD, [row(each) for each in accounts], colour=colour))
    if output.is_terminal():
        goes_on = sum(each.goes_on for each in accounts)
        now = f"; {counted(goes_on, 'outage')} now" if goes_on else ""
        more = "'heatctl history NAME' lists each outage"
        output.write(f"{counted(len(accounts), 'monitor')}{now}; {more}\n")
