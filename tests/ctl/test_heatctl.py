"""heatctl and a real HEAT, which answers like the double of the other tests."""

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from client import ask, client
from heat_process import Heat, orderly
from place import Place
from processes import until
from talker import Talker, facts

from heat.control.client import Client
from heat.control.protocol import Answer, Kind
from heat.ctl.commands import status
from heat.ctl.main import main

FILE = """
[defaults]
interval = "50ms"

[monitor.web]
script = "./web"
threshold = 2
recovery = "./recover"
recovery-timeout = 60
success-threshold = 2

[monitor.queue]
command = ["true"]
"""


class Watched:
    """A HEAT with two monitors, and heatctl."""

    def __init__(self, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
        self._place = place
        self._capsys = capsys
        place.script("web", "[ ! -e broken ] || { echo it is broken; exit 1; }")
        place.script("recover", "rm -f broken")
        (place.folder / "heat.toml").write_text(FILE)
        self.control = os.fspath(place.folder / "s")
        self.heat: Heat = place.heat("--config", "heat.toml", "--control", self.control)
        until(lambda: self.ctl("status")[0] != 3, "HEAT's answer")

    def ctl(self, *words: str) -> tuple[int, str, str]:
        """Run a command; return its exit status and output."""
        code = main(["--control", self.control, *words])
        out, err = self._capsys.readouterr()
        return code, out, err

    def why(self, name: str) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.ctl("why", name, "--json")[1])
        return facts

    def break_it(self) -> None:
        (self._place.folder / "broken").touch()


@pytest.fixture(name="watched")
def _watched(place: Place, capsys: pytest.CaptureFixture[str]) -> Watched:
    return Watched(place, capsys)


def test_an_outage_from_its_first_failure_to_the_history(watched: Watched) -> None:
    until(lambda: watched.ctl("status")[0] == 0, "all to be well")
    watched.break_it()
    until(lambda: "recovery 1" in watched.ctl("history", "web")[1], "a recovery")
    until(lambda: watched.ctl("status", "web")[0] == 0, "recovery")
    until(lambda: "recovery 1 helped" in watched.ctl("history", "web")[1], "the verdict")

    code, out, _ = watched.ctl("why", "web")
    assert code == 0
    assert "RECOVERING -> NORMAL" in out
    account = json.loads(watched.ctl("history", "--json", "web")[1])
    assert account["outages"][0]["recoveries"][0]["helped"] is True
    assert account["flaps"] == 1
    assert 0 < account["well"] < 1
    orderly(watched.heat)


def test_pause_check_resume_reset_and_reload(watched: Watched) -> None:
    assert "paused until" in watched.ctl("pause", "web", "--for", "5m", "--reason", "a\x1bb")[1]
    assert watched.ctl("status")[0] == 1
    assert "a\\x1bb" in watched.ctl("why", "web")[1]
    code, _, err = watched.ctl("check", "web")
    assert (code, err.splitlines()[0]) == (2, "Error: web: it is paused")
    assert "no longer paused" in watched.ctl("resume", "web")[1]
    assert "counts are back to 0" in watched.ctl("reset", "web")[1]
    assert "nothing has changed" in watched.ctl("reload")[1]
    assert watched.ctl("why", "wbe")[2].splitlines()[1] == "  did you mean web?"
    orderly(watched.heat)


def test_a_reload_of_the_table_heat_says_what_it_changes_and_does_it(
    watched: Watched, place: Place
) -> None:
    path = place.folder / "heat.toml"
    path.write_text(f'[heat]\nmax-running = 2\nhistory = "4w"\n{FILE}')
    code, out, _ = watched.ctl("reload")

    changes = "max-running is 2 now (was 256), history is 28d now (was 90d)"
    assert (code, out) == (0, f"the file was read again: {changes}\n")
    with client(watched.heat, "s") as there:
        assert there.ask("hello")["about"]["max_running"] == 2
    watched.heat.await_news("0 removed; max-running is 2 now (was 256); history is 28d now")
    assert json.loads(watched.ctl("reload", "--json")[1])["settings"] == []
    path.write_text(f'[heat]\nhistory = "28d"\n{FILE}')
    assert "again: max-running is 256 now (was 2)\n" in watched.ctl("reload")[1]
    orderly(watched.heat)


