"""heatctl why: the layout of its screen, its exit status, and its JSON."""

import json
from pathlib import Path

import pytest
from described import failing, full
from talker import NOW, Facts, Talker, facts, last, outlook, step

from heat.cells import cells
from heat.ctl import explain
from heat.ctl.commands import why
from heat.ctl.main import main

pytestmark = pytest.mark.usefixtures("utc")


def screen(monitor: Facts) -> list[str]:
    """Return the lines, with one blank between words."""
    return [" ".join(line.split()) for line in why.laid_out(explain.parts(monitor), None)]  # type: ignore[arg-type]


def test_a_whole_screen() -> None:
    signal = {"do": "signal", "signal": "HUP", "option": "signal"}
    recovery = [{"do": "recovery", "attempt": 1}, {"do": "limit-fail"}]
    fault = {"do": "signal", "signal": "STOP", "option": "fault-signal"}
    there: Facts = {"state": "RECOVERING", "count": 3, "attempts": 1}
    fails = [
        step("failed", signal, {"do": "fail", "failure": 3}, *recovery, **there),
        step("fail-ended", fault, {"do": "recovery-script", "attempt": 1}, **there),
    ]
    recovered = {"do": "recovered", "failure": 2, "attempt": 0, "helped": True}
    passes = [step("passed", recovered)]
    would = outlook(
        passed=passes,
        failed=fails,
        passes={"number": 1, "steps": passes},
        failures={"number": 1, "steps": fails},
        commands={"check": True, "pause": True, "resume": False, "reset": True},
    )

    assert list(why.laid_out(explain.parts(failing(outlook=would)), 78)) == [  # type: ignore[arg-type]
        "web is FAILING, since 09:47:37 (60 min ago)",
        "  check       ./check-web (--interval 30, --timeout 10)",
        "  came here   no change of state is on record",
        "  last check  failed: Exit Code 7; took 0.034 s, ended 2.1 s ago",
        "  failures    2 in a row; 3 start recovery (--threshold 3)",
        "  outage      began 10:46:22, 75 s ago; 4 failures, first exit code 7, latest",
        "              124",
        "  target      process 4711 (--pid)",
        "  checks      120 since HEAT was started",
        "",
        "What happens next",
        "  The next check is in 4.2 s (--interval 30).",
        "  If it passes, web is NORMAL again, and the count goes back to 0.",
        "  If it fails, it is failure 3 of 3: HUP to process 4711, ./fail, then",
        "  recovery 1 of 5 begins when that has ended: STOP to process 4711, ./restart.",
        "",
        "What would change it",
        "  1 pass: NORMAL",
        "  1 more failure: recovery starts (--threshold 3)",
        "  heatctl check web            checks now",
        "  heatctl pause web --for 10m  no checks and no effects for 10 minutes",
        "  heatctl reset web            NORMAL, with all counts at 0",
        "  heatctl history web          what happened before, and what helped",
    ]


def test_only_the_state_is_painted_and_not_a_name_like_it() -> None:
    monitor = facts("ERROR", state="ERROR", next=None)
    first = next(why.laid_out(explain.parts(monitor), None, "ERROR", "31"))  # type: ignore[arg-type]

    assert first.startswith("ERROR is \x1b[31mERROR\x1b[0m, since")


def test_on_a_narrow_terminal_the_text_of_a_long_command_is_below_it() -> None:
    monitor = full() | {"name": "a web server"}
    lines = list(why.laid_out(explain.parts(monitor), 40))  # type: ignore[arg-type]

    assert lines[lines.index("  heatctl check 'a web server'") + 1] == "    checks now"
    assert max(map(len, lines[1:])) <= 40


def test_a_name_with_blanks_is_quoted_in_commands() -> None:
    assert "heatctl check 'my web' checks now" in screen(facts("my web"))


@pytest.mark.parametrize(
    ("monitor", "code"),
    [
        (facts(), 0),
        (failing() | {"name": "web"}, 1),
        (facts(paused={"since": NOW - 60, "until": None, "reason": ""}), 1),
    ],
)
def test_the_exit_status_and_the_facts_as_json(
    monitor: Facts, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Talker(tmp_path / "s", monitor):
        assert main(["why", "web", "--control", f"{tmp_path}/s"]) == code
        text = capsys.readouterr().out
        assert main(["why", "web", "--json", "--control", f"{tmp_path}/s"]) == code

    assert text.startswith("web is ")
    assert json.loads(capsys.readouterr().out) == monitor


def test_an_option_is_shown_as_it_is_written() -> None:
    known = {"interval": 5400.0, "timeout": 95.0}
    text = "\n".join(screen(failing(options=known)))

    assert "(--interval 1h30m, --timeout 95)" in text


def test_wide_characters_are_wrapped_at_the_width_of_the_terminal() -> None:
    monitor = facts(last=last("failed", "東京のディスクが一杯です " * 9, 1))
    lines = list(why.laid_out(explain.parts(monitor), 60))  # type: ignore[arg-type]

    assert max(map(cells, lines)) <= 60
    assert sum("東京" in line for line in lines) > 3
