"""A monitor on a virtual clock: one thing after another, to the moment."""

from virtual import Ends, VirtualWorld

OK = Ends()
FAILS = Ends(7)
RECOVER = ("--recovery=./recover",)
TARGET = ("--pid=42", "--fault-signal=USR1", "--success-signal=USR2")


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