def test_a_heat_with_all_the_clients_it_can_have_does_not_answer(watched: Watched) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(client(watched.heat, "s"))
        until(lambda: watched.ctl("status")[0] == 3, "a refusal")
        code, out, err = watched.ctl("why", "web", "--json")

    assert (code, out) == (3, "")
    assert err == "Failed: HEAT does not answer: 64 clients are connected already\n  try again\n"
    until(lambda: watched.ctl("status")[0] != 3, "an answer")
    orderly(watched.heat)


def test_a_brief_answer_makes_the_same_table_as_a_whole_one(watched: Watched, place: Place) -> None:
    (place.folder / "broken").mkdir()  # The recovery script cannot remove a folder.
    until(lambda: watched.why("web")["last_recovery"] is not None, "a recovery")
    watched.ctl("pause", "web", "--reason", "a look at it")
    until(lambda: watched.why("web")["checking"] == "idle", "quiet")
    until(lambda: watched.why("queue")["last"] is not None, "a result")
    now = time.time()
    with Client(watched.control) as client:
        briefly = [status.row(each, now) for each in status.ask_briefly(client)]
        whole = [status.row(each, now) for each in status.ask(client)]  # type: ignore[arg-type]

    assert len(briefly) == 2
    assert briefly[0][6][0].startswith("Failed: Exit Code 1; ")
    assert "paused; a look at it" in briefly[0][6][0]
    assert briefly[0][7][0].startswith("it is broken")
    age, following = 4, 5
    for one, other in zip(briefly, whole, strict=True):
        assert [*one[:age], *one[following + 1 :]] == [*other[:age], *other[following + 1 :]]


def test_a_monitor_before_its_first_check_is_normal_since_heat_began_to_watch_it(
    watched: Watched, place: Place
) -> None:
    later = '\n[monitor.later]\ncommand = ["true"]\ninterval = "1h"\n'
    (place.folder / "heat.toml").write_text(FILE + later)
    assert "1 added" in watched.ctl("reload")[1]
    first = watched.why("later")
    until(lambda: watched.why("later")["now"] > first["now"] + 0.1, "a moment later")
    second = watched.why("later")

    assert (first["checks"], second["checks"]) == (0, 0)
    assert abs(second["since"] - first["since"]) < 0.05
    assert first["start_period"] is None


def test_a_refusal_has_a_kind_that_the_protocol_lists(watched: Watched) -> None:
    def answer(**request: Any) -> tuple[bool, str]:
        with socket.socket(socket.AF_UNIX) as there, there.makefile("rb") as lines:
            there.connect(watched.control)
            there.sendall(json.dumps({"heat": 1, **request}).encode() + b"\n")
            line = json.loads(lines.readline())
        return line["ok"], line["kind"]

    assert answer(do="why", name="wbe") == (False, "unknown-monitor")
    assert answer(do="resume", name="web") == (False, "refused")
    assert answer(do="pause", name="web", seconds=-1) == (False, "bad-request")
    assert answer(do="dance") == (False, "bad-request")
    assert answer(heat=2, do="hello") == (False, "version")
    protocol = (Path(__file__).parents[2] / "docs/protocol.md").read_text()
    assert all(f"| `{each.value}` |" in protocol for each in Kind)


def test_a_heat_without_a_file_says_so_on_a_reload(place: Place) -> None:
    heat = place.heat("-i", "1", "--control", "heat.sock", "true")
    answer = ask(heat, "reload")

    assert (answer["ok"], answer["kind"]) == (False, "refused")
    assert answer["error"] == "this HEAT has no configuration file; it has reopened its logs"
    orderly(heat)


def test_a_reload_of_a_file_with_mistakes_lists_them(watched: Watched, place: Place) -> None:
    (place.folder / "heat.toml").write_text(FILE.replace("threshold", "treshold", 1))
    code, _, err = watched.ctl("reload")

    assert code == 2
    assert "monitor.web.treshold: is not a key of a monitor" in err
    assert "did you mean threshold?" in err


def test_the_double_answers_like_the_real_one(watched: Watched, tmp_path: Path) -> None:
    until(lambda: watched.why("queue")["last"] is not None, "a result")
    real = watched.why("queue")

    with (
        Talker(tmp_path / "double", facts("queue")) as double,
        Client(os.fspath(double.path)) as one,
        Client(watched.control) as other,
    ):
        answer: Answer = one.last("why", {"name": "queue"})["why"]
        assert set(answer) == set(real)
        assert set(answer["last"]) == set(real["last"])
        assert set(one.last("hello")["about"]) <= set(other.last("hello")["about"])
        first = next(one.ask("status"))["status"][0]
        assert set(first) == set(next(other.ask("status"))["status"][0])
