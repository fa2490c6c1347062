"""The control socket against clients that are slow, silent, broken or hostile."""

import contextlib
import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from client import Client, ask, await_state, client, connected, done, request, why
from conftest import PATIENCE, Heat, Place, alive, orderly, until
from test_fleet import WELL, monitor, started

MANY = 300
"""Monitors whose status is more than a socket holds."""
LONGEST = 64 * 1024
HELLO = request("hello")


def descriptors(heat: Heat) -> int:
    return len(os.listdir(f"/proc/{heat.pid}/fd"))


def well(heat: Heat, before: int) -> None:
    """HEAT answers, checks on, leaks nothing, and is not surprised."""
    checks = done(heat, "status", names=["web"])
    del checks
    with client(heat) as there:
        there.send(request("status", names=["web"]))
        seen = there.lines()[0]["monitor"]["checks"]

        def more() -> bool:
            there.send(request("status", names=["web"]))
            return bool(there.lines()[0]["monitor"]["checks"] > seen)

        until(more, "another check")
    until(lambda: descriptors(heat) <= before, "descriptors given back")
    orderly(heat)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heat]:
    """One HEAT of many monitors, for all clients of this module."""
    place = Place(tmp_path_factory.mktemp("big"))
    idle = "".join(monitor(f"idle-{n}", WELL, interval="1h") for n in range(MANY))
    heat = place.fleet(monitor("web", WELL) + idle)
    try:
        with client(heat) as there:
            there.ask("hello")
        heat.await_line("web: OK", 3)
        yield heat
        assert heat.stop() == 0
        orderly(heat)
        assert not (heat.folder / "heat.sock").exists()
    finally:
        place.clean()


@pytest.fixture
def heat(big: Heat) -> Iterator[Heat]:
    """It, before and after a client."""
    before = descriptors(big) + 4  # Those of a check come and go.
    yield big
    well(big, before)


