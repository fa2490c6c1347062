"""HEAT as a service of systemd: what a socket that plays it is told, and the journal's lines."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from client import done
from heat_process import DETAILS, FAST, Heat, orderly, records
from place import Place
from processes import PATIENCE, Nobody
from virtual import VirtualTime

from heat.app.cli import USAGE
from heat.app.parser import parse
from heat.app.systemd import Systemd, watchdog_span
from heat.control.paths import OF_ROOT
from heat.monitor.monitor import Monitor
from heat.monitor.status_line import worst_first
from heat.report.console import Console
from states.monitor.model import State

EXAMPLES = Path(__file__).parents[2] / "examples"
TWO = """
[monitor.web]
script = "./web"
interval = "50ms"

[monitor.db]
command = ["true"]
interval = "50ms"
"""
SWITCHED = "[ ! -e down ]"
"""The body of a check that fails while the file ``down`` is there."""


class Init:
    """A socket that plays systemd, and what it was told: one variable a datagram."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[str] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)

    def environ(self, **more: str) -> dict[str, str]:
        """What systemd gives to HEAT."""
        return {**os.environ, "NOTIFY_SOCKET": self.name, **more}

    def next(self) -> str:
        """The next thing that is told, once it is."""
        self.told.append(self.socket.recv(4096).decode())
        return self.told[-1]

    def hear(self, wanted: str) -> str:
        """Listen until something is told that begins so."""
        while not (told := self.next()).startswith(wanted):
            pass
        return told

    def rest(self) -> list[str]:
        """What was told since; asked when HEAT has ended."""
        self.socket.settimeout(0)
        before = len(self.told)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.next()
        return self.told[before:]


@pytest.fixture
def init(place: Place) -> Iterator[Init]:
    """One at a path in the test's folder."""
    there = Init(str(place.folder / "notify"))
    yield there
    there.socket.close()


def under(init: Init, place: Place, **more: str) -> Heat:
    """A HEAT of two monitors that systemd has started, and that is ready."""
    place.script("web", SWITCHED)
    heat = place.fleet(TWO, env=init.environ(**more))
    init.hear("READY=1")
    init.hear("STATUS=")
    return heat


# From the start to the end


def test_ready_comes_first_and_stopping_last(place: Place, init: Init) -> None:
    heat = under(init, place)
    heat.await_line("web: OK", 2)

    assert heat.stop() == 0
    assert [*init.told, *init.rest()] == ["READY=1", "STATUS=2 monitors: 2 NORMAL", "STOPPING=1"]
    orderly(heat)


def test_an_abstract_socket_is_told_as_well(place: Place) -> None:
    init = Init(f"@heat-test-{os.getpid()}")
    with init.socket:
        heat = place.heat("-i", FAST, "--count", "2", "--name", "a", "true", env=init.environ())

        assert heat.wait() == 0
        assert init.rest() == ["READY=1", "STATUS=a: NORMAL", "STOPPING=1"]


def test_the_state_in_which_heat_gives_up_is_told_before_it_ends(place: Place, init: Init) -> None:
    dies = place.script("dies", "kill -9 $$")
    heat = place.heat("-i", FAST, "-s", dies, env=init.environ())

    assert heat.wait() == 3
    ending = ["STOPPING=1", "STATUS=dies: ERROR"]
    assert init.rest() in (
        ["READY=1", "STATUS=dies: NORMAL", *ending],
        ["READY=1", "STATUS=dies: NORMAL", *reversed(ending)],
    )


def test_where_systemd_has_not_started_heat_nobody_is_told(place: Place, init: Init) -> None:
    environ = init.environ(WATCHDOG_USEC="1000")
    del environ["NOTIFY_SOCKET"]
    heat = place.heat("-i", FAST, "--count", "3", "true", env=environ)

    assert heat.wait() == 0
    assert init.rest() == []


# Reloads


