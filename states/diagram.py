"""The machine drawn from its table: Mermaid and DOT, made of the rows the program runs on.

A change of state is an arrow: the event, the guards in brackets, the effects behind a slash.
What happens within a state stands in its box. Rows that only keep the books, or receive what
comes too late, are left out; so are those of a pause, in which nothing happens, and what is
done by hand within a state.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from html import escape
from itertools import takewhile

from states.model import Event, State
from states.table import BY_HAND, ON_ENTER, ON_EXIT, WATCH, Row

COLOURS = {
    State.NORMAL: ("#d7f0dc", "#1f7a3a"),
    State.FAILING: ("#fdf0c8", "#9a6b00"),
    State.RECOVERING: ("#d6e6fb", "#1f55a5"),
    State.ERROR: ("#f9d5d3", "#a8201a"),
}
"""Fill and line of each state's box."""
_UNLIT = "#ffffff"
"""Fill of the others, where one is lit."""

_WIDTH = 44
_DRAWN = WATCH + BY_HAND


def _words(name: str) -> str:
    """``CheckFailed`` and ``check_failed`` as ``check failed``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()


def _effects(actions: tuple[Callable[..., None], ...]) -> str:
    return ", ".join(_words(a.__name__) for a in actions if not a.__name__.startswith("note"))


def _label(row: Row, state: State) -> str:
    """``event [guards] / effects``; where there are no effects, what is noted."""
    guards = " and ".join(_words(guard.__name__) for guard in row.guards)
    earlier = takewhile(lambda other: other is not row, _rows(row.event, state))
    if not guards and any(earlier):
        guards = "otherwise"
    effects = _effects(row.actions)
    if not effects and row.to is None:
        effects = ", ".join(_words(action.__name__) for action in row.actions)
    return (
        _words(row.event.__name__)
        + (f" [{guards}]" if guards else "")
        + (f" / {effects}" if effects else "")
    )


def _rows(event: type[Event], state: State) -> Iterator[Row]:
    return (row for row in _DRAWN if row.event is event and state in row.sources)


def _arrows() -> dict[tuple[State, State], list[str]]:
    """The changes of state, and what makes them."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in _DRAWN:
        if row.to is not None:
            for source in row.sources:
                arrows.setdefault((source, row.to), []).append(_label(row, source))
    return arrows


def _within(state: State) -> Iterator[str]:
    """The deeds of a state on its entry, its exit, and at events that do not leave it."""
    for name, actions in (("enter", ON_ENTER[state]), ("exit", ON_EXIT[state])):
        if effects := _effects(actions):
            yield f"{name} / {effects}"
    for row in WATCH:
        tells = _effects(row.actions) or (row.guards and row.actions)
        if row.to is None and state in row.sources and tells:
            yield _label(row, state)


def _look(state: State, lit: State | None) -> tuple[str, str, int]:
    """Fill, line and its width: of them all the same, or of one that stands out."""
    fill, line = COLOURS[state]
    if lit is None:
        return fill, line, 1
    return (fill, line, 4) if state is lit else (_UNLIT, line, 1)


def mermaid(lit: State | None = None) -> str:
    """A Mermaid state diagram; ``lit`` is drawn as the present state."""
    lines = ["stateDiagram-v2", "    direction LR", "    [*] --> NORMAL"]
    for (source, to), labels in _arrows().items():
        text = "<br/>".join(_plain(label) for label in labels)
        lines.append(f"    {source.value} --> {to.value} : {text}")
    lines.append("    ERROR --> [*]")
    for state in State:
        lines.extend(
            f"    {state.value} : {_plain(text)}" for text in [state.value, *_within(state)]
        )
    for state in State:
        fill, line, width = _look(state, lit)
        lines.append(
            f"    classDef {state.value.lower()} fill:{fill},stroke:{line},"
            f"color:#1b1b1b,stroke-width:{width}px"
        )
        lines.append(f"    class {state.value} {state.value.lower()}")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Mermaid takes a colon and a semicolon for its own."""
    return text.replace(":", "#58;").replace(";", "#59;")


def dot(lit: State | None = None) -> str:
    """A Graphviz digraph; ``lit`` is drawn as the present state."""
    lines = [
        "digraph heat {",
        '    graph [rankdir=TB, nodesep=0.7, ranksep=0.6, fontname="Helvetica", bgcolor=white,',
        "           splines=spline, forcelabels=true, pad=0.3, dpi=110];",
        '    node [shape=plain, fontname="Helvetica", fontsize=11];',
        '    edge [fontname="Helvetica", fontsize=10, color="#555555", arrowsize=0.8];',
        '    start [shape=circle, style=filled, fillcolor="#333333", label="", width=0.18];',
    ]
    lines += [f"    {state.value} [label=<{_box(state, lit)}>];" for state in State]
    lines.append("    start -> NORMAL;")
    for (source, to), labels in _arrows().items():
        rows = "".join(f"<tr><td align='left'>{_folded(label)}</td></tr>" for label in labels)
        colour = COLOURS[to][1]
        lines.append(
            f'    {source.value} -> {to.value} [color="{colour}", fontcolor="{colour}", '
            f"label=<<table border='0' cellspacing='0' cellpadding='2'>{rows}</table>>];"
        )
    lines.append("}")
    return "\n".join(lines) + "\n"


def _box(state: State, lit: State | None) -> str:
    fill, line, border = _look(state, lit)
    terminal = " (terminal)" if state is State.ERROR else ""
    rows = [f"<tr><td><font point-size='16'><b>{state.value}</b>{terminal}</font></td></tr>"]
    rows += [f"<tr><td align='left'>{_folded(text)}</td></tr>" for text in _within(state)]
    inner = (
        f"<table border='{border}' color='{line}' bgcolor='{fill}' style='rounded' "
        f"cellborder='0' cellspacing='0' cellpadding='3'>{''.join(rows)}</table>"
    )
    if state is not State.ERROR:
        return inner
    return (
        f"<table border='2' color='{line}' style='rounded' cellborder='0' cellpadding='3'>"
        f"<tr><td>{inner}</td></tr></table>"
    )


def _folded(text: str) -> str:
    """Lines of a bearable width; the event stands out, as all before guard and effects."""
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > _WIDTH and lines[-1].strip():
            lines.append("   ")
        lines[-1] += (" " if lines[-1].strip() else "") + word
    event = re.split(r" [\[/]", lines[0])[0]
    marked = [escape(line) for line in lines]
    marked[0] = f"<b>{escape(event)}</b>" + escape(lines[0][len(event) :])
    return "<br align='left'/>".join([*marked, ""])


def digest() -> str:
    """The mark of a picture made of this table."""
    return hashlib.sha256(dot().encode()).hexdigest()[:16]
