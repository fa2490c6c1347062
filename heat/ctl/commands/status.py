"""The command ``heatctl status``."""

USAGE = """heatctl status: how the monitors stand, the worst first.

Usage:
  heatctl status [--json] [--control PATH] [NAME...]

Options:
  --json          print each monitor as a JSON object on its own line
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

STATE is PAUSED for a paused monitor. In place of RECOVERING it is BACKOFF while
the next recovery waits for its time, and SPENT when none is left and checks go
on. FAILURES is the number in a row and, after the slash, the threshold; AGE is
the time since the last check ended; NEXT is the time until the next one. LAST
LINE is the last line that the last check printed (stderr, else stdout), and in
an outage also that of the last recovery. When stdout is not a terminal, the
table has no colour, nothing is cut, and each column but the last two is one
word (though a monitor's name may have spaces).

Exit status: 0 all are NORMAL; 1 one is not, or is paused, or its checks have
had no result for long; 2 bad usage, or there is no such monitor; 3 no HEAT
answers.
"""

import gc
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, cast

from heat.config.durations import length, short
from heat.control import answers
from heat.control.answers import Monitor, Result, Standing
from heat.control.client import Client, connect
from heat.ctl import output
from heat.ctl.errors import EXIT_UNWELL, EXIT_WELL
from heat.ctl.output import Cell
from heat.ctl.parser import parse
from heat.ctl.times import brief, clock, stamp
from heat.text import counted, escaped, of_them_paused

HEAD = ("NAME", "STATE", "SINCE", "FAILURES", "AGE", "NEXT", "LAST RESULT", "LAST LINE")
STATES = ("ERROR", "RECOVERING", "FAILING", "NORMAL")
"""The worst first."""
_WORST_FIRST = ("ERROR", "SPENT", "RECOVERING", "FAILING", "NORMAL")
"""The same, with SPENT, which needs a person as ERROR does."""
_LAST = len(_WORST_FIRST)
_One = TypeVar("_One", Monitor, Standing)
_DRAWN = 200
"""Up to this many rows, `rich` needs a tenth of a second; more are aligned without it."""


def main(words: Sequence[str]) -> int:
    """Print how the monitors stand; return the exit status."""
    request = parse(USAGE, words)
    if request is None:
        return EXIT_WELL
    gc.disable()  # With ten thousand answers the collector would run often and find nothing.
    if request.json:
        with connect(request.control) as client:
            monitors = worst_first(ask(client, request.operands))
        output.write_objects(monitors)
        return exit_status(monitors)
    now, terminal = time.time(), output.is_terminal()
    with connect(request.control) as client:
        # Each row is made while HEAT prepares the next answer.
        rows = {
            each["name"]: (each, row(each, now, wide=not terminal))
            for each in ask_briefly(client, request.operands)
        }
        for text in troubles(client):
            output.complain(f"heat: {escaped(text)}")
    standing = worst_first(each for each, _ in rows.values())
    _print([rows[each["name"]][1] for each in standing])
    if terminal:
        output.write(f"{summary(standing)}\n")
    return exit_status(standing)


def ask(client: Client, names: Sequence[str] = ()) -> list[Monitor]:
    """Return the monitors of these names, or all. Raises CommandError."""
    lines = client.ask("status", {"names": list(names)} if names else {})
    return [each for line in lines for each in answers.monitors(line)]


def ask_briefly(client: Client, names: Sequence[str] = ()) -> Iterator[Standing]:
    """Yield the monitors as a table needs them, as they arrive. Raises CommandError."""
    keys = {"names": list(names)} if names else {}
    for line in client.ask("status", {"brief": True, **keys}):
        yield from answers.standings(line)


def troubles(client: Client) -> list[str]:
    """Return what does not work in HEAT itself. Raises CommandError."""
    return answers.about(client.last("hello"))["trouble"]


def worst_first(monitors: Iterable[_One]) -> list[_One]:
    """Sort by state, then paused ones first, then by name."""
    rank = {word: place for place, word in enumerate(_WORST_FIRST)}
    return sorted(
        monitors,
        key=lambda m: (
            min(rank.get(m["state"], -1), rank.get(m["shown"], _LAST)),
            not m["paused"],
            m["name"],
        ),
    )


def exit_status(monitors: Iterable[Monitor | Standing]) -> int:
    """Return 1 if any is not NORMAL, is paused, or has had no result for long; else 0."""
    well = all(
        each["state"] == "NORMAL" and not each["paused"] and each["unknown_since"] is None
        for each in monitors
    )
    return EXIT_WELL if well else EXIT_UNWELL


