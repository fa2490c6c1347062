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
from heat.control.client import connect
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL
from heat.ctl.parser import parse
from heat.ctl.times import clock
from heat.text import escaped


def main(words: Sequence[str]) -> int:
    """Pause it; the exit status is returned."""
    asked = parse(USAGE, words)
    if asked is None:
        return EXIT_WELL
    name, reason = asked.operands[0], asked.values.get("--reason", "")
    seconds = asked.seconds("--for", "heatctl pause", positive_duration)
    with connect(asked.control) as client:
        said = client.last("pause", {"name": name, "seconds": seconds, "reason": reason})
    if asked.json:
        output.write_objects([said])
        return EXIT_WELL
    shown, now = escaped(name), time.time()
    text = f"{shown}: paused {_end(said.get('until'), shown, now)}"
    if before := said.get("replaced"):
        reason = f" ({escaped(str(before['reason']))})" if before["reason"] else ""
        text += f"; before it was {_end(before['until'], shown, now)}{reason}"
    output.write(f"{text}; no checks and no effects meanwhile\n")
    return EXIT_WELL


def _end(until: float | None, shown: str, now: float) -> str:
    return f"until heatctl resume {quote(shown)}" if until is None else f"until {clock(until, now)}"
