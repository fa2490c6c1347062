"""The control socket at the usual place, which must not keep HEAT from watching."""

import sys

import pytest
from heat_process import Heat, orderly
from place import Place

USUAL = """
import sys
from heat.control import paths

place = sys.argv[1] or None
paths.OF_ROOT, paths.default_control = place, lambda: place
sys.argv[:5] = ["heat"]
from heat.app.cli import main
sys.exit(main())
"""
"""Runs a HEAT that takes this for the usual place of root; there is none, if it is empty."""
CONFIG = '[monitor.web]\ncommand = ["true"]\ninterval = "50ms"\n'


def at(place: Place, usual: str) -> Heat:
    """Start HEAT without --control."""
    place.write_config(CONFIG)
    return place.heat("--config=heat.toml", prefix=(sys.executable, "-c", USUAL, usual))


@pytest.mark.parametrize(
    ("usual", "why"),
    [
        ("", "XDG_RUNTIME_DIR is not set; for heatctl, give --control PATH"),
        ("held.sock", "held.sock: another HEAT, process {pid}, listens there; for heatctl, give"),
    ],
)
def test_where_heat_cannot_listen_it_says_so_and_watches(
    place: Place, usual: str, why: str
) -> None:
    other = place.inner("other").heat("--control", "../held.sock", "-i", "1h", "true")
    other.await_line("OK")
    heat = at(place, usual)
    heat.await_line("web: OK", 2)

    heat.await_news(f"heat: no control socket: {why.format(pid=other.pid)}")
    assert heat.stop() == 0
    orderly(heat)


def test_the_folder_of_the_usual_place_is_made(place: Place) -> None:
    heat = at(place, "made/heat.sock")
    heat.await_line("web: OK")

    assert (place.folder / "made/heat.sock").is_socket()
    assert heat.stop() == 0
    assert not (place.folder / "made/heat.sock").exists()
