"""Recovery: its script, its window and its end."""

import time

import pytest
from heat_process import FAILED, FAST
from place import LASTING, Place
from processes import alive


def test_without_anything_to_do_there_is_no_recovery(place: Place) -> None:
    heat = place.heat("-i", FAST, "--count", "3", "-s", place.check(1))

    assert heat.wait() == 1
    assert "RECOVERING" not in heat.verbose()
    assert "> NORMAL -> FAILING (1 failure)\n" in heat.verbose()


def test_recovery_starts_at_the_first_failure_without_a_threshold(place: Place) -> None:
    recovery = place.script("recover", "echo $HEAT_FAIL_CNT >> told")
    heat = place.heat("-i", FAST, "--count", "2", "--recovery", recovery, "-s", place.check(1, 0))

    assert heat.wait() == 0
    assert place.words("told") == ["1"]
    assert "> NORMAL -> RECOVERING (1 failure)\n" in heat.verbose()
    assert "> RECOVERING -> NORMAL\n" in heat.verbose()


def test_no_check_runs_while_the_recovery_script_does_and_one_at_once_after(place: Place) -> None:
    gate = place.gate("gate")
    recovery = place.script("recover", "echo > begun\n: < gate")
    heat = place.heat("-i", "60", "--count", "2", "--recovery", recovery, "-s", place.check(1, 0))
    place.await_words("begun")

    assert len(place.words("check.ran")) == 1
    gate.open()
    assert heat.wait() == 0
    assert heat.lines() == [FAILED, "OK"]


@pytest.mark.parametrize(
    ("threshold", "checks", "counts"),
    [(1, 5, ["1", "3"]), (2, 6, ["2", "4"]), (3, 9, ["3", "6"])],
)
def test_a_window_closes_with_the_threshold_th_failure_but_not_with_the_check_at_once(
    place: Place, threshold: int, checks: int, counts: list[str]
) -> None:
    recovery = place.script("recover", "echo $HEAT_FAIL_CNT >> told")
    heat = place.heat(
        *("-i", FAST, "--threshold", str(threshold), "--recovery", recovery),
        *("--max-recoveries", "2", "-s", place.check(1)),
    )

    assert heat.wait() == 3
    assert place.words("told") == counts
    assert heat.lines() == [FAILED] * checks
    assert heat.news()[-1] == "heat: error: 2 recoveries did not help; HEAT stops"
    assert "ERR : heat :\n> 2 recoveries did not help\n" in heat.verbose()
    assert sum("recovery 2 of 2: ./recover" in line for line in heat.news()) == 1


def test_without_a_recovery_script_the_entries_are_counted(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", "0.4", "--pid", str(receiver.pid), "--signal", "none"),
        *("--fault-signal", "USR1", "--max-recoveries", "2", "false"),
    )

    assert heat.wait() == 3
    receiver.await_signal("USR1", 2)
    assert receiver.signals() == ["USR1", "USR1"]


def test_a_window_with_a_time_limit_closes_to_the_moment_and_not_at_the_next_tick(
    place: Place,
) -> None:
    recovery = place.script("recover", "echo $HEAT_FAIL_CNT >> told")
    heat = place.heat(
        *("-i", "1h", "--recovery", recovery, "--recovery-timeout", "0.2"),
        *("--max-recoveries", "2", "-s", place.check(1)),
    )

    assert heat.wait() == 3
    assert place.words("told") == ["1", "2"]
    assert heat.lines() == [FAILED] * 3


def test_a_check_in_flight_when_the_window_closes_still_decides(place: Place) -> None:
    gate = place.gate("gate")
    recovery = place.script("recover", "echo $HEAT_FAIL_CNT >> told")
    check = place.check(1, 0, body="[ $n = 0 ] || : < gate")
    heat = place.heat(
        *("-i", "1h", "--recovery", recovery, "--recovery-timeout", "0.1"),
        *("--count", "2", "-s", check),
    )
    place.await_words("check.ran", 2)
    time.sleep(0.3)  # The window's time is up; there is nothing to see of that.
    gate.open()

    assert heat.wait() == 0
    assert place.words("told") == ["1"]
    assert "> RECOVERING -> NORMAL\n" in heat.verbose()


def test_recovery_ends_after_so_many_passes_in_a_row(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--signal", "none", "--json"),
        *("--threshold", "3", "--success-threshold", "2", "--success-signal", "USR2"),
        *("--count", "7", "-s", place.check(1, 1, 1, 0, 1, 0, 0)),
    )

    assert heat.wait() == 0
    receiver.await_signal("USR2")
    assert receiver.signals() == ["USR2"]
    results = heat.objects()
    assert [each["state"] for each in results] == [
        *("FAILING", "FAILING", "RECOVERING", "RECOVERING", "RECOVERING", "RECOVERING"),
        "NORMAL",
    ]
    assert [each["count"] for each in results] == [1, 2, 3, 3, 4, 4, 0]


def test_a_recovery_script_that_runs_too_long_is_killed_and_the_window_opens(place: Place) -> None:
    recovery = place.script("recover", LASTING)
    heat = place.heat(
        *("-i", "1h", "--recovery", recovery, "--script-timeout", "0.2", "--count", "2"),
        *("-s", place.check(1, 0)),
    )

    assert heat.wait() == 0
    assert not alive(int(place.words("pids")[0]))
    assert "FAIL : ./recover :\n> [Timed out after 0.2 s]\n" in heat.verbose()
    assert " : ERR : " not in heat.verbose()


def test_a_recovery_script_that_fails_opens_the_window_all_the_same(place: Place) -> None:
    recovery = place.script("recover", "echo no >&2; exit 4")
    heat = place.heat("-i", "1h", "--recovery", recovery, "--count", "2", "-s", place.check(1, 0))

    assert heat.wait() == 0
    assert "FAIL : ./recover :\n> no\n> [Exit Code 4]\n" in heat.verbose()
