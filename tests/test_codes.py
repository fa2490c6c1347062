"""Exit codes that mean more than well and failed: those that are listed, and 126 and 127.

On a virtual clock; with real programs at the end.
"""

import json
import signal

import pytest
from virtual import Ends, VirtualWorld

from states.monitor.model import State

OK, FAILS = Ends(), Ends(1)
RECOVER = ("--recovery=./recover",)


def results(world: VirtualWorld) -> list[str]:
    """The lines of stdout."""
    return [line for line in world.printed if not line.startswith("(")]


# Gone, with --when-spent watch


SPENT_WATCHED = (*RECOVER, "--max-recoveries=1", "--when-spent=watch")


@pytest.mark.parametrize(("code", "why"), [(127, "no such file"), (126, "it is not executable")])
def test_a_check_that_is_gone_has_failed_where_checks_go_on(code: int, why: str) -> None:
    gone = Ends(code=code, error=f"./check cannot be started: {why}", passing=False)
    world = VirtualWorld(
        *SPENT_WATCHED, "--threshold=2", "--fail=./tell", checks=[OK, gone, OK]
    ).run_until(25)

    assert world.watch.exit_code is None
    assert results(world) == [
        "1671306479: OK",
        f"1671306489: Failed: Exit Code {code}, details in heat.log",
        "1671306499: OK",
    ]
    assert world.records["heat.log"] == f"1671306489: ./check cannot be started: {why}\n"
    record = f"> ./check cannot be started: {why}\n> [Exit Code {code}]\n"
    assert f"1671306489 : FAIL : check :\n{record}" in world.records["heat.verbose.log"]
    (told,) = (program.env for program in world.programs if program.shown == "fail")
    assert (told["HEAT_FAIL_CODE"], told["HEAT_FAIL_PID"]) == (str(code), "")


def test_a_check_that_stays_away_is_recovered_like_any_other() -> None:
    gone = Ends(code=127, error="./check is gone", passing=False)
    world = VirtualWorld(*SPENT_WATCHED, checks=[gone]).run_until(45)

    assert world.times("recovery") == [0]
    assert world.watch.exit_code is None
    assert world.watch.monitor.count == 6


@pytest.mark.parametrize(("code", "why"), [(127, "no such file"), (126, "it is not executable")])
def test_a_recovery_that_is_gone_has_ended_where_checks_go_on(code: int, why: str) -> None:
    gone = Ends(code=code, error=f"./recover cannot be started: {why}", passing=False)
    world = VirtualWorld(*SPENT_WATCHED, checks=[FAILS, OK], recoveries=[gone]).run_until(5)

    assert world.watch.monitor.state is State.NORMAL
    record = f"> ./recover cannot be started: {why}\n> [Exit Code {code}]\n"
    assert f" : FAIL : ./recover :\n{record}" in world.records["heat.verbose.log"]
    assert (
        f"(./recover cannot be started: {why}; that counts as a recovery that ended with Exit "
        f"Code {code})"
    ) in world.printed


def test_want_of_resources_is_no_end_of_a_recovery_where_checks_go_on() -> None:
    world = VirtualWorld(
        *SPENT_WATCHED, checks=[FAILS, OK], recoveries=[Ends(error="no room"), OK]
    ).run_until(15)

    assert world.times("recovery") == [10]


# Exit codes that are listed


CODES = ("--unknown-codes=3,4", "--warn-codes=1")


def test_a_code_that_warns_is_a_pass_that_is_always_told() -> None:
    warns = Ends(1, stderr=b"80 % full\n")
    world = VirtualWorld(
        *CODES, "--quiet", *RECOVER, "--threshold=2", checks=[Ends(2), warns, OK]
    ).run_until(25)

    assert results(world) == [
        "1671306479: Failed: Exit Code 2, details in heat.log",
        "1671306489: Warning: Exit Code 1",
    ]
    assert world.watch.monitor.state is State.NORMAL
    record = "1671306489 : INFO : check :\n> 80 % full\n> [Exit Code 1]\n"
    assert record in world.records["heat.verbose.log"]
    assert "80 %" not in world.records["heat.log"]


def test_a_warning_that_prints_nothing_is_on_record_too() -> None:
    world = VirtualWorld(*CODES, checks=[Ends(1)]).run_until(0)

    assert "INFO : check :\n> [Exit Code 1]\n" in world.records["heat.verbose.log"]
    assert "last check warning: Exit Code 1, " in world.watch.describe()


def test_a_code_that_says_nothing_counts_neither_way() -> None:
    unsure = Ends(3, stderr=b"no route\n")
    world = VirtualWorld(
        *CODES, *RECOVER, "--threshold=2", checks=[Ends(2), unsure, Ends(2), OK]
    ).run_until(25)

    assert results(world)[1] == "1671306489: Unknown: Exit Code 3"
    assert world.times("recovery") == [20]
    record = "1671306489 : ERR : check :\n> no route\n> [Exit Code 3]\n"
    assert record in world.records["heat.verbose.log"]
    assert "no route" not in world.records["heat.log"]


def test_the_results_as_objects_tell_a_warning_and_the_code_of_what_is_unknown() -> None:
    world = VirtualWorld(*CODES, "--json", checks=[OK, Ends(1), Ends(4)]).run_until(25)
    told = [json.loads(line) for line in world.printed if line.startswith("{")]

    assert [(each["result"], each["code"], each.get("warning")) for each in told] == [
        ("ok", 0, None),
        ("ok", 1, True),
        ("unknown", 4, None),
    ]


def test_a_check_whose_time_is_up_has_failed_whatever_is_listed() -> None:
    world = VirtualWorld(
        "--unknown-codes=124", "--timeout=2", checks=[Ends(after=None), Ends(124)]
    ).run_until(15)

    assert results(world) == [
        "1671306479: Failed: Timed out after 2 s, details in heat.log",
        "1671306489: Unknown: Exit Code 124",
    ]


@pytest.mark.parametrize("policy", ["error", "fail"])
def test_a_killed_check_is_judged_by_its_code_where_it_has_one(policy: str) -> None:
    world = VirtualWorld(
        "--warn-codes=137", f"--on-killed={policy}", checks=[Ends(killed=signal.SIGKILL)]
    ).run_until(5)

    error = "1671306479: Failed: Killed by SIGKILL, details in heat.log"
    assert results(world) == [error if policy == "error" else "1671306479: Warning: Exit Code 137"]
    assert (world.watch.exit_code == 3) is (policy == "error")
