"""The answers of a running HEAT to requests on its control socket."""

import signal

import pytest
from client import await_state, client, numbers, request, why
from fleet import WELL, monitor, pid_of, stubborn
from heat_process import Heat, orderly
from place import Place
from processes import until

MANY = 600
"""Monitors whose status is more than a socket holds."""
WEB = monitor("web", WELL)


def with_idle(count: int) -> str:
    """The monitor web, and this many that do nothing."""
    return WEB + "".join(monitor(f"idle-{n}", WELL, interval="1h") for n in range(count))


def test_a_brief_answer_has_rows_of_all_monitors(place: Place) -> None:
    heat = place.fleet(with_idle(60))
    with client(heat) as connection:
        connection.send(request("status", brief=True))
        head, *lines, end = connection.lines()
        connection.send(request("status"))
        objects = [each for line in connection.lines()[:-1] for each in line["status"]]

    rows = [dict(zip(head["columns"], row, strict=True)) for line in lines for row in line["rows"]]
    whole = {each["name"]: each for each in objects}
    assert [row["name"] for row in rows] == list(whole)
    assert end == {"ok": True, "monitors": 61}
    waiting = {row["name"]: row for row in rows}["idle-59"]
    assert waiting["last"] is None
    assert waiting["next_text"] is None
    steady = waiting.keys() - {"next", "next_text", "recovery_message"}
    assert {key: waiting[key] for key in steady} == {key: whole["idle-59"][key] for key in steady}
    orderly(heat)


def test_heat_counts_recoveries_that_helped_and_those_that_did_not(place: Place) -> None:
    place.script("web", "[ -s second ]")
    place.script("recover", "[ ! -e first ] || echo > second\n: > first")
    place.script("blip", "[ -e seen ] || { : > seen; exit 1; }")
    heat = place.fleet(
        monitor("web", "./web", threshold=1, recovery="./recover") + monitor("blip", "./blip")
    )
    heat.await_line("web: OK")
    heat.await_line("blip: OK")

    counts = "outages", "recoveries", "helped", "useless"
    assert [numbers(heat, "web")[key] for key in counts] == [1, 2, 1, 1]
    assert [numbers(heat, "blip")[key] for key in counts] == [1, 0, 0, 0]
    orderly(heat)


def test_heat_counts_the_last_recovery_once_and_at_once(place: Place) -> None:
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


def test_a_heat_that_is_ending_refuses_commands_and_ends(place: Place) -> None:
    stubborn(place, "web")
    killed = place.script("killed", "kill -9 $$")
    heat = place.fleet(monitor("web", "./web") + monitor("bad", killed, on_killed="error"))
    await_state(heat, "bad", "ERROR")
    pid_of(place, "web")
    with client(heat) as connection:
        heat.signal(signal.SIGTERM)
        heat.await_news("stopping")
        assert connection.ask("hello")["ok"]
        for do in ("check", "pause", "resume", "reset", "reload"):
            for name in ("web", "bad"):
                assert connection.ask(do, name=name)["error"] == "HEAT is ending"

    assert heat.wait() == 0
    orderly(heat)


def test_a_reload_answers_with_its_result(place: Place) -> None:
    heat = place.fleet(WEB + monitor("other", WELL))
    with client(heat) as connection:
        place.write_config(monitor("web", ["false"], signal="none") + monitor("new", WELL))
        answer = connection.ask("reload")
        assert answer == {"ok": True, "added": 1, "changed": 1, "removed": 1, "settings": []}
        place.write_config("[monitor.web]\ninterval = 0\nchek = 1\n")
        answer = connection.ask("reload")
        assert answer["ok"] is False
        assert len(answer["mistakes"]) >= 2
        assert any("monitor.web.chek" in mistake for mistake in answer["mistakes"])
        connection.send(request("reload") * 30)
        assert all(not connection.lines()[-1]["ok"] for _ in range(30))

    heat.await_line("new: OK", 2)
    orderly(heat)


@pytest.fixture
def crowd(place: Place) -> Heat:
    """A HEAT with many monitors, whose answer takes a while."""
    return place.fleet(with_idle(MANY))


def test_an_answer_leaves_out_monitors_that_are_removed_in_the_meantime(
    crowd: Heat, place: Place
) -> None:
    with client(crowd) as slow, client(crowd) as rows:
        slow.send(request("status"))
        rows.send(request("metrics") * 20)
        first = slow.line()
        assert first is not None
        assert rows.line() is not None
        place.write_config(WEB)
        with client(crowd) as other:
            assert other.ask("reload")["removed"] == MANY
        *lines, end = [first, *slow.lines()]
        assert 0 < end["monitors"] < MANY
        assert sum(len(line["status"]) for line in lines) == end["monitors"]
        rows.lines()
        last = [rows.lines() for _ in range(19)][-1]

    assert last[-1]["monitors"] == 1
    assert why(crowd, "web")["state"] == "NORMAL"
    orderly(crowd)
