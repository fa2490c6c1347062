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

from collections.abc import Mapping, Sequence

from heat.ctl.commands.base import order
from heat.text import escaped


def main(words: Sequence[str]) -> int:
    """Reset a monitor; return the exit status."""
    return order(USAGE, words, "reset", _outcome)


def _outcome(_shown: str, said: Mapping[str, object]) -> str:
    was = escaped(str(said.get("was") or "its state"))
    return f"NORMAL{'' if was == 'NORMAL' else f' (was {was})'}, counts are back to 0"
