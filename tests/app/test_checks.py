"""The check: how it runs, how long it may take, and what counts."""

import re
import signal

from heat_process import DETAILS, FAILED, FAST, without_times
from place import TURN_AT_GATE, Place
from processes import alive, until


def test_every_word_from_the_command_on_is_the_command_s(place: Place) -> None:
    heat = place.heat("-i", FAST, "--count", "1", "printf", "%s|", "-q", "--json", "b c", "--")

    assert heat.wait() == 0
    assert heat.lines() == ["OK"]
    assert "INFO : printf %s| -q --json b c -- :\n> -q|--json|b c|--|\n" in heat.verbose()


def test_two_dashes_end_the_options_of_heat(place: Place) -> None:
    heat = place.heat("-i", FAST, "--count", "1", "--", "sh", "-c", "exit 9")

    assert heat.wait() == 1
    assert heat.lines() == [f"Failed: Exit Code 9, {DETAILS}"]


def test_the_check_runs_in_heats_folder_without_stdin_in_a_group_of_its_own(place: Place) -> None:
    check = place.script(
        "check",
        "pwd; readlink /proc/self/fd/0; read -r line < /proc/$$/stat\n"
        "set -- $line; echo $$; echo $5",
    )
    heat = place.heat("-i", FAST, "--count", "1", "-s", check)

    assert heat.wait() == 0
    lines = re.findall(r"(?m)^> (.*)$", heat.verbose())[1:5]
    assert lines[:2] == [str(place.folder), "/dev/null"]
    assert lines[2] == lines[3]
    assert lines[2] != str(heat.pid)


def test_a_check_inherits_no_descriptor_of_heats(place: Place) -> None:
    heat = place.heat("-i", FAST, "--count", "2", "ls", "/proc/self/fd")

    assert heat.wait() == 0
    assert heat.verbose().count(" :\n> 0\n> 1\n> 2\n> 3\n") == 2  # 3 is the folder it reads.
    assert "> 4\n" not in heat.verbose()


def test_a_check_that_runs_too_long_has_failed_with_code_124(place: Place) -> None:
    check = place.script("check", "echo $$ > pid\necho hung >&2\nexec sleep 600")
    fail = place.script("fail", "echo $HEAT_FAIL_CODE $HEAT_FAIL_PID > told")
    heat = place.heat(
        "-i", "0.1", "-t", "200ms", "--count", "1", "--fail", fail, "-s", check, "--json"
    )

    assert heat.wait() == 1
    (pid,) = place.words("pid")
    assert not alive(int(pid))
    assert place.words("told") == [f"124 {pid}"]
    (result,) = heat.objects()
    assert (result["result"], result["code"], result["pid"]) == ("failed", 124, int(pid))
    assert result["duration"] >= 0.2


def test_a_timeout_is_told_in_seconds(place: Place) -> None:
    heat = place.heat("-i", "0.1", "-t", "200ms", "--count", "1", "sleep", "600")

    assert heat.wait() == 1
    assert heat.lines() == [f"Failed: Timed out after 0.2 s, {DETAILS}"]
    assert without_times(heat.log()) == "T: (nothing on stderr) Timed out after 0.2 s\n"
    assert "FAIL : sleep 600 :\n> [Timed out after 0.2 s]\n" in heat.verbose()


def test_what_a_check_said_before_it_timed_out_is_kept(place: Place) -> None:
    check = place.script("check", "echo to log >&2; echo to verbose; exec sleep 600")
    heat = place.heat("-i", "0.1", "-t", "0.3", "--count", "1", "-s", check)

    assert heat.wait() == 1
    assert without_times(heat.log()) == "T: to log\n"
    assert "FAIL : ./check :\n> to verbose\n> to log\n> [Timed out after 0.3 s]\n" in heat.verbose()


def test_without_a_time_limit_a_check_takes_its_time(place: Place) -> None:
    gate = place.gate("gate")
    check = place.script("check", "echo $$ > pid\n: < gate")
    heat = place.heat("-i", FAST, "-t", "none", "--count", "1", "-s", check)
    place.await_words("pid")
    heat.signal(signal.SIGUSR1)
    heat.await_news("a check runs now")
    gate.open()

    assert heat.wait() == 0
    assert heat.lines() == ["OK"]


def test_a_tick_that_finds_a_check_running_is_skipped_and_counted(place: Place) -> None:
    gate = place.gate("gate")
    check = place.check(0, body=TURN_AT_GATE)
    heat = place.heat("-i", FAST, "--count", "2", "-s", check)
    place.await_words("check.ran")
    until(lambda: heat.skipped() >= 3, "three skipped ticks")

    assert len(place.words("check.ran")) == 1
    gate.open()
    place.await_words("check.ran", 2)
    gate.open()
    assert heat.wait() == 0
    assert heat.lines() == ["OK", "OK"]


def test_failures_in_the_start_period_are_logged_and_not_counted(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--start-period", "1h", "--count", "4"),
        *("-s", place.check(1, 1, 0, 1)),
    )

    assert heat.wait() == 1
    assert heat.lines() == [FAILED, FAILED, "OK", FAILED]
    assert heat.verbose().count("> a failure in the start period, not counted\n") == 2
    assert heat.verbose().count("FAIL : ./check :\n> [Exit Code 1]\n") == 3
    receiver.await_signal("HUP")
    assert receiver.signals() == ["HUP"]


def test_failures_after_the_start_period_count(place: Place) -> None:
    heat = place.heat("-i", "0.1", "--start-period", "1ms", "--count", "2", "-s", place.check(1))

    assert heat.wait() == 1
    assert "> NORMAL -> FAILING (1 failure)\n" in heat.verbose()


def test_a_killed_check_is_an_error(place: Place) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(0, body="[ $n = 0 ] || kill -9 $$"))

    assert heat.wait() == 3
    assert heat.lines() == ["OK", f"Failed: Killed by SIGKILL, {DETAILS}"]
    assert "FAIL : ./check :\n> [killed by SIGKILL]\n" in heat.verbose()
    pid = place.words("check.ran")[1]
    reason = f"check ./check (process {pid}) was killed by SIGKILL, and not by HEAT"
    assert heat.news()[-1].startswith(f"heat: error: {reason}")
    assert f"ERR : heat :\n> {reason}" in heat.verbose()


def test_a_killed_check_is_a_failure_where_that_is_asked_for(place: Place) -> None:
    fail = place.script("fail", "echo $HEAT_FAIL_CODE > told")
    heat = place.heat(
        *("-i", FAST, "--on-killed", "fail", "--count", "1", "--fail", fail),
        *("-s", place.script("check", "kill -9 $$")),
    )

    assert heat.wait() == 1
    assert heat.lines() == [f"Failed: Exit Code 137, {DETAILS}"]
    assert place.words("told") == ["137"]
    assert "FAIL : ./check :\n> [killed by SIGKILL]\n" in heat.verbose()


def test_after_the_last_check_what_runs_comes_to_its_end(place: Place) -> None:
    gate = place.gate("gate")
    fail = place.script("fail", "echo begun >> told\n: < gate\necho ended >> told")
    recovery = place.script("recover", "echo recovered >> told")
    heat = place.heat(
        *("-i", FAST, "--count", "1", "--fail", fail, "--recovery", recovery),
        *("-s", place.check(1)),
    )
    place.await_words("told")
    gate.open()

    assert heat.wait() == 1
    assert place.words("told") == ["begun", "ended", "recovered"]
