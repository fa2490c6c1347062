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

from collections.abc import Sequence
from shlex import quote

from heat.control.protocol import Answer
from heat.ctl.commands.base import steer


def main(words: Sequence[str]) -> int:
    """Start a check; return the exit status."""
    return steer(USAGE, words, "check", _outcome)


def _outcome(shown: str, _answer: Answer) -> str:
    return f"a check has begun; heatctl why {quote(shown)} shows how it ends"
