"""A bug of HEAT that is not a single monitor's."""

import signal
import sys

from place import Place
from processes import alive

BUGGY = """
import sys
from heat.app.signals import Signals

def fails(self):
    raise ValueError("a surprise")

Signals._print_status = fails
sys.argv[:4] = ["heat"]
from heat.app.cli import main
sys.exit(main())
"""
"""Runs a HEAT that cannot print its status."""


def test_a_bug_is_recorded_and_ends_what_runs_and_then_heat(place: Place) -> None:
    check = place.script(
        "check", "trap 'echo asked > ended; exit 1' TERM\necho $$ > pids\nread x < gate"
    )
    place.gate("gate")
    heat = place.heat("-i", "1h", "-s", check, prefix=(sys.executable, "-c", BUGGY))
    (pid,) = place.await_words("pids")
    heat.signal(signal.SIGUSR1)

    assert heat.wait() == 3
    assert "heat: error: a bug of HEAT: ValueError('a surprise'); HEAT stops" in heat.news()
    assert "> ValueError: a surprise\n" in heat.verbose()
    assert place.words("ended") == ["asked"]
    assert not alive(int(pid))
