"""The program ``heatctl``: its text of --help, and the way to its commands."""

USAGE = """heatctl: look at a running HEAT, and steer it.

Usage:
  heatctl [--control PATH] [--json] COMMAND [ARG...]
  heatctl -h | --help
  heatctl --version

Commands that look:
  status [NAME...]     a table: state, since when, last result, next check
  why NAME             one screen: how it got there, what comes next and when,
                       what would change it
  top                  the table of 'status', live; q quits
  history [NAME]       outages, what each recovery did, share of time well

Commands that steer:
  check NAME           check now
  pause NAME           no checks and no effects, for a while or until resumed
  resume NAME          end the pause
  reset NAME           out of ERROR, or counts back to 0
  reload               read the configuration file again

Commands that need no running HEAT:
  validate FILE        all mistakes in a configuration file
  rehearse             what HEAT would do, given the results of the check
  diagram              draw the states; with NAME, light that monitor's state
  completion SHELL     scripts that complete the words in bash, zsh or fish

A separate process:
  serve                HTTP: metrics for Prometheus, health, the answers of
                       'status' and 'why'

Options of all commands that ask HEAT:
  --control PATH       its socket (default: /run/heat/heat.sock as root,
                       $XDG_RUNTIME_DIR/heat.sock otherwise)
  --json               JSON, one object per line
  -h, --help           print this; after a command, the text of that command
  --version            print the version

'heatctl COMMAND --help' says more. SECS is a number of seconds such as 30 or
0.5, or has units: 500ms, 30s, 5m, 2h, 1d, 1w, 1h30m.

Exit status: 0 all is well; 1 something is not NORMAL, or is paused; 2 bad
usage, or HEAT refuses it; 3 no HEAT answers.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol, cast

from heat import __version__
from heat.config import usage
from heat.config.command_line import Grammar, Words, read
from heat.ctl import output
from heat.ctl.errors import UsageError
from heat.diagnostics import Diagnostic
from heat.errors import CommandError
from heat.text import escaped


class Command(Protocol):
    """The shape of each module of `commands`."""

    USAGE: str

    def main(self, words: Sequence[str]) -> int:
        """Run the command with the words after it; return the exit status."""
        ...


def commands() -> list[str]:
    """Return the names of all commands; each is a module of `commands`."""
    return [
        entry.head.split()[0]
        for block in usage.blocks(USAGE)
        if block.heading.startswith(("Commands", "A separate process"))
        for entry in block.entries
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run heatctl with these words of a command line; return the exit status."""
    if argv is None:
        # As any tool in a pipe: it ends in silence when the reader is gone, and on Ctrl-C.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            _open_what_is_closed()
        except OSError as error:
            if sys.stderr is not None:
                sys.stderr.write(f"Error: /dev/null cannot be opened: {error.strerror}\n")
            return CommandError.status
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except CommandError as error:
        _print(error)
        return error.status


def _open_what_is_closed() -> None:
    """Open closed standard descriptors, which the next socket would take."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115


def _run(words: Sequence[str]) -> int:
    if words and words[0] in commands():
        return _command(words[0]).main(words[1:])
    line = read(Grammar("heatctl", USAGE, options_first=True), words)
    if "--help" in line.flags or line.operands[:1] == ["help"]:
        return _help(line.operands)
    if "--version" in line.flags:
        output.write(f"heatctl {__version__}\n")
        return 0
    if line.diagnostics:
        raise UsageError("heatctl", *line.diagnostics)
    if not line.operands:
        hint = "'heatctl status' shows how all monitors stand, 'heatctl why NAME' explains one"
        raise UsageError("heatctl", Diagnostic("Error: a command is missing", hint))
    name, *behind = line.operands
    if name not in commands():
        raise UsageError("heatctl", _unknown(name))
    command = _command(name)
    if diagnostics := list(_without_effect(line, name, command.USAGE)):
        raise UsageError(f"heatctl {name}", *diagnostics)
    common = [*line.flags, *(f"{option}={value}" for option, value in line.values.items())]
    return command.main([*common, *behind])


def _command(name: str) -> Command:
    return cast(Command, import_module(f"heat.ctl.commands.{name}"))


def _without_effect(line: Words, name: str, text: str) -> Iterator[Diagnostic]:
    """List the options before a command that it does not know."""
    known = {switch.name for switch in usage.switches(text)}
    for option in sorted({*line.values, *line.flags} - known):
        text = f"Error: {option} has no effect on 'heatctl {name}'"
        yield Diagnostic(text, "leave it out")


def _unknown(name: str) -> Diagnostic:
    from heat.config.mistyped import nearest

    near = nearest(name, commands())
    hint = f"did you mean {near}?" if near else "'heatctl --help' lists the commands"
    return Diagnostic(f"Error: '{escaped(name)}' is not a command of heatctl", hint)


def _help(operands: Sequence[str]) -> int:
    """Print the text of the command that is named, or of heatctl."""
    name = next((word for word in operands if word != "help"), "")
    output.write(_command(name).USAGE if name in commands() else USAGE)
    return 0


def _print(error: CommandError) -> None:
    lines = [str(error)]
    if isinstance(error, UsageError) and "--help'" not in lines[0]:
        lines += ["", f"'{error.command} --help' lists the options."]
    sys.stderr.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
