"""The status line of a monitor."""

from virtual import Ends, VirtualWorld

FAILS = Ends(7)
RECOVER = ("--recovery=./recover",)


def test_the_status_line() -> None:
    world = VirtualWorld("--threshold=3", *RECOVER, checks=[FAILS]).run_until(12)

    assert world.monitor.describe() == (
        "FAILING, 2 failures in a row (threshold 3); last check Exit Code 7, 2 s ago; "
        "next check in 8 s; 2 checks"
    )
