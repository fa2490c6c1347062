"""The command ``heatctl reset``."""

USAGE = """heatctl reset: bring a monitor out of ERROR, or set its counts back to 0.

Usage:
  heatctl reset [--json] [--control PATH] NAME

Options:
  --json          print the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

The monitor is then NORMAL, and its checks go on as after a start of HEAT; a
paused monitor stays paused. HEAT refuses a reset while the recovery script
runs. First fix what led to ERROR: 'heatctl why NAME' shows what it was.

Exit status: 0 it is done; 2 bad usage, or HEAT refuses it and says why;
3 no HEAT answers.
"""

from collections.abc import Sequence

from heat.control.protocol import Answer
from heat.ctl.commands.base import steer
from heat.text import escaped


def main(words: Sequence[str]) -> int:
    """Reset a monitor; return the exit status."""
    return steer(USAGE, words, "reset", _outcome)


def _outcome(_shown: str, answer: Answer) -> str:
    was = escaped(str(answer.get("was") or "its state"))
    return f"NORMAL{'' if was == 'NORMAL' else f' (was {was})'}, counts are back to 0"
