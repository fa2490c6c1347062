"""The command ``heatctl resume``."""

USAGE = """heatctl resume: end the pause of a monitor.

Usage:
  heatctl resume [--json] [--control PATH] NAME

Options:
  --json          print the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

Its checks go on at the next tick, with the state and counts that it had.

Exit status: 0 it is no longer paused; 2 bad usage, or HEAT refuses it and
says why; 3 no HEAT answers.
"""

from collections.abc import Sequence

from heat.control.protocol import Answer
from heat.ctl.commands.base import steer


def main(words: Sequence[str]) -> int:
    """End a pause; return the exit status."""
    return steer(USAGE, words, "resume", _outcome)


def _outcome(_shown: str, _answer: Answer) -> str:
    return "no longer paused, checks go on"
