"""The command ``heatctl top``."""

USAGE = """heatctl top: the table of 'heatctl status', live, the worst first.

Usage:
  heatctl top [--control PATH]

Options:
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

The table is redrawn every second, with as many monitors as fit; q or Ctrl-C
quits. While no HEAT answers, top says so and tries again every second.

Exit status: that of 'heatctl status' for what it showed last; 2 stdin or stdout
is not a terminal, or the terminal can only print (TERM=dumb).
"""

import contextlib
import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import NamedTuple

from heat.control.answers import Standing
from heat.control.client import connect
from heat.control.protocol import RequestError
from heat.ctl import output
from heat.ctl.commands.status import ask_briefly, exit_status, row, summary, troubles, worst_first
from heat.ctl.errors import EXIT_NO_ANSWER, EXIT_WELL
from heat.ctl.output import Cell
from heat.ctl.parser import parse
from heat.ctl.times import clock
from heat.diagnostics import Diagnostic
from heat.errors import CommandError
from heat.text import escaped

_BEAT = 1.0
_PATIENCE = 5.0
_PLAIN = ("dumb", "unknown")
_ONCE = "use 'heatctl status', which prints the same once"
_AROUND = 4
"""The lines around the monitors: two above, the head, and one below."""


class Shown(NamedTuple):
    """The screen: a title, lines of trouble, rows, and the number of further rows."""

    title: str
    troubles: Sequence[str]
    rows: Sequence[tuple[Cell, ...]]
    more: str


def main(words: Sequence[str]) -> int:
    """Show how the monitors stand until q or Ctrl-C; return the exit status."""
    request = parse(USAGE, words)
    if request is None:
        return EXIT_WELL
    if not (sys.stdin.isatty() and output.is_terminal()):
        line = "Error: 'heatctl top' needs a terminal to draw on"
        raise CommandError(Diagnostic(line, _ONCE))
    if (kind := os.environ.get("TERM", "")) in _PLAIN:
        line = f"Error: 'heatctl top' cannot draw on a terminal that only prints: TERM is {kind}"
        raise CommandError(Diagnostic(line, f"set TERM to the terminal's type, or {_ONCE}"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    view = View(lambda: _fresh(request.control))
    with _keys() as pressed, contextlib.suppress(KeyboardInterrupt):
        _draw(view, pressed)
    return view.status


def _fresh(control: str | None) -> tuple[list[Standing], list[str]]:
    """Return the monitors as they stand, and what does not work in HEAT itself."""
    with connect(control, _PATIENCE) as client:
        return list(ask_briefly(client)), troubles(client)


class View:
    """The view from beat to beat; it keeps the last answer while HEAT is away."""

    def __init__(self, fresh: Callable[[], tuple[list[Standing], list[str]]]) -> None:
        self._fresh = fresh
        self._monitors: list[Standing] = []
        self._answered: float | None = None
        self.status = EXIT_NO_ANSWER

    def look(self, now: float, height: int) -> Shown:
        """Return a screen of this height."""
        troubled: Sequence[str]
        try:
            monitors, troubled = self._fresh()
        except RequestError as error:
            self.status = error.status
            troubled = list(_away(error, self._answered, now))
        else:
            self._monitors, self._answered = worst_first(monitors), now
            self.status = exit_status(monitors)
            troubled = [escaped(text) for text in troubled]
        room = max(1, height - _AROUND - len(troubled))
        rows = [row(each, now) for each in self._monitors[:room]]
        left = len(self._monitors) - len(rows)
        title = f"{clock(now, now)}  {summary(self._monitors)}"
        if not self._monitors and self._answered is None:
            title = f"{clock(now, now)}  no monitors yet"
        return Shown(title, troubled, rows, f"and {left} more" if left else "")


def _away(error: CommandError, answered: float | None, now: float) -> Iterator[str]:
    line = "HEAT does not answer"
    if answered is not None:
        line = f"HEAT has not answered since {clock(answered, now)} (shown below)"
    yield f"{line}; trying again every second"
    yield error.diagnostics[0].message


def _draw(view: View, pressed: Callable[[float], bool]) -> None:
    from heat.ctl.tables import live

    with live() as show:
        end = time.monotonic()
        while True:
            show(lambda height: view.look(time.time(), height))
            end = max(end + _BEAT, time.monotonic())
            if pressed(end):
                return


@contextlib.contextmanager
def _keys() -> Generator[Callable[[float], bool]]:
    """Read single keys, and restore the terminal at the end; yield whether q came by a moment."""
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd, termios.TCSADRAIN)
        yield lambda end: any(key in b"qQ\x03\x04" for key in _pressed(fd, end))
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _pressed(fd: int, end: float) -> Iterator[int]:
    """Yield the keys pressed until the moment ``end``; q if the terminal is gone."""
    left = max(0.0, end - time.monotonic())
    # At least one look: if drawing takes longer than a beat, no time is left to wait.
    while select.select([fd], [], [], left)[0]:
        yield from os.read(fd, 64) or b"q"
        left = max(0.0, end - time.monotonic())
