"""A monitor that takes up the scripts of an earlier HEAT."""

from virtual import Ends, VirtualWorld

from states.monitor.model import State

FAILS = Ends(7)
HANGS = Ends(after=None)
RECOVER = ("--recovery=./recover",)
TARGET = ("--pid=42", "--fault-signal=USR1", "--success-signal=USR2")


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
