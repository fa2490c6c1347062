"""Scripts that are slow, and the reports of them."""

from virtual import Ends, VirtualWorld

OK = Ends()
FAILS = Ends(7)
HANGS = Ends(after=None)
RECOVER = ("--recovery=./recover",)
TELL = "--fail=./tell"


def test_a_slow_recovery_is_said_and_again_each_time_its_span_has_doubled() -> None:
    world = VirtualWorld(*RECOVER, checks=[FAILS, OK], recoveries=[Ends(after=100)]).run_until(110)

    lines = [line for line in world.printed if "has been running" in line]
    assert [line.partition("running for ")[2].split()[0] for line in lines] == [
        "10",
        "20",
        "40",
        "80",
    ]


def spans(world: VirtualWorld, holds_up: str) -> list[str]:
    """Return the ages in the reports of the slow fail script."""
    lines = [line for line in world.printed if "fail script ./tell" in line and "running" in line]
    assert all(holds_up in line for line in lines)
    return [line.partition("running for ")[2].split()[0] for line in lines]


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

    assert spans(world, "failures wait to be reported until it has ended") == ["20", "40", "80"]


def test_a_fail_script_that_hangs_is_said_as_soon_as_it_holds_up_something() -> None:
    checks = [FAILS, *[OK] * 9, FAILS, OK]
    world = VirtualWorld(TELL, checks=checks, fails=[HANGS]).run_until(230)

    assert spans(world, "failures wait to be reported") == ["110", "220"]


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


def test_a_recovery_that_begins_after_a_restart_is_not_called_slow_once_it_has_ended() -> None:
    killed = VirtualWorld(*RECOVER, checks=[FAILS], recoveries=[HANGS]).run_until(0)
    killed.programs[-1] = killed.programs[0]  # It had not begun yet.
    world = VirtualWorld(*RECOVER, killed=killed, recoveries=[Ends(after=5)]).run_until(60)

    assert world.times("recovery")[0] == 0
    assert not [line for line in world.printed if "has been running" in line]
