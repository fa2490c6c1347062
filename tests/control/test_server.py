"""The control socket against clients that are slow, silent, broken or hostile."""

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import pytest
from client import Client, ask, client, done, numbers, request
from fleet import WELL, monitor
from heat_process import Heat, orderly
from place import Place
from processes import Nobody, until

from heat.control import connection, server
from heat.runtime.loop import Loop, RealClock

MANY = 300
"""Monitors whose status is more than a socket holds."""
LONGEST = 64 * 1024
HELLO = request("hello")


def descriptors(heat: Heat) -> int:
    return len(os.listdir(f"/proc/{heat.pid}/fd"))


def well(heat: Heat, before: int) -> None:
    """HEAT answers, goes on checking, leaks nothing, and reports no bug."""
    with client(heat) as connection:
        connection.send(request("status", names=["web"]))
        checks = connection.lines()[0]["status"][0]["checks"]

        def more() -> bool:
            connection.send(request("status", names=["web"]))
            return bool(connection.lines()[0]["status"][0]["checks"] > checks)

        until(more, "another check")
    until(lambda: descriptors(heat) <= before, "descriptors given back")
    orderly(heat)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heat]:
    """A HEAT of many monitors, for all clients of this module."""
    place = Place(tmp_path_factory.mktemp("big"))
    idle = "".join(monitor(f"idle-{n}", WELL, interval="1h") for n in range(MANY))
    heat = place.fleet(monitor("web", WELL) + idle)
    try:
        with client(heat) as connection:
            connection.ask("hello")
        heat.await_line("web: OK", 3)
        yield heat
        assert heat.stop() == 0
        orderly(heat)
        assert not (heat.folder / "heat.sock").exists()
    finally:
        place.clean()


@pytest.fixture
def heat(big: Heat) -> Iterator[Heat]:
    """The big one, before and after a client."""
    before = descriptors(big) + 4  # Those of a check come and go.
    yield big
    well(big, before)


NONSENSE = {
    "not JSON": b"hello\n",
    "binary": bytes(range(256)).replace(b"\n", b"") + b"\n",
    "not an object": b"[1, 2]\n",
    "a number": b"7\n",
    "null": b"null\n",
    "deep": b"[" * 60_000 + b"\n",
    "deep, and whole": b'{"heat":1,"do":"status","names":' + b"[" * 400 + b"]" * 400 + b"}\n",
    "another encoding": '{"heat": 1}'.encode("utf-16") + b"\n",
    "half a character": b'{"heat": 1, "do": "\xc3"}\n',
    "many digits": b'{"heat": 1, "do": ' + b"9" * 60_000 + b"}\n",
    "no version": b'{"do": "hello"}\n',
    "another version": b'{"heat": 2, "do": "hello"}\n',
    "a strange version": b'{"heat": [1], "do": "hello"}\n',
    "nothing to do": b'{"heat": 1}\n',
    "unknown": b'{"heat": 1, "do": "dance"}\n',
    "long": b'{"heat": 1, "do": "' + b"x" * 60_000 + b'"}\n',
    "surrogates": rb'{"heat": 1, "do": "\ud800"}' + b"\n",
    "a method": b'{"heat": 1, "do": "__init__"}\n',
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_in_one_line_and_the_next_request_is_answered(
    heat: Heat, nonsense: bytes
) -> None:
    with client(heat) as connection:
        connection.send(nonsense + HELLO)
        refused, answered = connection.line(), connection.line()

    assert refused is not None
    assert answered is not None
    assert refused["ok"] is False
    assert 0 < len(refused["error"]) < 300
    assert answered["ok"] is True


VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 10**400, "", "web", "\ud800", "x" * 50_000, [], ["web"], [[[]]],
    {}, {"web": 1}, float("nan"), float("inf"), -float("inf"),
)  # fmt: skip


def test_a_key_may_hold_anything(heat: Heat) -> None:
    with client(heat) as connection:
        for do, key in [
            ("status", "names"), ("why", "name"), ("check", "name"), ("resume", "name"),
            ("reset", "name"), ("metrics", "since"), ("pause", "name"), ("pause", "seconds"),
            ("pause", "reason"), ("hello", "do"), ("hello", "heat"), ("reload", "x"),
        ]:  # fmt: skip
            for value in VALUES:
                base = {"heat": 1, "do": do} | ({"name": "idle-0"} if do == "pause" else {})
                connection.send(json.dumps(base | {key: value}).encode() + b"\n")
                last = connection.lines()[-1]
                assert "a bug of HEAT" not in last.get("error", ""), (do, key, value)
        connection.ask("resume", name="idle-0")
        connection.ask("resume", name="web")

    assert done(heat, "status", names=["web"])["ok"]


