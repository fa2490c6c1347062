"""Row 1: HEAT is started with SIGCHLD ignored, and TERM blocked."""

import re
import sys

from heat_process import FAILED, FAST
from place import Place

SIGNALS_LOST = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
"""
WITH_SIGNALS_LOST = (sys.executable, "-c", SIGNALS_LOST)


def test_failures_are_seen_with_sigchld_ignored(place: Place) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(1), prefix=WITH_SIGNALS_LOST)
    heat.await_line("Failed", 3)

    assert heat.stop() == 0
    assert set(heat.lines()) == {FAILED}


def test_programs_begin_with_plain_signals(place: Place) -> None:
    show = "grep -E 'Sig(Ign|Blk)' /proc/self/status"
    heat = place.heat(
        *("-i", FAST, "--count", "1", "--fail", place.script("fail", show)),
        *("-s", place.check(1, body=show)),
        prefix=WITH_SIGNALS_LOST,
    )

    assert heat.wait() == 1
    masks = re.findall(r"Sig\w+:\\t([0-9a-f]+)", heat.verbose())
    # The C library keeps signals 32 and 33 for itself, and has spawned programs ignore them.
    assert [int(mark, 16) & ~(3 << 31) for mark in masks] == [0] * 4


def test_a_check_can_be_killed_with_term_blocked(place: Place) -> None:
    body = "trap 'echo by TERM; exit 1' TERM\nwhile :; do sleep 0.01; done"
    heat = place.heat(
        *("-i", FAST, "-t", "0.3", "--count", "1", "-s", place.script("check", body)),
        prefix=WITH_SIGNALS_LOST,
    )

    assert heat.wait() == 1
    assert "> by TERM\n" in heat.verbose()
