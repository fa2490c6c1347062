"""The command ``heatctl reload``."""

USAGE = """heatctl reload: have HEAT read its configuration file again.

Usage:
  heatctl reload [--json] [--control PATH]

Options:
  --json          the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock else)
  -h, --help      print this

Unchanged monitors are not touched. A mistake in the file leaves the old one in
force; 'heatctl validate FILE' tells the mistakes beforehand.

Exit status: 0 it has been read and is in force; 2 bad usage, or the file has
mistakes; 3 no HEAT answers.
"""

from collections.abc import Sequence

from heat.ctl import output, wire
from heat.ctl.client import connect
from heat.ctl.errors import EXIT_USAGE, EXIT_WELL, RefusedError
from heat.ctl.words import parse
from heat.mistakes import Mistake

_PATIENCE = 60.0
"""Seconds: a file of ten thousand monitors is looked at for some of them."""


def main(words: Sequence[str]) -> int:
    """Have the file read; the exit status is returned."""
    asked = parse(USAGE, words)
    if asked is None:
        return EXIT_WELL
    with connect(asked.control, _PATIENCE) as client:
        said = client.last("reload")
    mistakes = wire.mistakes(said)
    if asked.json:
        output.write_objects([said])
    elif mistakes:
        told = "Failed: the file was not taken over, what was in force stays so"
        raise RefusedError(Mistake(told), *mistakes)
    else:
        counts = {key: said.get(key, 0) for key in ("added", "changed", "removed")}
        told = ", ".join(f"{number} {key}" for key, number in counts.items() if number)
        output.write(f"the file was read again: {told or 'nothing has changed'}\n")
    return EXIT_USAGE if mistakes else EXIT_WELL
