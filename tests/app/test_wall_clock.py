"""The wall clock in what HEAT and heatctl print: local times, other zones, daylight saving."""

import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client import done
from freezegun import freeze_time
from heat_double import HeatDouble
from heat_process import FAST, hints, orderly
from place import Place
from processes import until
from served import served, with_token
from talker import Talker, facts

from heat.ctl.main import main
from heat.ctl.times import stamp
from heat.store.sql import SCHEMA

BERLIN, SEOUL = "CET-1CEST,M3.5.0,M10.5.0/3", "KST-9"
"""Time zones, spelled so that no data of zones is needed."""
SPRING, AUTUMN = "2026-03-29 00:30", "2026-10-25 00:30"
"""Half an hour before the clocks of Berlin change; as all moments here, in UTC."""
HOUR = 3600.0

FROZEN = """
import sys
from freezegun import freeze_time
moment = sys.argv[1]
sys.argv[:5] = ["heat"]
with freeze_time(moment, tick=True):
    from heat.app.cli import main
    sys.exit(main())
"""
"""Runs HEAT on a machine whose clock shows another moment, and goes on from there."""


def at(moment: str) -> tuple[str, ...]:
    """The words that start HEAT at a moment."""
    return sys.executable, "-c", FROZEN, moment


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Moves the tests to a time zone."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        stamp.cache_clear()

    yield move
    monkeypatch.undo()
    time.tzset()
    stamp.cache_clear()


@pytest.fixture
def _in_berlin(zone: Callable[[str], None]) -> None:
    zone(BERLIN)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Runs heatctl, and returns the lines that it prints."""

    def lines(*words: str) -> list[str]:
        main(words)
        return capsys.readouterr().out.splitlines()

    return lines


Zone = Callable[[str], None]
Printed = Callable[..., list[str]]


# HEAT


@pytest.mark.parametrize(
    ("moment", "unix"),
    [
        ("2022-12-17 19:47:59", 1_671_306_479),
        ("2038-01-19 03:14:07", 2**31 - 1),
        ("2286-11-20 17:46:39", 9_999_999_999),
    ],
)
def test_lines_and_records_and_hints_carry_the_second_of_the_clock(
    place: Place, moment: str, unix: int
) -> None:
    fail = place.script("fail", "env > told")
    words = ("-i", FAST, "--count", "1", "--fail", fail, "-s", place.check(1))
    heat = place.heat(*words, prefix=at(moment))

    assert heat.wait() == 1
    orderly(heat)
    variables = hints((place.folder / "told").read_text())
    logs = heat.out.read_text() + heat.err.read_text() + heat.log() + heat.verbose()
    seconds = {int(second) for second in re.findall(r"(?m)^(\d+)(?:: | : )", logs)}
    seconds.add(int(variables["HEAT_FAIL_TIME"]))
    assert min(seconds) >= unix
    assert max(seconds) < unix + 60


@pytest.mark.parametrize(
    ("moment", "zone_name", "end"),
    [
        (SPRING, "UTC", "2026-03-29 02:30:"),
        (SPRING, BERLIN, "2026-03-29 04:30:"),
        (AUTUMN, BERLIN, "2026-10-25 03:30:"),
        ("2026-12-31 14:00", SEOUL, "2027-01-01 01:00:"),
    ],
)
def test_a_pause_is_recorded_with_its_end_by_the_clock_of_the_place(
    place: Place, moment: str, zone_name: str, end: str
) -> None:
    place.write_config('[monitor.web]\ncommand = ["true"]\ninterval = "1h"\n')
    environ = {**os.environ, "TZ": zone_name}
    heat = place.heat("--config", "heat.toml", prefix=at(moment), env=environ)
    until((place.folder / "heat.sock").exists, "the socket")
    done(heat, "pause", name="web", seconds=2 * HOUR)
    until(lambda: f"until {end}" in heat.verbose(), f"{end} in {heat.verbose()}")

    assert heat.stop() == 0
    orderly(heat)


# heatctl


def test_a_pause_ends_by_the_clock_that_is_changed_in_between(
    tmp_path: Path, printed: Printed, zone: Zone
) -> None:
    zone(BERLIN)
    ends: list[str] = []
    for moment in (SPRING, AUTUMN):
        with freeze_time(moment), Talker(tmp_path / "s", facts("web"), now=time.time()):
            (line,) = printed("pause", "--for", "2h", "--control", f"{tmp_path}/s", "web")
            ends.append(line)

    assert "paused until 04:30:00;" in ends[0]
    assert "paused until 03:30:00;" in ends[1]


@pytest.mark.parametrize(
    ("zone_name", "end"), [("UTC", "15:30:00"), (SEOUL, "2026-03-30 00:30:00")]
)
def test_an_end_has_a_date_where_that_is_not_today_s_of_the_place(
    tmp_path: Path, printed: Printed, zone: Zone, zone_name: str, end: str
) -> None:
    zone(zone_name)
    with freeze_time("2026-03-29 13:30"), Talker(tmp_path / "s", facts("web"), now=time.time()):
        (line,) = printed("pause", "--for", "2h", "--control", f"{tmp_path}/s", "web")

    assert f"paused until {end};" in line


def test_status_words_a_moment_in_the_zone_of_who_asks(
    tmp_path: Path, printed: Printed, zone: Zone
) -> None:
    since: list[str] = []
    with freeze_time("2026-06-30 16:00:00"):
        web = facts("web", since=time.time() - HOUR)
        with Talker(tmp_path / "s", web, now=time.time()):
            for name in ("UTC", BERLIN, SEOUL):
                zone(name)
                since.append(printed("status", "--control", f"{tmp_path}/s")[1].split()[2])

    assert since == ["2026-06-30T15:00:00", "2026-06-30T17:00:00", "2026-07-01T00:00:00"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state file of a monitor that fails for 10 minutes each noon of UTC, in 2026."""
    path = tmp_path / "heat.state"
    with freeze_time("2026-01-01") as clock, sqlite3.connect(path) as file:
        began = time.time()
        file.executescript(f"{SCHEMA} PRAGMA user_version = 1;")
        session = "INSERT INTO sessions (began, seen, pid, boot) VALUES (?, ?, 1, '')"
        file.execute(session, (began, began + 365 * 24 * HOUR))
        file.execute("INSERT INTO monitors (name, since) VALUES ('web', ?)", (began,))
        clock.tick(12 * HOUR)
        outage = (
            "INSERT INTO outages (monitor, began, ended, failures, recoveries, ending)"
            " VALUES ('web', ?, ?, 3, 0, 'passed')"
        )
        for _ in range(365):
            file.execute(outage, (time.time(), time.time() + 600))
            clock.tick(24 * HOUR)
    file.close()
    return path


