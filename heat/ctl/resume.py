"""heatctl resume: end the pause of a monitor.

Usage:
  heatctl resume [--json] [--control PATH] NAME

Options:
  --json          the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock else)
  -h, --help      print this

Its checks go on at the next tick, with the state and the counts that it had.

Exit status: 0 it is no longer paused; 2 bad usage, or HEAT refuses it and
says why; 3 no HEAT answers.
"""

from collections.abc import Sequence

from heat.ctl import output
from heat.ctl.client import connect
from heat.ctl.errors import EXIT_WELL
from heat.ctl.words import parse
from heat.text import escaped

USAGE = __doc__ or ""


def main(words: Sequence[str]) -> int:
    """Have checks go on; the exit status is returned."""
    asked = parse(USAGE, words)
    if asked is None:
        return EXIT_WELL
    name = asked.operands[0]
    with connect(asked.control) as client:
        said = client.last("resume", {"name": name})
    if asked.json:
        output.write_objects([said])
    else:
        output.write(f"{escaped(name)}: no longer paused, checks go on\n")
    return EXIT_WELL
