"""Row 15: the clock is stepped; HEAT is stopped and continued."""

import re
import signal
import sys
import time

import pytest
from client import done
from heat_process import orderly
from place import Place
from processes import process_state, until


def test_ticks_that_a_stopped_heat_missed_are_skipped_and_counted(place: Place) -> None:
    heat = place.heat("-i", "0.1", "-s", place.check(0))
    heat.await_line("OK", 2)
    heat.signal(signal.SIGSTOP)
    until(lambda: process_state(heat.pid) == "T", "the stop")
    ran = len(place.words("check.ran"))
    time.sleep(0.75)
    assert len(place.words("check.ran")) <= ran + 1
    heat.signal(signal.SIGCONT)
    heat.await_line("OK", ran + 2)
    numbers = re.search(r"; (\d+) checks; (\d+) ticks skipped", heat.status())

    assert heat.stop() == 0
    assert numbers is not None
    assert int(numbers[2]) >= 6
    orderly(heat)


STEPPED = """
import os, sys, time
real = time.time
time.time = lambda: real() + (float(open("step").read()) if os.path.exists("step") else 0)
sys.argv[:4] = ["heat"]
from heat.app.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_stepped_wall_clock_shifts_no_tick(place: Place, step: int) -> None:
    heat = place.heat("-i", "0.1", "-s", place.check(1), prefix=(sys.executable, "-c", STEPPED))
    heat.await_line("Failed", 3)
    began = time.monotonic()
    (place.folder / "written").write_text(str(step))
    (place.folder / "written").rename(place.folder / "step")
    before = len(heat.lines())
    heat.await_line("Failed", before + 5)
    ran = len(heat.lines())
    took = time.monotonic() - began
    status = heat.status()

    assert heat.stop() == 0
    orderly(heat)
    # Ticks are an interval apart; a loop on the wall clock would have run 36,000 at once.
    assert ran - before <= took / 0.1 + 3
    assert took >= 0.3
    times = [int(word) for word in re.findall(r"(?m)^(\d+): ", heat.out.read_text())]
    assert abs(times[-1] - times[0] - step) < 600
    assert "next check in 0" in status or "a check runs now" in status


WEB_AND_DB = """
[monitor.web]
script = "./web"
interval = "50ms"

[monitor.db]
script = "./db"
interval = "50ms"
"""


def paused(place: Place, seconds: float, step: int) -> None:
    """Pause one of two monitors, and step the clock."""
    for name in ("web", "db"):
        place.check(0, name=name)
    heat = place.fleet(WEB_AND_DB, prefix=(sys.executable, "-c", STEPPED))
    place.await_words("web.ran")
    done(heat, "pause", name="web", seconds=seconds)
    (place.folder / "written").write_text(str(step))
    (place.folder / "written").rename(place.folder / "step")


def test_a_pause_outlasts_a_clock_that_is_put_beyond_its_end(place: Place) -> None:
    paused(place, seconds=3600, step=7200)
    place.await_words("db.ran", len(place.words("db.ran")) + 2)  # The last check of web is over.
    ran = len(place.words("web.ran"))
    place.await_words("db.ran", len(place.words("db.ran")) + 6)

    assert len(place.words("web.ran")) == ran


def test_a_pause_ends_though_the_clock_was_put_back(place: Place) -> None:
    paused(place, seconds=0.3, step=-3600)
    ran = len(place.words("web.ran"))

    place.await_words("web.ran", ran + 2)
