"""The outages of the pages are run; what comes out is what the pages show.

Checks come on request and not by the clock, so nothing here depends on how fast the machine is.
"""

import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from documents import HOME, README, commands, outputs
from heat_process import Heat
from place import Place
from processes import until

from heat.ctl.main import main

TUTORIAL = HOME / "docs/tutorial.md"
HEATCTL = HOME / "docs/heatctl.md"
FLEET = """
[monitor.web]
script = "examples/check.py"
interval = "1h"
recovery-timeout = 0.5
threshold = 3
pid-file = "server.pid"
signal = "none"
recovery = "./restart-web"
max-recoveries = 5
[monitor.disk]
command = ["true"]
interval = "1h"
[monitor.queue]
command = ["true"]
interval = "1h"
"""
"""The configuration whose outage docs/heatctl.md shows."""
NO_HEAT = 3
"""The exit status of heatctl where no HEAT answers."""
SHOWN = (
    (r"(--interval |--timeout |INTERVAL=)\d\w*", "OPTION"),
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\b\d{10}\b", "TIME"),
    (r"\d\d:\d\d:\d\d", "CLOCK"),
    (r"(\d+(\.\d+)? (ms|s|min|h)\b ?)+", "SPAN "),
    (r"\b(?!0s)(\d+(\.\d+)?[hms])+\b", "SPAN"),
    (r"\d+\.\d+ ?%", "SHARE"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"(process|PID=) ?\d+", "PROCESS"),
    (r"(?<=\S) +", " "),
    (r" $", ""),
)
"""Patterns of what differs from one run to the next, and what stands for it."""


def plain(text: str) -> list[str]:
    """Return the lines of an output without what differs from one run to the next."""
    for pattern, word in SHOWN:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text.splitlines()


class Tour:
    """The examples' server in a folder, and a HEAT that watches it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        shutil.copytree(HOME / "examples", place.folder / "examples")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        for name in ("server.py", "check.py"):
            script = place.folder / "examples" / name
            script.write_text(script.read_text().replace("8765", port))
        self.server = place.spawn(["examples/server.py"], stdout=subprocess.DEVNULL)
        until(lambda: bool(place.words("server.pid")), "the server")

    def watch(self, page: Path) -> None:
        """Start the HEAT of a page."""
        line = next(line for line in commands(page, "heat") if "--recovery" in line)
        for option, value in (("-i", "1h"), ("-t", "30")):
            if option in line:
                line[line.index(option) + 1] = value
        control = () if "--control" in line else ("--control", "heat.sock")
        self.heat: Heat = self.place.heat(*control, *line, stderr=subprocess.STDOUT)
        self.heat.await_line("OK")

    def watch_fleet(self) -> None:
        """Start a HEAT of three monitors, and wait until each has run a check."""
        self.place.script(
            "restart-web", "test -e tried || { touch tried; exit 0; }\nexec examples/recover.sh"
        )
        self.heat = self.place.fleet(FLEET, stderr=subprocess.STDOUT)
        until(lambda: main(["status", "--control", "heat.sock"]) != NO_HEAT, "an answer")
        for name in ("web", "disk", "queue"):
            assert main(["check", name, "--control", "heat.sock"]) == 0
            self.heat.await_line(f"{name}: OK")

    def kill(self) -> None:
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def check(self, word: str, times: int) -> None:
        """Have HEAT check, and wait until it has printed a word this many times."""
        assert main(["check", "web", "--control", "heat.sock"]) == 0
        self.heat.await_line(word, times)

    def recovered(self) -> None:
        self.heat.await_line("NORMAL again")
        self.place.adopt(int(self.place.words("server.pid")[0]))


@pytest.fixture(autouse=True)
def _there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)


def test_the_first_outage_is_as_the_readme_shows_it(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    _, why, rest = outputs(README)
    tour = Tour(place)
    tour.watch(README)
    tour.check("OK", 2)
    tour.kill()
    tour.check("Failed", 1)
    tour.check("Failed", 2)
    capsys.readouterr()
    main(["why", "web", "--control", "heat.sock"])
    lines = plain(capsys.readouterr().out)
    tour.check("Failed", 3)
    tour.recovered()

    assert lines[: len(plain(why))] == plain(why)
    assert plain(tour.heat.out.read_text())[4:] == plain(rest)


def test_the_tour_is_as_the_tutorial_shows_it(place: Place) -> None:
    _, ok, killed, status, *_, heat_log, verbose, failures = outputs(TUTORIAL)
    tour = Tour(place)
    tour.watch(TUTORIAL)
    tour.check("OK", 2)
    tour.check("OK", 3)
    tour.kill()
    tour.check("fail.sh ended", 1)
    tour.check("recover.sh ended", 1)
    tour.recovered()
    tour.check("OK", 5)
    lines = plain(tour.heat.out.read_text())
    tour.heat.signal(signal.SIGUSR1)
    tour.heat.await_line("7 checks")

    assert lines == plain(ok + killed)
    assert plain(tour.heat.out.read_text())[len(lines) :] == plain(status)
    assert plain(tour.heat.log())[:2] == plain(heat_log)[:2]
    assert plain(tour.heat.verbose())[: len(plain(verbose))] == plain(verbose)
    assert plain((place.folder / "failures.txt").read_text()) == plain(failures)[:2]


def test_heatctl_answers_as_its_page_shows_it(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(*words: str) -> list[str]:
        capsys.readouterr()
        main([*words, "--control", "heat.sock"])
        return plain(capsys.readouterr().out)

    status, why, history = outputs(HEATCTL)
    tour = Tour(place)
    tour.watch_fleet()
    tour.check("web: OK", 2)
    tour.kill()
    tour.check("Failed", 1)
    tour.check("Failed", 2)

    assert answer("status") == plain(status)
    assert answer("why", "web") == plain(why)
    tour.check("Failed", 4)
    tour.recovered()
    assert [*answer("history"), "", *answer("history", "web")] == plain(history)
