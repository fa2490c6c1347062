"""The pages of `heatctl serve`, and its words when there is no HEAT."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from heat_double import STARTED, Answer, HeatDouble, many
from place import Gate
from processes import PATIENCE, until
from served import PROGRAM, Served, served, with_token

from heat import __version__
from heat.ctl.commands.serve import USAGE
from heat.ctl.main import main

OUTAGES = """
def history(path, name, since, now):
    if name == "bug":
        raise ZeroDivisionError(path)
    if name == "slow":
        open("gate").read()
    return [dict(path=path, name=name, since=since, now=now)]
from heat.web import app
app.READING = 0.2
"""
HASTY = """
from heat.control.async_client import AsyncClient
AsyncClient.__init__.__defaults__ = (0.1,)
"""
WITH_HISTORY = OUTAGES + PROGRAM.format(more=", history")


def always(reply: bytes) -> Callable[[Answer], bytes]:
    """Make a reply that a HEAT gives to every request."""
    return lambda _: reply


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def heat(folder: Path) -> Iterator[HeatDouble]:
    with HeatDouble(folder / "heat.sock") as double:
        many(double, ["web", "db"])
        double.put("db", state="FAILING", count=2)
        yield double


@pytest.fixture(scope="module")
def server(folder: Path, heat: HeatDouble) -> Iterator[Served]:
    assert heat.path.exists()
    with served(folder) as server:
        yield server


@pytest.fixture(scope="module")
def trusted(folder: Path, heat: HeatDouble) -> Iterator[Served]:
    """A server that has a token."""
    assert heat.path.exists()
    own = folder / "trusted"
    own.mkdir()
    (own / "heat.sock").symlink_to(heat.path)
    with served(own, *with_token(own)) as server:
        yield server


def test_the_metrics_have_the_state_of_each_monitor(server: Served) -> None:
    response = server.get("/metrics")

    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'heat_monitor_state{monitor="web",state="NORMAL"} 1.0\n' in response.text
    assert 'heat_monitor_state{monitor="db",state="NORMAL"} 0.0\n' in response.text
    assert 'heat_monitor_state{monitor="db",state="FAILING"} 1.0\n' in response.text
    assert "heat_up 1.0\n" in response.text


def test_health_is_about_heat_and_has_the_worst_state(server: Served) -> None:
    response = server.get("/healthz")

    assert response.status == 200
    assert response.json == {
        "ok": True,
        "version": "0.1.0",
        "pid": 4711,
        "monitors": 2,
        "worst": "FAILING",
    }


def test_status_answers_all_monitors_or_those_that_are_named(
    trusted: Served, heat: HeatDouble
) -> None:
    assert trusted.ask("/api/status").json == [heat.monitor("web"), heat.monitor("db")]
    assert trusted.ask("/api/status?name=db").json == [heat.monitor("db")]
    assert len(trusted.ask("/api/status?name=db&name=web").json) == 2


def test_why_answers_what_heat_says(trusted: Served, heat: HeatDouble) -> None:
    assert trusted.ask("/api/why/web").json == heat.why("web")


@pytest.mark.parametrize("path", ["/api/why/wbe", "/api/status?name=wbe"])
def test_an_unknown_name_is_404_with_the_nearest_one(server: Served, path: str) -> None:
    response = server.get(path)

    assert response.status == 404
    assert response.json == {"error": "no monitor is named wbe", "fix": "did you mean web?"}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/api/status?nmae=web", "nmae is not a parameter of this page"),
        ("/api/status?name=", "name '' is not a valid name"),
        ("/api/status?name=a%0Ab", "name 'a\\nb' is not a valid name"),
        (f"/api/why/{'a' * 101}", f"name '{'a' * 101}' is not a valid name"),
        ("/api/why/web?name=db", "name is not a parameter of this page"),
        ("/api/why/a%2Fb", "name 'a/b' is not a valid name"),
        ("/api/history?since=ages", "since 'ages' is not a duration"),
        ("/api/history?since=1&since=2", "since is given twice"),
        ("/api/history?name=..%2F..", "name '../..' is not a valid name"),
    ],
)
def test_a_bad_request_is_400_and_says_why(server: Served, path: str, error: str) -> None:
    assert server.get(path).refusal == (400, error)


@pytest.mark.parametrize(
    "path", ["/", "/metric", "/metrics/", "/api", "/api/status/", "/api/why/", "/static/x"]
)
def test_other_pages_are_404(server: Served, path: str) -> None:
    assert server.get(path).refusal == (404, "there is no such page")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/api/status", "/nowhere"])
def test_head_answers_as_get_does_without_the_body(server: Served, path: str) -> None:
    response, head = server.get(path), server.get(path, "HEAD")

    assert (head.status, head.body) == (response.status, b"")
    assert head.headers["Content-Length"] == str(len(response.body))


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/api/openapi.json", "/nowhere"])
def test_every_response_has_the_headers_against_browsers(server: Served, path: str) -> None:
    headers = server.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Connection"] == "close"
    assert headers["Server"] == f"heatctl/{__version__}"
    assert not {name for name in headers if name.startswith(("Access-Control", "Set-Cookie"))}


def test_without_a_heat_it_goes_on_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "heat.sock"
    why = f"no HEAT answers at {path}: no such file or directory"
    with served(tmp_path) as server:
        until(lambda: "--control PATH\n" in server.news(), "the greeting")
        assert f"heatctl: {why}\n" in server.news()
        for page in ("/healthz", "/api/status", "/api/why/web"):
            response = server.get(page)
            assert response.refusal == (503, why)
            assert "--control PATH" in response.json["fix"]
        response = server.get("/metrics")
        assert (response.status, response.text.splitlines()[-1]) == (200, "heat_up 0.0")
        assert "monitor" not in response.text

        with HeatDouble(path) as heat:
            many(heat, ["web"])
            assert server.get("/healthz").status == 200
            assert 'monitor="web"' in server.get("/metrics").text
        assert server.get("/healthz").status == 503
        assert 'monitor="web"' not in server.get("/metrics").text


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"", "broke off its answer"),
        (b'{"heat": 1, "monit', "broke off its answer"),
        (b"SSH-2.0-OpenSSH\n", "what answers is not HEAT"),
        (b"[1]\n", "what answers is not HEAT"),
        (b'{"heat": 2, "ok": true}\n', "speaks version 2 of the protocol"),
        (b'{"heat": 1, "ok": false, "error": "64 connections"}\n', "64 connections"),
        (b'{"heat": 1, "ok": false, "kind": "busy", "error": "no monitor is"}\n', "no monitor is"),
        (b"[" * 100_000 + b"\n", "what answers is not HEAT"),
        (b'{"heat": 1, "ok": true}\n', "about.config is missing"),
        (b'{"heat": 1, "ok": true, "about": {}}\n', "about.config is missing"),
    ],
)
def test_an_answer_that_cannot_be_understood_is_503_and_says_why(
    server: Served, heat: HeatDouble, monkeypatch: pytest.MonkeyPatch, reply: bytes, error: str
) -> None:
    monkeypatch.setattr(heat, "reply", always(reply))
    response = server.get("/healthz")

    assert response.status == 503
    assert error in response.json["error"]
    assert server.get("/metrics").status in {200, 503}


@pytest.mark.parametrize(
    "reply",
    [
        b'{"heat": 1, "ok": true}\n',
        b'{"heat": 1, "rows": [[1]]}\n{"heat": 1, "ok": true}\n',
        b'{"heat": 1, "columns": ["name"]}\n{"heat": 1, "ok": true}\n',
        b'{"heat": 1, "columns": 7}\n',
    ],
)
def test_an_answer_without_numbers_is_none_and_serve_takes_later_ones(
    server: Served, heat: HeatDouble, monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(heat, "reply", always(reply))
        assert server.get("/metrics").text.endswith("heat_up 0.0\n")

    assert 'monitor="web"' in server.get("/metrics").text


def test_serve_gives_up_a_heat_that_does_not_answer(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "heat.sock"))
        silent.listen()
        with served(tmp_path, program=HASTY + PROGRAM.format(more="")) as server:
            status, error = server.get("/healthz").refusal

            assert status == 503
            assert error.endswith("did not answer within 0.1 s")


def test_serve_reads_the_history_from_the_state_file_that_heat_names(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    assert gate.path.exists()
    program = WITH_HISTORY.replace('"gate"', repr(str(gate.path)))
    words = with_token(tmp_path)
    with (
        HeatDouble(tmp_path / "heat.sock") as heat,
        served(tmp_path, *words, program=program) as server,
    ):
        assert server.ask("/api/history").refusal == (404, "HEAT keeps no state file")
        heat.state_file = "/srv/heat.state"
        (call,) = server.ask("/api/history?name=web&since=5m").json
        assert call.pop("now") > STARTED
        assert call == {"path": "/srv/heat.state", "name": "web", "since": 300.0}
        assert server.ask("/api/history").json[0]["name"] is None
        slow = server.ask("/api/history?name=slow")
        assert slow.refusal == (503, "/srv/heat.state was not read within 0.2 s")
        assert server.stop() == 0


def test_a_bug_is_500_and_its_traceback_is_on_stderr(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat:
        heat.state_file = "/srv/heat.state"
        server = Served(tmp_path, [], WITH_HISTORY)
        assert server.get("/api/history?name=bug").refusal == (500, "a bug of HEAT")
        assert server.stop() == 0

    assert "heatctl: a bug of HEAT: Traceback" in server.news()
    assert "ZeroDivisionError" in server.news()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_though_clients_and_heat_hang(
    tmp_path: Path, number: int, code: int
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "heat.sock"))
        silent.listen()
        with served(tmp_path) as server, server.connect() as idle, server.connect() as asking:
            asking.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert server.get("/nowhere").status == 404
            assert server.stop(number) == code
            assert idle.recv(1) == b""
            assert server.news() == ""


def test_without_the_extra_the_hint_is_the_pip_command(tmp_path: Path) -> None:
    (tmp_path / "aiohttp.py").write_text("raise ModuleNotFoundError(name='aiohttp')\n")
    program = "import sys; from heat.ctl.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "serve", "--control", "x"]
    environ = os.environ | {"PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=environ
    )

    assert result.returncode == 2
    assert result.stderr.splitlines()[:2] == [
        "Error: heatctl serve needs aiohttp, which is not installed",
        f"  {sys.executable} -m pip install 'heat-watchdog[serve]'",
    ]


def test_help_is_printed_and_fits_a_terminal(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["serve", "--help"]) == 0
    assert capfdbinary.readouterr().out.decode() == USAGE
    assert max(map(len, USAGE.splitlines())) <= 80
