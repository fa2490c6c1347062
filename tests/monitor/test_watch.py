"""The watch on a virtual clock: what follows what, and when, to the moment."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual import Ends, VirtualWorld

from heat.errors import TargetError
from states.monitor.model import State

OK = Ends()
FAILS = Ends(7)
HANGS = Ends(after=None)
STUBBORN = Ends(after=None, stubborn=True)
RECOVER = ("--recovery=./recover",)
TARGET = ("--pid=42", "--fault-signal=USR1", "--success-signal=USR2")


def test_the_first_check_starts_at_once_and_the_next_ones_on_the_grid() -> None:
    world = VirtualWorld(checks=[Ends(after=3.3), Ends(after=0.1)]).run_until(35)

    assert world.times("check") == [0, 10, 20, 30]


def test_a_slow_check_shifts_nothing_and_its_ticks_are_skipped() -> None:
    world = VirtualWorld("--timeout=none", checks=[Ends(after=25), OK]).run_until(45)

    assert world.times("check") == [0, 30, 40]
    assert world.monitor.model.skipped == 2


def test_ticks_missed_in_a_stall_are_skipped_and_counted() -> None:
    world = VirtualWorld().run_until(5)
    world.time.stall(3600)
    world.run_until(3625)

    assert world.times("check") == [0, 3605, 3610, 3620]
    assert world.monitor.model.skipped == 359


def test_a_timeout_fails_at_the_moment_and_is_killed_two_seconds_later() -> None:
    world = VirtualWorld(
        "--timeout=5", "--pid=42", "--signal=HUP", checks=[STUBBORN, OK]
    ).run_until(25)

    assert world.times("HUP") == [5]
    assert world.printed[0] == "1671306479: Failed: Timed out after 5 s, details in heat.log"
    assert world.records["heat.log"] == "1671306479: (nothing on stderr) Timed out after 5 s\n"
    assert world.times("check") == [0, 10, 20]


def test_ticks_are_skipped_while_a_timed_out_check_dies() -> None:
    world = VirtualWorld("--interval=1", "--timeout=0.5", checks=[STUBBORN, OK]).run_until(4)

    assert world.times("check") == [0, 3, 4]
    assert world.monitor.model.skipped == 2


def test_a_check_that_dies_of_term_frees_the_next_tick() -> None:
    world = VirtualWorld("--interval=1", "--timeout=0.5", checks=[HANGS, OK]).run_until(2)

    assert world.times("check") == [0, 1, 2]


def test_an_exit_exactly_at_the_timeout_has_one_verdict() -> None:
    for after in (4.999999, 5.0, 5.000001):
        world = VirtualWorld("--timeout=5", checks=[Ends(after=after), OK]).run_until(9)

        assert len([line for line in world.printed if not line.startswith("(")]) == 1


def test_the_worked_example() -> None:
    world = VirtualWorld(
        "--interval=2",
        "--threshold=3",
        "--recovery-timeout=10",
        *RECOVER,
        *TARGET,
        checks=[OK, OK, FAILS, FAILS, FAILS, OK],
        recoveries=[Ends(after=0.5)],
    ).run_until(9)

    assert world.events == [
        (0, "check"),
        (2, "check"),
        (4, "check"),
        (4, "HUP"),
        (6, "check"),
        (6, "HUP"),
        (8, "check"),
        (8, "HUP"),
        (8, "USR1"),
        (8, "recovery"),
        (8.5, "check"),
        (8.5, "USR2"),
    ]


def test_the_window_counts_from_its_first_check_and_the_ticks_keep_that_phase() -> None:
    world = VirtualWorld(
        *RECOVER,
        "--recovery-timeout=25",
        checks=[FAILS, FAILS, FAILS, OK],
        recoveries=[Ends(after=3)],
    ).run_until(45)

    assert world.times("check") == [0, 3, 13, 23, 33, 43]


def test_the_window_closes_to_the_moment_not_at_the_next_tick() -> None:
    world = VirtualWorld(
        *RECOVER, "--recovery-timeout=15", checks=[FAILS], recoveries=[Ends(after=2)]
    ).run_until(40)

    assert world.times("recovery") == [0, 17, 34]


def test_a_check_in_flight_when_the_window_closes_still_decides() -> None:
    slow = Ends(7, after=4)
    world = VirtualWorld(
        *RECOVER,
        "--recovery-timeout=12",
        checks=[FAILS, FAILS, slow, FAILS],
    ).run_until(25)

    assert world.times("recovery") == [0, 14]


def test_between_two_recoveries_lies_at_least_one_interval() -> None:
    world = VirtualWorld(*RECOVER, checks=[FAILS]).run_until(35)

    assert world.times("recovery") == [0, 10, 20, 30]
    assert world.times("check") == [0, 0, 10, 10, 20, 20, 30, 30]


def test_after_the_last_recovery_comes_error() -> None:
    world = VirtualWorld(*RECOVER, "--max-recoveries=2", checks=[FAILS]).run_until(60)

    assert world.times("recovery") == [0, 10]
    assert (world.monitor.exit_code, world.done) == (3, True)
    assert "heat: error: 2 recoveries did not help; HEAT stops" in world.printed[-1]


def test_under_queue_failures_fold_into_one_more_run() -> None:
    world = VirtualWorld(
        "--fail=./tell", checks=[FAILS, FAILS, FAILS, OK], fails=[Ends(after=25)]
    ).run_until(60)

    assert world.times("fail") == [0, 25]
    counts = [p.env["HEAT_FAIL_CNT"] for p in world.programs if p.shown == "fail"]
    assert counts == ["1", "3"]


def test_under_skip_no_check_runs_while_the_fail_script_does() -> None:
    world = VirtualWorld(
        "--fail=./tell", "--fail-overlap=skip", checks=[FAILS], fails=[Ends(after=25)]
    ).run_until(60)

    assert world.times("check") == [0, 30, 60]
    assert world.times("fail") == [0, 30, 60]


def test_recovery_waits_for_the_fail_script_and_the_fault_signal_with_it() -> None:
    world = VirtualWorld(
        "--fail=./tell", *RECOVER, *TARGET, checks=[FAILS, OK], fails=[Ends(after=4)]
    ).run_until(5)

    assert world.events == [
        (0, "check"),
        (0, "HUP"),
        (0, "fail"),
        (4, "USR1"),
        (4, "recovery"),
        (4, "check"),
        (4, "USR2"),
    ]


def test_a_fail_script_that_recovery_waits_for_is_killed_after_30_seconds() -> None:
    world = VirtualWorld("--fail=./tell", *RECOVER, checks=[FAILS, OK], fails=[HANGS]).run_until(40)

    assert world.times("recovery") == [30]
    assert "> [Timed out after 30 s]" in world.records["heat.verbose.log"]


def test_or_after_its_own_script_timeout() -> None:
    world = VirtualWorld(
        "--fail=./tell", *RECOVER, "--script-timeout=7", checks=[FAILS, OK], fails=[STUBBORN]
    ).run_until(40)

    assert world.times("recovery") == [9]


def test_a_recovery_that_times_out_is_a_fail_record_and_no_error() -> None:
    world = VirtualWorld(
        *RECOVER, "--script-timeout=3", checks=[FAILS, OK], recoveries=[HANGS]
    ).run_until(5)

    assert world.monitor.model.state is State.NORMAL
    assert " : FAIL : recovery :\n> [Timed out after 3 s]\n" in world.records["heat.verbose.log"]


def test_a_slow_recovery_is_said_and_again_each_time_its_span_has_doubled() -> None:
    world = VirtualWorld(*RECOVER, checks=[FAILS, OK], recoveries=[Ends(after=100)]).run_until(110)

    said = [line for line in world.printed if "has been running" in line]
    assert [line.partition("running for ")[2].split()[0] for line in said] == [
        "10",
        "20",
        "40",
        "80",
    ]


def test_a_recovery_that_cannot_start_for_want_of_resources_is_tried_at_the_next_tick() -> None:
    world = VirtualWorld(
        *RECOVER,
        *TARGET,
        checks=[FAILS, OK],
        recoveries=[Ends(error="no room"), Ends(error="no room"), OK],
    ).run_until(25)

    assert world.times("recovery") == [20]
    assert world.times("USR1") == [0]


def test_a_recovery_script_that_is_gone_is_an_error() -> None:
    world = VirtualWorld(
        *RECOVER, checks=[FAILS], recoveries=[Ends(error="./recover is gone", passing=False)]
    ).run_until(5)

    assert world.monitor.exit_code == 3


def test_a_fail_script_that_cannot_start_is_an_err_record_and_nothing_more() -> None:
    world = VirtualWorld(
        "--fail=./tell", checks=[FAILS], fails=[Ends(error="./tell is gone", passing=False)]
    ).run_until(15)

    assert world.monitor.exit_code is None
    assert " : ERR : heat :\n> ./tell is gone" in world.records["heat.verbose.log"]


def test_unknown_has_no_effect_and_the_next_tick_tries_again() -> None:
    world = VirtualWorld(
        "--threshold=2", *RECOVER, checks=[FAILS, Ends(error="no room"), FAILS, OK]
    ).run_until(25)

    assert world.times("recovery") == [20]
    assert "1671306489: Unknown: no room" in world.printed
    assert "1671306489 : ERR : check :\n> no room\n" in world.records["heat.verbose.log"]


def test_a_check_that_is_gone_is_an_error_that_names_it() -> None:
    world = VirtualWorld(checks=[OK, Ends(error="./check is gone", passing=False)]).run_until(15)

    assert world.monitor.exit_code == 3
    assert world.printed[-1] == "(heat: error: ./check is gone; HEAT stops)"


@pytest.mark.parametrize("policy", ["error", "fail"])
def test_a_check_killed_from_outside(policy: str) -> None:
    world = VirtualWorld(
        f"--on-killed={policy}", checks=[Ends(killed=signal.SIGKILL), OK]
    ).run_until(15)

    assert (world.monitor.exit_code == 3) is (policy == "error")
    assert "> [killed by SIGKILL]\n" in world.records["heat.verbose.log"]
    expected = "Killed by SIGKILL" if policy == "error" else "Exit Code 137"
    assert world.printed[0] == f"1671306479: Failed: {expected}, details in heat.log"


@pytest.mark.parametrize("policy", ["error", "fail"])
def test_a_recovery_killed_from_outside(policy: str) -> None:
    world = VirtualWorld(
        *RECOVER,
        f"--on-killed={policy}",
        checks=[FAILS, OK],
        recoveries=[Ends(killed=signal.SIGKILL)],
    ).run_until(5)

    assert " : FAIL : recovery :\n> [killed by SIGKILL]\n" in world.records["heat.verbose.log"]
    news = [line for line in world.printed if line.startswith("(")]
    if policy == "error":
        assert world.monitor.exit_code == 3
        assert news[-1].endswith(
            "SIGKILL, and not by HEAT; '--on-killed fail' takes that for its end, and goes on; "
            "HEAT stops)"
        )
    else:
        assert world.monitor.exit_code is None
        assert "(recovery script recovery ended: Exit Code 137 (killed by SIGKILL), after 0 s)" in (
            news
        )
        assert world.monitor.model.state is State.NORMAL


def test_a_killed_fail_script_is_a_fail_record() -> None:
    world = VirtualWorld(
        "--fail=./tell", checks=[FAILS], fails=[Ends(killed=signal.SIGSEGV)]
    ).run_until(5)

    assert world.monitor.exit_code is None
    assert " : FAIL : fail :\n> [killed by SIGSEGV]\n" in world.records["heat.verbose.log"]


def test_a_target_that_ends_during_the_recovery_script_lets_it_end() -> None:
    world = VirtualWorld(*RECOVER, *TARGET, checks=[FAILS], recoveries=[Ends(after=5)])
    world.run_until(2)
    world.monitor.target_gone("target 42 (--pid) has ended")
    world.run_until(4)

    assert world.monitor.exit_code is None

    world.run_until(6)

    assert world.monitor.exit_code == 3


def test_a_missing_target_is_an_error_only_when_nothing_starts_recovery() -> None:
    for extra, code in (((), 3), (RECOVER, None)):
        world = VirtualWorld("--pid-file=x", *extra, checks=[OK, FAILS, OK])
        world.target_error = TargetError("process 42 does not exist")
        world.run_until(15)

        assert world.monitor.exit_code == code
        assert any("HUP was not sent" in line for line in world.printed)


def test_on_error_the_running_fail_script_is_let_end_so_that_the_failure_is_told() -> None:
    world = VirtualWorld("--pid=42", "--fail=./tell", checks=[FAILS, OK], fails=[Ends(after=20)])
    world.run_until(1)
    world.monitor.target_gone("target 42 (--pid) has ended")
    world.run_until(19)

    assert not world.done

    world.run_until(21)

    assert (world.done, world.monitor.exit_code) == (True, 3)


def test_a_first_term_meanwhile_gives_the_fail_script_its_two_seconds() -> None:
    world = VirtualWorld("--pid=42", "--fail=./tell", checks=[FAILS, OK], fails=[STUBBORN])
    world.run_until(1)
    world.monitor.target_gone("target 42 (--pid) has ended")
    world.monitor.stop(0)
    world.run_until(9)

    assert (world.times("done"), world.monitor.exit_code) == ([3], 3)


def test_but_not_for_ever() -> None:
    world = VirtualWorld("--pid=42", "--fail=./tell", checks=[FAILS, OK], fails=[HANGS])
    world.run_until(1)
    world.monitor.target_gone("target 42 (--pid) has ended")
    world.run_until(32)

    assert world.done


@pytest.mark.parametrize("stubborn", [False, True])
def test_stop_kills_what_runs_and_then_ends(stubborn: bool) -> None:  # noqa: FBT001
    world = VirtualWorld(checks=[Ends(after=None, stubborn=stubborn)]).run_until(1)
    world.monitor.stop(0)
    world.run_until(9)

    assert world.times("done") == [3 if stubborn else 1]
    assert "> [stopped with HEAT]" in world.records["heat.verbose.log"]
    assert not any("Failed" in line for line in world.printed)


def test_a_second_stop_kills_at_once() -> None:
    world = VirtualWorld(checks=[STUBBORN]).run_until(1)
    world.monitor.stop(0)
    world.monitor.stop(0, at_once=True)
    world.run_until(9)

    assert world.times("done") == [1]


def test_count_lets_what_runs_waits_or_is_queued_come_to_its_end() -> None:
    world = VirtualWorld(
        "--count=1",
        "--fail=./tell",
        *RECOVER,
        checks=[FAILS],
        fails=[Ends(after=4)],
        recoveries=[Ends(after=5)],
    ).run_until(20)

    assert world.times("recovery") == [4]
    assert world.times("done") == [9]
    assert world.monitor.exit_code == 1


def test_count_reached_in_normal_exits_0() -> None:
    world = VirtualWorld("--count=2").run_until(20)

    assert (world.times("done"), world.monitor.exit_code) == ([10], 0)


def test_a_last_check_that_failed_in_the_start_period_exits_1() -> None:
    world = VirtualWorld("--count=1", "--start-period=60", checks=[FAILS]).run_until(20)

    assert world.monitor.exit_code == 1


@pytest.mark.parametrize(
    ("results", "words", "code"),
    [
        ([OK], (), 0),
        ([FAILS, FAILS, OK], (), 0),
        ([OK, OK, FAILS], (), 1),
        ([FAILS], (*TARGET, "--recovery-timeout=1h"), 1),
        ([FAILS, OK], (*TARGET, "--success-threshold=3"), 1),
        ([FAILS, FAILS, OK], ("--start-period=1h",), 0),
    ],
    ids=["passed", "passed at last", "FAILING", "RECOVERING", "passes too few", "begun"],
)
def test_the_exit_code_after_the_last_check_tells_how_it_was(
    results: list[Ends], words: tuple[str, ...], code: int
) -> None:
    world = VirtualWorld("--count=3", *words, checks=results).run_until(40)

    assert (len(world.times("check")), world.monitor.exit_code) == (3, code)


def test_scripts_are_told_of_the_outage() -> None:
    world = VirtualWorld(
        "--interval=500ms",
        "--name=web",
        "--fail=./tell",
        "--threshold=2",
        *RECOVER,
        checks=[Ends(3, after=0.125, stderr=b"slow\n"), Ends(4, stderr=b"refused\n"), OK],
    ).run_until(1)

    fail, recovery = [dict(p.env) for p in world.programs if p.shown != "check"][1:]
    assert fail == {
        "HEAT_FAIL_CODE": "4",
        "HEAT_FAIL_TIME": "1671306479",
        "HEAT_FAIL_INTERVAL": "0.5",
        "HEAT_FAIL_PID": "47003",
        "HEAT_FAIL_CNT": "2",
        "HEAT_FAIL_TEXT": "refused",
        "HEAT_NAME": "web",
        "HEAT_STATE": "RECOVERING",
    }
    assert recovery == fail | {"HEAT_FAIL_TIME_LAST": "1671306479"}


def test_a_process_that_leaves_the_group_of_a_check_is_said_once() -> None:
    world = VirtualWorld(checks=[OK, Ends(escapee=True)]).run_until(45)

    told = [line for line in world.printed if "has left its process group" in line]
    assert [line[: line.index(" has ended")] for line in told] == ["(check (process 47002)"]
    assert told[0].strip("()") in world.records["heat.verbose.log"]


def test_the_status_line() -> None:
    world = VirtualWorld("--threshold=3", *RECOVER, checks=[FAILS]).run_until(12)

    assert world.monitor.describe() == (
        "FAILING, 2 failures in a row (threshold 3); last check Exit Code 7, 2 s ago; "
        "next check in 8 s; 2 checks"
    )


@given(
    interval=st.floats(0.01, 60),
    durations=st.lists(st.floats(0, 5), min_size=1, max_size=20),
)
def test_no_check_is_early_or_beside_another_and_the_grid_holds(
    interval: float, durations: list[float]
) -> None:
    words = (f"--interval={interval:.6f}", "--timeout=none")
    step = float(f"{interval:.6f}")
    world = VirtualWorld(*words, checks=[*(Ends(after=d * step) for d in durations), OK])
    world.run_until(40.5 * step)

    for start in world.times("check"):
        assert abs(start - round(start / step) * step) < 1e-5
    assert world.monitor.model.checks + world.monitor.model.skipped == 41


def test_a_signal_not_sent_for_want_of_resources_is_said_and_no_error() -> None:
    world = VirtualWorld("--pid-file=x", checks=[FAILS])
    world.target_error = TargetError("too many open files", passing=True)
    world.run_until(5)
    world.target_error = None
    world.run_until(15)

    assert world.monitor.model.state is State.FAILING
    assert "(HUP was not sent (--signal): too many open files)" in world.printed
    assert world.times("HUP") == [10]


# After a restart


def test_a_script_just_begun_is_known_though_the_interval_is_another_one_since() -> None:
    killed = VirtualWorld(*RECOVER, checks=[FAILS], recoveries=[HANGS]).run_until(0)
    world = VirtualWorld(*RECOVER, "--interval=7", killed=killed, after=7).run_until(17)

    assert world.events == [(0, "waits"), (10, "check"), (17, "check")]


def test_a_script_just_begun_is_waited_for_though_it_is_not_wanted_any_more() -> None:
    killed = VirtualWorld(*RECOVER, checks=[FAILS], recoveries=[HANGS]).run_until(0)
    world = VirtualWorld("--threshold=1", *TARGET, killed=killed).run_until(5)

    assert world.events == [(0, "waits")]
    assert world.monitor.model.state is State.RECOVERING
    assert world.run_until(10).times("check") == [10]


def test_a_fail_script_not_wanted_any_more_is_not_begun_again() -> None:
    killed = VirtualWorld("--fail=./tell", checks=[FAILS], fails=[HANGS]).run_until(0)
    killed.programs[-1] = killed.programs[0]  # It was not begun yet.
    world = VirtualWorld(killed=killed).run_until(0)

    assert world.events == [(0, "check")]
    assert world.monitor.model.fail_run is None


# A second pause takes the place of the first


@pytest.mark.parametrize(("first", "second", "checks"), [
    (15, None, [0]), (15, 50, [0, 60, 70]), (60, 15, [0, 20, 30, 40, 50, 60, 70]),
    (None, 25, [0, 30, 40, 50, 60, 70]),
])  # fmt: skip
def test_the_end_of_a_pause_is_that_of_the_last_one(
    first: float | None, second: float | None, checks: list[float]
) -> None:
    world = VirtualWorld()
    world.run_until(1)
    for span in (first, second):
        world.monitor.pause(None if span is None else world.time.unix() + span, "")

    assert world.run_until(75).times("check") == checks


def spans(world: VirtualWorld, holds_up: str) -> list[str]:
    """For how long the fail script had been running, each time that was said."""
    said = [line for line in world.printed if "fail script ./tell" in line and "running" in line]
    assert all(holds_up in line for line in said)
    return [line.partition("running for ")[2].split()[0] for line in said]


TELL = "--fail=./tell"


def test_a_fail_script_that_hangs_and_lets_no_check_run_is_said_at_doubling_spans() -> None:
    world = VirtualWorld(TELL, "--fail-overlap=skip", checks=[FAILS], fails=[HANGS]).run_until(100)

    assert spans(world, "there are no checks until it has ended") == ["10", "20", "40", "80"]
    assert "'--script-timeout SECS' would end one that hangs" in world.printed[-1]


def test_a_fail_script_that_hangs_is_not_called_slow_before_an_interval() -> None:
    words = (TELL, "--fail-overlap=skip", "--interval=60")
    world = VirtualWorld(*words, checks=[FAILS], fails=[HANGS]).run_until(250)

    assert spans(world, "there are no checks") == ["60", "120", "240"]


def test_a_fail_script_that_hangs_is_said_where_a_failure_waits_to_be_told() -> None:
    world = VirtualWorld(TELL, checks=[FAILS], fails=[HANGS]).run_until(100)

    assert spans(world, "failures wait to be told until it has ended") == ["20", "40", "80"]


def test_a_fail_script_that_hangs_is_said_as_soon_as_it_holds_up_something() -> None:
    checks = [FAILS, *[OK] * 9, FAILS, OK]
    world = VirtualWorld(TELL, checks=checks, fails=[HANGS]).run_until(230)

    assert spans(world, "failures wait to be told") == ["110", "220"]


def test_a_fail_script_that_is_slow_and_holds_up_nothing_is_not_said() -> None:
    world = VirtualWorld(TELL, "--script-timeout=95", checks=[FAILS, OK], fails=[HANGS]).run_until(
        200
    )

    assert spans(world, "") == []


def test_a_slow_fail_script_is_not_said_once_it_has_ended() -> None:
    words = (TELL, "--fail-overlap=skip", "--script-timeout=25")
    world = VirtualWorld(*words, checks=[FAILS, OK], fails=[HANGS]).run_until(200)

    assert spans(world, "there are no checks") == ["10", "20"]
    assert not any("would end one that hangs" in line for line in world.printed)


def test_a_fail_script_from_before_a_restart_that_hangs_is_said_as_well() -> None:
    words = (TELL, "--fail-overlap=skip", "--interval=3")
    before = VirtualWorld(*words, checks=[FAILS], fails=[HANGS]).run_until(1)
    after = VirtualWorld(*words, checks=[FAILS], fails=[HANGS], killed=before).run_until(35)

    # The one from before ends after ten seconds.
    assert after.times("waits") == [0]
    assert len(spans(after, "there are no checks")) >= 2
