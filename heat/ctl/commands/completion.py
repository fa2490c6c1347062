"""The command ``heatctl completion``."""

USAGE = """heatctl completion: what makes a shell complete the words of heat and heatctl.

Usage:
  heatctl completion [--control PATH] SHELL

Options:
  --control PATH  the socket of the HEAT whose monitors 'names' prints
                  (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock else)
  -h, --help      print this

SHELL is bash, zsh or fish:

  source <(heatctl completion bash)          # in ~/.bashrc
  source <(heatctl completion zsh)           # in ~/.zshrc, behind compinit
  heatctl completion fish | source           # in config.fish

The package installs the same for shells that look in its share/ folder. The
names of monitors are asked of the running HEAT: 'heatctl completion names'
prints them, one a line.

Exit status: 0 it is printed; 2 bad usage; 3 no HEAT answers ('names' alone).
"""

from collections.abc import Sequence

from heat.config.mistyped import nearest
from heat.control import answers
from heat.control.client import connect
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL, UsageError
from heat.ctl.parser import parse
from heat.diagnostics import Diagnostic
from heat.text import escaped

_NAMES = "names"


def main(words: Sequence[str]) -> int:
    """Print the completion; the exit status is returned."""
    asked = parse(USAGE, words)
    if asked is None:
        return EXIT_WELL
    wanted = asked.operands[0]
    if wanted == _NAMES:
        output.write_lines(_names(asked.control))
        return EXIT_WELL
    from heat.ctl import programs, shells

    if wanted not in programs.SHELLS:
        near = nearest(wanted, programs.WORDS_OF_COMPLETION)
        hint = f"did you mean {near}?" if near else f"write {', '.join(programs.SHELLS)} or names"
        told = f"Error: '{escaped(wanted)}' is no shell that heatctl knows"
        raise UsageError("heatctl completion", Diagnostic(told, hint))
    for program in (programs.heat(), programs.heatctl()):
        output.write(shells.script(wanted, program))
    return EXIT_WELL


def _names(control: str | None) -> list[str]:
    """The monitors' names; asked for at each press of a key, and so not waited for long."""
    with connect(control, 1.0) as client:
        return [
            escaped(each["name"])
            for said in client.ask("status")
            for each in answers.monitors(said)
        ]