def test_a_reload_is_told_when_it_begins_and_when_it_is_over(place: Place, init: Init) -> None:
    heat = under(init, place)
    for text in (TWO.replace("db", "mail"), "[monitor.web\n", TWO):
        place.write_config(text)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        heat.signal(signal.SIGHUP)
        reloading, since = init.hear("RELOADING=1").split("\n")
        ready = init.hear("READY=1")
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

        assert (reloading, ready) == ("RELOADING=1", "READY=1")
        assert before <= int(since.removeprefix("MONOTONIC_USEC=")) <= after
    assert heat.stop() == 0
    assert len([line for line in heat.news() if "was read again" in line]) == 3
    assert [told for told in init.told if not told.startswith("RELOADING")] == [
        "READY=1",
        "STATUS=2 monitors: 2 NORMAL",
        *["READY=1"] * 3,
    ]
    orderly(heat)


def test_more_monitors_are_told_of_after_a_reload(place: Place, init: Init) -> None:
    heat = under(init, place)
    place.write_config(TWO + '[monitor.mail]\ncommand = ["true"]\ninterval = 1\n')
    heat.signal(signal.SIGHUP)

    assert init.hear("STATUS=") == "STATUS=3 monitors: 3 NORMAL"
    assert heat.stop() == 0


def test_a_single_monitor_has_no_more_to_reload_than_its_logs(place: Place, init: Init) -> None:
    heat = place.heat("-i", FAST, "true", env=init.environ())
    init.hear("READY=1")
    heat.signal(signal.SIGHUP)
    init.hear("RELOADING=1")

    assert init.hear("READY=1") == "READY=1"
    heat.await_file("heat.verbose.log", "> logs opened anew")
    assert heat.stop() == 0
    assert init.rest() == ["STOPPING=1"]


def test_a_hup_while_heat_stops_makes_it_neither_reload_nor_ready(place: Place, init: Init) -> None:
    stubborn = place.script("stubborn", "trap '' TERM\necho >> ran\nwhile :; do sleep 0.02; done")
    heat = place.heat("-i", FAST, "-s", stubborn, env=init.environ())
    place.await_words("ran")
    heat.signal(signal.SIGTERM)
    init.hear("STOPPING=1")
    heat.signal(signal.SIGHUP)
    heat.await_file("heat.verbose.log", "> logs opened anew")
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    assert init.rest() == []


# The status


def test_a_pause_is_told_and_its_end(place: Place, init: Init) -> None:
    heat = under(init, place)
    done(heat, "pause", name="db")
    assert init.hear("STATUS=") == "STATUS=2 monitors: 2 NORMAL, 1 of them paused"
    heat.signal(signal.SIGUSR1)
    heat.await_news("2 monitors: 2 NORMAL, 1 of them paused; ")
    done(heat, "resume", name="db")
    assert init.hear("STATUS=") == "STATUS=2 monitors: 2 NORMAL"
    assert heat.stop() == 0


def test_a_failure_is_told(place: Place, init: Init) -> None:
    heat = under(init, place)
    (place.folder / "down").touch()

    assert init.hear("STATUS=") == "STATUS=2 monitors: 1 FAILING (web), 1 NORMAL"
    assert heat.stop() == 0


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ({"web": State.NORMAL}, "1 monitor: 1 NORMAL"),
        ({"web": State.NORMAL, "db": State.ERROR}, "2 monitors: 1 ERROR (db), 1 NORMAL"),
        (
            {"a": State.FAILING, **dict.fromkeys("bcd", State.RECOVERING), "e": State.NORMAL},
            "5 monitors: 3 RECOVERING (b, c, d), 1 FAILING, 1 NORMAL",
        ),
        (dict.fromkeys("abcd", State.FAILING), "4 monitors: 4 FAILING (a, b, c, ...)"),
    ],
)
def test_the_worst_are_named_and_the_others_counted(states: dict[str, State], told: str) -> None:
    watches = {
        name: SimpleNamespace(model=SimpleNamespace(state=state), paused=None)
        for name, state in states.items()
    }

    assert worst_first(cast("dict[str, Monitor]", watches), named=True) == told


