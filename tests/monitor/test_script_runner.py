"""The fail and recovery scripts of a monitor, on a virtual clock."""

import signal

import pytest
from virtual import Ends, VirtualWorld

from states.monitor.model import State

OK = Ends()
FAILS = Ends(7)
HANGS = Ends(after=None)
STUBBORN = Ends(after=None, stubborn=True)
RECOVER = ("--recovery=./recover",)
TARGET = ("--pid=42", "--fault-signal=USR1", "--success-signal=USR2")


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
