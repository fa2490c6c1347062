"""`heatctl serve` beside a HEAT: its pages, and what it says when there is none."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import PATIENCE, Gate, Place, until
from heat_double import STARTED, Answer, HeatDouble, many
from served import PROGRAM, Got, Served, served, with_token

from heat import __version__
from heat.control.async_client import AsyncClient
from heat.ctl.commands.serve import USAGE, main
from heat.web.access import Access
from heat.web.app import App, Health, Setup
from heat.web.openapi import describe
from heat.web.server import read_history

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


def saying(said: bytes) -> Callable[[Answer], bytes]:
    """What has a HEAT answer this, whatever it is asked."""
    return lambda _: said


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
    with served(folder) as found:
        yield found


@pytest.fixture(scope="module")
def trusted(folder: Path, heat: HeatDouble) -> Iterator[Served]:
    """A server that has a token."""
    assert heat.path.exists()
    own = folder / "trusted"
    own.mkdir()
    (own / "heat.sock").symlink_to(heat.path)
    with served(own, *with_token(own)) as found:
        yield found


def test_the_metrics_tell_the_state_of_each_monitor(server: Served) -> None:
    got = server.get("/metrics")

    assert got.status == 200
    assert got.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'heat_monitor_state{monitor="web",state="NORMAL"} 1.0\n' in got.text
    assert 'heat_monitor_state{monitor="db",state="NORMAL"} 0.0\n' in got.text
    assert 'heat_monitor_state{monitor="db",state="FAILING"} 1.0\n' in got.text
    assert "heat_up 1.0\n" in got.text


def test_health_is_about_heat_and_tells_the_worst_state(server: Served) -> None:
    got = server.get("/healthz")

    assert got.status == 200
    assert got.found == {
        "ok": True,
        "version": "0.1.0",
        "pid": 4711,
        "monitors": 2,
        "worst": "FAILING",
    }


def test_status_answers_all_monitors_or_those_that_are_named(
    trusted: Served, heat: HeatDouble
) -> None:
    assert trusted.tell("/api/status").found == [heat.monitor("web"), heat.monitor("db")]
    assert trusted.tell("/api/status?name=db").found == [heat.monitor("db")]
    assert len(trusted.tell("/api/status?name=db&name=web").found) == 2


def test_why_answers_what_heat_says(trusted: Served, heat: HeatDouble) -> None:
    assert trusted.tell("/api/why/web").found == heat.why("web")


@pytest.mark.parametrize("path", ["/api/why/wbe", "/api/status?name=wbe"])
def test_a_name_that_is_unknown_is_404_with_the_nearest_one(server: Served, path: str) -> None:
    got = server.get(path)

    assert got.status == 404
    assert got.found == {"error": "no monitor is named wbe", "fix": "did you mean web?"}


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
def test_a_request_that_makes_no_sense_is_400_and_says_why(
    server: Served, path: str, error: str
) -> None:
    assert server.get(path).refusal == (400, error)


@pytest.mark.parametrize(
    "path", ["/", "/metric", "/metrics/", "/api", "/api/status/", "/api/why/", "/static/x"]
)
def test_other_pages_are_404(server: Served, path: str) -> None:
    assert server.get(path).refusal == (404, "there is no such page")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/api/status", "/nowhere"])
def test_head_answers_as_get_does_without_the_body(server: Served, path: str) -> None:
    got, head = server.get(path), server.get(path, "HEAD")

    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["Content-Length"] == str(len(got.body))


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/api/openapi.json", "/nowhere"])
def test_every_answer_has_the_headers_that_keep_browsers_at_bay(server: Served, path: str) -> None:
    headers = server.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Connection"] == "close"
    assert headers["Server"] == f"heatctl/{__version__}"
    assert not {name for name in headers if name.startswith(("Access-Control", "Set-Cookie"))}


def test_the_description_is_openapi_and_tells_every_page(server: Served) -> None:
    from openapi_spec_validator import validate  # noqa: PLC0415 - takes long to load

    found = server.get("/api/openapi.json").found
    routes = App(Setup(Access(), AsyncClient("nowhere"), read_history)).routes()

    validate(found)
    assert found == json.loads(json.dumps(describe(Health, has_token=False)))
    assert set(found["paths"]) == set(routes)


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("/api/status", "/api/status"),
        ("/api/why/{name}", "/api/why/web"),
        ("/healthz", "/healthz"),
        ("/api/openapi.json", "/api/openapi.json"),
    ],
)
def test_an_answer_is_as_the_description_tells(
    server: Served, trusted: Served, page: str, path: str
) -> None:
    is_as_described(page, server.get(path))
    is_as_described(page, trusted.tell(path), has_token=True)


def is_as_described(page: str, got: Got, *, has_token: bool = False) -> None:
    from openapi_schema_validator import OAS31Validator  # noqa: PLC0415 - likewise

    description = describe(Health, has_token=has_token)
    answer = description["paths"][page]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    whole = {**schema, "components": description["components"]}
    assert got.status == 200
    OAS31Validator(whole).validate(got.found)


def test_beside_a_heat_that_watches_something(place: Place) -> None:
    heat = place.fleet(
        f'[monitor.web]\nscript = "{place.check(7)}"\ninterval = 0.05\n',
        *("--control", "heat.sock", "--state", "heat.state"),
    )
    heat.await_line("Failed")
    with served(place.folder) as server:
        got = server.get("/metrics")
        assert 'heat_monitor_state{monitor="web",state="FAILING"} 1.0' in got.text
        assert 'heat_monitor_outages_total{monitor="web"} 1.0' in got.text
        assert server.get("/healthz").found["pid"] == heat.pid
        is_as_described("/healthz", server.get("/healthz"))
        is_as_described("/api/status", server.get("/api/status?name=web"))
        is_as_described("/api/why/{name}", server.get("/api/why/web"))
        is_as_described("/api/history", server.get("/api/history"))
        (account,) = server.get("/api/history?since=1d").found
        assert (account["monitor"], len(account["outages"])) == ("web", 1)
        status, error = server.get("/api/history?name=wbe").refusal
        assert (status, error.partition(" is on record")[0]) == (404, "no monitor named wbe")
    assert heat.stop() == 0


def test_a_removed_monitor_is_gone_with_the_next_scrape(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        many(heat, ["web", "db"])
        assert 'monitor="db"' in server.get("/metrics").text
        heat.remove("db")
        text = server.get("/metrics").text

        assert 'monitor="db"' not in text
        assert 'monitor="web"' in text


def test_a_scrape_asks_for_what_has_changed_since_the_one_before(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        many(heat, ["web", "db"])
        server.get("/metrics")
        heat.put("web", ok=5)
        text = server.get("/metrics").text

        assert 'heat_monitor_checks_total{monitor="web",result="ok"} 5.0' in text
        assert 'heat_monitor_checks_total{monitor="db",result="ok"} 1.0' in text
        asked = [request for request in heat.requests if request["do"] == "metrics"]
        assert [request.get("since") for request in asked] == [None, 2]


def test_numbers_of_a_heat_that_was_begun_anew_are_taken_as_a_whole(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        many(heat, ["web", "db"])
        server.get("/metrics")
        heat.begin_anew()
        heat.remove("db")
        heat.put("cache")
        text = server.get("/metrics").text

        assert 'monitor="cache"' in text
        assert 'monitor="db"' not in text
        assert "since" not in heat.requests[-1]


def test_the_longest_lateness_is_told_to_everybody_and_until_heat_tells_another(
    tmp_path: Path,
) -> None:
    line = 'heat_monitor_longest_lateness_seconds{monitor="web"} '
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        heat.put("web", late=0.5, latest=0.5)
        for _ in range(3):
            assert f"{line}0.5\n" in server.get("/metrics").text
        heat.put("web", latest=0.25)

        assert f"{line}0.25\n" in server.get("/metrics").text


def test_scrapes_at_the_same_time_share_one_question(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        until(lambda: bool(heat.requests), "the greeting")

        def wait(_: object) -> None:
            (tmp_path / "gate").read_bytes()

        heat.said = wait
        clients = [server.connect() for _ in range(3)]
        for client in clients:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: len(heat.requests) == 2, "the question")
        # All three have been read when a later one is answered.
        assert server.get("/nowhere").status == 404
        gate.open()
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"
            client.close()

        assert len(heat.requests) == 2


def test_without_a_heat_it_goes_on_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "heat.sock"
    why = f"no HEAT answers at {path}: no such file or directory"
    with served(tmp_path) as server:
        until(lambda: "--control PATH\n" in server.news(), "the greeting")
        assert f"heatctl: {why}\n" in server.news()
        for page in ("/healthz", "/api/status", "/api/why/web"):
            got = server.get(page)
            assert got.refusal == (503, why)
            assert "--control PATH" in got.found["fix"]
        got = server.get("/metrics")
        assert (got.status, got.text.splitlines()[-1]) == (200, "heat_up 0.0")
        assert "monitor" not in got.text

        with HeatDouble(path) as heat:
            many(heat, ["web"])
            assert server.get("/healthz").status == 200
            assert 'monitor="web"' in server.get("/metrics").text
        assert server.get("/healthz").status == 503
        assert 'monitor="web"' not in server.get("/metrics").text


@pytest.mark.parametrize(
    ("said", "error"),
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
def test_what_cannot_be_understood_is_503_and_says_why(
    server: Served, heat: HeatDouble, monkeypatch: pytest.MonkeyPatch, said: bytes, error: str
) -> None:
    monkeypatch.setattr(heat, "said", saying(said))
    got = server.get("/healthz")

    assert got.status == 503
    assert error in got.found["error"]
    assert server.get("/metrics").status in {200, 503}


@pytest.mark.parametrize(
    "said",
    [
        b'{"heat": 1, "ok": true}\n',
        b'{"heat": 1, "rows": [[1]]}\n{"heat": 1, "ok": true}\n',
        b'{"heat": 1, "columns": ["name"]}\n{"heat": 1, "ok": true}\n',
        b'{"heat": 1, "columns": 7}\n',
    ],
)
def test_numbers_in_other_words_are_none_and_later_ones_are_taken(
    server: Served, heat: HeatDouble, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(heat, "said", saying(said))
        assert server.get("/metrics").text.endswith("heat_up 0.0\n")

    assert 'monitor="web"' in server.get("/metrics").text


def test_a_heat_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "heat.sock"))
        silent.listen()
        with served(tmp_path, program=HASTY + PROGRAM.format(more="")) as server:
            status, error = server.get("/healthz").refusal

            assert status == 503
            assert error.endswith("did not answer within 0.1 s")


def test_history_is_read_from_the_state_file_that_heat_names(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    assert gate.path.exists()
    program = WITH_HISTORY.replace('"gate"', repr(str(gate.path)))
    words = with_token(tmp_path)
    with (
        HeatDouble(tmp_path / "heat.sock") as heat,
        served(tmp_path, *words, program=program) as server,
    ):
        assert server.tell("/api/history").refusal == (404, "HEAT keeps no state file")
        heat.state_file = "/srv/heat.state"
        found = server.tell("/api/history?name=web&since=5m").found
        assert found[0]["now"] > STARTED
        assert found == [
            {"path": "/srv/heat.state", "name": "web", "since": 300.0, "now": found[0]["now"]}
        ]
        assert server.tell("/api/history").found[0]["name"] is None
        slow = server.tell("/api/history?name=slow")
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


def test_without_the_extra_the_pip_command_is_told(tmp_path: Path) -> None:
    (tmp_path / "aiohttp.py").write_text("raise ModuleNotFoundError(name='aiohttp')\n")
    command = [sys.executable, "-m", "heat.ctl.commands.serve", "--control", "x"]
    environ = os.environ | {"PYTHONPATH": str(tmp_path)}
    found = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=environ
    )

    assert found.returncode == 2
    assert found.stderr.splitlines()[:2] == [
        "Error: heatctl serve needs aiohttp, which is not installed",
        f"  {sys.executable} -m pip install 'heat-watchdog[serve]'",
    ]


def test_help_is_printed_and_fits_a_terminal(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["--help"]) == 0
    assert capfdbinary.readouterr().out.decode() == USAGE
    assert max(map(len, USAGE.splitlines())) <= 80
