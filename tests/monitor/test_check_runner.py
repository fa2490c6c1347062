"""The checks of a monitor, on a virtual clock."""

import signal

import pytest
from virtual import Ends, VirtualWorld

OK = Ends()
FAILS = Ends(7)
HANGS = Ends(after=None)
STUBBORN = Ends(after=None, stubborn=True)
RECOVER = ("--recovery=./recover",)


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


def test_a_process_that_leaves_the_group_of_a_check_is_said_once() -> None:
    world = VirtualWorld(checks=[OK, Ends(escapee=True)]).run_until(45)

    lines = [line for line in world.printed if "has left its process group" in line]
    assert [line[: line.index(" has ended")] for line in lines] == ["(check (process 47002)"]
    assert lines[0].strip("()") in world.records["heat.verbose.log"]
