"""The command ``heatctl why``."""

USAGE = """heatctl why: one monitor on one screen, and why it is as it is.

Usage:
  heatctl why [--json] [--control PATH] NAME

Options:
  --json          print the facts as one JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

It prints the state and how it got there, each number that matters with its
limit and the option that sets it, what happens next and when, and what would
change it. HEAT's own rules decide what would happen.

Exit status: 0 it is NORMAL; 1 it is not, or is paused, or its checks have had
no result for long; 2 bad usage, or there is no such monitor; 3 no HEAT answers.
"""

import shutil
from collections.abc import Iterator, Sequence

from heat.cells import wrapped
from heat.control import answers
from heat.control.client import connect
from heat.ctl import output
from heat.ctl.commands.status import exit_status
from heat.ctl.errors import EXIT_WELL
from heat.ctl.explain import Part, parts
from heat.ctl.outlook import Line
from heat.ctl.parser import parse

_NARROWEST = 40
_LEAST = 20
"""Columns that a text needs next to its label; where there are fewer, it starts a new line."""


def main(words: Sequence[str]) -> int:
    """Print the screen; return the exit status."""
    request = parse(USAGE, words)
    if request is None:
        return EXIT_WELL
    with connect(request.control) as client:
        why = answers.why(client.last("why", {"name": request.operands[0]}))
    if request.json:
        output.write_objects([why])
    else:
        width = shutil.get_terminal_size().columns if output.is_terminal() else None
        paint = output.COLOURS.get(why["state"], "") if output.is_coloured() else ""
        output.write_lines(laid_out(parts(why), width, why["state"], paint))
    return exit_status([why])


def laid_out(
    screen: Sequence[Part], width: int | None, state: str = "", paint: str = ""
) -> Iterator[str]:
    """Yield the lines of a screen, wrapped at this width; None: as long as they are."""
    first, *others = screen
    yield first.heading.replace(f" {state}", f" {output.painted(state, paint)}", 1)
    yield from _lines(first.lines, width)
    for part in others:
        yield ""
        yield output.painted(part.heading, output.STRONG if paint else "")
        yield from _lines(part.lines, width)


def _lines(lines: Sequence[Line], width: int | None) -> Iterator[str]:
    margin = max((len(line.label) for line in lines if line.label), default=0)
    for line in lines:
        label = f"  {line.label:<{margin}}  " if line.label else "  "
        if width is None or width < _NARROWEST:
            yield label + line.text
        elif len(label) + _LEAST > width:
            yield label.rstrip()
            yield from wrapped(line.text, width, "    ", "    ")
        else:
            yield from wrapped(line.text, width, label, " " * len(label))
