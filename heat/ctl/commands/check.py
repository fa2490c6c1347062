"""The command ``heatctl check``."""

USAGE = """heatctl check: check a monitor now, without waiting for its next tick.

Usage:
  heatctl check [--json] [--control PATH] NAME

Options:
  --json          print the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

HEAT runs the check like any other, and its result counts like any other. Later
ticks keep their times.

Exit status: 0 a check has begun; 2 bad usage, or HEAT refuses it and says
why; 3 no HEAT answers.
"""

from collections.abc import Mapping, Sequence
from shlex import quote

from heat.ctl.commands.base import order


def main(words: Sequence[str]) -> int:
    """Start a check; return the exit status."""
    return order(USAGE, words, "check", _outcome)


def _outcome(shown: str, _said: Mapping[str, object]) -> str:
    return f"a check has begun; heatctl why {quote(shown)} tells how it ended"
