"""heatctl check: check a monitor now, without waiting for its next tick.

Usage:
  heatctl check [--json] [--control PATH] NAME

Options:
  --json          the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock else)
  -h, --help      print this

The check runs in HEAT, as any other; its result counts as any other's. The
later ticks keep their time.

Exit status: 0 a check has begun; 2 bad usage, or HEAT refuses it and says
why; 3 no HEAT answers.
"""

from collections.abc import Sequence
from shlex import quote

from heat.ctl import output
from heat.ctl.client import connect
from heat.ctl.errors import EXIT_WELL
from heat.ctl.words import parse
from heat.text import escaped

USAGE = __doc__ or ""


def main(words: Sequence[str]) -> int:
    """Have a check begin; the exit status is returned."""
    asked = parse(USAGE, words)
    if asked is None:
        return EXIT_WELL
    name = asked.operands[0]
    with connect(asked.control) as client:
        said = client.last("check", {"name": name})
    if asked.json:
        output.write_objects([said])
    else:
        shown = escaped(name)
        why = f"heatctl why {quote(shown)}"
        output.write(f"{shown}: a check has begun; {why} tells how it ended\n")
    return EXIT_WELL
