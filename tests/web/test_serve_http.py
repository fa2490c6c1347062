"""Old, odd and other protocols: `heatctl serve` speaks only HTTP."""

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from heat_double import HeatDouble, many
from processes import PATIENCE
from served import GET, Served, everything, served, status


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("http")
    with HeatDouble(folder / "heat.sock") as heat:
        many(heat, ["web"])
        with served(folder) as server:
            yield server


@pytest.mark.parametrize(
    "request_",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PRI / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"SSH-2.0-<script>\r\n\r\n",
        b"<script> / HTTP/1.1\r\n\r\n",
        b"GET /<script> HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n<script>: localhost\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        GET + b"Content-Length: <script>\r\n\r\n",
        GET + b"X: " + b"<script>" * 1_200 + b"\r\n\r\n",
        GET + b"X: <script>\r\n" * 200 + b"\r\n",
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_http_gets_a_short_answer_at_once_and_no_word_of_its_own(
    server: Served, request_: bytes
) -> None:
    with server.connect() as client:
        client.sendall(request_)
        answer = everything(client)  # Its end comes long before any limit of time.

    head, _, body = answer.partition(b"\r\n\r\n")
    assert status(answer) == 400
    assert json.loads(body) == {"error": "the request is not valid HTTP/1.1, or has no Host"}
    assert b"\r\nConnection: close" in head
    assert not re.search(rb"(?im)^server:|aiohttp|python|script", answer)


def test_what_is_no_http_holds_no_place(server: Served) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            client = stack.enter_context(server.connect())
            client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            assert status(client.recv(100)) == 400

        assert server.get("/healthz").status == 200


def test_what_is_expected_of_us_is_no_reason_to_answer_in_other_words(server: Served) -> None:
    answer = server.raw(GET + b"Expect: <script>\r\n\r\n")

    assert status(answer) == 200
    assert b"script" not in answer


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/why/web"])
def test_who_speaks_http_1_0_needs_no_host(server: Served, path: str) -> None:
    answer = server.raw(f"GET {path} HTTP/1.0\r\n\r\n".encode())

    assert status(answer) == 200


CHECK_HTTP = "/usr/lib/nagios/plugins/check_http"


@pytest.mark.skipif(not os.path.exists(CHECK_HTTP), reason="monitoring-plugins are not installed")
@pytest.mark.parametrize("words", [(), ("-H", "localhost")], ids=["HTTP/1.0", "HTTP/1.1"])
def test_check_http_of_the_monitoring_plugins_sees_it(
    server: Served, words: tuple[str, ...]
) -> None:
    command = [CHECK_HTTP, "-I", "127.0.0.1", "-p", str(server.port), "-u", "/healthz", *words]
    result = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE, text=True)

    assert (result.returncode, result.stdout[:8]) == (0, "HTTP OK:"), result.stdout
