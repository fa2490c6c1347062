"""The command ``heatctl diagram``."""

USAGE = """heatctl diagram: the machine of a monitor, drawn from the table that runs.

Usage:
  heatctl diagram [options] [NAME]
  heatctl diagram -h | --help

With NAME, heatctl asks the running HEAT, lights the state of that monitor, and
notes its name, since when it has been there, and why. Without NAME no HEAT
needs to run.

Options:
  --part PART        draw this: stage, check, fail, pause or overview (default:
                     stage, the course from NORMAL to ERROR and back)
  --format FORMAT    mermaid, dot, svg or png; SVG and PNG need Graphviz
                     (default: by the name of FILE, or else mermaid)
  --highlight STATE  light this state: NORMAL, FAILING, RECOVERING or ERROR
  -o, --output FILE  write it to FILE (default: print it)
  --control PATH     the socket of HEAT (default: /run/heat/heat.sock as root,
                     $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help         print this

Exit status: 0 drawn; 2 bad usage, or it cannot be drawn or written; 3 no HEAT
answers.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from heat.app.cli import refuse, write
from heat.config.command_line import Grammar, read
from heat.config.durations import length
from heat.config.options import read_values
from heat.config.readers import one_of, path
from heat.config.schema import Option
from heat.control import answers
from heat.control.answers import Why
from heat.control.client import connect
from heat.ctl import output
from heat.ctl.errors import EXIT_USAGE, EXIT_WELL
from heat.ctl.times import clock
from heat.diagnostics import BadValueError, Diagnostic, of_option, shown
from heat.text import escaped
from states.__main__ import FORMS, SUFFIXES, lacking, render
from states.engine.diagram import Picture
from states.monitor.drawing import PICTURES, present
from states.monitor.model import State

COMMAND = "heatctl diagram"
_PART = "stage"
_LIT = ("stage", "overview", "pause")
"""Parts of which HEAT tells in which state a monitor is; the first two know the four states."""

Ask = Callable[[str], Why]
"""Asks why the monitor of this name is as it is. Raises CtlError where nobody can tell."""


def state(text: str) -> State:
    """A state, in whatever case."""
    try:
        return State(text.upper())
    except ValueError:
        raise BadValueError("is no state", f"write one of {', '.join(State)}") from None


OPTIONS = (
    Option("--part", "PART", one_of(*PICTURES)),
    Option("--format", "FORMAT", one_of(*FORMS)),
    Option("--highlight", "STATE", state),
    Option("--output", "FILE", path, "-o"),
    Option("--control", "PATH", path),
    Option("--help", "", None, "-h"),
)


def asker(control: str | None) -> Ask:
    """Get a function that asks the HEAT at this socket."""

    def ask(name: str) -> Why:
        with connect(control) as client:
            return answers.why(client.last("why", {"name": name}))

    return ask


def main(words: Sequence[str], ask: Ask | None = None) -> int:
    """Draw as these words say; ``ask`` tells what is lit. The exit status is returned.

    Raises CtlError where HEAT is asked and does not tell.
    """
    line = read(Grammar(COMMAND, USAGE), words)
    if "--help" in line.flags:
        output.write(USAGE)
        return EXIT_WELL
    values, diagnostics = read_values(line.values, OPTIONS)
    diagnostics = [*line.diagnostics, *diagnostics, *_at_odds(line.operands, line.values, values)]
    if diagnostics:
        return refuse([str(diagnostic) for diagnostic in diagnostics], COMMAND)
    part: str = values.get("--part", _PART)
    picture, lit = PICTURES[part], values.get("--highlight")
    if line.operands:
        picture = _lit(part, (ask or asker(values.get("--control")))(line.operands[0]))
    elif lit is not None:
        picture = picture.light(present(part, lit) or [])
    return _draw(_form(values), picture, values.get("--output"))


def _at_odds(
    names: Sequence[str], given: Mapping[str, str], values: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    """Find words that are right each for itself, and not together."""
    if names and "--highlight" in given:
        hint = "leave out one of them"
        yield of_option(
            "--highlight", shown(given["--highlight"]), "cannot stand beside NAME", hint
        )
    part = values.get("--part", _PART)
    lights = "NAME" if names else "--highlight" if "--highlight" in given else None
    if lights and part not in (_LIT if names else _LIT[:2]):
        why = f"cannot stand beside {lights}: nothing tells which of its states to light"
        hint = f"leave out {lights}, or draw {' or '.join(_LIT if names else _LIT[:2])}"
        yield of_option("--part", shown(given["--part"]), why, hint)


def _lit(part: str, why: Why) -> Picture:
    """The part with the states lit in which a monitor is, and what is to be said of it."""
    paused = why["paused"] is not None
    return PICTURES[part].light(
        present(part, why["state"], why["remedy"], paused=paused) or [], tuple(_notes(why))
    )


def _notes(why: Why) -> Iterator[str]:
    """Name, time and reason, for somebody who sees nothing but the picture."""
    now, paused, changed = why["now"], why["paused"], why["changed"]
    since = f"since {clock(why['since'], now)} ({length(now - why['since'])} ago)"
    yield f"{escaped(why['name'])} is {why['state']}, {since}"
    if changed is not None and changed["reason"]:
        yield escaped(changed["reason"])
    if paused is not None:
        until = "it is resumed" if paused["until"] is None else clock(paused["until"], now)
        reason = f": {escaped(paused['reason'])}" if paused["reason"] else ""
        yield f"paused since {clock(paused['since'], now)}, until {until}{reason}"


def _form(values: Mapping[str, Any]) -> str:
    """The format by --format, or else by the name of the file."""
    suffix = os.path.splitext(values.get("--output", ""))[1].removeprefix(".")
    by_name = {name: form for form, name in SUFFIXES.items()}
    form: str = values.get("--format") or by_name.get(suffix, "mermaid")
    return form


def _draw(form: str, picture: Picture, file: str | None) -> int:
    if file is None and form == "png" and os.isatty(1):
        hint = "write it into a file: -o heat.png"
        diagnostic = of_option("--format", "'png'", "is nothing for a terminal", hint)
        return refuse([str(diagnostic)], COMMAND)
    if lack := lacking(form):
        write(2, f"Error: {lack}\n")
        return EXIT_USAGE
    try:
        drawn = render(form, picture)
    except (OSError, subprocess.CalledProcessError) as error:
        write(2, f"Error: Graphviz has not drawn it: {error}\n")
        return EXIT_USAGE
    if file is None:
        output.write_bytes(drawn)
        return EXIT_WELL
    try:
        with open(file, "wb") as there:
            there.write(drawn)
    except OSError as error:
        why = f"cannot be written: {str(error.strerror).lower()}"
        hint = "name a file in a folder that you may write to"
        write(2, f"{of_option('--output', shown(file), why, hint)}\n")
        return EXIT_USAGE
    return EXIT_WELL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
