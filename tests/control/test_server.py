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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import pytest
from client import Client, ask, await_state, client, done, request, why
from conftest import Heat, Nobody, Place, orderly, until
from fleet import WELL, monitor, pid_of, stubborn

from heat.control import server
from heat.runtime.loop import Loop, RealClock

MANY = 300
"""Monitors whose status is more than a socket holds."""
LONGEST = 64 * 1024
HELLO = request("hello")


def descriptors(heat: Heat) -> int:
    return len(os.listdir(f"/proc/{heat.pid}/fd"))


def well(heat: Heat, before: int) -> None:
    """HEAT answers, checks on, leaks nothing, and is not surprised."""
    with client(heat) as there:
        there.send(request("status", names=["web"]))
        seen = there.lines()[0]["status"][0]["checks"]

        def more() -> bool:
            there.send(request("status", names=["web"]))
            return bool(there.lines()[0]["status"][0]["checks"] > seen)

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


VALUES: tuple[Any, ...] = (
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
            told = [str(line.get("error", "")) for line in iter(there.line, None)]

        assert not [text for text in told if "a bug of HEAT" in text], bytes(data)


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

    *standing, told, reloaded, hello = lines
    assert sum(len(line["status"]) for line in standing) == told["monitors"] == MANY + 1
    assert reloaded == {"ok": True, "added": 0, "changed": 0, "removed": 0, "settings": []}
    assert hello["ok"]


def test_a_brief_answer_has_rows_of_all_monitors(heat: Heat) -> None:
    with client(heat) as there:
        there.send(request("status", brief=True))
        head, *lines, told = there.lines()
        there.send(request("status"))
        whole = {each["name"]: each for line in there.lines()[:-1] for each in line["status"]}

    rows = [dict(zip(head["columns"], row, strict=True)) for line in lines for row in line["rows"]]
    assert [row["name"] for row in rows] == list(whole)
    assert told == {"ok": True, "monitors": MANY + 1}
    waiting = {row["name"]: row for row in rows}["idle-7"]
    assert waiting["last"] is None
    assert waiting["next_text"] is None
    steady = waiting.keys() - {"next", "next_text", "recovery_message"}
    assert {key: waiting[key] for key in steady} == {key: whole["idle-7"][key] for key in steady}


def test_who_hangs_up_in_the_middle_of_an_answer_is_let_go(heat: Heat) -> None:
    for _ in range(20):
        with client(heat) as there:
            there.send(request("status") * 3)
            there.socket.recv(100)

    assert done(heat, "hello")["ok"]


def test_who_hangs_up_and_waits_for_a_reload_is_let_go(heat: Heat) -> None:
    for _ in range(20):
        with client(heat) as there:
            there.send(request("reload"))

    assert done(heat, "hello")["ok"]


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
            yield from (each["name"] for each in line["status"])


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


# Slow ones, and many


def numbers(heat: Heat, name: str) -> dict[str, Any]:
    """What Prometheus is told of a monitor, by the names of the columns."""
    with client(heat) as there:
        there.send(request("metrics"))
        lines = there.lines()
    (row,) = [row for line in lines if "rows" in line for row in line["rows"] if row[0] == name]
    return dict(zip(lines[0]["columns"], row, strict=True))


def lateness(heat: Heat) -> tuple[float, float]:
    """The sum of seconds that the checks of web were late, and the longest of late."""
    found = numbers(heat, "web")
    return found["late"], found["latest"]


def test_recoveries_that_helped_are_counted_apart_from_those_that_did_not(place: Place) -> None:
    place.script("web", "[ -s second ]")
    place.script("recover", "[ ! -e first ] || echo > second\n: > first")
    place.script("blip", "[ -e seen ] || { : > seen; exit 1; }")
    heat = place.fleet(
        monitor("web", "./web", threshold=1, recovery="./recover") + monitor("blip", "./blip")
    )
    heat.await_line("web: OK")
    heat.await_line("blip: OK")

    begun = "outages", "recoveries", "helped", "useless"
    assert [numbers(heat, "web")[key] for key in begun] == [1, 2, 1, 1]
    assert [numbers(heat, "blip")[key] for key in begun] == [1, 0, 0, 0]
    orderly(heat)


def test_a_recovery_after_which_none_is_left_is_counted_once_and_at_once(place: Place) -> None:
    place.script("web", "[ -e up ]")
    place.script("recover", "exit 1")
    text = monitor("web", "./web", threshold=1, recovery="./recover", max_recoveries=1)
    heat = place.fleet(text)
    heat.await_news("none is left")

    outcome = "helped", "useless", "spent"
    assert [numbers(heat, "web")[key] for key in outcome] == [0, 1, 1]
    (place.folder / "up").touch()
    heat.await_line("web: OK")
    until(lambda: numbers(heat, "web")["state"] == "NORMAL", "the end of the outage")
    assert [numbers(heat, "web")[key] for key in outcome] == [0, 1, 0]
    orderly(heat)


def test_the_longest_lateness_is_told_to_the_next_one_who_asks_too(big: Heat) -> None:
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
        seen = big.out.read_text().count("web: OK")
        for n, each in enumerate(clients):
            each.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                each.socket.send(kinds[n % len(kinds)])
        while big.out.read_text().count("web: OK") < seen + 20:
            with contextlib.suppress(OSError):
                chance.choice(clients).socket.recv(4096)
        _, latest = lateness(big)

    # A machine with other things to do is late by itself.
    assert latest == before or latest < 1.0


def test_who_is_silent_or_does_not_read_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_PATIENCE", 0.2)
    clock = RealClock()
    loop = Loop(clock)
    there = server.Control(str(tmp_path / "s"), (clock, loop), cast(Any, Endless()), cast(Any, 0))
    silent, half, slow = (Client(tmp_path / "s") for _ in range(3))
    half.send(HELLO[:-1])
    slow.send(HELLO)
    until(lambda: _turned(loop, clock) and not there.clients, "their end")
    with silent, half, slow:
        told = silent.line(), half.line()
        got = len(slow.socket.recv(1 << 24))
        there.close()
        loop.close()

    slow_one = {"ok": False, "kind": "too-slow", "error": "no request came for 0 s", "fix": ""}
    assert told == (slow_one, slow_one)
    assert got > 10_000


class Endless:
    """Its answer has no end."""

    def answer(self, request: bytes, later: object) -> Iterator[bytes]:
        del request, later
        return repeat(b"x" * 1000)


def _turned(loop: Loop, clock: RealClock) -> bool:
    loop.at(clock.now() + 0.05, loop.stop, Nobody())
    loop.run()
    return True


# The socket at its path


def test_the_socket_is_its_users_alone(big: Heat) -> None:
    assert stat.filemode((big.folder / "heat.sock").lstat().st_mode) == "srw-------"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be another user")
def test_another_user_is_refused(big: Heat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(big.folder)
    mode = os.stat(".").st_mode
    os.chmod(".", 0o711)
    os.chmod("heat.sock", 0o666)  # As if the mode did not keep them out.
    os.seteuid(65534)
    try:
        stranger = Client(Path("heat.sock"))
    finally:
        os.seteuid(0)
        os.chmod(".", mode)
        os.chmod("heat.sock", 0o600)
    with stranger:
        told = stranger.line()
        assert stranger.line() is None

    assert told is not None
    assert told["error"] == "this HEAT answers only its own user and root"


def test_a_socket_that_was_deleted_is_there_again(heat: Heat) -> None:
    with client(heat) as before:
        assert before.ask("hello")["ok"]  # Who is not let in yet goes with the socket.
        (heat.folder / "heat.sock").unlink()
        (heat.folder / "heat.sock.lock").unlink()
        heat.reload("0 changed")
        heat.await_news("the control socket was deleted: ")
        assert done(heat, "hello")["ok"]
        assert before.ask("hello")["ok"]

    assert stat.filemode((heat.folder / "heat.sock").lstat().st_mode) == "srw-------"


def test_a_second_heat_does_not_take_the_socket_of_the_first(heat: Heat) -> None:
    words = ("--control", "heat.sock", "--log-dir", "logs", "-i", "1", "true")
    (heat.folder / "logs").mkdir(exist_ok=True)
    other = Place(heat.folder).heat(*words, stderr=subprocess.PIPE)
    assert other.wait() == 2

    told = other.process.communicate()[1].decode()
    assert f"heat.sock: another HEAT, process {heat.pid}, listens there" in told
    assert "give this one --control PATH" in told


def single(place: Place, path: str) -> Heat:
    return place.heat("-i", "0.05", "--control", path, "true")


def test_a_socket_of_another_program_is_left_to_it(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(place.folder / "its.sock"))
        there.listen()
        heat = single(place, "its.sock")

        assert heat.wait() == 2
        assert "its.sock: another program listens there" in heat.err.read_text()
    heat = single(place, "its.sock")
    with client(heat, "its.sock") as here:
        assert here.ask("hello")["ok"]  # Now nobody does.


def test_the_socket_of_a_heat_that_was_killed_is_taken_over(place: Place) -> None:
    heat = single(place, "heat.sock")
    assert done(heat, "hello")["about"]["pid"] == heat.pid
    heat.process.kill()
    heat.wait()
    heat = single(place, "heat.sock")
    until(lambda: bool(done(heat, "hello")["about"]["pid"] == heat.pid), "the new one")

    assert heat.stop() == 0
    assert not (place.folder / "heat.sock").exists()


@pytest.mark.parametrize(
    ("path", "why_not"),
    [
        ("file", "there is a file that is not a socket"),
        ("folder", "there is a file that is not a socket"),
        ("link", "there is a file that is not a socket"),
        ("missing/heat.sock", "no such file or directory"),
        ("n" * 200, "AF_UNIX path too long"),
    ],
)
def test_a_path_where_there_can_be_no_socket_is_refused(
    place: Place, path: str, why_not: str
) -> None:
    (place.folder / "file").write_text("mine")
    (place.folder / "folder").mkdir()
    (place.folder / "link").symlink_to("nowhere")
    heat = single(place, path)

    assert heat.wait() == 2
    told = heat.err.read_text().splitlines()
    assert told == [
        f"Error: --control {path}: {why_not}",
        "  name a path in a folder that HEAT may write to: --control PATH",
    ]
    assert (place.folder / "file").read_text() == "mine"
    assert (place.folder / "link").is_symlink()


@pytest.mark.parametrize("folder", ["f" * 120, "."])
def test_a_path_may_be_longer_than_a_socket_can_have(place: Place, folder: str) -> None:
    (place.folder / folder).mkdir(exist_ok=True)
    path = f"{folder}/{'s' * 60}"
    heat = single(place, f"./././././././././././././././././././././././{path}")
    until((place.folder / path).exists, "the socket")
    link = place.folder.parent / f"s{len(folder)}"
    link.symlink_to(place.folder / path)
    with Client(link) as there:
        assert there.ask("hello")["about"]["monitors"] == 1
        told = there.ask("reload")

    assert (told["ok"], told["kind"]) == (False, "refused")
    assert "it has reopened its logs" in told["error"]
    assert heat.stop() == 0
    assert not (place.folder / path).exists()


def test_a_long_name_here(place: Place) -> None:
    heat = single(place, "s" * 80)
    heat.await_line("OK", 2)

    assert (place.folder / ("s" * 80)).is_socket()


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


# While something else goes on


def test_what_is_asked_of_a_heat_that_ends_is_refused_and_it_ends(place: Place) -> None:
    stubborn(place, "web")
    killed = place.script("killed", "kill -9 $$")
    heat = place.fleet(monitor("web", "./web") + monitor("bad", killed, on_killed="error"))
    await_state(heat, "bad", "ERROR")
    pid_of(place, "web")
    with client(heat) as there:
        heat.signal(signal.SIGTERM)
        heat.await_news("stopping")
        assert there.ask("hello")["ok"]
        for do in ("check", "pause", "resume", "reset", "reload"):
            for name in ("web", "bad"):
                assert there.ask(do, name=name)["error"] == "HEAT is ending"

    assert heat.wait() == 0
    orderly(heat)


def test_a_reload_tells_what_came_of_it(place: Place) -> None:
    heat = place.fleet(monitor("web", WELL) + monitor("other", WELL))
    with client(heat) as there:
        place.write_config(monitor("web", ["false"], signal="none") + monitor("new", WELL))
        told = there.ask("reload")
        assert told == {"ok": True, "added": 1, "changed": 1, "removed": 1, "settings": []}
        place.write_config("[monitor.web]\ninterval = 0\nchek = 1\n")
        told = there.ask("reload")
        assert told["ok"] is False
        assert len(told["mistakes"]) >= 2
        assert any("monitor.web.chek" in diagnostic for diagnostic in told["mistakes"])
        there.send(request("reload") * 30)
        assert all(not there.lines()[-1]["ok"] for _ in range(30))

    heat.await_line("new: OK", 2)
    orderly(heat)


def test_monitors_that_go_while_they_are_told_of_are_left_out(place: Place) -> None:
    idle = "".join(monitor(f"idle-{n}", WELL, interval="1h") for n in range(2 * MANY))
    web = monitor("web", WELL)
    heat = place.fleet(web + idle)
    with client(heat) as slow, client(heat) as rows:
        slow.send(request("status"))
        rows.send(request("metrics") * 20)
        first = slow.line()
        assert first is not None
        assert rows.line() is not None
        place.write_config(web)
        with client(heat) as other:
            assert other.ask("reload")["removed"] == 2 * MANY
        *standing, end = [first, *slow.lines()]
        assert 0 < end["monitors"] < 2 * MANY
        assert sum(len(line["status"]) for line in standing) == end["monitors"]
        rows.lines()
        told = [rows.lines() for _ in range(19)][-1]

    assert told[-1]["monitors"] == 1
    assert why(heat, "web")["state"] == "NORMAL"
    orderly(heat)
