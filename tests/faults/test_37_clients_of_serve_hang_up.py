"""Row 37: clients of `heatctl serve` hang up, in all the ways there are; it lives and serves on."""

import contextlib
import http.client
import itertools
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from heat_double import HeatDouble, many
from place import Place
from processes import PATIENCE, until
from served import Served, everything, served

from heat.web.app import AT_ONCE

HEATCTL = "import sys; from heat.ctl.main import main; sys.argv[1:1] = {words}; sys.exit(main())"
SERVE = HEATCTL.format(words="['serve']")
"""By way of the command itself: that is where SIGPIPE is given back its deadly meaning."""
PATIENT = """
from heat.control.async_client import AsyncClient
AsyncClient.__init__.__defaults__ = (600.0,)
"""
HASTE = """
from heat.web import server
from heat.web.limits import Bounds
server.Bounds = lambda: Bounds(answering=4.0)
"""
CLIENTS = 1000
MONITORS = 1500
HOST = b" HTTP/1.1\r\nHost: localhost\r\n"
LARGE, SMALL, HALF = b"GET /metrics" + HOST + b"\r\n", b"GET /healthz" + HOST + b"\r\n", HOST[:9]


def reset(client: socket.socket) -> None:
    """Hang up with a reset in place of an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(
    server: Served, request: bytes, how: Callable[[socket.socket], object], read: int
) -> None:
    with server.connect() as client, contextlib.suppress(ConnectionError):
        client.sendall(request)
        if read:
            client.recv(read)
        how(client)


def leave(_: socket.socket) -> None:
    """Close it, whatever is unread."""


def end_and_reset(client: socket.socket) -> None:
    """Say no more, and be gone when the answer comes: it meets a broken pipe, not a reset."""
    client.shutdown(socket.SHUT_WR)
    reset(client)


WAYS: tuple[tuple[bytes, Callable[[socket.socket], object], int], ...] = (
    (b"", leave, 0),
    (b"", reset, 0),
    (b"G", reset, 0),
    (b"GET /healthz" + HALF, leave, 0),
    (b"GET /healthz" + HALF, reset, 0),
    (SMALL, leave, 0),
    (SMALL, reset, 0),
    (SMALL * 3, reset, 0),
    (SMALL, lambda client: client.shutdown(socket.SHUT_WR), 0),
    (SMALL, lambda client: client.shutdown(socket.SHUT_RD), 0),
    (SMALL, end_and_reset, 0),
    (SMALL, reset, 1),
    (LARGE, reset, 0),
    (LARGE, leave, 0),
    (LARGE, end_and_reset, 0),
    (LARGE, leave, 100),
    (LARGE, reset, 100),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", reset, 0),
    (b"\x16\x03\x01", leave, 0),
)


def descriptors(server: Served) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def answers(server: Served, path: str) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return server.get(path).status == 200
    return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with HeatDouble(tmp_path / "heat.sock") as heat:
        many(heat, [f"monitor-{number}" for number in range(MONITORS)])
        with served(tmp_path, program=HASTE + SERVE) as server:
            # The first numbers may take longer than it has patience; later ones are kept.
            until(lambda: answers(server, "/metrics"), "the first numbers")
            yield server


def test_of_a_thousand_clients_that_hang_up_nothing_is_left_and_others_are_served(
    server: Served,
) -> None:
    size = len(server.get("/metrics").body)
    idle = descriptors(server)
    ways = itertools.cycle(WAYS)
    memory = 0
    for number in range(CLIENTS):
        hang_up(server, *next(ways))
        if number % 50 == 49:
            assert server.get("/healthz").status == 200
        if number == CLIENTS // 4:
            memory = server.memory()

    until(lambda: descriptors(server) <= idle, "as few descriptors as before")
    assert server.get("/metrics").status == 200
    # A client that is kept takes 30 KB; large answers come and go, eight at a time.
    assert server.memory() - memory < AT_ONCE * size
    assert server.process.poll() is None
    assert server.news() == ""


STOPPED = """
import os, signal, socket, sys
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
client.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
client.recv(1)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_clients_that_are_stopped_are_left_and_others_are_served(
    server: Served, place: Place
) -> None:
    idle = descriptors(server)
    for _ in range(3):
        client = place.spawn([sys.executable, "-c", STOPPED, str(server.port)])
        os.waitid(os.P_PID, client.pid, os.WSTOPPED)
        assert server.get("/healthz").status == 200

    until(lambda: descriptors(server) <= idle, "the end of their connections")
    assert server.get("/metrics").status == 200


