"""Tables on a terminal, drawn by `rich`, which is loaded only if a person looks on."""

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
"""Columns that a narrow terminal cuts, and their least widths."""
_NARROWEST = 12
_LEFT_OUT = ("SINCE", "AGE", "NEXT", "FAILURES", "LAST LINE")
"""Columns that a narrow terminal leaves out, in this order."""
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
    """Return a table of this width, with one line per row.

    What does not fit is cut, the last column first; if that is not enough, columns are left out.
    """
    natural = {title: _widest(title, place, rows) for place, title in enumerate(head)}
    if not any(row[-1][0] for row in rows) and len(natural) > 1:
        natural.popitem()  # No check has printed a line.
    widths = _fitted(natural, width)
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


def _fitted(natural: Mapping[str, int], width: int) -> dict[str, int]:
    """Return the columns that fit, with their widths; the first ones get their natural width."""
    widths = {title: min(wide, _LEAST.get(title, wide)) for title, wide in natural.items()}
    left = list(_LEFT_OUT)
    while left and _together(widths) > width:
        widths.pop(left.pop(0), None)
    for title, wide in widths.items():
        room = max(0, width - _together(widths))
        widths[title] = min(natural[title], wide + room)
    last = next(reversed(widths))
    widths[last] = max(_NARROWEST, widths[last] + width - _together(widths))
    return widths


def _together(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def console() -> Console:
    """Return the terminal, in colour if it shows colours and the user wants them."""
    return Console(no_color=not output.is_coloured(), highlight=False)


def show(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Draw a table on stdout."""
    there = console()
    there.print(table(head, rows, there.width))


@contextmanager
def live() -> Generator[Callable[[Callable[[int], "Shown"]], None]]:
    """Open a full screen; yield a function that draws on it what fits its height."""
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
