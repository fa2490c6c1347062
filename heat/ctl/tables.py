"""Tables on a terminal, drawn by `rich`: loaded only where somebody looks on."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from heat.ctl import output
from heat.ctl.commands.status import HEAD
from heat.ctl.output import Cell

if TYPE_CHECKING:
    from heat.ctl.commands.top import Shown

_GAP = 2
_LEAST = {"NAME": 12, "LAST RESULT": 22, "LAST LINE": 20}
"""Columns that are cut on a narrow terminal, and how wide they are at least."""
_NARROWEST = 12
_LEFT_OUT = ("SINCE", "AGE", "NEXT", "FAILURES", "LAST LINE")
"""Columns that a narrow terminal goes without, these first."""
_STYLES = {
    "32": "green",
    "33": "yellow",
    "34": "blue",
    "31": "bold red",
    output.FAINT: "dim",
    output.STRONG: "bold",
    "": "",
}


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> Table:
    """A table of one line a row, so wide: what does not fit is cut, the last column first.

    Where that is not enough, columns are left out.
    """
    wanted = {title: _widest(title, place, rows) for place, title in enumerate(head)}
    if not any(row[-1][0] for row in rows) and len(wanted) > 1:
        wanted.popitem()  # Nothing has printed a line.
    widths = _fitted(wanted, width)
    drawn = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for title, wide in widths.items():
        drawn.add_column(title, no_wrap=True, overflow="ellipsis", width=wide)
    shown = [place for place, title in enumerate(head) if title in widths]
    for row in rows:
        cells = (row[place] for place in shown)
        drawn.add_row(*(Text(text, _STYLES[paint]) for text, paint in cells))
    return drawn


def _widest(title: str, place: int, rows: Sequence[Sequence[Cell]]) -> int:
    least = _NARROWEST if title == "LAST RESULT" else 0
    return max(len(title), least, *(cell_len(row[place][0]) for row in rows), 0)


def _fitted(wanted: Mapping[str, int], width: int) -> dict[str, int]:
    """The columns that have room, and how wide they are; the first ones get what they want."""
    widths = {title: min(wide, _LEAST.get(title, wide)) for title, wide in wanted.items()}
    left = list(_LEFT_OUT)
    while left and _together(widths) > width:
        widths.pop(left.pop(0), None)
    for title, wide in widths.items():
        room = max(0, width - _together(widths))
        widths[title] = min(wanted[title], wide + room)
    last = next(reversed(widths))
    widths[last] = max(_NARROWEST, widths[last] + width - _together(widths))
    return widths


def _together(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def console() -> Console:
    """The terminal, with colours if it has any and they are wanted."""
    return Console(no_color=not output.is_coloured(), highlight=False)


def show(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Draw a table on stdout."""
    there = console()
    there.print(table(head, rows, there.width))


@contextmanager
def live() -> Generator[Callable[[Callable[[int], "Shown"]], None]]:
    """A screen of its own; yields what draws it anew, given what to show in so many lines."""
    there = console()
    with Live(console=there, screen=True, auto_refresh=False) as screen:

        def show(made: Callable[[int], "Shown"]) -> None:
            shown = made(there.height)
            screen.update(_whole(shown, there.width), refresh=True)

        yield show


def _whole(shown: "Shown", width: int) -> Group:
    parts: list[RenderableType] = [_line(shown.title, "bold")]
    parts += (_line(text, "bold red") for text in shown.troubles)
    parts.append(Text(""))
    parts.append(table(HEAD, shown.rows, width))
    if shown.more:
        parts.append(_line(shown.more, "dim"))
    return Group(*parts)


def _line(text: str, style: str) -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
