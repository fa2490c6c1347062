"""The timeline as an SVG: a lane each for state, checks, fail script, recovery and signals.

The tooltip of a mark says in the words of the timeline what it stands for.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from heat.cells import cells, wrapped
from heat.config.durations import exact
from heat.rehearsal import marks
from heat.rehearsal.play import Played
from heat.rehearsal.summary import sentences
from heat.rehearsal.timeline import Entry, Kind
from heat.text import seconds
from states.monitor.drawing import COLOURS
from states.monitor.model import State

_WIDTH = 1000
_LEFT, _RIGHT = 110, 24
_TAIL = 92
"""Room after the last moment for the state in which it ends, which may have begun just then."""
_NARROWEST = 3.0
_TITLE, _LINES = 22, 3
"""The distance of two lines of the title, and how many there are at most."""
_BOLD, _PLAIN = 9.4, 6.8
"""The average pixels of a cell in the title and in a sentence, in a wide font."""
_LANE = 46
_BAR = 22
_SENTENCE = 18
_STEP = 11
"""The distance of two labels at one moment."""
_APART = 30
"""The pixels within which a label makes room for the one before."""
_ROWS = 4
"""The rows for the names of signals; names close to each other take one after the other."""
_MARKS = 8
"""The most marks of the time axis."""
_ROUND = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)
_FAINT = "#8a8a8a"
_WINDOW, _OPENING = "#e9f1fc", "#b9cfee"

_FILLS = {
    "ok": COLOURS[State.NORMAL][1],
    "failed": COLOURS[State.ERROR][1],
    "timed out": "#d9730d",
    "killed": "#5b0f0b",
    "unknown": "#ffffff",
    "stopped": _FAINT,
    "": COLOURS[State.RECOVERING][1],
}
"""The colours by the result of a run; one without a result still runs at the end."""
_LANES = ("state", "checks", "fail script", "recovery", "signals")


class _Span(NamedTuple):
    """One run, of a check or a script."""

    start: float
    end: float
    result: str
    label: str
    tooltip: str


class _Scale(NamedTuple):
    """The scale from seconds to the picture."""

    end: float

    def x(self, at: float) -> float:
        """Return the place of a second."""
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT - _TAIL) * at / self.end, 2)


def draw(played: Played) -> str:
    """Draw a rehearsal."""
    scale = _Scale(max(played.end, 0.001))
    signals = _by_moment(played.entries)
    title = _title_of(played)
    top = 36 + _TITLE * len(title)
    bottom = top + _LANE * len(_LANES) + (_ROWS - 2) * _STEP
    lines = [line for each in sentences(played) for line in _fitted(each, _PLAIN)]
    height = bottom + 34 + _SENTENCE * len(lines)
    body = [
        *_frame(title, top, height),
        *_axis(scale, top, bottom),
        *_states(played, scale, top),
        *_runs(_of_checks(played), scale, top + _LANE),
        *_runs(_of_script(played, "fail"), scale, top + 2 * _LANE),
        *_windows(played, scale, top + 3 * _LANE),
        *_runs(_of_script(played, "recovery"), scale, top + 3 * _LANE),
        *_signals(signals, scale, top + 4 * _LANE),
    ]
    for number, sentence in enumerate(lines):
        body.append(marks.text(_LEFT, bottom + 38 + _SENTENCE * number, sentence, size=12))
    return "\n".join([*body, "</svg>", ""])


def _fitted(text: str, cell: float) -> list[str]:
    """Wrap a text to the width of the picture, with this many pixels a cell."""
    return wrapped(text, _cells_across(cell))


def _cells_across(cell: float) -> int:
    return int((_WIDTH - _LEFT - _RIGHT) / cell)


def _title_of(played: Played) -> list[str]:
    options = played.options
    text = f"Rehearsal of {options.name}: {options.shown}"
    every = f", every {exact(options.interval)}"
    lines = _fitted(text + every, _BOLD)
    if len(lines) > _LINES:
        # Cut the command, and not the interval.
        end = f"...{every}"
        last, *_ = wrapped(lines[_LINES - 1], _cells_across(_BOLD) - cells(end))
        lines[_LINES - 1 :] = [f"{last}{end}"]
    return lines


# The frame


def _frame(title: Sequence[str], top: int, height: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="Helvetica, Arial, sans-serif">'
    )
    yield f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    for number, line in enumerate(title):
        yield marks.text(_LEFT, 26 + _TITLE * number, line, size=15, weight="bold")
    yield from _legend(top - 22)
    for number, lane in enumerate(_LANES):
        y = top + _LANE * number
        yield marks.text(_LEFT - 14, y + _LANE / 2 + 4, lane, anchor="end", size=12)
        if number:
            yield marks.line(14, y, _WIDTH - _RIGHT, y, "#ececec")


def _legend(y: float) -> Iterator[str]:
    x = float(_LEFT)
    for result in ("ok", "failed", "timed out", "killed", "unknown"):
        yield marks.rect(x, y, 10, 10, _FILLS[result], _FAINT if result == "unknown" else "none")
        yield marks.text(x + 15, y + 9, result, size=10, fill=_FAINT)
        x += 30 + 6 * len(result)
    yield marks.rect(x, y, 10, 10, _WINDOW, _OPENING)
    yield marks.text(x + 15, y + 9, "recovery window", size=10, fill=_FAINT)


def _axis(scale: _Scale, top: float, bottom: float) -> Iterator[str]:
    at_least = scale.end / _MARKS
    step = next((each for each in (0.01, 0.1, *_ROUND) if each >= at_least), at_least)
    for number in range(int(scale.end / step) + 1):
        at = number * step
        yield marks.line(scale.x(at), top, scale.x(at), bottom, "#e4e4e4", "2 3")
        label = f"{seconds(at)} s"
        yield marks.text(scale.x(at), bottom + 15, label, anchor="middle", size=10, fill=_FAINT)


# The lanes


def _states(played: Played, scale: _Scale, y: float) -> Iterator[str]:
    changes = [(0.0, State.NORMAL)]
    changes += [
        (e.at, e.state) for e in played.entries if e.kind == "state" and "before" in e.about
    ]
    last = _WIDTH - _RIGHT
    ends = [*((at, scale.x(at)) for at, _ in changes[1:]), (played.end, last)]
    spans = [
        (max(_NARROWEST, right - scale.x(start)), start, end, state)
        for (start, state), (end, right) in zip(changes, ends, strict=True)
        if end > start or right == last
    ]
    # A short one is wider than it was: draw it after its neighbours, which would hide it.
    for width, start, end, state in sorted(spans, key=lambda span: -span[0]):
        fill, line = COLOURS[state]
        x = scale.x(start)
        tooltip = f"{state.value}, {seconds(start)} s to {seconds(end)} s"
        yield marks.rect(x, y + 8, width, _LANE - 16, fill, line, tooltip)
        if width > 7 * len(state.value) + 8:
            middle = x + width / 2
            yield marks.text(
                middle, y + _LANE / 2 + 4, state.value, anchor="middle", size=11, fill=line
            )


def _of_checks(played: Played) -> Iterator[_Span]:
    for entry in played.entries:
        if entry.kind == "check":
            result, code = str(entry.about["result"]), entry.about["code"]
            plain = "" if "warning" not in entry.about else str(code)
            label = {"ok": plain, "timed out": "time", "unknown": "?"}.get(result, str(code))
            yield _Span(entry.began or 0.0, entry.at, result, label, _words(entry))


def _of_script(played: Played, kind: Kind) -> Iterator[_Span]:
    started: Entry | None = None
    for entry in played.entries:
        if entry.kind == kind and "env" in entry.about:
            started = entry
        elif entry.kind == kind and entry.began is not None:
            started = None
            yield _Span(entry.began, entry.at, str(entry.about["result"]), "", _words(entry))
    if started is not None:
        yield _Span(started.at, played.end, "", "", _words(started))


def _runs(spans: Iterator[_Span], scale: _Scale, y: float) -> Iterator[str]:
    free = 0.0
    for span in spans:
        x = scale.x(span.start)
        width = max(4.0, scale.x(span.end) - x)
        # A run that went well has half the height, as a colour is not enough to tell it.
        height = _BAR / 2 if span.result == "ok" else _BAR
        stroke = _FAINT if span.result == "unknown" else "none"
        fill = _FILLS[span.result]
        yield marks.rect(x, y + _LANE - 6 - height, width, height, fill, stroke, span.tooltip)
        if span.label and x >= free:
            yield marks.text(x + width / 2, y + 13, span.label, anchor="middle", size=10, fill=fill)
            free = x + _APART


def _windows(played: Played, scale: _Scale, y: float) -> Iterator[str]:
    """Yield a bar from each opening to the next recovery, or to the end of the outage."""
    opened: Entry | None = None
    for entry in played.entries:
        if entry.kind == "window":
            opened = entry
        elif opened is not None and entry.kind in {"recovered", "state"}:
            yield _window(opened, entry.at, scale, y)
            opened = None
    if opened is not None:
        yield _window(opened, played.end, scale, y)


def _window(opened: Entry, end: float, scale: _Scale, y: float) -> str:
    x = scale.x(opened.at)
    return marks.rect(x, y + 5, scale.x(end) - x, _LANE - 10, _WINDOW, _OPENING, _words(opened))


def _by_moment(entries: Sequence[Entry]) -> list[tuple[float, list[Entry]]]:
    moments: dict[float, list[Entry]] = {}
    for entry in entries:
        if entry.kind == "signal":
            moments.setdefault(entry.at, []).append(entry)
    return list(moments.items())


def _signals(moments: list[tuple[float, list[Entry]]], scale: _Scale, y: float) -> Iterator[str]:
    free, row = 0.0, 0
    for at, entries in moments:
        x = scale.x(at)
        row = row if x < free else 0
        tooltip = "; ".join(_words(entry) for entry in entries)
        yield marks.arrow(x, y, tooltip)
        if row + len(entries) <= _ROWS:
            for number, entry in enumerate(entries, row):
                name = str(entry.about["signal"])
                yield marks.text(x, y + 29 + _STEP * number, name, anchor="middle", size=10)
            free, row = x + _APART, row + len(entries)


def _words(entry: Entry) -> str:
    return f"{seconds(entry.at)} s: {entry.text}"
