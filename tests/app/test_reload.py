"""Reloads that meet one another, and the end of HEAT."""

import signal
import sys

import pytest
from heat_process import Heat, orderly
from place import Place
from processes import alive, until

READS_AT_A_GATE = """
import os, sys
from heat.app import cli, loader

real = loader.look

def look(*words):
    findings = real(*words)
    if os.path.exists("gate"):
        with open("readers", "a") as readers:
            print(os.getpid(), file=readers)
        open("gate").close()
    return findings

loader.look = look
sys.argv[:4] = ["heat"]
sys.exit(cli.main())
"""
"""Runs a HEAT that has read its file again, and waits at a gate before it takes the result."""
ONE = '[monitor.one]\ncommand = ["true"]\ninterval = "1h"\n'
TWO = ONE + ONE.replace("one", "two")


@pytest.fixture
def heat(place: Place) -> Heat:
    """A HEAT that reads its file again."""
    heat = place.fleet(ONE, prefix=(sys.executable, "-c", READS_AT_A_GATE))
    heat.await_file("heat.verbose.log", "watching 1 monitor")
    place.gate("gate")
    heat.signal(signal.SIGHUP)
    place.await_words("readers")
    return heat


def test_a_reload_during_a_reload_reads_the_file_once_more(place: Place, heat: Heat) -> None:
    place.write_config(TWO)
    for times in (2, 3):
        heat.signal(signal.SIGHUP)
        until(lambda times=times: heat.verbose().count("logs reopened") == times, "the signal")
    with (place.folder / "gate").open("w"):  # It stays open for the second reading.
        heat.await_news("1 monitor added")

    assert heat.err.read_text().count("was read again") == 1
    assert len(place.words("readers")) == 2
    assert heat.stop() == 0
    orderly(heat)


def test_a_heat_that_ends_ends_the_reading(place: Place, heat: Heat) -> None:
    (reader,) = place.words("readers")

    assert heat.stop() == 0
    until(lambda: not alive(int(reader)), "the end of the reader")
    assert "was read again" not in heat.err.read_text()
    orderly(heat)
