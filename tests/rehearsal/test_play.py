"""A rehearsal is the real monitor and table on a virtual clock, from the start to the end."""

import pytest
from rehearsals import moments, played
from virtual import Ends, VirtualWorld

from heat.rehearsal.summary import sentences
from states.monitor.model import State


def test_a_monitor_does_the_same_in_a_rehearsal_as_in_any_other_world() -> None:
    words = ("--threshold=2", "--recovery=./recover", "--pid=42", "--fault-signal=USR1")
    world = VirtualWorld(
        *words,
        checks=[Ends(), Ends(1), Ends(1), Ends(1), Ends()],
        recoveries=[Ends(after=3)],
    ).run_until(33)
    outcome = played("0,1x3,0", *words, recovery=Ends(after=3))

    assert [at for at, _ in moments(outcome, "check")] == world.times("check")
    assert [at for at, text in moments(outcome, "recovery") if "runs" in text] == world.times(
        "recovery"
    )
    assert [at for at, text in moments(outcome, "signal") if "USR1" in text] == world.times("USR1")


def test_it_ends_when_a_check_needs_another_result_than_the_last() -> None:
    outcome = played("0,1", "--fail=./tell", fail=Ends(after=4))

    assert [at for at, _ in moments(outcome, "check")] == [0, 10]
    assert [at for at, _ in moments(outcome, "fail")] == [10, 14]
    assert outcome.end == 20


def test_until_goes_on_with_the_last_result() -> None:
    outcome = played("0,1", until=45)

    assert [at for at, _ in moments(outcome, "check")] == [0, 10, 20, 30, 40]
    assert moments(outcome, "check")[-1][1] == "check 5: Failed: Exit Code 1 (4 failures in a row)"
    assert outcome.end == 45


def test_recovery_that_works_after_some_runs_ends_the_outage() -> None:
    outcome = played(
        "1", "--recovery=./r", "--recovery-timeout=15", works_after=3, recovery=Ends(after=2)
    )

    assert [at for at, text in moments(outcome, "recovery") if "runs" in text] == [0, 17, 34]
    assert moments(outcome, "recovered") == [
        (36, "well again after 5 failures and 3 recoveries, 36 s")
    ]
    assert outcome.well


def test_recovery_that_would_work_too_late_is_an_error() -> None:
    outcome = played("1", "--recovery=./r", "--max-recoveries=2", works_after=3)

    assert (outcome.state, outcome.exit_code) == (State.ERROR, 3)
    assert "error: 2 recoveries did not help; HEAT stops" in moments(outcome, "news")[-1][1]
    assert [*sentences(outcome)][-1] == "HEAT ended in ERROR, with exit status 3."


def test_an_endless_rehearsal_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heat.rehearsal.play.MOST", 50)
    outcome = played("unknown", until=10_000_000)

    assert "the rehearsal ends here: after 50 checks" in moments(outcome, "news")[-1][1]


def test_a_script_that_takes_for_ever_does_not_make_the_rehearsal_endless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("heat.rehearsal.play._MOST_STEPS", 500)
    outcome = played("1", "--interval=0.01", "--recovery=./r", recovery=Ends(after=1e7))

    assert moments(outcome, "news")[-1][1] == "the rehearsal ends here: after 500 steps"
    assert len(outcome.entries) < 10
    assert outcome.end < 10


def test_a_killed_check_is_an_error_or_a_failure() -> None:
    assert played("killed").exit_code == 3
    assert moments(played("killed", "--on-killed=fail"), "check") == [
        (0, "check 1: Killed by SIGKILL (1 failure in a row)")
    ]


def test_a_killed_recovery_is_an_error() -> None:
    outcome = played("1", "--recovery=./r", recovery=Ends(killed=9, after=2.0))

    assert outcome.state is State.ERROR
    assert moments(outcome, "recovery")[-1] == (
        2,
        "recovery script ended: killed by SIGKILL, after 2 s",
    )


def test_a_recovery_that_never_ends_is_killed_by_the_script_timeout() -> None:
    outcome = played("1,0", "--recovery=./r", "--script-timeout=20", recovery=Ends(after=None))

    assert (
        moments(outcome, "recovery")[-1][1]
        == "recovery script ended: Timed out after 20 s, after 20 s"
    )
    assert outcome.well


