"""The command ``heatctl reload``."""

USAGE = """heatctl reload: have HEAT read its configuration file again.

Usage:
  heatctl reload [--json] [--control PATH]

Options:
  --json          print the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

Unchanged monitors go on undisturbed. If the file has a mistake, the old
configuration stays in force; 'heatctl validate FILE' finds mistakes beforehand.

Exit status: 0 the file was read and is in force; 2 bad usage, or the file has
mistakes; 3 no HEAT answers.
"""

from collections.abc import Sequence

from heat.control.client import connect
from heat.control.protocol import Answer
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL
from heat.ctl.parser import parse
from heat.text import escaped

_PATIENCE = 60.0
"""Seconds; HEAT needs a few for a file of ten thousand monitors."""


def main(words: Sequence[str]) -> int:
    """Have HEAT read its file again; return the exit status."""
    request = parse(USAGE, words)
    if request is None:
        return EXIT_WELL
    with connect(request.control, _PATIENCE) as client:
        answer = client.last("reload")
    if request.json:
        output.write_objects([answer])
    else:
        output.write(f"the file was read again: {_changes(answer)}\n")
    return EXIT_WELL


def _changes(answer: Answer) -> str:
    counts = {key: answer.get(key, 0) for key in ("added", "changed", "removed")}
    monitors = [f"{number} {key}" for key, number in counts.items() if number]
    settings = [escaped(str(each)) for each in answer.get("settings") or ()]
    return ", ".join([*monitors, *settings]) or "nothing has changed"
