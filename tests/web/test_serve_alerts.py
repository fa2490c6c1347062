"""The example rules in a real Prometheus, a real Alertmanager behind it, and somebody to page."""

import json
import os
import re
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from place import Place
from processes import PATIENCE, until
from served import Served, served

from heat.ctl.main import main

RULES = Path(__file__).parents[2] / "examples" / "heat.rules.yml"
PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

CONFIG = """
[monitor.web]
script = "./check"
interval = 0.1
threshold = 2
recovery = "./recover"
recovery-timeout = 0.3
max-recoveries = 1

[monitor.well]
command = ["true"]
interval = 60
"""

PROMETHEUS_YML = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]
scrape_configs: [{{job_name: heat, static_configs: [{{targets: ["127.0.0.1:{serve}"]}}]}}]
"""
ALERTMANAGER_YML = """
route:
  {{receiver: somebody, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - {{name: somebody, webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]}}
"""


class Pager:
    """A webhook that records status and labels of each message."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, str]] = []
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    summary = alert["annotations"]["summary"]
                    message = alert["status"], alert["labels"]["alertname"], summary
                    pager.messages.append(message)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
                """Nothing: what has come is in the messages."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@contextmanager
def pager() -> Generator[Pager]:
    pager = Pager()
    thread = threading.Thread(target=pager.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield pager
    finally:
        pager.server.shutdown()
        pager.server.server_close()
        thread.join()


def started(place: Place, name: str, *command: str) -> int:
    """Start one of Prometheus's programs; the port on which it answers."""
    log = place.folder / f"{name}.log"
    with log.open("wb") as out:
        place.spawn([*command, "--web.listen-address=127.0.0.1:0"], stdout=out, stderr=out)
    listening = re.compile(r'msg="Listening on" address=127\.0\.0\.1:(\d+)')
    until(lambda: bool(listening.search(log.read_text())), f"{name}, which says {log.read_text()}")
    match = listening.search(log.read_text())
    assert match is not None
    return int(match[1])


def prometheus(place: Place, serve: int, pager_port: int) -> int:
    """Start Prometheus, and an Alertmanager that pages there; the port of Prometheus."""
    assert PROMETHEUS is not None
    assert ALERTMANAGER is not None
    (place.folder / "am.yml").write_text(ALERTMANAGER_YML.format(port=pager_port))
    own = ("--config.file=am.yml", "--storage.path=am", "--cluster.listen-address=")
    alertmanager = started(place, "alertmanager", ALERTMANAGER, *own)
    text = PROMETHEUS_YML.format(rules=RULES, alertmanager=alertmanager, serve=serve)
    (place.folder / "prometheus.yml").write_text(text)
    own = ("--config.file=prometheus.yml", "--storage.tsdb.path=tsdb")
    return started(place, "prometheus", PROMETHEUS, *own)


def value(port: int, query: str) -> str | None:
    """The value that Prometheus has now; None while it starts."""
    address = f"http://127.0.0.1:{port}/api/v1/query?query={quote(query)}"
    with suppress(HTTPError), urlopen(address, timeout=PATIENCE) as answer:
        result = json.load(answer)["data"]["result"]
        return result[0]["value"][1] if result else None
    return None


def start_anew(place: Place, server: Served, port: int) -> None:
    """Have serve stopped until Prometheus has missed it, and started again."""
    until(lambda: value(port, "up") == "1", "a scrape")
    assert server.stop() == 0
    until(lambda: value(port, "up") == "0", "a scrape that fails")
    with served(place.folder, "--listen", f"127.0.0.1:{server.port}"):
        until(lambda: value(port, "up") == "1", "a scrape that does not")
        repair(place, port)


def repair(place: Place, port: int) -> None:
    """Do what somebody does who has been paged."""
    os.remove(place.folder / "broken")
    socket = str(place.folder / "heat.sock")
    assert main(["--control", socket, "reset", "web"]) == 0
    until(lambda: value(port, "sum(ALERTS)") is None, "the end of the alert")


@pytest.mark.skipif(
    PROMETHEUS is None or ALERTMANAGER is None, reason="Prometheus or Alertmanager is not installed"
)
def test_an_outage_pages_once_and_at_once_and_is_resolved_once(place: Place) -> None:
    place.script("check", "[ ! -e broken ]")
    place.script("recover", "true")
    heat = place.fleet(CONFIG)
    heat.await_line("web: OK")
    with pager() as somebody, served(place.folder) as server:
        port = prometheus(place, server.port, somebody.port)
        state = 'heat_monitor_state{monitor="web",state="NORMAL"}'
        until(lambda: value(port, state) == "1", "the monitor")
        assert somebody.messages == []
        (place.folder / "broken").touch()
        until(lambda: bool(somebody.messages), "a page")
        start_anew(place, server, port)
        until(lambda: len(somebody.messages) > 1, "the message that it is over")

    text = "MonitorNeedsSomebody", f"Outage of web on 127.0.0.1:{server.port}"
    assert somebody.messages == [("firing", *text), ("resolved", *text)]
    assert heat.stop() == 0
