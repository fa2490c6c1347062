"""The screen of heatctl why for real monitors: what happens next, and what would change it."""

import pytest
from situations import (
    FAILING,
    FAILS,
    HANGS,
    LASTS,
    OK,
    RECOVERS,
    TARGET,
    TIMED,
    WATCHES,
    screen,
    situation,
)
from virtual import VirtualWorld, options, why_of

from heat.ctl import explain
from heat.ctl.commands.why import laid_out
from heat.rehearsal.programs import Ends


def reloaded(world: VirtualWorld, *words: str) -> VirtualWorld:
    world.monitor.adopt(world.setup(options(*words)), world.time.now())
    return world


SITUATIONS: dict[str, tuple[VirtualWorld, list[str], list[str]]] = {
    # situation: the monitor, what the screen says, what it does not say
    "NORMAL": (
        situation(
            "--threshold=3",
            "--recovery=./r",
            "--signal=HUP",
            "--fail=./f",
            *TARGET,
            at=6,
            checks=[OK],
        ),
        [
            "The next check is in 4 s (--interval 10).",
            "If it passes, nothing changes.",
            "If it fails, it is failure 1 of 3: HUP to process 42, ./f.",
            "3 failures in a row: recovery starts (--threshold 3)",
            "heatctl check check checks now",
            "heatctl pause check --for 10m no checks and no effects for 10 minutes",
        ],
        ["resume", "reset", "history", "pass:"],
    ),
    "a check runs": (situation(at=0.5, checks=[OK]), ["A check runs now."], ["heatctl check"]),
    "nothing to do in recovery": (
        situation(at=6, checks=[OK]),
        [
            "If it fails, it is failure 1: it is logged, and nothing else is done.",
            "a failed check: FAILING",
        ],
        ["threshold"],
    ),
    "a threshold, and nothing to do in recovery": (
        situation("--threshold=3", "--fail=./f", at=15, **FAILING),
        [
            "If it fails, it is failure 3 of 3: ./f.",
            "1 more failure: failures take effect from then on (--threshold 3)",
        ],
        ["recovery starts"],
    ),
    "beyond that threshold": (
        situation("--threshold=2", "--fail=./f", at=25, **FAILING),
        ["If it fails, it is failure 4: ./f."],
        ["more failure"],
    ),
    "a threshold of 1": (
        situation(*RECOVERS, *TARGET, "--max-recoveries=5", "--signal=none", at=6, checks=[OK]),
        [
            (
                "If it fails, it is failure 1 of 1, and recovery 1 of 5 begins: STOP "
                "to process 42, ./r."
            ),
            "1 failure: recovery starts (--threshold 1)",
        ],
        [],
    ),
    "signals without a target": (
        situation("--threshold=1", "--fault-signal=TERM", at=6, checks=[OK]),
        ["it is failure 1 of 1, and recovery 1 begins: TERM to HEAT itself."],
        [],
    ),
    "the target is of a pid file": (
        situation("--pid-file=/run/web.pid", at=6, checks=[OK]),
        ["it is failure 1: HUP to the process of /run/web.pid."],
        [],
    ),
    "in the start period, and the next check ends within it": (
        situation(
            "--start-period=60",
            "--timeout=none",
            "--threshold=3",
            "--recovery=./r",
            at=6,
            **FAILING,
        ),
        [
            "If it passes, nothing changes, except that failures count from then on.",
            (
                "If it fails in the 54 s that are left of the start period, it is logged and not "
                "counted, because of the start period; after that, it is failure 1 of 3"
            ),
        ],
        [],
    ),
    "in the start period, whose end no check can outlast": (
        situation("--start-period=60", "--timeout=5", at=6, **FAILING),
        ["If it fails, it is logged and not counted, because of the start period."],
        ["after that", "failure 1:"],
    ),
    "the start period ends before the next check": (
        situation("--start-period=15", "--threshold=3", "--recovery=./r", at=12, **FAILING),
        ["If it fails, it is failure 1 of 3: it is counted, and nothing else is done."],
        ["because of the start period"],
    ),
    "FAILING": (
        situation("--threshold=3", "--recovery=./r", "--signal=HUP", *TARGET, at=15, **FAILING),
        [
            "If it passes, check is NORMAL again, and the count goes back to 0.",
            (
                "If it fails, it is failure 3 of 3: HUP to process 42, then recovery 1 begins: "
                "STOP to process 42, ./r."
            ),
            "1 pass: NORMAL",
            "1 more failure: recovery starts (--threshold 3)",
            "heatctl reset check NORMAL, with all counts at 0",
            "heatctl history check",
        ],
        [],
    ),
    "FAILING, with an interval of its own": (
        situation("--threshold=3", "--recovery=./r", "--retry-interval=4", at=2, **FAILING),
        ["The next check is in 2 s (--retry-interval 4)."],
        [],
    ),
    "NORMAL, with another interval while FAILING": (
        situation("--threshold=3", "--recovery=./r", "--retry-interval=4", at=6, checks=[OK]),
        ["it is failure 1 of 3, and a check runs every 4 s from then on."],
        [],
    ),
    "FAILING, and the fail script runs": (
        situation("--fail=./f", at=6, fails=[HANGS], **FAILING),
        [
            "The next check is in 4 s",
            (
                "If it fails, it is failure 2: ./f; if ./f still runs then, it is failure "
                "2: ./f once more when it has ended."
            ),
        ],
        [],
    ),
    "FAILING, and the fail script keeps checks away": (
        situation(
            *("--fail=./f", "--fail-overlap=skip", "--script-timeout=90"),
            at=26,
            fails=[HANGS],
            **FAILING,
        ),
        [
            (
                "No check runs until ./f has ended, in 65 s at the latest (--fail-overlap "
                "skip); the next one is at the first tick after that, in 4 s at the earliest."
            ),
            "If it fails, it is failure 2: ./f.",
        ],
        ["heatctl check", "next check is"],
    ),
    "a check that timed out is being killed": (
        situation("--timeout=3", at=4, checks=[Ends(after=None, stubborn=True)]),
        [
            (
                "No check runs until the check that timed out is dead; the next one is at the "
                "first tick after that, in 6 s at the earliest."
            ),
        ],
        ["heatctl check"],
    ),
    "RECOVERING, waits for the fail script": (
        situation(*RECOVERS, *TARGET, "--fail=./f", at=3, fails=[HANGS], **FAILING),
        [
            (
                "When ./f has ended, in 28 s at the latest, recovery 1 begins: STOP to "
                "process 42, ./r."
            ),
            "When ./r has ended, the window opens, and a check runs at once.",
            "Until then no check runs.",
        ],
        ["heatctl check"],
    ),
    "RECOVERING, the script runs": (
        situation(*TIMED, "--script-timeout=50", at=3, recoveries=[HANGS], **FAILING),
        [
            (
                "When ./r has ended, in 48 s at the latest, the window opens, and a "
                "check runs at once."
            ),
            "If it passes, recovery has succeeded, and check is NORMAL again.",
            "If it fails, it is counted; the window stays open.",
            (
                "25 s after that the window's time is up: unless the latest check has passed "
                "or still runs, the window closes, and recovery 2 of 2 begins: ./r."
            ),
            "1 pass: NORMAL (--success-threshold 1)",
        ],
        ["heatctl check", "heatctl reset"],
    ),
    "RECOVERING, the script could not be started": (
        situation(*RECOVERS, at=3, recoveries=[Ends(error="no more processes")], **FAILING),
        [
            "At the next tick, in 7 s, ./r is tried again.",
            "When ./r has ended, the window opens, and a check runs at once.",
        ],
        ["heatctl check"],
    ),
    "RECOVERING, the window is open": (
        situation(*TIMED, *TARGET, at=8, **LASTS, **FAILING),
        [
            "If it passes, recovery has succeeded: CONT to process 42, and check is NORMAL again.",
            "If it fails, it is counted; the window stays open.",
            (
                "In 22 s the window's time is up: unless the latest check has passed or still "
                "runs, the window closes, and recovery 2 of 2 begins: STOP to process 42, ./r."
            ),
        ],
        ["more failure"],
    ),
    "RECOVERING, the window closes before the next check": (
        situation(*TIMED, at=28, **LASTS, **FAILING),
        [
            "In 2 s the window's time is up: the window closes, and recovery 2 of 2 begins: ./r.",
            "When ./r has ended, the window opens, and a check runs at once.",
            "the window closes, and it is ERROR: 2 recoveries did not help (--max-recoveries 2).",
        ],
        ["The next check is"],
    ),
    "RECOVERING, overdue": (
        situation(
            *TIMED, "--success-threshold=2", at=31, checks=[FAILS, FAILS, FAILS, OK], **LASTS
        ),
        ["If it fails, the window closes, and recovery 2 of 2 begins: ./r."],
        ["time is up:"],
    ),
    "RECOVERING, success-threshold partly reached": (
        situation(*TIMED, "--success-threshold=3", at=8, checks=[FAILS, OK], **LASTS),
        [
            "If it passes, it is pass 2 of 3 in a row (--success-threshold 3).",
            "2 more passes in a row: NORMAL (--success-threshold 3)",
        ],
        [],
    ),
    "RECOVERING, a window of failures": (
        situation("--threshold=3", "--recovery=./r", "--max-recoveries=1", at=23, **FAILING),
        [
            "If it fails, it is failure 2 of 3 in this window.",
            "2 more failures: the window closes, and it is ERROR",
        ],
        ["time is up"],
    ),
    "RECOVERING, the check at once of a window of one failure": (
        situation(*RECOVERS, at=5.5, **LASTS, **FAILING),
        [
            "A check runs now.",
            "it is counted; the window stays open, as a check at once never closes it.",
            "2 more failures: the window closes, and recovery 2 begins",
        ],
        [],
    ),
    "RECOVERING, with an interval of its own": (
        situation("--threshold=3", "--recovery=./r", "--recovery-interval=2", at=26.5, **FAILING),
        [
            "(--recovery-interval 2).",
            (
                "In 24 s the window's time is up; from then on a failed check ends it: the window "
                "closes, and recovery 2 begins: ./r."
            ),
        ],
        [],
    ),
    "RECOVERING, a window that closes with a backoff": (
        situation(*RECOVERS, "--recovery-backoff=25", at=8, **LASTS, **FAILING),
        ["If it fails, the window closes, and recovery 2 begins in 25 s at the earliest."],
        ["./r"],
    ),
    "BACKOFF": (
        situation(*RECOVERS, "--recovery-backoff=25", at=18, **LASTS, **FAILING),
        [
            "check is RECOVERING (BACKOFF), since",
            "The next check is in 7 s (--interval 10).",
            "If it passes, recovery has succeeded, and check is NORMAL again.",
            "If it fails, it is counted, and nothing else is done before the backoff is over.",
            (
                "In 23 s the backoff is over: unless the latest check has passed or still runs, "
                "recovery 2 begins: ./r."
            ),
        ],
        ["more failure"],
    ),
    "BACKOFF, overdue": (
        situation(
            *(*RECOVERS, "--recovery-backoff=5", "--success-threshold=2"),
            at=36,
            checks=[FAILS, FAILS, FAILS, OK],
            **LASTS,
        ),
        [],
        [],
    ),
    "the last window before SPENT": (
        situation(*WATCHES, at=8, **LASTS, **FAILING),
        ["If it fails, the window closes, and no recovery is left (--max-recoveries 1)."],
        [],
    ),
    "SPENT": (
        situation(*WATCHES, *TARGET, at=18, **LASTS, **FAILING),
        [
            "check is RECOVERING (SPENT), since",
            "If it passes, the outage is over: CONT to process 42, and check is NORMAL again.",
            "If it fails, it is counted, and nothing else is done: no recovery is left.",
            "1 pass: NORMAL (--success-threshold 1)",
            "heatctl reset check NORMAL, with all counts at 0: recoveries begin again",
        ],
        ["more failure"],
    ),
    "SPENT, and more are allowed since": (
        reloaded(situation(*WATCHES, at=18, **LASTS, **FAILING), *WATCHES, "--max-recoveries=9"),
        ["If it fails, it is counted, and nothing else is done: recoveries begin again after a"],
        ["no recovery is left"],
    ),
    "ERROR": (
        situation(*RECOVERS, "--max-recoveries=1", at=18, **LASTS, **FAILING),
        [
            "recovery 1 of 1 (--max-recoveries 1, --when-spent error); it is over",
            "Nothing by itself: no check runs until it is reset.",
            "heatctl reset check NORMAL again; fix the cause first",
            "heatctl history check",
        ],
        ["heatctl pause", "heatctl check", "If it", "window"],
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_screen_says_what_happens_next_and_what_would_change_it(name: str) -> None:
    world, expected, unexpected = SITUATIONS[name]

    text = screen(world)
    for part in expected:
        assert part in text
    for part in unexpected:
        assert part not in text
    assert "None" not in text


@pytest.mark.parametrize("name", SITUATIONS)
def test_it_fits_one_screen(name: str) -> None:
    lines = list(laid_out(explain.parts(why_of(SITUATIONS[name][0])), 80))

    assert len(lines) <= 32
    assert max(len(line) for line in lines) <= 80


def test_failures_after_the_last_check_of_count_are_left_out() -> None:
    words = "--count=1", "--threshold=2", "--recovery=./r"
    world = situation(*words, at=0.5, checks=[FAILS])
    text = screen(world)

    assert "a failed check: FAILING" in text
    assert "recovery starts" not in text


def test_it_says_since_when_checks_have_given_no_result() -> None:
    broken = Ends(error="no more processes")
    world = situation(at=25, checks=[OK, broken])
    assert "unknown" not in screen(world).splitlines()[4:6]
    assert why_of(world)["unknown_since"] is None

    world.run_until(35)
    why = why_of(world)
    assert why["unknown_since"] == world.time.unix() - 25
    assert "unknown since 2" in screen(world) or "unknown since 1" in screen(world)
    assert "unknown since " in world.monitor.describe()

    world.checks_give(OK)
    world.run_until(45)
    assert why_of(world)["unknown_since"] is None
