"""Signals to a target that is gone or cannot be reached."""

from virtual import Ends, VirtualWorld

from heat.errors import TargetError
from states.monitor.model import State

OK = Ends()
FAILS = Ends(7)
RECOVER = ("--recovery=./recover",)
TARGET = ("--pid=42", "--fault-signal=USR1", "--success-signal=USR2")


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


def test_a_signal_not_sent_for_want_of_resources_is_said_and_no_error() -> None:
    world = VirtualWorld("--pid-file=x", checks=[FAILS])
    world.target_error = TargetError("too many open files", passing=True)
    world.run_until(5)
    world.target_error = None
    world.run_until(15)

    assert world.monitor.model.state is State.FAILING
    assert "(HUP was not sent (--signal): too many open files)" in world.printed
    assert world.times("HUP") == [10]
