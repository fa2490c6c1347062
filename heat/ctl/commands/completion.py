"""The command ``heatctl completion``."""

USAGE = """heatctl completion: have the shell complete the words of heat and heatctl.

Usage:
  heatctl completion [--control PATH] SHELL

Options:
  --control PATH  the socket of the HEAT whose monitors 'names' prints
                  (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

SHELL is bash, zsh or fish:

  source <(heatctl completion bash)          # in ~/.bashrc
  source <(heatctl completion zsh)           # in ~/.zshrc, after compinit
  heatctl completion fish | source           # in config.fish

The package installs the same scripts for shells that look in its share/
folder. They get the names of monitors from 'heatctl completion names', which
asks the running HEAT and prints them, one a line.

Exit status: 0 it is printed; 2 bad usage; 3 no HEAT answers (only for 'names').
"""

import os
from collections.abc import Iterator, Sequence

from heat.config.mistyped import nearest
from heat.control import answers
from heat.control.client import connect
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL, UsageError
from heat.ctl.parser import parse
from heat.diagnostics import Diagnostic
from heat.text import escaped

SHELLS = {"bash": "{}", "zsh": "_{}", "fish": "{}.fish"}
"""The shells, and how each names the script of a program."""
_NAMES = "names"
WORDS = (*SHELLS, _NAMES)
SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "completions")
"""The folder of the scripts; `tools/` makes them."""


def main(words: Sequence[str]) -> int:
    """Print the scripts for a shell, or the names of the monitors; return the exit status."""
    request = parse(USAGE, words)
    if request is None:
        return EXIT_WELL
    word = request.operands[0]
    if word == _NAMES:
        output.write_lines(_names(request.control))
    elif word in SHELLS:
        output.write("".join(_scripts(word)))
    else:
        near = nearest(word, WORDS)
        hint = f"did you mean {near}?" if near else f"write {', '.join(SHELLS)} or names"
        line = f"Error: '{escaped(word)}' is not a shell that heatctl knows"
        raise UsageError("heatctl completion", Diagnostic(line, hint))
    return EXIT_WELL


def _scripts(shell: str) -> Iterator[str]:
    for program in ("heat", "heatctl"):
        path = os.path.join(SCRIPTS, shell, SHELLS[shell].format(program))
        with open(path, encoding="utf-8") as file:
            yield file.read()


def _names(control: str | None) -> list[str]:
    """Return the monitors' names. A key press waits for them: HEAT has one second to answer."""
    with connect(control, 1.0) as client:
        return [
            escaped(each["name"])
            for answer in client.ask("status")
            for each in answers.monitors(answer)
        ]