def test_a_fail_script_that_overlaps() -> None:
    queue = played("1x4", "--fail=./tell", fail=Ends(after=15))
    skip = played("1x3", "--fail=./tell", "--fail-overlap=skip", fail=Ends(after=15))

    assert (10, "fail script still runs: failure 2 has to wait for it") in moments(queue, "fail")
    assert moments(skip, "skip")[0] == (
        10,
        "tick skipped: the fail script runs, and fail-overlap is skip",
    )


def test_a_fail_script_that_recovery_waits_for() -> None:
    outcome = played("1x3", "--threshold=2", "--fail=./t", "--recovery=./r", fail=Ends(after=15))

    assert (10, "fail script is not run for failure 2") in moments(outcome, "fail")
    assert (10, "recovery waits for the fail script, at most 30 s") in moments(outcome, "news")
    assert (15, "recovery script ./r runs") in moments(outcome, "recovery")


def test_a_failure_in_the_start_period_does_not_count() -> None:
    outcome = played("1,0", "--start-period=5")

    assert moments(outcome, "news") == [
        (0, "that failure does not count: the start period is not over")
    ]


def test_a_target_that_is_killed_has_ended() -> None:
    outcome = played("1", "--pid=42", "--signal=KILL")

    assert outcome.state is State.ERROR
    assert moments(outcome, "news")[-1][1].endswith("target 42 (--pid) has ended; HEAT stops")


def test_the_process_of_a_pid_file_comes_back() -> None:
    outcome = played("1x2", "--pid-file=/run/web.pid", "--signal=KILL")

    assert moments(outcome, "signal") == [
        (at, "signal KILL to the process of /run/web.pid (--signal)") for at in (0, 10)
    ]


def test_a_stopped_target_is_woken_at_the_end() -> None:
    outcome = played("1", "--pid=42", "--fault-signal=STOP", "--max-recoveries=1", until=30)

    assert "sent CONT to 42, which HEAT had stopped" in moments(outcome, "signal")[-1][1]


def test_heat_that_is_its_own_target_ends() -> None:
    outcome = played("0,1", "--fault-signal=TERM")

    assert outcome.exit_code == 3
    assert (10, "signal TERM to HEAT itself (--fault-signal)") in moments(outcome, "signal")
    assert played("0,1", "--fault-signal=USR1").exit_code is None


def test_ticks_are_skipped_for_a_reason() -> None:
    slow = played("0@25,0", "--timeout=none")
    stubborn = played("timeout,0", "--interval=1", "--timeout=1")
    recovers = played("1,0", "--recovery=./r", recovery=Ends(after=15))

    assert moments(slow, "skip") == [(10, "2 ticks skipped, to 20 s: a check runs already")]
    assert moments(stubborn, "skip") == [(1, "tick skipped: a check runs already")]
    assert moments(recovers, "skip") == [
        (
            10,
            "tick skipped: it recovers: the next check comes when the recovery script has ended",
        )
    ]


def test_a_rehearsal_shows_a_backoff_and_recoveries_that_are_spent() -> None:
    outcome = played(
        *("1x9", "--recovery=./r", "--recovery-backoff=15"),
        *("--max-recoveries=2", "--when-spent=watch"),
    )
    news = [entry.text for entry in outcome.entries if entry.kind == "news"]
    rest = "checks go on, a pass ends the outage, 'heatctl reset' begins again"
    after = "(--max-recoveries 2) after 6 failures"

    assert [text.partition(";")[0] for text in news] == [
        "recovery 1 of 2 has not helped so far",
        f"2 recoveries did not help, and none is left {after}: {rest}",
    ]
    assert [*sentences(outcome)][-1] == "It ends in RECOVERING (SPENT)."


def test_a_killed_recovery_ends_where_the_options_say_so() -> None:
    of = played("2,0", "--recovery=./r", "--on-killed=fail", recovery=Ends(killed=9))

    assert (0.0, "recovery script ended: Exit Code 137 (killed by SIGKILL)") in moments(
        of, "recovery"
    )
    assert of.well