def virtual(init: Init, status: Callable[[], str], **more: str) -> tuple[VirtualTime, Systemd]:
    """What talks to systemd, on a clock of its own."""
    clock = VirtualTime()
    return clock, Systemd(init.environ(**more), (clock, clock), status, Nobody())


def test_however_often_states_change_there_is_one_status_a_second(init: Init) -> None:
    moves = 0
    clock, systemd = virtual(init, lambda: f"{moves} moves")
    for moves in range(1, 53):
        systemd.moved()
        clock.run_until(moves / 10)
    clock.run_until(20)

    assert init.rest() == [f"STATUS={n} moves" for n in (1, 10, 20, 30, 40, 50, 52)]
    systemd.close()


def test_a_status_that_is_the_same_is_not_told_again(init: Init) -> None:
    clock, systemd = virtual(init, lambda: "the same")
    for second in range(5):
        systemd.moved()
        clock.run_until(second + 1)

    assert init.rest() == ["STATUS=the same"]
    systemd.close()


# The watchdog


def test_the_watchdog_hears_from_the_loop(place: Place, init: Init) -> None:
    shell = ("sh", "-c", 'export WATCHDOG_PID=$$; exec "$@"', "sh")
    heat = place.heat("-i", "8000h", "true", prefix=shell, env=init.environ(WATCHDOG_USEC="40000"))

    assert [init.hear("WATCHDOG=") for _ in range(5)] == ["WATCHDOG=1"] * 5
    assert heat.stop() == 0


def test_the_watchdog_hears_twice_in_its_time(init: Init) -> None:
    clock, systemd = virtual(init, lambda: "", WATCHDOG_USEC="30000000")
    clock.run_until(14.9)

    assert init.rest() == []
    clock.run_until(60)
    assert init.rest() == ["WATCHDOG=1"] * 4
    systemd.close()


@pytest.mark.parametrize(
    ("environ", "span"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "0"}, 0),
        ({"WATCHDOG_USEC": "-1"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
    ],
)
def test_who_is_watched_and_how_closely(environ: dict[str, str], span: float) -> None:
    assert watchdog_span(environ) == span


# A socket that does not take what it is told


def fill(init: Init) -> int:
    """Leave no room in the socket; how many datagrams that took."""
    sent = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"in the way", init.name)
                sent += 1
    return sent


def test_a_full_socket_does_not_stop_the_watching_and_is_told_later(
    place: Place, init: Init
) -> None:
    before = fill(init)
    heat = place.heat("-i", FAST, "--name", "a", "true", env=init.environ(WATCHDOG_USEC="40000"))
    heat.await_line("OK", 5)
    assert [init.next() for _ in range(before)] == ["in the way"] * before

    assert init.next() == "READY=1"
    assert init.next() == "STATUS=a: NORMAL"
    assert init.next() == "WATCHDOG=1"
    assert heat.stop() == 0
    orderly(heat)


def test_of_what_is_owed_to_a_full_socket_the_latest_is_told_in_its_order(init: Init) -> None:
    clock, systemd = virtual(init, lambda: f"at {clock.elapsed():g} s")
    before = fill(init)
    systemd.ready()
    clock.run_until(5)
    systemd.reloading()
    systemd.ready()
    for _ in range(before):
        init.next()
    clock.run_until(7)

    assert init.rest() == ["RELOADING=1\nMONOTONIC_USEC=1005000000", "READY=1", "STATUS=at 5 s"]
    systemd.close()


@pytest.mark.parametrize("name", ["gone", "x" * 200, "@", "vsock:2:1"])
def test_a_socket_that_is_not_there_is_no_reason_not_to_watch(place: Place, name: str) -> None:
    heat = place.heat("-i", FAST, "--count", "3", "true", env={**os.environ, "NOTIFY_SOCKET": name})

    assert heat.wait() == 0
    assert heat.lines() == ["OK"] * 3
    assert heat.news() == ["heat: 3 checks done (--count)"]


