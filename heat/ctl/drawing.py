"""Tables on a terminal, drawn by `rich`: loaded only where somebody looks on."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from heat.ctl import output
from heat.ctl.output import Cell

_GAP = 2
_LEAST = 12
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
    """A table of one line a row, so wide; what does not fit is cut in the first and last column."""
    widths = [
        max(len(title), *(cell_len(row[place].text) for row in rows), 0)
        for place, title in enumerate(head)
    ]
    gaps = _GAP * (len(head) - 1)
    widths[-1] = max(_LEAST, width - gaps - sum(widths[:-1]))
    widths[0] = min(widths[0], max(_LEAST, width - gaps - sum(widths[1:])))
    drawn = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for title, wide in zip(head, widths, strict=True):
        drawn.add_column(title, no_wrap=True, overflow="ellipsis", width=wide)
    for row in rows:
        drawn.add_row(*(Text(cell.text, _STYLES[cell.paint]) for cell in row))
    return drawn


def console() -> Console:
    """The terminal, with colours if it has any and they are wanted."""
    return Console(no_color=not output.is_coloured(), highlight=False)


def show(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Draw a table on stdout."""
    there = console()
    there.print(table(head, rows, there.width))
