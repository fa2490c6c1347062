"""Row 10: a check or a recovery script is killed from outside."""

import os
import signal

import pytest
from heat_process import DETAILS, FAST, records
from phases import checking, fail_script, recovery_script
from place import Place


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_check_killed_from_outside_is_an_error_at_once(
    place: Place, signum: signal.Signals
) -> None:
    heat = checking(place)
    pid = int(place.words("pids")[0])
    os.kill(pid, signum)

    assert heat.wait() == 3
    reason = f"check ./check (process {pid}) was killed by {signum.name}, and not by HEAT"
    assert reason in heat.news()[-1]
    assert heat.lines() == [f"Failed: Killed by {signum.name}, {DETAILS}"]


def test_a_recovery_script_killed_from_outside_is_an_error_at_once(place: Place) -> None:
    heat = recovery_script(place)
    pid = int(place.words("pids")[0])
    os.kill(pid, signal.SIGKILL)

    assert heat.wait() == 3
    reason = f"recovery script ./recover (process {pid}) was killed by SIGKILL, and not by HEAT"
    assert reason in heat.news()[-1]
    assert "'--on-killed fail' takes that for its end, and goes on" in heat.news()[-1]
    assert ("FAIL", "./recover", ["[killed by SIGKILL]"]) in records(heat.verbose())


def test_a_recovery_script_killed_from_outside_has_ended_where_that_is_asked_for(
    place: Place,
) -> None:
    heat = recovery_script(place, "--on-killed", "fail")
    os.kill(int(place.words("pids")[0]), signal.SIGKILL)
    heat.await_news("recovery script ./recover ended: Exit Code 137 (killed by SIGKILL), after ")
    heat.await_line("Failed: ", 2)

    assert ("FAIL", "./recover", ["[killed by SIGKILL]"]) in records(heat.verbose())
    assert heat.stop() == 0


def test_a_fail_script_killed_from_outside_is_a_record(place: Place) -> None:
    heat = fail_script(place, "--count", "1")
    os.kill(int(place.words("pids")[0]), signal.SIGKILL)

    assert heat.wait() == 1
    assert ("FAIL", "./fail", ["[killed by SIGKILL]"]) in records(heat.verbose())


def test_a_killed_grandchild_is_an_ordinary_failure(place: Place) -> None:
    check = place.script("check", "sh -c 'kill -9 $$'")
    heat = place.heat("-i", FAST, "--count", "1", "-s", check)

    assert heat.wait() == 1
    assert heat.lines() == [f"Failed: Exit Code 137, {DETAILS}"]