def test_the_last_of_two_keys_with_one_name_counts(heat: Heat) -> None:
    with client(heat) as connection:
        connection.send(b'{"heat": 1, "do": "reset", "do": "hello"}\n')

        assert "about" in connection.lines()[-1]


def test_a_random_client_finds_no_bug(heat: Heat) -> None:
    chance = random.Random(1)  # noqa: S311 - to be the same each time
    good = [request(do, name="idle-1") for do in ("status", "why", "reset", "metrics", "hello")]
    for _ in range(100):
        data = bytearray(b"".join(chance.choices(good, k=3)))
        for _ in range(chance.randrange(6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with client(heat) as connection:
            connection.send(bytes(data) + b"\n")
            connection.socket.shutdown(socket.SHUT_WR)
            errors = [str(line.get("error", "")) for line in iter(connection.line, None)]

        assert not [text for text in errors if "a bug of HEAT" in text], bytes(data)


def test_a_request_may_have_64_kib_and_no_more(heat: Heat) -> None:
    blank = b'{"heat": 1, "do": "hello"' + b" " * LONGEST
    with client(heat) as connection:
        connection.send(blank[: LONGEST - 1] + b"}\n")
        assert connection.lines()[-1]["ok"] is True
        assert "65536 bytes at most" in connection.refused(blank[:LONGEST] + b"}")
        assert connection.line() is None


def test_a_request_without_an_end_is_refused_at_64_kib(heat: Heat) -> None:
    with client(heat) as connection:
        assert "65536 bytes at most" in connection.refused(b"x" * (LONGEST + 1))
        assert connection.line() is None


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\n\n\n", b"\n \t\n"])
def test_a_thousand_requests_at_once_are_answered_one_after_the_other(
    heat: Heat, ending: bytes
) -> None:
    with client(heat) as connection:
        connection.send((HELLO.strip() + ending) * 1000)
        connection.socket.shutdown(socket.SHUT_WR)

        assert [line["ok"] for line in iter(connection.line, None)] == [True] * 1000


def test_blank_lines_ask_for_nothing(heat: Heat) -> None:
    with client(heat) as connection:
        connection.send(b"\n" * LONGEST + b" \n\t\r\n" * 1000 + HELLO)

        assert connection.lines()[-1]["ok"] is True


def test_a_client_that_sends_no_more_gets_all_its_answers(heat: Heat) -> None:
    with client(heat) as connection:
        connection.send(request("status") + request("reload") + HELLO)
        connection.socket.shutdown(socket.SHUT_WR)
        lines = list(iter(connection.line, None))

    *parts, end, reloaded, hello = lines
    assert sum(len(line["status"]) for line in parts) == end["monitors"] == MANY + 1
    assert reloaded == {"ok": True, "added": 0, "changed": 0, "removed": 0, "settings": []}
    assert hello["ok"]


def test_a_client_may_hang_up_in_the_middle_of_an_answer(heat: Heat) -> None:
    for _ in range(20):
        with client(heat) as connection:
            connection.send(request("status") * 3)
            connection.socket.recv(100)

    assert done(heat, "hello")["ok"]


def test_a_client_may_hang_up_while_it_waits_for_a_reload(heat: Heat) -> None:
    for _ in range(20):
        with client(heat) as connection:
            connection.send(request("reload"))

    assert done(heat, "hello")["ok"]


def test_a_client_that_does_not_read_holds_up_no_other(heat: Heat) -> None:
    with client(heat) as stuck:
        stuck.send(request("status") * 50)

        assert len(list(_statuses(heat))) == MANY + 1
        # It goes on where it was.
        for _ in range(50):
            assert stuck.lines()[-1]["monitors"] == MANY + 1


def _statuses(heat: Heat) -> Iterator[str]:
    with client(heat) as connection:
        connection.send(request("status"))
        for line in connection.lines()[:-1]:
            yield from (each["name"] for each in line["status"])


def test_clients_that_are_killed_leave_nothing_behind(heat: Heat) -> None:
    program = (
        "import socket, sys, time\n"
        "clients = [socket.socket(socket.AF_UNIX) for _ in range(20)]\n"
        "for each in clients: each.connect('heat.sock'); each.send(b'{')\n"
        "print(flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=heat.folder, stdout=subprocess.PIPE) as clients:
        assert clients.stdout is not None
        assert clients.stdout.readline() == b"\n"
        clients.kill()


def test_heat_answers_64_of_200_clients_and_says_so_to_the_others(heat: Heat) -> None:
    with ThreadPoolExecutor(200) as pool:
        clients = list(pool.map(client, [heat] * 200))
    for each in clients:
        with contextlib.suppress(BrokenPipeError):
            each.send(HELLO)
    answers = [each.line() for each in clients]
    for each in clients:
        each.socket.close()

    assert sum(answer is not None and answer["ok"] for answer in answers) == 64
    assert (
        sum(
            answer is not None and answer.get("error") == "64 clients are connected already"
            for answer in answers
        )
        == len(answers) - 64
    )


def lateness(heat: Heat) -> tuple[float, float]:
    """The sum of seconds that the checks of web were late, and the longest of them."""
    row = numbers(heat, "web")
    return row["late"], row["latest"]


def test_every_scrape_sees_the_longest_lateness(big: Heat) -> None:
    big.await_line("web: OK")
    _, first = lateness(big)
    _, second = lateness(big)

    assert 0 < first <= second


def test_fifty_clients_of_all_kinds_delay_no_check(big: Heat) -> None:
    chance = random.Random(2)  # noqa: S311 - to be the same each time
    kinds = [b"", b"{", request("status") * 20, HELLO * 500, b"x" * 60_000, request("reload") * 3]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(client(big)) for _ in range(50)]
        _, before = lateness(big)
        count = big.out.read_text().count("web: OK")
        for n, each in enumerate(clients):
            each.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                each.socket.send(kinds[n % len(kinds)])
        while big.out.read_text().count("web: OK") < count + 20:
            with contextlib.suppress(OSError):
                chance.choice(clients).socket.recv(4096)
        _, latest = lateness(big)

    # A busy machine is late by itself.
    assert latest == before or latest < 1.0


def test_idle_and_slow_clients_are_disconnected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_PATIENCE", 0.2)
    clock = RealClock()
    loop = Loop(clock)
    control = server.Control(str(tmp_path / "s"), (clock, loop), cast(Any, Endless()), cast(Any, 0))
    silent, half, slow = (Client(tmp_path / "s") for _ in range(3))
    half.send(HELLO[:-1])
    slow.send(HELLO)
    until(lambda: _turned(loop, clock) and not control.clients, "their end")
    with silent, half, slow:
        lines = silent.line(), half.line()
        size = len(slow.socket.recv(1 << 24))
        control.close()
        loop.close()

    refusal = {"ok": False, "kind": "too-slow", "error": "no request came for 0 s", "fix": ""}
    assert lines == (refusal, refusal)
    assert size > 10_000


class Endless:
    """Handlers whose answer has no end."""

    def answer(self, request: bytes, later: object) -> Iterator[bytes]:
        del request, later
        return repeat(b"x" * 1000)


def _turned(loop: Loop, clock: RealClock) -> bool:
    loop.at(clock.now() + 0.05, loop.stop, Nobody())
    loop.run()
    return True


def test_without_descriptors_heat_waits_and_does_not_spin(place: Place) -> None:
    heat = place.fleet(monitor("web", WELL))
    heat.await_line("web: OK")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(client(heat)) for _ in range(10)]
        clients[-1].ask("hello")
        subprocess.run(["prlimit", f"--pid={heat.pid}", "--nofile=12:"], check=True)
        stack.enter_context(client(heat))
        heat.await_line("Unknown")
        before = spent(heat)
        until(lambda: bool(heat.out.read_text().count("Unknown") > 10), "more of them")
        assert spent(heat) - before < 0.3
        subprocess.run(["prlimit", f"--pid={heat.pid}", "--nofile=100:"], check=True)
    heat.await_line("web: OK", heat.out.read_text().count("web: OK") + 3)

    assert ask(heat, "hello")["ok"]
    orderly(heat)


def spent(heat: Heat) -> float:
    """Seconds of processor time."""
    fields = Path(f"/proc/{heat.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
