"""The command ``heatctl diagram``."""

USAGE = """heatctl diagram: the machine of a monitor, drawn from the table that runs.

Usage:
  heatctl diagram [options] [NAME]
  heatctl diagram -h | --help

With NAME the present state of that monitor is lit; a running HEAT is asked
for it. Without one nothing but the table is looked at.

Options:
  --format FORMAT    mermaid, dot, svg or png; SVG and PNG need Graphviz
                     (default: that of FILE's name, else mermaid)
  --highlight STATE  light this one: NORMAL, FAILING, RECOVERING or ERROR
  -o, --output FILE  write it into FILE (default: print it)
  --control PATH     the socket of HEAT (default: /run/heat/heat.sock as root,
                     $XDG_RUNTIME_DIR/heat.sock else)
  -h, --help         print this

Exit status: 0 drawn; 2 bad usage, or it cannot be drawn or written; 3 no HEAT
answers.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from heat.arguments import Grammar, take_apart
from heat.cli import refuse, write
from heat.ctl import output
from heat.ctl.client import connect
from heat.ctl.errors import EXIT_NO_ANSWER, EXIT_USAGE, EXIT_WELL, CtlError
from heat.ctl.status import ask
from heat.errors import HeatError
from heat.mistakes import BadValueError, Mistake, of_option, shown
from heat.options import Option, one_of, parsed, path
from heat.text import escaped
from states.__main__ import FORMS, SUFFIXES, lacking, render
from states.monitor.model import State

COMMAND = "heatctl diagram"

StateOf = Callable[[str], State]
"""The present state of the monitor of this name. Raises HeatError where nobody can tell."""


def state(text: str) -> State:
    """A state, in whatever case."""
    try:
        return State(text.upper())
    except ValueError:
        raise BadValueError("is no state", f"write one of {', '.join(State)}") from None


OPTIONS = (
    Option("--format", "FORMAT", one_of(*FORMS)),
    Option("--highlight", "STATE", state),
    Option("--output", "FILE", path, "-o"),
    Option("--control", "PATH", path),
    Option("--help", "", None, "-h"),
)
_GRAMMAR = Grammar(
    USAGE.replace(COMMAND, "heatctl-diagram"), OPTIONS, COMMAND, COMMAND, options_first=False
)


def told_by(control: str | None) -> StateOf:
    """A function that asks the HEAT at this socket. Raises CtlError."""

    def state_of(name: str) -> State:
        with connect(control) as client:
            (monitor,) = ask(client, [name])
        return State(monitor["state"])

    return state_of


def main(words: Sequence[str], state_of: StateOf | None = None) -> int:
    """Draw as these words say; ``state_of`` tells what is lit. The exit status is returned.

    Raises CtlError where HEAT is asked and does not tell.
    """
    taken = take_apart(_GRAMMAR, words)
    if "--help" in taken.flags:
        output.write(USAGE)
        return EXIT_WELL
    values, mistakes = parsed(taken.given, OPTIONS)
    mistakes = [*taken.mistakes, *mistakes]
    lit: State | None = values.get("--highlight")
    if len(taken.command) > 1:
        line = f"Error: '{escaped(taken.command[1])}' is a second NAME"
        mistakes.append(Mistake(line, "draw one monitor at a time"))
    elif taken.command and "--highlight" in taken.given:
        given = shown(taken.given["--highlight"])
        fix = "leave out one of them"
        mistakes.append(of_option("--highlight", given, "cannot stand beside NAME", fix))
    if mistakes:
        return refuse([str(mistake) for mistake in mistakes], COMMAND)
    if taken.command:
        try:
            lit = (state_of or told_by(values.get("--control")))(taken.command[0])
        except CtlError:
            raise
        except HeatError as error:
            write(2, f"Error: {error}\n")
            return EXIT_NO_ANSWER
    return _draw(_form(values), lit, values.get("--output"))


def _form(values: Mapping[str, Any]) -> str:
    """The format by --format, or else by the name of the file."""
    suffix = os.path.splitext(values.get("--output", ""))[1].removeprefix(".")
    by_name = {name: form for form, name in SUFFIXES.items()}
    form: str = values.get("--format") or by_name.get(suffix, "mermaid")
    return form


def _draw(form: str, lit: State | None, file: str | None) -> int:
    if file is None and form == "png" and os.isatty(1):
        fix = "write it into a file: -o heat.png"
        mistake = of_option("--format", "'png'", "is nothing for a terminal", fix)
        return refuse([str(mistake)], COMMAND)
    if lack := lacking(form):
        write(2, f"Error: {lack}\n")
        return EXIT_USAGE
    try:
        picture = render(form, lit)
    except (OSError, subprocess.CalledProcessError) as error:
        write(2, f"Error: Graphviz has not drawn it: {error}\n")
        return EXIT_USAGE
    if file is None:
        output.write_bytes(picture)
        return EXIT_WELL
    try:
        with open(file, "wb") as there:
            there.write(picture)
    except OSError as error:
        why = f"cannot be written: {str(error.strerror).lower()}"
        fix = "name a file in a folder that you may write to"
        write(2, f"{of_option('--output', shown(file), why, fix)}\n")
        return EXIT_USAGE
    return EXIT_WELL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
