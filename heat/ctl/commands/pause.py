"""The command ``heatctl pause``."""

USAGE = """heatctl pause: stop the checks and effects of a monitor, for a while.

Usage:
  heatctl pause [--for SECS] [--reason TEXT] [--json] [--control PATH] NAME

Options:
  --for SECS      for this long, then checks go on by themselves
                  (default: until 'heatctl resume NAME')
  --reason TEXT   why; shown by 'status' and 'why', and kept in the history
  --json          print the answer as a JSON object
  --control PATH  the socket of HEAT (default: /run/heat/heat.sock as root,
                  $XDG_RUNTIME_DIR/heat.sock otherwise)
  -h, --help      print this

SECS is a number of seconds, or has units: 500ms, 30s, 5m, 2h, 1d, 1w, 1h30m.
A check or script that is running may finish. A pause survives a restart of
HEAT. A second pause replaces the first, with its end and its reason.

Exit status: 0 it is paused; 2 bad usage, or HEAT refuses it and says why;
3 no HEAT answers.
"""

import time
from collections.abc import Sequence
from shlex import quote

from heat.config.durations import positive_duration
from heat.control.protocol import Answer
from heat.ctl.commands.base import steer
from heat.ctl.parser import Request
from heat.ctl.times import clock
from heat.text import escaped


def main(words: Sequence[str]) -> int:
    """Pause a monitor; return the exit status."""
    return steer(USAGE, words, "pause", _outcome, _keys)


def _keys(request: Request) -> dict[str, object]:
    return {
        "seconds": request.seconds("--for", "heatctl pause", positive_duration),
        "reason": request.values.get("--reason", ""),
    }


def _outcome(shown: str, answer: Answer) -> str:
    now = time.time()
    text = f"paused {_end(answer.get('until'), shown, now)}; no checks and no effects until then"
    if before := answer.get("replaced"):
        reason = f" ({escaped(str(before['reason']))})" if before["reason"] else ""
        text += f"; it replaces the pause {_end(before['until'], shown, now)}{reason}"
    return text


def _end(until: float | None, shown: str, now: float) -> str:
    return f"until heatctl resume {quote(shown)}" if until is None else f"until {clock(until, now)}"