def test_clients_that_take_nothing_of_a_large_answer_keep_nobody_waiting_for_long(
    tmp_path: Path,
) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        many(heat, [f"monitor-{number}" for number in range(3000)])
        until(lambda: answers(server, "/metrics"), "the first numbers")
        with contextlib.ExitStack() as stack:
            for _ in range(AT_ONCE):
                client = stack.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", server.port))
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                client.recv(1)

            assert server.get("/metrics").status == 200
            assert server.news() == ""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_curl_that_has_waited_long_enough_ends_nothing(server: Served) -> None:
    address = f"http://127.0.0.1:{server.port}/metrics"
    slowly = ["curl", "-s", "-o", os.devnull, "--limit-rate", "1000", "--max-time", "0.2", address]
    for _ in range(3):
        result = subprocess.run(slowly, check=False, timeout=PATIENCE)
        assert result.returncode == 28  # Its time was up.

    assert server.get("/healthz").status == 200


def test_for_a_client_that_has_gone_away_heat_is_asked_no_more(tmp_path: Path) -> None:
    answers = threading.Event()
    program = PATIENT + SERVE
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path, program=program) as server:
        many(heat, ["web"])
        until(lambda: bool(heat.requests), "the greeting")
        assert server.get("/healthz").status == 200
        idle, count = descriptors(server), len(heat.requests)

        def wait(_: object) -> None:
            answers.wait(PATIENCE)

        heat.reply = wait
        clients = [server.connect() for _ in range(20)]
        for client in clients:
            client.sendall(b"GET /api/why/web" + HOST + b"\r\n")
        until(lambda: len(heat.requests) - count == 8, "the most requests at a time")
        for client in clients:
            reset(client)
            client.close()

        # HEAT has not answered one of them yet.
        until(lambda: descriptors(server) <= idle, "the end of the questions")
        answers.set()
        assert server.get("/api/why/web").status == 200


SLOW = """
import sys
from heat.web import app
from heat.ctl.commands.serve import main
app.READING = 60.0
sys.exit(main(sys.argv[1:], lambda path, *_: open(path).read()))
"""
"""The state file is a FIFO that nobody writes to: who reads it waits."""


def test_clients_that_go_away_leave_no_more_threads_than_may_read_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "heat.state")
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path, program=SLOW) as server:
        heat.state_file = str(tmp_path / "heat.state")
        until(lambda: bool(heat.requests), "the greeting")
        threads = Path(f"/proc/{server.process.pid}/task")
        idle = len(list(threads.iterdir()))
        for number in range(20):
            count = len(heat.requests)
            with server.connect() as client:
                client.sendall(b"GET /api/history" + HOST + b"\r\n")
                if number < 4:
                    until(lambda: len(list(threads.iterdir())) > idle + number, "a reader")  # noqa: B023
                until(lambda: len(heat.requests) > count, "its question")  # noqa: B023
                assert server.get("/healthz").status == 200
                reset(client)

        assert len(list(threads.iterdir())) == idle + 4
        assert server.get("/metrics").status == 200


def test_a_heat_that_hangs_up_ends_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as rude:
        rude.bind(str(tmp_path / "heat.sock"))
        rude.listen()
        with served(tmp_path, program=SERVE) as server:
            rude.accept()[0].close()  # The greeting.
            for _ in range(20):
                with server.connect() as client:
                    client.sendall(SMALL)
                    rude.accept()[0].close()
                    assert everything(client).startswith(b"HTTP/1.1 503 ")
            assert server.process.poll() is None


def heatctl(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-c", HEATCTL.format(words=[*words, "--control", str(folder / "s")])]


@pytest.mark.parametrize(
    "words",
    [
        *(("status",), ("status", "--json"), ("why", "web"), ("history",), ("reload",)),
        *(("check", "web"), ("pause", "web"), ("resume", "web"), ("reset", "web")),
        ("diagram", "web"),
    ],
    ids=" ".join,
)
def test_no_command_dies_without_a_word_of_a_heat_that_hangs_up(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with socket.socket(socket.AF_UNIX) as rude:
        rude.bind(str(tmp_path / "s"))
        rude.listen()
        with subprocess.Popen(heatctl(tmp_path, *words), stderr=subprocess.PIPE) as command:
            rude.accept()[0].close()
            _, err = command.communicate(timeout=PATIENCE)

    assert command.returncode == 3
    assert b"did not finish its answer" in err


def test_a_command_whose_reader_has_gone_ends_as_other_tools_do(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "s") as heat:
        many(heat, ["web"])
        ours, theirs = os.pipe()
        os.close(ours)
        command = heatctl(tmp_path, "status", "--json")
        result = subprocess.run(
            command, stdout=theirs, stderr=subprocess.PIPE, check=False, timeout=PATIENCE
        )
        os.close(theirs)

    assert (result.returncode, result.stderr) == (-signal.SIGPIPE, b"")
