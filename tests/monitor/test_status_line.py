"""The next check in tables and on the status line, of real monitors."""

import pytest
from situations import FAILING, FAILS, HANGS, LASTS, RECOVERS, TIMED, WATCHES, situation
from virtual import VirtualWorld, why_of

from heat.control.views import brief
from heat.rehearsal.programs import Ends


def test_under_skip_no_next_check_counts_down_while_the_fail_script_hangs() -> None:
    words = "--fail=./f", "--fail-overlap=skip"
    world = situation(*words, at=26, checks=[FAILS], fails=[HANGS])
    why = why_of(world)

    assert why["next"] is None
    assert why["next_text"] == "next check when the fail script has ended"
    assert "next check when the fail script has ended" in world.monitor.describe()


NEXT: dict[str, tuple[VirtualWorld, float | None, str]] = {
    "idle": (situation(at=6), 4.0, "next check in 4 s"),
    "running": (situation(at=0.5), 9.5, "a check runs now"),
    "the last one of --count runs": (situation("--count=1", at=0.5), None, "a check runs now"),
    "dying": (
        situation("--timeout=3", at=4, checks=[Ends(after=None, stubborn=True)]),
        None,
        "next check when the one that timed out is dead",
    ),
    "the recovery script runs": (
        situation(*RECOVERS, at=3, recoveries=[HANGS], **FAILING),
        None,
        "next check when the recovery script has ended",
    ),
    "recovery waits for the fail script": (
        situation(*RECOVERS, "--fail=./f", at=3, fails=[HANGS], **FAILING),
        None,
        "next check when the fail and the recovery script have ended",
    ),
    "the recovery script could not be started": (
        situation(*RECOVERS, at=3, recoveries=[Ends(error="no more processes")], **FAILING),
        None,
        "the recovery script is tried again at the next tick",
    ),
    "the window closes first": (
        situation(*TIMED, at=28, **LASTS, **FAILING),
        None,
        "next check when the next recovery script has ended",
    ),
    "the window closes first, and recovery is a signal": (
        situation("--threshold=1", "--fault-signal=USR1", "--recovery-timeout=7", at=3, **FAILING),
        5.0,
        "next check in 5 s",
    ),
    "ERROR": (
        situation(*RECOVERS, "--max-recoveries=1", at=18, **LASTS, **FAILING),
        None,
        "no more checks",
    ),
}


@pytest.mark.parametrize("name", NEXT)
def test_tables_and_the_status_line_say_when_the_next_check_comes(name: str) -> None:
    world, following, text = NEXT[name]
    why = why_of(world)

    assert (why["next"], why["next_text"]) == (following, text)
    assert text in world.monitor.describe()
    assert brief(world.monitor, world.time.unix())[9:11] == [
        following,
        text if following is None else None,
    ]


def test_the_status_line_shows_a_backoff_and_spent_recoveries() -> None:
    waits = situation(*RECOVERS, "--recovery-backoff=25", at=18, **LASTS, **FAILING)
    spent = situation(*WATCHES, at=18, **LASTS, **FAILING)

    line = waits.monitor.describe()
    assert line.startswith("RECOVERING (BACKOFF), 3 failures in a row (threshold 1); ")
    assert "; recovery 2 in 23 s at the earliest; next check in 7 s; " in line
    assert spent.monitor.describe().startswith("RECOVERING (SPENT), 3 failures in a row")
    assert (why_of(waits)["backoff"], why_of(waits)["shown"]) == (23.0, "BACKOFF")
    assert (why_of(spent)["spent"], why_of(spent)["shown"]) == (True, "SPENT")
    assert (why_of(waits)["state"], why_of(spent)["state"]) == ("RECOVERING", "RECOVERING")


def test_the_status_line() -> None:
    world = VirtualWorld("--threshold=3", "--recovery=./recover", checks=[Ends(7)]).run_until(12)

    assert world.monitor.describe() == (
        "FAILING, 2 failures in a row (threshold 3); last check Exit Code 7, 2 s ago; "
        "next check in 8 s; 2 checks"
    )
