"""The end of a monitor: by an error, by hand, by --count."""

import pytest
from virtual import Ends, VirtualWorld

OK = Ends()
FAILS = Ends(7)
HANGS = Ends(after=None)
STUBBORN = Ends(after=None, stubborn=True)
RECOVER = ("--recovery=./recover",)
TARGET = ("--pid=42", "--fault-signal=USR1", "--success-signal=USR2")


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