@pytest.mark.parametrize(
    ("moment", "since", "head"),
    [
        ("2026-03-29 13:00", "1d", "1 outage since 2026-03-28 14:00:00"),
        ("2026-03-29 12:05", "1d", "2 outages since 2026-03-28 13:05:00"),
        ("2026-03-29 12:15", "1d", "1 outage since 2026-03-28 13:15:00"),
        ("2026-10-26 06:00", "24h", "1 outage since 2026-10-25 07:00:00"),
        ("2026-10-26 06:00", "1w", "7 outages since 2026-10-19 08:00:00"),
    ],
)
@pytest.mark.usefixtures("_in_berlin")
def test_history_counts_back_in_hours_that_passed_whatever_the_clocks_of_the_place_do(
    state: Path, printed: Printed, moment: str, since: str, head: str
) -> None:
    with freeze_time(moment):
        first, *_ = printed("history", "--state", str(state), "--since", since, "web")

    assert first.startswith(f"web: {head} (")


@pytest.mark.usefixtures("_in_berlin")
def test_history_tells_outages_by_the_clock_of_the_place(state: Path, printed: Printed) -> None:
    with freeze_time("2026-03-29 14:00"):
        lines = printed("history", "--state", str(state), "--since", "2d", "web")

    assert [line.partition(": ")[0] for line in lines if "  for 10 min" in line] == [
        "2026-03-28 13:00:00  for 10 min, until 2026-03-28 13:10:00",
        "14:00:00  for 10 min, until 14:10:00",
    ]


SERVE = """
import sys
from freezegun import freeze_time
with freeze_time("2026-03-29 12:05", tick=True):
    from heat.ctl.commands.serve import main
    sys.exit(main(sys.argv[1:]))
"""


def test_serve_counts_history_back_from_its_own_clock(tmp_path: Path, state: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat:
        heat.state_file = str(state)
        with served(tmp_path, *with_token(tmp_path), program=SERVE) as server:
            (web,) = server.ask("/api/history?since=1d").json

    assert [time.strftime("%d %H:%M", time.gmtime(each["began"])) for each in web["outages"]] == [
        *("28 12:00", "29 12:00")
    ]
