"""A rehearsal as text: one line an event, then what it comes to; or the same as JSON."""

import json
from collections.abc import Callable, Iterator, Sequence
from shlex import quote
from textwrap import wrap

from heat.diagnostics import Diagnostic
from heat.rehearsal.play import Played
from heat.rehearsal.summary import account, sentences
from heat.rehearsal.timeline import Entry
from heat.report.console import YELLOW
from heat.report.wording import COLOURS
from heat.text import seconds

Paint = Callable[[str, str], str]
"""Colours a text."""
_WIDTH = 10
"""The length of the longest state."""
_ENV_WIDTH = 78
_DIM = "2"


def lines(played: Played, advice: list[Diagnostic], *, colour: bool = False) -> Iterator[str]:
    """Yield the timeline for a person, ``colour`` as in the diagram."""
    paint = _paint if colour else _plain
    yield from entry_lines(played.entries, paint)
    yield ""
    yield from sentences(played)
    for each in advice:
        yield ""
        first, *rest = str(each).splitlines()
        yield paint(first, YELLOW)
        yield from rest


def entry_lines(entries: Sequence[Entry], paint: Paint | None = None) -> Iterator[str]:
    """Yield the lines of the timeline."""
    paint = paint or _plain
    width = max((len(_moment(entry.at)) for entry in entries), default=0)
    for entry in entries:
        if entry.kind == "state" and "before" in entry.about:
            continue  # The column of states shows it.
        state = paint(f"{entry.state.value:{_WIDTH}}", COLOURS[entry.state])
        yield f"{_moment(entry.at):>{width}} s  {state}  {entry.text}"
        if entry.env:
            indent = " " * (width + _WIDTH + 6)
            variables = " ".join(f"{name}={quote(text)}" for name, text in entry.env.items())
            for line in wrap(variables, _ENV_WIDTH, break_long_words=False, break_on_hyphens=False):
                yield f"{indent}{paint(line, _DIM)}"


def as_json(played: Played, advice: list[Diagnostic]) -> Iterator[str]:
    """Yield one object an event, and a last one that sums up."""
    for entry in played.entries:
        yield json.dumps(_object(entry))
    total = account(played)
    outages = [
        {
            "start": outage.began,
            "end": outage.end,
            "first_remedy": None if outage.remedy is None else outage.remedy.at,
        }
        for outage in total.outages
    ]
    summary = {
        "event": "summary",
        "seconds": played.end,
        "state": played.state.value,
        "exit_code": played.exit_code,
        "checks": total.checks,
        "fail_runs": total.fails,
        "recovery_runs": total.recoveries,
        "signals": total.signals,
        "skipped_ticks": total.skipped,
        "outages": outages,
        "advice": [
            {"line": each.message.removeprefix("Advice: "), "fix": each.hint} for each in advice
        ],
    }
    yield json.dumps(summary)


def _object(entry: Entry) -> dict[str, object]:
    began = {} if entry.began is None else {"began": entry.began}
    plain = {"at": entry.at, "event": entry.kind, "state": entry.state.value}
    return {**plain, **entry.about, **began, "text": entry.text}


def _moment(at: float) -> str:
    return seconds(round(at, 3))


def _plain(text: str, colour: str) -> str:
    del colour
    return text


def _paint(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"
