"""Row 18: TERM, INT, HUP and USR1 in each state; a second TERM."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable

import pytest
from heat_process import Heat, orderly, records
from phases import (
    checking,
    dying,
    fail_script,
    failing_state,
    in_error,
    normal,
    recovery_script,
    waiting,
    window,
    with_target,
)
from place import STUBBORN, Place
from processes import alive, process_state, until

IN_EACH_STATE = pytest.mark.parametrize(
    "begin",
    [
        *(normal, checking, failing_state, fail_script, recovery_script, window, waiting, dying),
    ],
    ids=lambda begin: begin.__name__,
)


def ended_well(place: Place, heat: Heat, name: str) -> None:
    """Nothing that HEAT has started is left, and the logs tell all."""
    for pid in place.words("pids"):
        assert not alive(int(pid))
    orderly(heat)
    assert any(name in lines[0] for _, _, lines in records(heat.verbose()))
    assert any(line.startswith(f"heat: {name}") for line in heat.news())


@IN_EACH_STATE
def test_term_stops_what_runs_and_exits_0(place: Place, begin: Callable[[Place], Heat]) -> None:
    heat = begin(place)

    assert heat.stop() == 0
    ended_well(place, heat, "SIGTERM")


@IN_EACH_STATE
def test_hup_and_usr1_change_nothing_and_int_exits_130(
    place: Place, begin: Callable[[Place], Heat]
) -> None:
    heat = begin(place)
    (place.folder / "heat.verbose.log").rename(place.folder / "old")
    heat.signal(signal.SIGHUP)
    heat.await_file("heat.verbose.log")
    status = heat.status()
    assert heat.process.poll() is None
    heat.signal(signal.SIGINT)

    assert heat.wait() == 130
    ended_well(place, heat, "SIGINT")
    assert re.match(r"heat: .*: (NORMAL|FAILING|RECOVERING), \d failures? in a row", status)
    assert "watching every" in heat.log("old")


@IN_EACH_STATE
def test_a_second_term_is_harmless(place: Place, begin: Callable[[Place], Heat]) -> None:
    heat = begin(place)
    heat.signal(signal.SIGTERM)
    heat.await_news("heat: SIGTERM")
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    ended_well(place, heat, "SIGTERM")


def test_a_second_term_kills_at_once_what_ignores_the_first(place: Place) -> None:
    took = 2.0
    # A busy machine may be slow once, and not each time.
    for attempt in range(1, 9):
        heat = place.heat("-i", "1h", "-s", place.script("check", STUBBORN))
        pid = int(place.await_words("pids", attempt)[-1])
        began = time.monotonic()
        heat.signal(signal.SIGTERM)
        heat.await_news("heat: SIGTERM", attempt)
        heat.signal(signal.SIGTERM)
        assert heat.wait() == 0
        took = time.monotonic() - began
        assert not alive(pid)
        if took < 1.9:
            break

    assert took < 1.9


def test_one_term_waits_for_what_ignores_it(place: Place) -> None:
    stubborn = "trap 'echo heard >> told' TERM\necho $$ >> pids\nwhile :; do sleep 0.02; done"
    heat = place.heat("-i", "1h", "-s", place.script("check", stubborn))
    pid = int(place.await_words("pids")[0])
    began = time.monotonic()

    assert heat.stop() == 0
    assert time.monotonic() - began >= 2.0
    assert place.words("told") == ["heard"]
    assert not alive(pid)


PENDING = """
import os, signal, sys
signum = int(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, [signum])
os.kill(os.getpid(), signum)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("signum", "where", "text"),
    [
        (signal.SIGHUP, "heat.verbose.log", "> logs reopened"),
        (signal.SIGUSR1, "stderr", "0 failures in a row"),
    ],
)
def test_a_signal_that_comes_before_heat_can_act_on_it_is_kept(
    place: Place, signum: int, where: str, text: str
) -> None:
    prefix = (sys.executable, "-c", PENDING, str(int(signum)))
    heat = place.heat("-i", "1h", "-s", place.check(0), prefix=prefix)
    heat.await_file(where, text)

    assert heat.stop() == 0


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.parametrize("begin", [checking, fail_script, recovery_script, with_target])
def test_what_ends_together_with_heat_is_not_judged(
    place: Place, begin: Callable[[Place], Heat], signum: int, code: int
) -> None:
    heat = begin(place)
    program = int(place.words("pids")[0])
    heat.signal(signal.SIGSTOP)
    until(lambda: process_state(heat.pid) == "T", "the stop")
    os.kill(program, signal.SIGTERM)
    until(lambda: not alive(program), "the end of the program")
    heat.signal(signum)
    heat.signal(signal.SIGCONT)

    assert heat.wait() == code
    assert not any("Killed" in line for line in heat.lines())
    assert "error" not in heat.err.read_text()
    assert "killed by" not in heat.verbose()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_in_error_a_signal_ends_the_wait_for_the_fail_script(
    place: Place, signum: signal.Signals
) -> None:
    heat = in_error(place)
    place.await_words("pids")
    heat.signal(signal.SIGHUP)
    status = heat.status()
    heat.signal(signum)

    assert heat.wait() == 3
    assert "ERROR, 1 failure in a row" in status
    ended_well(place, heat, signum.name)


def test_a_burst_of_signals_is_taken_as_it_comes(place: Place) -> None:
    heat = place.heat("-i", "0.02", "-s", place.check(1, 0))
    heat.await_line("OK")
    for _ in range(100):
        heat.signal(signal.SIGHUP)
        heat.signal(signal.SIGUSR1)
    heat.await_line("OK", heat.out.read_text().count("OK") + 3)

    assert heat.stop() == 0
    orderly(heat)