def test_a_socket_that_vanishes_and_comes_back_is_told_again(place: Place, init: Init) -> None:
    heat = under(init, place, WATCHDOG_USEC="40000")
    init.hear("WATCHDOG=1")
    init.socket.close()
    heat.await_line("web: OK", heat.out.read_text().count("web: OK") + 3)
    os.unlink(init.name)
    heat.await_line("web: OK", heat.out.read_text().count("web: OK") + 3)
    back = Init(init.name)
    with back.socket:
        assert back.next() == "WATCHDOG=1"
        assert heat.stop() == 0
    orderly(heat)


# What HEAT starts


def test_what_heat_starts_is_not_told_where_systemd_listens(place: Place, init: Init) -> None:
    tell = "env > $0.env; exit 1"
    for name in ("check", "fail", "recover"):
        place.script(name, tell)
    words = ["-i", FAST, "--fail", "./fail", "--recovery", "./recover", "--count", "3"]
    environ = init.environ(WATCHDOG_USEC="1000000", OTHER="stays")
    heat = place.heat(*words, "-s", "./check", env=environ)

    assert heat.wait() == 1
    for name in ("check", "fail", "recover"):
        told = heat.log(f"{name}.env").splitlines()
        assert "OTHER=stays" in told
        assert not [line for line in told if line.startswith(("NOTIFY_", "WATCHDOG_"))]


# Lines for the journal


def test_lines_for_the_journal_have_a_priority_and_no_time(place: Place) -> None:
    place.script("dies", "kill -9 $$")
    place.check(0, 1, 1, 0, name="web")
    recover = place.script("recover", "exit 3")
    text = f"""
        [monitor.web]
        script = "./web"
        interval = "50ms"
        count = 4
        threshold = 2
        recovery = "{recover}"
        [monitor.dead]
        script = "./dies"
        interval = "50ms"
        on-killed = "error"
    """
    heat = place.fleet(text, "--log-format", "journal")

    assert heat.wait() == 1
    results = heat.out.read_text().splitlines()
    web = [line for line in results if "web: " in line]
    failed = f"<4>web: Failed: Exit Code 1, {DETAILS}"
    assert web == ["<6>web: OK", failed, failed, "<6>web: OK"]
    assert f"<4>dead: Failed: Killed by SIGKILL, {DETAILS}" in results
    news = heat.err.read_text().splitlines()
    starts = [
        "<5>web: RECOVERING after 2 failures in a row, recovery 1: ./recover",
        "<4>web: recovery script ./recover ended: Exit Code 3, after ",
        "<5>web: NORMAL again after 2 failures and 1 recovery, ",
        "<6>web: heat: 4 checks done (--count)",
        "<3>dead: heat: error: check ./dies (process ",
    ]
    assert all(any(line.startswith(start) for line in news) for start in starts)
    assert len(news) == len(starts)
    assert ("INFO", "web: heat", ["NORMAL -> FAILING (1 failure)"]) in records(heat.verbose())


def test_an_object_a_line_stays_one(place: Place) -> None:
    words = ("-i", FAST, "--count", "2", "--json", "--log-format", "journal", "true")
    heat = place.heat(*words)

    assert heat.wait() == 0
    assert [each["result"] for each in heat.objects()] == ["ok", "ok"]
    assert heat.err.read_text() == "<6>heat: 2 checks done (--count)\n"


def test_a_mistake_is_an_error_in_the_journal(place: Place) -> None:
    heat = place.heat("-i", "0", "--log-format", "journal", "true")

    assert heat.wait() == 2
    assert heat.err.read_text() == (
        "<3>Error: --interval '0' is not a positive duration\n"
        "<3>  write more than 0, such as 0.5, 500ms, 30s or 5m\n"
        "<3>'heat --help' lists the options.\n"
    )


