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
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from heat.config.command_line import Grammar, Words, read
from heat.config.durations import length
from heat.config.options import read_values
from heat.config.readers import one_of, path
from heat.config.schema import Option
from heat.control import answers
from heat.control.answers import Why
from heat.control.client import connect
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL, UsageError
from heat.ctl.times import clock
from heat.diagnostics import BadValueError, Diagnostic, of_option, shown
from heat.errors import CommandError
from heat.text import escaped
from states.__main__ import FORMS, SUFFIXES, lacking, render
from states.engine.diagram import Picture
from states.monitor.drawing import PICTURES, present
from states.monitor.model import State

COMMAND = "heatctl diagram"
_PART = "stage"
_LIT = ("stage", "overview", "pause")
"""Parts that can light the state of a monitor; the first two have the four states."""


def state(text: str) -> State:
    """Return a state by its name, in any case. Raises BadValueError."""
    try:
        return State(text.upper())
    except ValueError:
        raise BadValueError("is not a state", f"write one of {', '.join(State)}") from None


OPTIONS = (
    Option("--part", "PART", one_of(*PICTURES)),
    Option("--format", "FORMAT", one_of(*FORMS)),
    Option("--highlight", "STATE", state),
    Option("--output", "FILE", path, "-o"),
    Option("--control", "PATH", path),
    Option("--help", "", None, "-h"),
)


def main(words: Sequence[str]) -> int:
    """Draw as these words say; return the exit status."""
    line = read(Grammar(COMMAND, USAGE), words)
    if "--help" in line.flags:
        output.write(USAGE)
        return EXIT_WELL
    values, diagnostics = read_values(line.values, OPTIONS)
    diagnostics = [*line.diagnostics, *diagnostics, *_conflicts(line, values)]
    if diagnostics:
        raise UsageError(COMMAND, *diagnostics)
    part: str = values.get("--part", _PART)
    picture, lit = PICTURES[part], values.get("--highlight")
    if line.operands:
        picture = _lit(part, _ask(line.operands[0], values.get("--control")))
    elif lit is not None:
        picture = picture.light(present(part, lit) or [])
    _write(_drawn(_form(values), picture, values.get("--output")), values.get("--output"))
    return EXIT_WELL


def _ask(name: str, control: str | None) -> Why:
    with connect(control) as client:
        return answers.why(client.last("why", {"name": name}))


def _conflicts(line: Words, values: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield what is right by itself, but not together."""
    options, names = line.values, line.operands
    if names and "--highlight" in options:
        highlight = shown(options["--highlight"])
        yield of_option("--highlight", highlight, "does not go with NAME", "leave out one of them")
    lights = "NAME" if names else "--highlight" if "--highlight" in options else None
    parts = _LIT if names else _LIT[:2]
    if lights and values.get("--part", _PART) not in parts:
        complaint = f"does not go with {lights}: which of its states to light is unknown"
        hint = f"leave out {lights}, or draw {' or '.join(parts)}"
        yield of_option("--part", shown(options["--part"]), complaint, hint)


def _lit(part: str, why: Why) -> Picture:
    """Return a part with the states of a monitor lit, and with notes."""
    paused = why["paused"] is not None
    return PICTURES[part].light(
        present(part, why["state"], why["remedy"], paused=paused) or [], tuple(_notes(why))
    )


def _notes(why: Why) -> Iterator[str]:
    """Yield name, time and reason, for somebody who has only the picture."""
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
    """Return the format, by --format or else by the name of the file."""
    suffix = os.path.splitext(values.get("--output", ""))[1].removeprefix(".")
    by_name = {name: form for form, name in SUFFIXES.items()}
    form: str = values.get("--format") or by_name.get(suffix, "mermaid")
    return form


def _drawn(form: str, picture: Picture, file: str | None) -> bytes:
    if file is None and form == "png" and os.isatty(1):
        hint = "write it to a file: -o heat.png"
        raise UsageError(COMMAND, of_option("--format", "'png'", "does not suit a terminal", hint))
    if lack := lacking(form):
        raise CommandError(Diagnostic(f"Error: {lack}"))
    try:
        return render(form, picture)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CommandError(Diagnostic(f"Error: Graphviz failed to draw it: {error}")) from None


def _write(drawn: bytes, file: str | None) -> None:
    if file is None:
        output.write_bytes(drawn)
        return
    try:
        with open(file, "wb") as there:
            there.write(drawn)
    except OSError as error:
        complaint = f"cannot be written: {str(error.strerror).lower()}"
        hint = "name a file in a folder that you may write to"
        raise CommandError(of_option("--output", shown(file), complaint, hint)) from None