def summary(monitors: Sequence[Standing]) -> str:
    """Count the monitors in each state."""
    counts = Counter[str](each["state"] for each in monitors)
    parts = [f"{counts[state]} {state}" for state in STATES if counts[state]]
    paused = of_them_paused(each["paused"] is not None for each in monitors)
    states = ", ".join(parts) or "HEAT watches nothing"
    return f"{counted(len(monitors), 'monitor')}: {states}{paused}"


def row(monitor: Standing, now: float, *, wide: bool = False) -> tuple[Cell, ...]:
    """Return a monitor's cells under `HEAD`; if ``wide``, each but the last two is one word."""
    last, shown = monitor["last"], monitor["shown"]
    colour = output.COLOURS.get(shown) or output.COLOURS.get(monitor["state"], "")
    threshold = monitor["threshold"]
    failures = f"{monitor['count']}/{'-' if threshold is None else threshold}"
    # Many monitors came to their state in the same second, which is then in the cache.
    since = stamp(monitor["since"] // 1) if wide else brief(monitor["since"], now)
    return (
        (escaped(monitor["name"]), ""),
        (escaped(shown), colour),
        (since, ""),
        (failures, ""),
        ("-" if last is None else short(last["age"]), ""),
        (_next(monitor), ""),
        ("; ".join(_details(monitor, now)) if _unusual(monitor) else "OK", ""),
        (_last_line(monitor), ""),
    )


def _last_line(monitor: Standing) -> str:
    """Return the last line of the check, and of the recovery in this outage."""
    last, recovery = monitor["last"], monitor.get("recovery_message")
    ran = cast("Monitor", monitor).get("last_recovery")  # Whole answers have it in this place.
    if ran is not None and monitor["attempts"]:
        recovery = ran["message"]
    line = escaped(last.get("message") or "") if last is not None else ""
    if not recovery:
        return line
    return f"{line}; recovery: {escaped(recovery)}".removeprefix("; ")


def _unusual(monitor: Standing) -> bool:
    """Return whether there is more to say than OK; of ten thousand monitors, most are well."""
    last = monitor["last"]
    well = last is not None and not _result(last) and monitor["next"] is not None
    unknown = monitor["unknown_since"] is not None
    return not well or unknown or bool(monitor["attempts"]) or monitor["paused"] is not None


def _result(last: Result) -> str:
    """Return the result of a check; empty if it was simply OK."""
    if last["result"] == "ok":
        return f"Warning: {escaped(last['text'] or '')}" if last.get("warning") else ""
    return f"{last['result'].capitalize()}: {escaped(last['text'] or '')}"


def _next(monitor: Standing) -> str:
    if monitor["paused"]:
        return "paused"
    if monitor["checking"] == "running":
        return "now"
    if monitor["checking"] == "waiting":
        return "waits"
    following = monitor["next"]
    return "-" if following is None else short(following)


def _details(monitor: Standing, now: float) -> Iterable[str]:
    """Yield the last result, and what else is unusual."""
    last, paused = monitor["last"], monitor["paused"]
    if last is None:
        yield "no check ended yet"
    else:
        yield _result(last) or "OK"
    if monitor["unknown_since"] is not None:
        yield f"unknown since {clock(monitor['unknown_since'], now)}"
    if monitor["attempts"]:
        yield _recovery(monitor)
    if paused and monitor["state"] != "NORMAL":
        yield monitor["state"]
    if paused:
        until = paused["until"]
        yield "paused" if until is None else f"paused until {clock(until, now)}"
        if paused["reason"]:
            yield escaped(paused["reason"])
    elif monitor["next"] is None and monitor["checking"] in _IDLE and monitor["state"] != "ERROR":
        yield escaped(monitor["next_text"] or "")


_IDLE = ("idle", "dying")


def _recovery(monitor: Standing) -> str:
    attempts, most = monitor["attempts"], monitor["max_recoveries"]
    text = f"recovery {attempts}{f' of {most}' if most else ''}"
    left = most is None or attempts < most
    if monitor["backoff"] is not None and left:
        wait = length(monitor["backoff"])
        return f"{text} has not helped so far; the next in {wait} at the earliest"
    if monitor["spent"] or monitor["backoff"] is not None:
        return f"{text} did not help; none {'was' if monitor['spent'] and left else 'is'} left"
    return text


def _print(rows: Sequence[Sequence[Cell]]) -> None:
    if output.is_terminal() and len(rows) <= _DRAWN:
        from heat.ctl.tables import show

        show(HEAD, rows)
    else:
        output.write_lines(output.aligned(HEAD, rows, colour=output.is_coloured()))
