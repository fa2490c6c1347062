"""heatctl top: its screen, and a real terminal, which it restores."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from talker import NOW, Facts, Talker, facts
from terminal import Terminal

from heat.control.answers import Standing
from heat.control.protocol import NoAnswerError
from heat.ctl.commands import top
from heat.ctl.main import main

Fresh = Callable[[], tuple[list[Standing], list[str]]]


pytestmark = pytest.mark.usefixtures("utc")


def answers(*monitors: Facts, trouble: str = "") -> Fresh:
    return lambda: (list(monitors), [trouble] if trouble else [])  # type: ignore[arg-type, return-value]


def away() -> tuple[list[Standing], list[str]]:
    raise NoAnswerError("no HEAT answers at s")


def test_it_shows_the_worst_and_counts_the_rest() -> None:
    many = [facts(f"m{number}") for number in range(50)] + [facts("bad", state="ERROR")]
    view = top.View(answers(*many))
    shown = view.look(NOW, 24)

    assert shown.title == "10:47:37  51 monitors: 1 ERROR, 50 NORMAL"
    assert [cells[0][0] for cells in shown.rows[:2]] == ["bad", "m0"]
    assert len(shown.rows) == 20
    assert shown.more == "and 31 more"
    assert view.status == 1


@pytest.mark.parametrize("height", [1, 4, 5, 10])
def test_it_fits_a_terminal_of_any_height(height: int) -> None:
    view = top.View(answers(*(facts(f"m{number}") for number in range(9)), trouble="x\x1b"))
    shown = view.look(NOW, height)

    assert len(shown.rows) == max(1, height - 5)
    assert shown.troubles == ["x\\x1b"]


def test_heat_may_go_away_and_come_back() -> None:
    fresh: list[Fresh] = [away, answers(facts()), away, answers(facts())]

    def heat() -> tuple[list[Standing], list[str]]:
        return fresh.pop(0)()

    view = top.View(heat)

    first = view.look(NOW, 24)
    assert (first.title, first.rows) == ("10:47:37  no monitors yet", [])
    assert first.troubles == [
        "HEAT does not answer; trying again every second",
        "Failed: no HEAT answers at s",
    ]
    assert view.status == 3
    assert not view.look(NOW + 1, 24).troubles
    assert view.status == 0
    third = view.look(NOW + 2, 24)
    assert "since 10:47:38 (shown below); trying" in third.troubles[0]
    assert len(third.rows) == 1
    assert not view.look(NOW + 3, 24).troubles


def test_it_needs_a_terminal_to_draw_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["top"]) == 2
    assert "'heatctl top' needs a terminal" in capsys.readouterr().err


def on_a_terminal(folder: Path, term: str = "xterm") -> Terminal:
    words = [sys.executable, "-m", "heat.ctl", "top", "--control", f"{folder}/s"]
    return Terminal(*words, TERM=term)


@pytest.mark.parametrize("way", ["q", "Ctrl-C"])
def test_it_ends_at_a_key_and_restores_the_terminal(way: str, tmp_path: Path) -> None:
    monitors = facts("web"), facts("db", state="FAILING")
    with Talker(tmp_path / "s", *monitors), on_a_terminal(tmp_path) as there:
        there.await_text(r"db +FAILING")
        there.press("q") if way == "q" else there.signal(signal.SIGINT)
        there.await_text(r"\x1b\[\?1049l")
        code = there.end()

        assert code == 1
        assert "Traceback" not in there.text
        assert "\x1b[?25h" in there.text[-40:]
        assert there.settings() == there.before


def test_it_survives_a_restart_of_heat(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        with Talker(tmp_path / "s", facts("first")):
            there = stack.enter_context(on_a_terminal(tmp_path))
            there.await_text(r"first +NORMAL")
        there.await_text(r"HEAT has not answered since")
        with Talker(tmp_path / "s", facts("another")):
            there.await_text(r"another +NORMAL")
            there.press("q")

            assert there.end() == 0


def test_it_sees_a_key_even_if_drawing_takes_longer_than_a_beat() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"q")

    pressed = vars(top)["_pressed"](reading, time.monotonic() - 1)

    assert next(pressed) == ord("q")
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("kind", ["busy", "too-slow", "bug", "refused"])
def test_one_refusal_does_not_end_it(kind: str, tmp_path: Path) -> None:
    monitor = facts("web", state="FAILING")
    with Talker(tmp_path / "s", monitor) as heat, on_a_terminal(tmp_path) as there:
        there.await_text(r"1 FAILING")
        heat.refusal = {"ok": False, "kind": kind, "error": "64 clients are connected", "fix": ""}
        there.await_text(r"trying again every second")
        there.await_text(r"64 clients")
        heat.refusal = None
        heat.monitors["web"]["state"] = "NORMAL"
        there.await_text(r"1 NORMAL")
        there.press("q")

        assert there.end() == 0


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_on_a_terminal_that_only_prints_it_says_what_to_do(kind: str, tmp_path: Path) -> None:
    with on_a_terminal(tmp_path, kind) as there:
        code = there.end()

        assert code == 2
        assert f"cannot draw on a terminal that only prints: TERM is {kind}" in there.text
        assert "use 'heatctl status'" in there.text
