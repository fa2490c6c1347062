"""The facts on the screen of heatctl why: a table of situations."""

from typing import Any

import pytest
from described import FAILED, OUTAGE, failing, full, recovering
from talker import NOW, Facts, facts, last, outlook, step

from heat.ctl import explain
from heat.ctl.commands.why import laid_out

pytestmark = pytest.mark.usefixtures("utc")


def window(closes: float | None = None, failures: int = 1, **other: Any) -> Facts:
    known: Facts = {"closes": closes, "failures": failures, "of": None, "overdue": False}
    return known | other


def script(role: str, shown: str, left: float | None = None) -> Facts:
    return {"role": role, "shown": shown, "pid": 999, "for": 12.0, "left": left}


ENDED = outlook(
    ended=True,
    coming=None,
    passed=None,
    failed=None,
    failures=None,
    commands={"check": False, "pause": False, "resume": False, "reset": True},
)

SITUATIONS: dict[str, tuple[Facts, list[str], list[str]]] = {
    # situation: the facts, what the screen says, what it does not say
    "NORMAL": (
        full(),
        [
            "web is NORMAL, since 09:47:37 (60 min ago)",
            "check ./check-web (--interval 30, --timeout 10)",
            "last check OK; took 0.034 s, ended 2.1 s ago",
            "failures 0 in a row; 3 start recovery (--threshold 3)",
            "target process 4711 (--pid)",
            "The next check is in 4.2 s (--interval 30).",
            "If it passes, nothing changes.",
            "heatctl check web checks now",
            "heatctl pause web --for 10m",
        ],
        ["resume", "reset", "outage", "start period", "recovery 1", "unknown"],
    ),
    "before the first check": (
        full(last=None, checks=0),
        ["last check none has ended yet", "checks 0 since HEAT was started"],
        [],
    ),
    "nothing to do in recovery": (
        facts(),
        ["failures 0 in a row; recovery never starts (no --recovery)"],
        ["threshold"],
    ),
    "what failed has said why": (
        failing(
            last=last(
                "failed", "Exit Code 127 (command not found)", 127, message="x: not\x1bfound"
            ),
            outage={
                **OUTAGE,
                "first_message": "refused",
                "last_code": 127,
                "last_message": "x: not\x1bfound",
            },
            last_fail={
                "code": 137,
                "text": "Exit Code 137 (killed by SIGKILL)",
                "message": None,
                "age": 3.0,
            },
        ),
        [
            "last check failed: Exit Code 127 (command not found); took 0.034 s",
            "last line x: not\\x1bfound",
            "4 failures, first exit code 7, latest 127 (command not found)",
            "first failure refused",
            "fail script Exit Code 137 (killed by SIGKILL), ended 3 s ago",
        ],
        ["latest failure", "last recovery"],
    ),
    "a check passes in the window, and what failed had said why": (
        recovering(
            "its window is open",
            last=last(message="fine"),
            window=window(),
            outage={**OUTAGE, "first_message": "refused", "last_message": "timed out"},
            last_recovery={"code": 1, "text": "Exit Code 1", "message": "cannot bind", "age": 60.0},
        ),
        [
            "last line fine",
            "first failure refused",
            "latest failure timed out",
            "last recovery Exit Code 1, ended 60 s ago: cannot bind",
        ],
        [],
    ),
    "in the start period": (
        full({"start-period": 20}, start_period=11.0, last=FAILED),
        [
            (
                "start period 11 s left, in which failures do not count until the first pass "
                "(--start-period 20)"
            ),
            "last check failed: Exit Code 7 (not counted)",
        ],
        [],
    ),
    "FAILING": (
        failing(
            changed={
                "before": "NORMAL",
                "after": "FAILING",
                "at": NOW - 75,
                "count": 1,
                "reason": "Exit Code 7",
            }
        ),
        [
            "came here NORMAL -> FAILING at 10:46:22: Exit Code 7",
            "failures 2 in a row; 3 start recovery (--threshold 3)",
            "outage began 10:46:22, 75 s ago; 4 failures, first exit code 7, latest 124",
        ],
        ["not counted"],
    ),
    "FAILING with a fail script that runs": (
        failing(script=script("fail", "./fail", 18.0), fail_queued=True, count=1),
        [
            "fail script ./fail runs, process 999, for 12 s, is killed in 18 s",
            "it runs once more when it has ended",
            "it prints to heat.web.out",
        ],
        [],
    ),
    "the target is of a pid file": (
        failing(target={"pid": None, "pid_file": "/run/web.pid"}),
        ["target the process that /run/web.pid names (--pid-file)"],
        [],
    ),
    "RECOVERING, the script runs": (
        recovering("its script runs", next=None, script=script("recovery", "./restart")),
        [
            "failures 4 in a row (--threshold 3)",
            "recovery 1 of 5 (--max-recoveries 5); its script runs",
            (
                "recovery script ./restart runs, process 999, for 12 s, "
                "without a time limit (no --script-timeout)"
            ),
        ],
        ["window", "in a row, 1 ends"],
    ),
    "RECOVERING, the window is open": (
        recovering("its window is open", window=window(20.0)),
        [
            "its window is open",
            "window 1 failure in it, it closes in 20 s (--recovery-timeout 60)",
            "passes 0 in a row, 1 ends recovery (--success-threshold 1)",
        ],
        [],
    ),
    "RECOVERING, without a limit": (
        recovering("it is over", {"max-recoveries": None}, max_recoveries=None),
        ["recovery 1 (no --max-recoveries); it is over"],
        [],
    ),
    "RECOVERING, a window of failures": (
        recovering("", {"recovery-timeout": None}, window=window(of=3)),
        ["window 1 failure in it, 3 close it (--threshold 3)"],
        [],
    ),
    "RECOVERING, a window of one failure": (
        recovering("", {"recovery-timeout": None, "threshold": 1}, window=window(of=1)),
        ["window 1 failure in it, 1 closes it (--threshold 1)"],
        [],
    ),
    "RECOVERING, a window with an interval of its own": (
        recovering("", {"recovery-timeout": None, "recovery-interval": 1}, window=window(20.0)),
        [
            (
                "window 1 failure in it, the first failed check after 20 s closes it "
                "(--threshold 3, --interval 30)"
            ),
        ],
        [],
    ),
    "RECOVERING, overdue": (
        recovering("", window=window(overdue=True), checking="waiting"),
        [
            "now a check waits for its turn, as max-running others run",
            "window its time is up (--recovery-timeout 60): the next failed check closes it",
        ],
        [],
    ),
    "RECOVERING, success-threshold partly reached": (
        recovering("", {"success-threshold": 3}, window=window(20.0), passes=1)
        | {"success_threshold": 3},
        ["passes 1 in a row, 3 end recovery (--success-threshold 3)"],
        [],
    ),
    "BACKOFF": (
        recovering("it has not helped so far", shown="BACKOFF", backoff=12.0),
        ["web is RECOVERING (BACKOFF), since", "recovery 1 of 5 (--max-recoveries 5); it has not"],
        ["window"],
    ),
    "ERROR": (
        full(
            state="ERROR",
            next=None,
            frozen=4711,
            outlook=ENDED,
            last=FAILED,
            changed={
                "before": "RECOVERING",
                "after": "ERROR",
                "at": NOW - 90_000,
                "count": 20,
                "reason": "5 recoveries did not help",
            },
        ),
        [
            "came here RECOVERING -> ERROR at 2026-11-21 09:47:37: 5 recoveries did not help",
            "stopped HEAT has stopped process 4711, and owes it a CONT",
            "Nothing by itself: no check runs until it is reset.",
            "Process 4711 stays stopped until HEAT ends and sends it CONT.",
            "heatctl reset web NORMAL again; fix the cause first",
        ],
        ["heatctl pause", "heatctl check", "If it", "not counted"],
    ),
    "paused for a while": (
        full(
            paused={"since": NOW - 60, "until": NOW + 600, "reason": "disk"},
            next=None,
            shown="PAUSED",
            outlook=outlook(passed=None, failed=None, resumed=[step("resumed")]),
        ),
        [
            "web is NORMAL and paused, since",
            "paused since 10:46:37, until 10:57:37 (in 10 min): disk",
            "The pause ends by itself in 10 min; no checks and no effects until then.",
        ],
        ["If it", "PAUSED"],
    ),
    "paused until resumed": (
        full(
            paused={"since": NOW - 60, "until": None, "reason": ""},
            outlook=outlook(passed=None, failed=None, resumed=[step("resumed")]),
        ),
        ["paused since 10:46:37, until it is resumed", "Nothing by itself"],
        ["After the pause"],
    ),
    "ended by count": (
        full(
            {"count": 5},
            checks=5,
            skipped=2,
            next=None,
            outlook=outlook(coming=None, passed=None, failed=None),
        ),
        [
            "checks 5 of 5 (--count 5) since HEAT was started, 2 ticks skipped",
            "No more checks: 5 are done (--count 5).",
        ],
        ["If it"],
    ),
    "a check that timed out is being killed": (
        failing(checking="dying", last=last("failed", "Timed out after 10 s", 124)),
        [
            "now the check that timed out is being killed",
            "last check failed: Timed out after 10 s",
        ],
        [],
    ),
    "the last check could not be run": (
        full(last=last("unknown", "no more processes", None)),
        ["last check unknown: no more processes"],
        ["unknown since"],
    ),
    "no check has had a result for long": (
        full(last=last("unknown", "no more processes", None), unknown_since=NOW - 95),
        ["unknown since 10:46:02, as no check has given a result"],
        [],
    ),
}


def screen(monitor: Facts) -> list[str]:
    """Return the lines, with one blank between words."""
    return [" ".join(line.split()) for line in laid_out(explain.parts(monitor), None)]  # type: ignore[arg-type]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_screen_describes_each_situation(situation: str) -> None:
    monitor, expected, unexpected = SITUATIONS[situation]

    text = "\n".join(screen(monitor))
    for part in expected:
        assert part in text
    for part in unexpected:
        assert part not in text
    assert "None" not in text


@pytest.mark.parametrize("situation", SITUATIONS)
def test_it_fits_one_screen(situation: str) -> None:
    monitor, _, _ = SITUATIONS[situation]
    lines = list(laid_out(explain.parts(monitor), 80))  # type: ignore[arg-type]

    assert len(lines) <= 30
    assert max(len(line) for line in lines) <= 80
