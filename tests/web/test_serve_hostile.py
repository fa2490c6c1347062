"""Attacks on `heatctl serve`, and what they get."""

import contextlib
import http.client
import re
import signal
import socket
import struct
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from heat_double import HeatDouble, many
from processes import until
from served import GET, PROGRAM, TOKEN, Served, everything, served, status, with_token

from heat.web.access import Access, Request, name_of

HASTE = """
from heat.web import server
from heat.web.limits import Bounds
server.Bounds = lambda: Bounds(asking=0.3, answering=2.0)
"""


FOR_TWO = """
from heat.web import server
from heat.web.limits import Bounds
server.Bounds = lambda: Bounds(connections=2)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    with HeatDouble(folder / "heat.sock") as heat:
        many(heat, ["web"])
        with served(folder, "--host", "Heat.lan") as server:
            yield server


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:1",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1:9333",
        "[::1]:80",
        "[0:0::1]",
        "heat.LAN",
        "heat.lan:443",
    ],
)
def test_a_name_of_our_own_is_served(server: Served, host: str) -> None:
    assert server.get("/metrics", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:9333",
        "192.0.2.1",
        "[2001:db8::1]",
        "localhost:9333:9333",
        "localhost:port",
        "localhost@evil.example",
        "2130706433",
        "0.0.0.0",  # noqa: S104 - nothing listens there
        "[localhost",
        ":80",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
def test_a_page_that_leads_its_own_name_here_reads_nothing(
    server: Served, host: str, path: str
) -> None:
    got = server.get(path, Host=host)

    assert got.refusal == (421, f"Host '{host}' is not a name of this server")


def test_an_address_is_ours_if_the_connection_came_in_there() -> None:
    request = Request(
        "GET", "/", has_body=False, hosts=["192.0.2.1:9333"], authorization="", local=""
    )

    assert Access().refusal(request._replace(local="192.0.2.1")) is None
    assert Access().refusal(request._replace(local="::ffff:192.0.2.1")) is None
    assert Access().refusal(request._replace(local="192.0.2.2")) is not None


@pytest.mark.parametrize(
    ("host", "name"),
    [("a:80", "a"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("::1", None), ("a]", None), ("", None)],
)
def test_the_name_in_a_host(host: str, name: str | None) -> None:
    assert name_of(host) == name


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_nothing_can_be_changed(server: Served, method: str) -> None:
    got = server.get("/api/status", method)

    assert (got.status, got.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET http://127.0.0.1/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /metrics HTTP/1.0\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost:\r\n\r\n", 421),
        (b"GET http://evil.example/metrics HTTP/1.0\r\n\r\n", 400),
        (b"POST /metrics HTTP/1.0\r\n\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /metrics HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /metrics\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"SSH-2.0-x\r\n\r\n", 400),
        (b"HEAT / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /\0metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (GET + b"X: a\r\n b\0: c\r\n\r\n", 400),
        (GET + b"X: " + b"a" * 9_000 + b"\r\n\r\n", 400),
        (GET + b"X: a\r\n" * 200 + b"\r\n", 400),
        (GET + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (GET + b"X: a\r\n" * 200_000 + b"\r\n", 431),
        (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
        (b"a" * 1_000_000, 431),
        (GET + b"Content-Length: 1\r\n\r\nx", 413),
        (GET + b"Content-Length: 10000000\r\n\r\n" + b"x" * 10_000_000, 413),
        (GET + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n" + b"x" * 100_000, 413),
        (GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (GET + b"Content-Length: -5\r\n\r\n", 400),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, bytes) else str(value),
)
def test_what_is_no_request_of_ours_is_refused_in_one_answer(
    server: Served, request_: bytes, code: int
) -> None:
    answer = server.raw(request_)

    assert status(answer) == code
    assert answer.startswith(b"HTTP/")
    assert b"\nHTTP/" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/../../../etc/passwd",
        "/metrics/../../etc/passwd",
        "//etc/passwd",
        "/api/why/../../../etc/passwd",
        "/api/why/..%2f..%2fetc%2fpasswd",
        "/api/why/%2e%2e",
        "/api/why/%00",
        "/api/why/%ff",
    ],
)
def test_a_path_leads_nowhere_else(server: Served, path: str) -> None:
    assert server.get(path).status in {400, 404}


def test_of_requests_one_after_the_other_the_first_is_answered(server: Served) -> None:
    assert server.raw((GET + b"\r\n") * 300).count(b"HTTP/1.1") == 1


def test_what_a_client_sends_is_not_sent_back_as_a_header(server: Served) -> None:
    got = server.get("/api/why/a%0d%0aSet-Cookie:%20a=b")

    assert got.status == 400
    assert "Set-Cookie" not in got.headers


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("closed")
    with HeatDouble(folder / "heat.sock") as heat:
        many(heat, ["web"])
        with served(folder, *with_token(folder)) as server:
            yield server


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN.upper()}",
        "Bearer \xff\xfe",
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/api/openapi.json", "/nowhere"])
def test_without_the_token_it_shows_nothing(closed: Served, path: str, authorization: str) -> None:
    got = closed.get(path, Authorization=authorization)

    assert got.refusal == (401, "the token is missing or wrong")
    assert got.headers["WWW-Authenticate"] == 'Bearer realm="HEAT"'


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_with_the_token_it_shows_everything(closed: Served, authorization: str) -> None:
    assert closed.get("/metrics", Authorization=authorization).status == 200
    assert closed.get("/api/why/web", Authorization=authorization).status == 200
    description = closed.get("/api/openapi.json", Authorization=authorization).json
    assert description["security"] == [{"token": []}]


def test_health_needs_no_token_and_tells_no_more_than_that_without(closed: Served) -> None:
    assert closed.get("/healthz").json == {"ok": True}
    assert closed.get("/healthz", Authorization="Bearer x").json == {"ok": True}
    assert closed.get("/healthz", Authorization=f"Bearer {TOKEN}").json["pid"] == 4711


@contextlib.contextmanager
def of_little_patience(folder: Path, monitors: int) -> Generator[Served]:
    with HeatDouble(folder / "heat.sock") as heat:
        many(heat, [f"monitor-{number}" for number in range(monitors)])
        with served(folder, program=HASTE + PROGRAM.format(more="")) as server:
            yield server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with of_little_patience(tmp_path_factory.mktemp("hasty"), 1) as server:
        yield server


def test_a_head_that_does_not_end_is_408(hasty: Served) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(hasty.connect()) for _ in range(3)]
        for client, sent in zip(clients, (b"G", GET, GET + b"X: a\r\n"), strict=True):
            client.sendall(sent)

        assert [status(everything(client)) for client in clients] == [408, 408, 408]


def test_a_head_that_comes_a_letter_at_a_time_is_408(hasty: Served) -> None:
    with hasty.connect() as client:
        client.settimeout(0.02)
        client.sendall(GET + b"X: ")
        answer = b""
        while not answer:
            with contextlib.suppress(TimeoutError):
                client.sendall(b"a")
                answer = client.recv(1 << 16)

        assert status(answer) == 408


def test_who_says_nothing_is_left(hasty: Served) -> None:
    assert hasty.raw(b"") == b""


def test_who_does_not_take_the_answer_is_left(tmp_path: Path) -> None:
    with of_little_patience(tmp_path, 2500) as server, socket.socket() as client:
        # The first numbers may take longer than it has patience; later ones are those that differ.
        until(lambda: server_answers(server, "/metrics"), "the first numbers")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = client.recv(100)
        until(lambda: not server.holds(client), "the end of the connection")
        received = head + everything(client)

    size = re.search(rb"Content-Length: (\d+)", received)
    assert size is not None
    assert len(received) < int(size[1])


def test_a_client_that_closes_its_side_after_a_request_gets_the_response(server: Served) -> None:
    with server.connect() as client:
        client.sendall(GET + b"\r\n")
        client.shutdown(socket.SHUT_WR)

        assert status(everything(client)) == 200


def test_a_client_that_closes_its_side_before_a_request_is_disconnected(server: Served) -> None:
    with server.connect() as client:
        client.sendall(GET)
        client.shutdown(socket.SHUT_WR)

        assert everything(client) == b""


def test_two_hundred_connections_are_bounded_and_over_when_they_are_gone(
    tmp_path: Path,
) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        many(heat, ["web"])
        clients = [server.connect() for _ in range(200)]
        answers = [everything(client) for client in clients[64:]]

        assert {status(answer) for answer in answers if answer} == {503}
        assert b"" in answers
        assert b"too many connections" in answers[0]
        for client in clients:
            client.close()
        until(lambda: server_answers(server), "an answer")
        assert server.get("/metrics").status == 200


def test_who_is_turned_away_and_has_gone_already_is_no_news(tmp_path: Path) -> None:
    with served(tmp_path, program=FOR_TWO + PROGRAM.format(more="")) as server:
        until(lambda: "start HEAT" in server.news(), "the greeting")
        news = server.news()
        with server.connect(), server.connect():
            server.process.send_signal(signal.SIGSTOP)
            with server.connect() as gone:
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            server.process.send_signal(signal.SIGCONT)
            with server.connect() as last:
                assert status(everything(last)) == 503

        assert server.news() == news


def test_out_of_descriptors_it_says_so_once_and_goes_on(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
    program = limit + PROGRAM.format(more="")
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path, program=program) as server:
        until(lambda: bool(heat.requests), "the greeting")
        clients = [server.connect() for _ in range(60)]
        until(lambda: "Too many open files" in server.news(), "what is wrong")
        for client in clients:
            client.close()
        until(lambda: server_answers(server), "an answer")

        assert server.news().count("\n") == 1


def server_answers(server: Served, path: str = "/healthz") -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return server.get(path).status == 200
    return False


def test_large_answers_that_nobody_takes_hold_bounded_memory(tmp_path: Path) -> None:
    program = "from heat.web import app; app.READING = 0.2\n" + PROGRAM.format(more="")
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path, program=program) as server:
        many(heat, [f"monitor-{number}" for number in range(3000)])
        size = len(server.get("/metrics").body)
        before = server.memory()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.socket()) for _ in range(20)]
            for client in clients:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", server.port))
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert server.get("/healthz").status == 200
            assert server.get("/metrics").refusal == (503, "too many large answers are being sent")

            assert server.memory() - before < 6 * size