NONSENSE = {
    "no JSON": b"hello\n",
    "binary": bytes(range(256)).replace(b"\n", b"") + b"\n",
    "no object": b"[1, 2]\n",
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
    with client(heat) as there:
        there.send(nonsense + HELLO)
        refused, answered = there.line(), there.line()

    assert refused is not None
    assert answered is not None
    assert refused["ok"] is False
    assert 0 < len(refused["error"]) < 300
    assert answered["ok"] is True


VALUES = (
    None, True, -1, 0, 1e308, 10**400, "", "web", "\ud800", "x" * 50_000, [], ["web"], [[[]]],
    {}, {"web": 1}, float("nan"), float("inf"), -float("inf"),
)  # fmt: skip


def test_a_key_may_hold_anything(heat: Heat) -> None:
    with client(heat) as there:
        for do, key in [
            ("status", "names"), ("why", "name"), ("check", "name"), ("resume", "name"),
            ("reset", "name"), ("metrics", "since"), ("pause", "name"), ("pause", "seconds"),
            ("pause", "reason"), ("hello", "do"), ("hello", "heat"), ("reload", "x"),
        ]:  # fmt: skip
            for value in VALUES:
                base = {"heat": 1, "do": do} | ({"name": "idle-0"} if do == "pause" else {})
                there.send(json.dumps(base | {key: value}).encode() + b"\n")
                last = there.lines()[-1]
                assert "a bug of HEAT" not in last.get("error", ""), (do, key, value)
        there.ask("resume", name="idle-0")
        there.ask("resume", name="web")

    assert done(heat, "status", names=["web"])["ok"]


def test_of_two_keys_of_one_name_the_last_one_holds(heat: Heat) -> None:
    with client(heat) as there:
        there.send(b'{"heat": 1, "do": "reset", "do": "hello"}\n')

        assert "about" in there.lines()[-1]


def test_a_random_client_finds_nothing_that_nobody_has_thought_of(heat: Heat) -> None:
    chance = random.Random(1)  # noqa: S311 - to be the same each time
    good = [request(do, name="idle-1") for do in ("status", "why", "reset", "metrics", "hello")]
    for _ in range(100):
        data = bytearray(b"".join(chance.choices(good, k=3)))
        for _ in range(chance.randrange(6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with client(heat) as there:
            there.send(bytes(data) + b"\n")
            there.socket.shutdown(socket.SHUT_WR)
            while there.line() is not None:
                pass


def test_a_request_may_have_64_kib_and_no_more(heat: Heat) -> None:
    blank = b'{"heat": 1, "do": "hello"' + b" " * LONGEST
    with client(heat) as there:
        there.send(blank[: LONGEST - 1] + b"}\n")
        assert there.lines()[-1]["ok"] is True
        assert "65536 bytes at most" in there.refused(blank[:LONGEST] + b"}")
        assert there.line() is None


def test_what_has_no_end_is_refused_at_64_kib(heat: Heat) -> None:
    with client(heat) as there:
        assert "65536 bytes at most" in there.refused(b"x" * (LONGEST + 1))
        assert there.line() is None


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\n\n\n", b"\n \t\n"])
def test_a_thousand_requests_at_once_are_answered_one_after_the_other(
    heat: Heat, ending: bytes
) -> None:
    with client(heat) as there:
        there.send((HELLO.strip() + ending) * 1000)
        there.socket.shutdown(socket.SHUT_WR)

        assert [line["ok"] for line in iter(there.line, None)] == [True] * 1000


def test_blank_lines_ask_for_nothing(heat: Heat) -> None:
    with client(heat) as there:
        there.send(b"\n" * LONGEST + b" \n\t\r\n" * 1000 + HELLO)

        assert there.lines()[-1]["ok"] is True


def test_who_asks_no_more_still_gets_all_answers(heat: Heat) -> None:
    with client(heat) as there:
        there.send(request("status") + request("reload") + HELLO)
        there.socket.shutdown(socket.SHUT_WR)
        lines = list(iter(there.line, None))

    monitors, told, reloaded, hello = lines[:-3], *lines[-3:]
    assert len(monitors) == told["monitors"] == MANY + 1
    assert reloaded == {"ok": True, "added": 0, "changed": 0, "removed": 0}
    assert hello["ok"]


def test_who_hangs_up_in_the_middle_of_an_answer_is_let_go(heat: Heat) -> None:
    for _ in range(20):
        with client(heat) as there:
            there.send(request("status") * 3)
            there.socket.recv(100)


def test_who_hangs_up_and_waits_for_a_reload_is_let_go(heat: Heat) -> None:
    for _ in range(20):
        with client(heat) as there:
            there.send(request("reload"))


def test_who_does_not_read_holds_up_nobody(heat: Heat) -> None:
    with client(heat) as stuck:
        stuck.send(request("status") * 50)

        assert len(list(_statuses(heat))) == MANY + 1
        # It takes up where it was.
        for _ in range(50):
            assert stuck.lines()[-1]["monitors"] == MANY + 1


def _statuses(heat: Heat) -> Iterator[str]:
    with client(heat) as there:
        there.send(request("status"))
        for line in there.lines()[:-1]:
            yield line["monitor"]["name"]


def test_clients_that_are_killed_leave_nothing_behind(heat: Heat) -> None:
    program = (
        "import socket, sys, time\n"
        "there = [socket.socket(socket.AF_UNIX) for _ in range(20)]\n"
        "for each in there: each.connect('heat.sock'); each.send(b'{')\n"
        "print(flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=heat.folder, stdout=subprocess.PIPE) as clients:
        assert clients.stdout is not None
        clients.stdout.readline()
        clients.kill()


def test_of_200_clients_64_are_answered_and_the_others_told_so(heat: Heat) -> None:
    with ThreadPoolExecutor(200) as pool:
        clients = list(pool.map(lambda _: client(heat), range(200)))
    for each in clients:
        with contextlib.suppress(BrokenPipeError):
            each.send(HELLO)
    answers = [each.line() for each in clients]
    for each in clients:
        each.socket.close()

    assert sum(answer is not None and answer["ok"] for answer in answers) == 64
    assert (
        sum(
            answer is not None and answer.get("error") == "64 are connected already"
            for answer in answers
        )
        == len(answers) - 64
    )
