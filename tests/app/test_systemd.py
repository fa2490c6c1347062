"""HEAT as a service of systemd: the messages that it sends."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from client import done
from heat_process import FAST, Heat, orderly
from place import Place
from processes import PATIENCE, Nobody
from virtual import VirtualTime

from heat.app.systemd import Systemd, watchdog_span
from heat.monitor.monitor import Monitor
from heat.monitor.status_line import worst_first
from states.monitor.model import State

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
    """A socket that plays systemd, and the messages that it got: one variable a datagram."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.messages: list[str] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment that systemd gives to HEAT."""
        return {**os.environ, "NOTIFY_SOCKET": self.name, **more}

    def next(self) -> str:
        """Wait for the next message."""
        self.messages.append(self.socket.recv(4096).decode())
        return self.messages[-1]

    def hear(self, beginning: str) -> str:
        """Wait for a message that begins like this."""
        while not (message := self.next()).startswith(beginning):
            pass
        return message

    def rest(self) -> list[str]:
        """Return the messages since, once HEAT has ended."""
        self.socket.settimeout(0)
        before = len(self.messages)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.next()
        return self.messages[before:]


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


def test_ready_comes_first_and_stopping_last(place: Place, init: Init) -> None:
    heat = under(init, place)
    heat.await_line("web: OK", 2)

    assert heat.stop() == 0
    assert [*init.messages, *init.rest()] == [
        "READY=1",
        "STATUS=2 monitors: 2 NORMAL",
        "STOPPING=1",
    ]
    orderly(heat)


def test_an_abstract_socket_gets_the_messages_as_well(place: Place) -> None:
    init = Init(f"@heat-test-{os.getpid()}")
    with init.socket:
        heat = place.heat("-i", FAST, "--count", "2", "--name", "a", "true", env=init.environ())

        assert heat.wait() == 0
        assert init.rest() == ["READY=1", "STATUS=a: NORMAL", "STOPPING=1"]


def test_the_state_in_which_heat_gives_up_is_reported_before_it_ends(
    place: Place, init: Init
) -> None:
    dies = place.script("dies", "kill -9 $$")
    heat = place.heat("-i", FAST, "-s", dies, env=init.environ())

    assert heat.wait() == 3
    ending = ["STOPPING=1", "STATUS=dies: ERROR"]
    assert init.rest() in (
        ["READY=1", "STATUS=dies: NORMAL", *ending],
        ["READY=1", "STATUS=dies: NORMAL", *reversed(ending)],
    )


def test_without_systemd_nothing_is_sent(place: Place, init: Init) -> None:
    environ = init.environ(WATCHDOG_USEC="1000")
    del environ["NOTIFY_SOCKET"]
    heat = place.heat("-i", FAST, "--count", "3", "true", env=environ)

    assert heat.wait() == 0
    assert init.rest() == []


def test_a_reload_is_reported_when_it_begins_and_when_it_is_over(place: Place, init: Init) -> None:
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
    assert [message for message in init.messages if not message.startswith("RELOADING")] == [
        "READY=1",
        "STATUS=2 monitors: 2 NORMAL",
        *["READY=1"] * 3,
    ]
    orderly(heat)


def test_monitors_that_a_reload_adds_are_in_the_status(place: Place, init: Init) -> None:
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
    heat.await_file("heat.verbose.log", "> logs reopened")
    assert heat.stop() == 0
    assert init.rest() == ["STOPPING=1"]


def test_a_hup_while_heat_stops_makes_it_neither_reload_nor_ready(place: Place, init: Init) -> None:
    stubborn = place.script("stubborn", "trap '' TERM\necho >> ran\nwhile :; do sleep 0.02; done")
    heat = place.heat("-i", FAST, "-s", stubborn, env=init.environ())
    place.await_words("ran")
    heat.signal(signal.SIGTERM)
    init.hear("STOPPING=1")
    heat.signal(signal.SIGHUP)
    heat.await_file("heat.verbose.log", "> logs reopened")
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    assert init.rest() == []


def test_a_pause_and_its_end_are_in_the_status(place: Place, init: Init) -> None:
    heat = under(init, place)
    done(heat, "pause", name="db")
    assert init.hear("STATUS=") == "STATUS=2 monitors: 2 NORMAL, 1 of them paused"
    heat.signal(signal.SIGUSR1)
    heat.await_news("2 monitors: 2 NORMAL, 1 of them paused; ")
    done(heat, "resume", name="db")
    assert init.hear("STATUS=") == "STATUS=2 monitors: 2 NORMAL"
    assert heat.stop() == 0


def test_a_failure_is_in_the_status(place: Place, init: Init) -> None:
    heat = under(init, place)
    (place.folder / "down").touch()

    assert init.hear("STATUS=") == "STATUS=2 monitors: 1 FAILING (web), 1 NORMAL"
    assert heat.stop() == 0


@pytest.mark.parametrize(
    ("states", "text"),
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
def test_the_worst_are_named_and_the_others_counted(states: dict[str, State], text: str) -> None:
    watches = {
        name: SimpleNamespace(model=SimpleNamespace(state=state), paused=None)
        for name, state in states.items()
    }

    assert worst_first(cast("dict[str, Monitor]", watches), named=True) == text


def virtual(init: Init, status: Callable[[], str], **more: str) -> tuple[VirtualTime, Systemd]:
    """Return a notifier of systemd, on a clock of its own."""
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


def test_an_unchanged_status_is_not_sent_again(init: Init) -> None:
    clock, systemd = virtual(init, lambda: "the same")
    for second in range(5):
        systemd.moved()
        clock.run_until(second + 1)

    assert init.rest() == ["STATUS=the same"]
    systemd.close()


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


def test_a_full_socket_does_not_stop_the_watching_and_gets_its_messages_later(
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


def test_a_full_socket_gets_the_latest_message_of_each_kind_in_order(init: Init) -> None:
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


def test_a_socket_that_vanishes_and_comes_back_gets_messages_again(
    place: Place, init: Init
) -> None:
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


def test_programs_do_not_learn_where_systemd_listens(place: Place, init: Init) -> None:
    tell = "env > $0.env; exit 1"
    for name in ("check", "fail", "recover"):
        place.script(name, tell)
    words = ["-i", FAST, "--fail", "./fail", "--recovery", "./recover", "--count", "3"]
    environ = init.environ(WATCHDOG_USEC="1000000", OTHER="stays")
    heat = place.heat(*words, "-s", "./check", env=environ)

    assert heat.wait() == 1
    for name in ("check", "fail", "recover"):
        variables = heat.log(f"{name}.env").splitlines()
        assert "OTHER=stays" in variables
        assert not [line for line in variables if line.startswith(("NOTIFY_", "WATCHDOG_"))]
