"""Scrapes: serve asks HEAT only for what is new, and keeps the rest."""

from pathlib import Path

from heat_double import HeatDouble, many
from place import Gate
from processes import until
from served import served


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
        scrapes = [request for request in heat.requests if request["do"] == "metrics"]
        assert [request.get("since") for request in scrapes] == [None, 2]


def test_serve_asks_a_heat_that_was_restarted_for_all_numbers(tmp_path: Path) -> None:
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        many(heat, ["web", "db"])
        server.get("/metrics")
        heat.restart()
        heat.remove("db")
        heat.put("cache")
        text = server.get("/metrics").text

        assert 'monitor="cache"' in text
        assert 'monitor="db"' not in text
        assert "since" not in heat.requests[-1]


def test_every_scrape_has_the_longest_lateness_until_heat_sends_another(
    tmp_path: Path,
) -> None:
    line = 'heat_monitor_longest_lateness_seconds{monitor="web"} '
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        heat.put("web", late=0.5, latest=0.5)
        for _ in range(3):
            assert f"{line}0.5\n" in server.get("/metrics").text
        heat.put("web", latest=0.25)

        assert f"{line}0.25\n" in server.get("/metrics").text


def test_scrapes_at_the_same_time_share_one_request(tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    with HeatDouble(tmp_path / "heat.sock") as heat, served(tmp_path) as server:
        until(lambda: bool(heat.requests), "the greeting")

        def wait(_: object) -> None:
            (tmp_path / "gate").read_bytes()

        heat.reply = wait
        clients = [server.connect() for _ in range(3)]
        for client in clients:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: len(heat.requests) == 2, "the request")
        # When serve answers a later request, it has read all three.
        assert server.get("/nowhere").status == 404
        gate.open()
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"
            client.close()

        assert len(heat.requests) == 2