def test_the_journal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    theirs, ours = os.openpty()
    kept = [os.dup(fd) for fd in (1, 2)]
    try:
        os.dup2(ours, 1)
        os.dup2(ours, 2)
        console = Console(lambda: 0.0, pytest.fail, lambda _flush: None, journal=True)
        console.result("OK", "32", 1)
        console.news("heat: error", "31")
        console.close()
    finally:
        for fd, old in enumerate(kept, 1):
            os.dup2(old, fd)
            os.close(old)
    said = b""
    while said.count(b"\n") < 2:
        said += os.read(theirs, 4096)
    os.close(theirs)
    os.close(ours)

    assert said.split() == [b"<6>OK", b"<3>heat:", b"error"]


# The example


def unit(name: str = "heat.service") -> str:
    return (EXAMPLES / name).read_text()


def settings(text: str, key: str) -> list[str]:
    return re.findall(f"^{key}=(.*)", text, re.MULTILINE)


def test_the_example_starts_heat_with_options_that_there_are() -> None:
    lines = unit().replace("\\\n", "").splitlines()
    (line,) = (line for line in lines if line.startswith("ExecStart="))
    command, *words = shlex.split(line.removeprefix("ExecStart="))
    asked = parse(USAGE, words)

    assert command.endswith("/bin/heat")
    assert asked.diagnostics == []
    assert (asked.file, asked.common.journal) == ("/etc/heat/heat.toml", True)


def test_the_folders_of_the_example_are_made() -> None:
    made = (EXAMPLES / "heat.tmpfiles.conf").read_text()
    (line,) = (line for line in unit().splitlines() if line.startswith("ReadWritePaths="))

    assert line.removeprefix("ReadWritePaths=").split() == [
        line.split()[1] for line in made.splitlines() if line.startswith("d ")
    ]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", ["heat.service", "heat-serve.service"])
def test_systemd_takes_the_examples(tmp_path: Path, name: str) -> None:
    here = tmp_path / name
    here.write_text(re.sub(r"/opt/heat/bin/heat(ctl)?\b", sys.executable, unit(name)))
    command = ["systemd-analyze", "verify", str(here)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_reload_of_the_example_fails_where_the_file_has_a_mistake(place: Place) -> None:
    (command,) = settings(unit("heat.service"), "ExecReload")
    program, *words = shlex.split(command)
    heat = place.fleet('[monitor.web]\ncommand = ["true"]\ninterval = 60\n')
    heat.await_line("web: OK")
    ours = [sys.executable, "-m", "heat.ctl", "--control", "heat.sock", *words]

    def reload() -> int:
        return subprocess.run(ours, cwd=place.folder, check=False, capture_output=True).returncode

    assert program.endswith("/bin/heatctl")
    assert reload() == 0
    place.write_config('[monitor.web]\ncommand = ["true"]\ninterval = "soon"\n')
    assert reload() == 2
    assert heat.stop() == 0


def test_whatever_ends_serve_it_is_started_again() -> None:
    serve = unit("heat-serve.service")

    assert settings(serve, "Restart") == ["always"]
    assert settings(serve, "StartLimitIntervalSec") == ["0"]
    assert settings(serve, "RestartPreventExitStatus") == []


def test_what_serve_may_read_heat_may_read() -> None:
    homes = [settings(unit(name), "ProtectHome") for name in ("heat.service", "heat-serve.service")]

    assert homes == [["read-only"], ["read-only"]]


def test_the_unit_of_serve_asks_the_heat_of_the_other_unit_as_its_user() -> None:
    serve = unit("heat-serve.service")
    users = [settings(text, "User") for text in (unit(), serve)]

    assert users == [[], []]
    assert "--control" not in unit().partition("ExecStart=")[2].partition("ExecReload=")[0]
    assert f"serve --control {OF_ROOT}\n" in serve
