"""Backoff, spent and other intervals in time: which check and which recovery comes when."""

import pytest
from virtual import Ends, VirtualWorld

OK, FAILS = Ends(), Ends(7)
REPAIR = ("--recovery=./repair", "--threshold=1")
REST = (*REPAIR, "--recovery-backoff=25")


def test_a_recovery_waits_for_its_backoff_while_checks_go_on() -> None:
    world = VirtualWorld(*REST, checks=[FAILS]).run_until(140)

    # The window closes with the second failure in it; the second pause is twice as long.
    assert world.times("recovery") == [0, 35, 95]
    assert world.times("check")[:8] == [0, 0, 10, 20, 30, 35, 45, 55]


def test_a_pass_in_the_backoff_ends_the_outage() -> None:
    world = VirtualWorld(*REST, checks=[FAILS, FAILS, FAILS, OK]).run_until(100)

    assert world.times("recovery") == [0]
    assert world.monitor.model.count == 0


@pytest.mark.parametrize(
    ("away", "again"),
    [(10.0, 15), (24.5, 0.5), (1000.0, 0), (-3600.0, 25), (None, 25)],
    ids=["within it", "just before its end", "longer", "the clock was set back", "not written"],
)
def test_a_backoff_lasts_over_a_restart_and_no_clock_makes_it_longer(
    away: float | None, again: float
) -> None:
    before = VirtualWorld(*REST, checks=[FAILS]).run_until(12)

    after = VirtualWorld(*REST, checks=[FAILS], killed=before, away=away).run_until(60)

    assert after.times("recovery")[0] == again


def test_what_is_spent_is_checked_and_recovers_no_more() -> None:
    words = (*REPAIR, "--max-recoveries=2", "--when-spent=watch")
    world = VirtualWorld(*words, checks=[FAILS]).run_until(200)

    assert world.times("recovery") == [0, 10]
    assert world.times("check")[-1] == 200
    assert sum("none is left" in line for line in world.printed) == 1


def test_ticks_are_quick_while_failing_and_return_to_their_phase() -> None:
    words = ("--retry-interval=4", "--threshold=9", "--fail=./tell")
    world = VirtualWorld(*words, checks=[OK, FAILS, FAILS, FAILS, OK]).run_until(50)

    assert world.times("check") == [0, 10, 14, 18, 22, 30, 40, 50]


def test_heat_that_was_restarted_checks_at_once_whatever_the_retry_interval() -> None:
    words = ("--retry-interval=4", "--threshold=9", "--fail=./tell")
    before = VirtualWorld(*words, checks=[FAILS]).run_until(2)

    after = VirtualWorld(*words, checks=[FAILS], killed=before).run_until(9)

    assert after.times("check") == [0, 4, 8]


def test_a_window_has_its_own_interval_and_lasts_as_long_as_without() -> None:
    words = ("--recovery=./repair", "--threshold=2", "--recovery-interval=3")
    world = VirtualWorld(*words, checks=[FAILS], recoveries=[Ends(after=1)]).run_until(60)

    # The window of two intervals opens at 11, and the first failure after 31 closes it.
    assert world.times("recovery") == [10, 32, 54]
    assert world.times("check")[:9] == [0, 10, 11, 14, 17, 20, 23, 26, 29]


def test_after_a_window_ticks_keep_the_phase_of_its_first_check() -> None:
    words = (*REPAIR, "--recovery-interval=3")
    checks = [FAILS, FAILS, FAILS, OK]
    world = VirtualWorld(*words, checks=checks, recoveries=[Ends(after=1)]).run_until(40)

    assert world.times("check") == [0, 1, 4, 7, 11, 21, 31]
