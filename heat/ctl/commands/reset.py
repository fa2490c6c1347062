"""The command ``heatctl reset``."""

USAGE = """heatctl reset: bring a monitor out of ERROR, or its counts back to 0.

Usage:
  heatctl reset [--json] [--control PATH] NAME

Options:
  --json          the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock else)
  -h, --help      print this

The monitor is NORMAL then, and its checks go on, as after a start of HEAT; one
that is paused stays so. HEAT refuses it while the recovery script runs. First
put right what led to ERROR: 'heatctl why NAME' tells what that was.

Exit status: 0 it is done; 2 bad usage, or HEAT refuses it and says why;
3 no HEAT answers.
"""

from collections.abc import Mapping, Sequence

from heat.ctl.commands.base import order
from heat.text import escaped


def main(words: Sequence[str]) -> int:
    """Have it begin anew; the exit status is returned."""
    return order(USAGE, words, "reset", _outcome)


def _outcome(_shown: str, said: Mapping[str, object]) -> str:
    was = escaped(str(said.get("was") or "its state"))
    return f"NORMAL{'' if was == 'NORMAL' else f' (was {was})'}, counts are back to 0"
