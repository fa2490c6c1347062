"""HEAT end to end, on real processes: the options, the lines, the logs, the exit codes."""

import os
import re
import signal
import time

import pytest
from conftest import (
    DETAILS,
    FAILED,
    FAST,
    FIRST_AT_GATE,
    LASTING,
    TURN_AT_GATE,
    Heat,
    Place,
    alive,
    process_state,
    until,
)

from heat import __version__
from heat.process import signals


def without_times(text: str) -> str:
    """The same with T for the unix second that begins a line."""
    return re.sub(r"(?m)^\d{10,}(?=:| :)", "T", text)


def without_pids(text: str) -> str:
    """The same with P for each process id that HEAT tells."""
    return re.sub(r"process \d+", "process P", without_times(text))


def hints(text: str) -> dict[str, str]:
    """The HEAT_ variables of a script that printed its environment."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, _, value in pairs if key.startswith("HEAT_")}


def refused(heat: Heat) -> list[str]:
    """The lines on stderr of a HEAT that does not begin."""
    assert heat.wait() == 2
    assert heat.out.read_text() == ""
    return heat.err.read_text().splitlines()


# The worked example


def test_the_worked_example_signals_in_order_and_says_so(place: Place) -> None:
    receiver = place.receiver()
    told = "while [ $(wc -l < received) -lt $n ]; do sleep 0.01; done"
    check = place.check(0, 7, 7, 7, 0, body=f"{told}\necho 'curl: (7) Failed to connect' >&2")
    recovery = place.script("recover", "echo mended")
    before = int(time.time())
    heat = place.heat(
        *("-i", "0.1", "--count", "5", "--pid", str(receiver.pid), "--threshold", "3"),
        *("--recovery", recovery, "--fault-signal", "USR1", "--success-signal", "USR2"),
        *("-s", check),
    )

    assert heat.wait() == 0
    receiver.await_signal("USR2")
    assert receiver.signals() == ["HUP", "HUP", "HUP", "USR1", "USR2"]
    failed = f"Failed: Exit Code 7, {DETAILS}"
    assert heat.lines() == ["OK", failed, failed, failed, "OK"]
    shown = re.findall(r"(?m)^(\d+): ", heat.out.read_text())
    assert len(shown) == 5
    assert shown == sorted(shown)
    assert before <= int(shown[0])
    assert int(shown[-1]) <= time.time()
    news = without_pids(heat.err.read_text()).replace(str(receiver.pid), "P").splitlines()
    assert "recovery may not replace process P: use --pid-file" in news.pop(0)
    took = r"(?:, after|,) [\d.]+ s"
    assert [re.sub(took, "", line) for line in news] == [
        *["T: sent HUP to P (--signal)"] * 3,
        (
            "T: RECOVERING after 3 failures in a row, recovery 1: ./recover; "
            "the check said: curl: (7) Failed to connect"
        ),
        "T: sent USR1 to P (--fault-signal)",
        "T: recovery script ./recover ended: Exit Code 0",
        "T: sent USR2 to P (--success-signal)",
        "T: NORMAL again after 3 failures and 1 recovery",
        "T: heat: 5 checks done (--count)",
    ]


def test_the_recovery_script_is_told_of_the_outage(place: Place) -> None:
    check = place.check(3, 4, 0)
    recovery = place.script("recover", "env > told")
    before = int(time.time())
    heat = place.heat(
        *("-i", "0.1", "--count", "3", "--threshold", "2", "--recovery", recovery),
        *("--name", "web", "-s", check),
    )

    assert heat.wait() == 0
    told = hints((place.folder / "told").read_text())
    first, last = int(told.pop("HEAT_FAIL_TIME")), int(told.pop("HEAT_FAIL_TIME_LAST"))
    assert before <= first <= last <= time.time()
    assert told == {
        "HEAT_FAIL_CODE": "4",
        "HEAT_FAIL_INTERVAL": "0.1",
        "HEAT_FAIL_PID": place.words("check.ran")[1],
        "HEAT_FAIL_CNT": "2",
        "HEAT_FAIL_TEXT": "",
        "HEAT_NAME": "web",
        "HEAT_STATE": "RECOVERING",
    }


# The check


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
    said = re.findall(r"(?m)^> (.*)$", heat.verbose())[1:5]
    assert said[:2] == [str(place.folder), "/dev/null"]
    assert said[2] == said[3]
    assert said[2] != str(heat.pid)


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
    (told,) = heat.objects()
    assert (told["result"], told["code"], told["pid"]) == ("failed", 124, int(pid))
    assert told["duration"] >= 0.2


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


# Targets and signals


def test_the_target_of_a_pid_file_is_read_anew_for_each_signal(place: Place) -> None:
    gate = place.gate("gate")
    first, second = place.receiver("first"), place.receiver("second")
    pid_file = place.folder / "pid"
    pid_file.write_text(f"{first.pid}\n")
    check = place.check(1, body=TURN_AT_GATE)
    heat = place.heat("-i", FAST, "--count", "2", "--pid-file", "pid", "-s", check)
    gate.open()
    first.await_signal("HUP")
    place.await_words("check.ran", 2)
    pid_file.write_text(f"{second.pid}\n")
    gate.open()

    assert heat.wait() == 1
    second.await_signal("HUP")
    assert first.signals() == ["HUP"]
    assert second.signals() == ["HUP"]


def test_heat_named_by_a_pid_file_does_not_stop_itself(place: Place) -> None:
    gate = place.gate("gate")
    heat = place.heat(
        *("-i", FAST, "--pid-file", "pid", "--signal", "none", "--fault-signal", "STOP"),
        *("--recovery", place.script("recover", "true"), "--count", "3"),
        *("-s", place.check(1, 1, 0, body=FIRST_AT_GATE)),
    )
    place.await_words("check.ran")
    (place.folder / "pid").write_text(f"{heat.pid}\n")
    gate.open()

    assert heat.wait() == 0
    assert any(
        "STOP was not sent (--fault-signal): --pid-file pid names HEAT itself" in line
        for line in heat.news()
    )


@pytest.mark.parametrize("signum", [signal.SIGUSR2, signal.SIGRTMIN + 1])
def test_a_signal_to_itself_that_ends_heat_does_so_when_all_is_told(
    place: Place, signum: int
) -> None:
    fail = place.script("fail", "echo ran >> told")
    heat = place.heat(
        *("-i", FAST, "--signal", str(int(signum)), "--fail", fail, "-s", place.check(1))
    )

    assert heat.wait() == -signum
    assert heat.lines() == [FAILED]
    assert heat.log().count("Exit Code 1") == 1
    assert "[Exit Code 1]" in heat.verbose()
    name = signals.name(signum)
    assert f"sent {name} to HEAT itself (--signal)" in heat.news()
    assert f"heat: SIG{name} sent by HEAT to itself, which ends it, stopping" in heat.news()
    assert place.words("told") == ["ran"]


@pytest.mark.parametrize("option", ["--signal", "--fault-signal"])
def test_heat_that_gives_in_lets_the_fail_script_tell_of_it(place: Place, option: str) -> None:
    fail = place.script("fail", "sleep 0.1; echo told >> told")
    heat = place.heat("-i", FAST, option, "TERM", "--fail", fail, "-s", place.check(1))

    assert heat.wait() == 3
    assert place.words("told") == ["told"]
    assert "heat: SIGTERM sent by HEAT to itself, exit code 3, stopping" in heat.news()


@pytest.mark.parametrize(("name", "prefix"), [("WINCH", ""), ("USR2", "trap '' USR2; ")])
def test_a_signal_to_itself_that_does_not_end_heat_goes_unheeded(
    place: Place, name: str, prefix: str
) -> None:
    heat = place.heat(
        *("-i", FAST, "--count", "2", "--signal", name, "-s", place.check(1)),
        prefix=("sh", "-c", f'{prefix}exec "$@"', "sh"),
    )

    assert heat.wait() == 1
    assert heat.lines() == [FAILED] * 2


def test_a_missing_pid_file_is_an_error_when_nothing_starts_recovery(place: Place) -> None:
    heat = place.heat("-i", FAST, "--pid-file", "pid", "-s", place.check(0, 1))

    assert heat.wait() == 3
    assert heat.lines() == ["OK", FAILED]
    assert any("HUP was not sent (--signal): --pid-file pid" in line for line in heat.news())
    assert heat.news()[-1].startswith("heat: error: --pid-file pid cannot be read: no such file")
    assert "ERR : heat :\n> --pid-file pid cannot be read: no such file" in heat.verbose()


@pytest.mark.parametrize("content", [None, "nonsense\n", "gone"])
def test_a_pid_file_without_a_process_is_said_and_left_out_when_there_is_recovery(
    place: Place, content: str | None
) -> None:
    if content == "gone":
        ended = place.spawn(["true"])
        ended.wait()
        content = f"{ended.pid}\n"
    if content is not None:
        (place.folder / "pid").write_text(content)
    recovery = place.script("recover", "echo $$ >> recovered")
    heat = place.heat(
        *("-i", FAST, "--pid-file", "pid", "--recovery", recovery, "--count", "2"),
        *("--fault-signal", "USR1", "-s", place.check(1, 0)),
    )

    assert heat.wait() == 0
    assert heat.lines() == [FAILED, "OK"]
    assert len(place.words("recovered")) == 1
    for what in ("HUP was not sent (--signal)", "USR1 was not sent (--fault-signal)"):
        assert sum(what in line for line in heat.news()) == 1
        assert f"ERR : heat :\n> {what}" in heat.verbose()


def test_no_signal_is_sent_on_a_failure_with_signal_none(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--signal", "none", "--threshold", "2"),
        *("--fault-signal", "USR1", "--success-signal", "USR2", "--count", "3"),
        *("-s", place.check(1, 1, 0)),
    )

    assert heat.wait() == 0
    receiver.await_signal("USR2")
    assert receiver.signals() == ["USR1", "USR2"]


@pytest.mark.parametrize(
    "asked",
    [
        {"USR1": "USR1", "SIGWINCH": "WINCH", "cont": "CONT"},
        {"10": "USR1", "sigusr2": "USR2", "RTMIN+1": "RTMIN+1"},
    ],
    ids=" ".join,
)
def test_a_signal_is_sent_by_its_name_or_number(place: Place, asked: dict[str, str]) -> None:
    receiver = place.receiver()
    options = ("--signal", "--fault-signal", "--success-signal")
    words = [word for pair in zip(options, asked, strict=True) for word in pair]
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--threshold", "1", *words, "--count", "2"),
        *("-s", place.check(1, 0)),
    )

    assert heat.wait() == 0
    for option, got in zip(options, asked.values(), strict=True):
        receiver.await_signal(got)
        assert f"sent {got} to {receiver.pid} ({option})" in heat.news()
    assert sorted(receiver.signals()) == sorted(asked.values())


def test_failures_in_recovery_send_no_signal_and_run_no_fail_script(place: Place) -> None:
    receiver = place.receiver()
    told = "while [ $n = 1 ] && [ $(wc -l < received) -lt 2 ]; do sleep 0.01; done"
    fail = place.script("fail", "echo $HEAT_FAIL_CNT $HEAT_STATE >> told")
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--threshold", "2", "--success-signal", "USR2"),
        *("--recovery-timeout", "1h", "--fail", fail, "--count", "5"),
        *("-s", place.check(1, 1, 1, 1, 0, body=told)),
    )

    assert heat.wait() == 0
    receiver.await_signal("USR2")
    assert receiver.signals() == ["HUP", "HUP", "USR2"]
    assert place.words("told") in (["1 FAILING", "2 RECOVERING"], ["1 FAILING"])
    assert heat.lines() == [FAILED] * 4 + ["OK"]


def test_a_target_that_heat_stopped_is_continued_when_heat_ends(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--signal", "none"),
        *("--fault-signal", "STOP", "--recovery-timeout", "1h", "false"),
    )
    heat.await_line("Failed", 3)
    until(lambda: process_state(receiver.pid) == "T", "the target's stop")

    assert heat.stop() == 0
    receiver.await_signal("CONT")
    assert process_state(receiver.pid) in {"S", "R"}
    assert heat.news()[-1] == f"sent CONT to {receiver.pid}, which HEAT had stopped"


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--max-recoveries", "1"), 3), (("--count", "2"), 1)],
    ids=["in ERROR", "after the last check"],
)
def test_however_heat_ends_it_leaves_nothing_stopped(
    place: Place, words: tuple[str, ...], code: int
) -> None:
    receiver = place.receiver()
    (place.folder / "pid").write_text(str(receiver.pid))
    heat = place.heat(
        *("-i", FAST, "--pid-file", "pid", "--signal", "none"),
        *("--fault-signal", "STOP", *words, "false"),
    )

    assert heat.wait() == code
    receiver.await_signal("CONT")
    assert process_state(receiver.pid) in {"S", "R"}


def test_a_stop_that_the_success_signal_has_ended_is_not_ended_again(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--signal", "none", "--count", "3"),
        *("--fault-signal", "STOP", "--success-signal", "CONT", "-s", place.check(1, 0)),
    )

    assert heat.wait() == 0
    receiver.await_signal("CONT")
    assert not any("which HEAT had stopped" in line for line in heat.news())


def test_heat_warns_of_a_signal_that_would_end_the_target(place: Place) -> None:
    sleeper = place.spawn(["sleep", "600"])
    heat = place.heat(
        "-i", FAST, "--pid", str(sleeper.pid), "--signal", "USR1", "--count", "1", "true"
    )

    assert heat.wait() == 0
    assert "warning: " in heat.err.read_text()
    assert f"process {sleeper.pid} does not catch USR1 (--signal)" in heat.err.read_text()
    assert alive(sleeper.pid)


# The fail script


def test_the_fail_script_is_told_of_the_failure(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAT_FAIL_TIME_LAST", "of another HEAT")
    monkeypatch.setenv("KEPT", "as it was")
    fail = place.script("fail", "env > told")
    before = int(time.time())
    heat = place.heat("-i", "5m", "--count", "1", "--fail", fail, "-s", place.check(7))

    assert heat.wait() == 1
    environment = (place.folder / "told").read_text()
    assert "KEPT=as it was\n" in environment
    told = hints(environment)
    assert before <= int(told.pop("HEAT_FAIL_TIME")) <= time.time()
    assert told == {
        "HEAT_FAIL_CODE": "7",
        "HEAT_FAIL_INTERVAL": "300",
        "HEAT_FAIL_PID": place.words("check.ran")[0],
        "HEAT_FAIL_CNT": "1",
        "HEAT_FAIL_TEXT": "",
        "HEAT_NAME": "check",
        "HEAT_STATE": "FAILING",
    }


def test_the_failure_that_reaches_the_threshold_is_told_as_recovering(place: Place) -> None:
    fail = place.script("fail", "echo fail $HEAT_FAIL_CNT $HEAT_STATE >> told")
    recovery = place.script("recover", "echo recovery $HEAT_FAIL_CNT $HEAT_STATE >> told")
    heat = place.heat(
        *("-i", FAST, "--threshold", "2", "--fail", fail, "--recovery", recovery),
        *("--fail-overlap", "skip", "--count", "3", "-s", place.check(1, 1, 0)),
    )

    assert heat.wait() == 0
    told = place.words("told")
    assert told == ["fail 1 FAILING", "fail 2 RECOVERING", "recovery 2 RECOVERING"]


@pytest.mark.parametrize(
    ("words", "codes", "last", "code"),
    [((), (11, 12, 13, 14), "4 14", 1), (("--fail-overlap", "queue"), (11, 12, 0), "2 12", 0)],
    ids=["", "though a check has passed meanwhile"],
)
def test_failures_during_the_fail_script_are_folded_into_one_more_run(
    place: Place, words: tuple[str, ...], codes: tuple[int, ...], last: str, code: int
) -> None:
    gate = place.gate("gate")
    told = "echo $HEAT_FAIL_CNT $HEAT_FAIL_CODE $HEAT_STATE >> told"
    fail = place.script("fail", f"{told}\n{TURN_AT_GATE}")
    heat = place.heat(
        *("-i", FAST, "--count", str(len(codes)), "--fail", fail, *words),
        *("-s", place.check(*codes)),
    )
    until(lambda: len(heat.lines()) == len(codes), "the last check")

    assert place.await_words("told") == ["1 11 FAILING"]
    gate.open()
    place.await_words("told", 2)
    gate.open()
    assert heat.wait() == code
    assert place.words("told") == ["1 11 FAILING", f"{last} FAILING"]


def test_no_check_runs_during_the_fail_script_with_skip(place: Place) -> None:
    gate = place.gate("gate")
    fail = place.script("fail", f"echo $HEAT_FAIL_CNT >> told\n{TURN_AT_GATE}")
    heat = place.heat(
        *("-i", FAST, "--count", "2", "--fail", fail, "--fail-overlap", "skip"),
        *("-s", place.check(1)),
    )
    place.await_words("told")
    until(lambda: heat.skipped() >= 3, "three skipped ticks")

    assert len(place.words("check.ran")) == 1
    gate.open()
    place.await_words("told", 2)
    gate.open()
    assert heat.wait() == 1
    assert place.words("told") == ["1", "2"]


def test_a_fail_script_that_runs_too_long_is_killed_and_is_no_error(place: Place) -> None:
    fail = place.script("fail", "echo $$ > pid\necho so far\nexec sleep 600")
    heat = place.heat(
        *("-i", FAST, "--count", "1", "--fail", fail, "--script-timeout", "0.2"),
        *("-s", place.check(1)),
    )

    assert heat.wait() == 1
    assert not alive(int(place.words("pid")[0]))
    assert "FAIL : ./fail :\n> so far\n> [Timed out after 0.2 s]\n" in heat.verbose()
    assert " : ERR : " not in heat.verbose()


def test_a_fail_script_that_fails_or_is_killed_is_a_fail_record(place: Place) -> None:
    fail = place.script("fail", "[ $HEAT_FAIL_CNT -gt 1 ] && kill -9 $$\nexit 5")
    heat = place.heat(
        *("-i", FAST, "--count", "2", "--fail", fail, "--fail-overlap", "skip"),
        *("-s", place.check(1)),
    )

    assert heat.wait() == 1
    assert "FAIL : ./fail :\n> [Exit Code 5]\n" in heat.verbose()
    assert "FAIL : ./fail :\n> [killed by SIGKILL]\n" in heat.verbose()
    assert " : ERR : " not in heat.verbose()


def test_the_fail_and_the_recovery_script_never_run_together(place: Place) -> None:
    gate = place.gate("gate")
    receiver = place.receiver()
    fail = place.script("fail", "echo fail $HEAT_FAIL_CNT >> told\n: < gate\necho end >> told")
    recovery = place.script("recover", "echo recovery >> told")
    heat = place.heat(
        *("-i", FAST, "--threshold", "3", "--fail", fail, "--recovery", recovery),
        *("--pid", str(receiver.pid), "--signal", "none", "--fault-signal", "USR1"),
        *("--count", "4", "-s", place.check(1, 1, 1, 0)),
    )
    heat.await_news("recovery waits for the fail script, at most 30 s")

    assert place.words("told") == ["fail 1"]
    assert receiver.signals() == []
    gate.open()
    assert heat.wait() == 0
    assert place.words("told") == ["fail 1", "end", "recovery"]
    assert "> fail script is not run for failure 3: " in heat.verbose()
    assert receiver.signals() == ["USR1"]


def test_a_fail_script_that_is_gone_is_said_and_the_checks_go_on(place: Place) -> None:
    gate = place.gate("gate")
    fail = place.script("fail", "true")
    heat = place.heat(
        "-i", FAST, "--count", "2", "--fail", fail, "-s", place.check(1, 0, body=TURN_AT_GATE)
    )
    place.await_words("check.ran")
    (place.folder / "fail").unlink()
    gate.open()
    place.await_words("check.ran", 2)
    gate.open()

    assert heat.wait() == 0
    assert "ERR : heat :\n> ./fail cannot be started: no such file" in heat.verbose()
    assert any(line.startswith("./fail cannot be started") for line in heat.news())


# Recovery


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
    told = heat.objects()
    assert [each["state"] for each in told] == [
        *("FAILING", "FAILING", "RECOVERING", "RECOVERING", "RECOVERING", "RECOVERING"),
        "NORMAL",
    ]
    assert [each["count"] for each in told] == [1, 2, 3, 3, 4, 4, 0]


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


def test_all_options_work_together(place: Place) -> None:
    receiver = place.receiver()
    (place.folder / "pid").write_text(f"{receiver.pid}\n")
    (place.folder / "logs").mkdir()
    fail = place.script("fail", "echo fail $HEAT_FAIL_CNT")
    recovery = place.script("recover", "echo recovery $HEAT_NAME $HEAT_FAIL_CNT")
    heat = place.heat(
        *("--interval", "200ms", "--script", place.check(1, 0, 1, 1, 1, 1, 0, 0)),
        *("--timeout", "10s", "--pid-file", "pid", "--signal", "USR1", "--fail", fail),
        *("--fail-overlap", "skip", "--threshold", "2", "--recovery", recovery),
        *("--recovery-timeout", "0.3", "--max-recoveries", "5", "--success-threshold", "2"),
        *("--fault-signal", "WINCH", "--success-signal", "RTMIN+1", "--script-timeout", "9s"),
        *("--start-period", "1h", "--on-killed", "fail", "--count", "8", "--name", "web"),
        *("--log-dir", "logs", "--json", "--quiet"),
    )

    assert heat.wait() == 0
    receiver.await_signal("RTMIN+1")
    got = receiver.signals()
    assert got[:3] == ["USR1", "USR1", "WINCH"]
    assert set(got[3:-1]) <= {"WINCH"}
    told = heat.objects()
    assert [each["count"] for each in told] == [0, 1, 2, 3, 4]
    assert "> recovery web 2\n" in heat.log("logs/heat.verbose.log")
    assert "recovery web 2\n" in heat.log("logs/heat.web.out")


# Start period, killed checks, --count


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
    said = f"check ./check (process {pid}) was killed by SIGKILL, and not by HEAT"
    assert heat.news()[-1].startswith(f"heat: error: {said}")
    assert f"ERR : heat :\n> {said}" in heat.verbose()


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


# What is printed


def test_json_has_one_object_a_line(place: Place) -> None:
    before = int(time.time())
    heat = place.heat(
        *("-i", FAST, "--count", "3", "--json", "--name", "web", "--recovery"),
        *(
            place.script("recover", "true"),
            "--threshold",
            "2",
            "-s",
            place.check(0, 7, body="echo value 42"),
        ),
    )

    assert heat.wait() == 1
    told = heat.objects()
    for each, pid in zip(told, place.words("check.ran"), strict=True):
        assert list(each) == [
            *("time", "monitor", "result", "code", "pid", "duration", "state", "count", "message")
        ]
        assert before <= each["time"] <= time.time()
        assert each["pid"] == int(pid)
        assert 0 < each["duration"] < 60
        assert each["monitor"] == "web"
        assert each["message"] == "value 42"
    assert [(e["result"], e["code"], e["state"], e["count"]) for e in told] == [
        ("ok", 0, "NORMAL", 0),
        ("failed", 7, "FAILING", 1),
        ("failed", 7, "RECOVERING", 2),
    ]


def test_quiet_leaves_out_what_is_well(place: Place) -> None:
    heat = place.heat("-i", FAST, "-q", "--count", "3", "-s", place.check(0, 1, 0))

    assert heat.wait() == 0
    assert heat.lines() == [FAILED]
    assert "FAIL : ./check :\n> [Exit Code 1]\n" in heat.verbose()


def test_quiet_json_leaves_out_what_is_well(place: Place) -> None:
    heat = place.heat("-i", FAST, "-q", "--json", "--count", "2", "-s", place.check(0, 1))

    assert heat.wait() == 1
    assert [each["result"] for each in heat.objects()] == ["failed"]


def test_lines_are_flushed_as_they_happen(place: Place) -> None:
    heat = place.heat("-i", "1h", "true")
    heat.await_line("OK")

    assert heat.stop() == 0


def test_a_log_dir_is_named_in_the_lines_as_given(place: Place) -> None:
    (place.folder / "a").mkdir()
    heat = place.heat("-i", FAST, "--log-dir", "./a", "--count", "1", "false")

    assert heat.wait() == 1
    assert heat.lines() == ["Failed: Exit Code 1, details in ./a/heat.log"]
    assert sorted(os.listdir(place.folder / "a")) == ["heat.log", "heat.verbose.log"]
    assert not (place.folder / "heat.log").exists()


def test_there_is_colour_on_a_terminal_only_and_never_with_no_color(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed() -> bytes:
        master, terminal = os.openpty()
        heat = place.heat("-i", FAST, "--count", "1", "true", stdout=terminal)
        os.close(terminal)
        assert heat.wait() == 0
        data = os.read(master, 4096)
        os.close(master)
        return data

    monkeypatch.setenv("TERM", "xterm")
    plain = printed()
    monkeypatch.delenv("NO_COLOR")
    coloured = printed()

    assert b"\x1b[" not in plain
    assert re.fullmatch(rb"\d+: \x1b\[32mOK\x1b\[0m\r\n", coloured)


# The logs


def test_the_logs_are_written_exactly_so(place: Place) -> None:
    check = place.script(
        "check",
        "n=$(cat n 2> /dev/null); n=$((n + 1)); echo $n > n\ncase $n in\n"
        "1) ;;\n2) echo all well;;\n3) echo out; echo err >&2; echo 'err 2' >&2; exit 7;;\n"
        "4) exit 7;;\n5) printf 'no newline' >&2; exit 1;;\nesac",
    )
    fail = place.script("fail", "echo to whom it may concern; [ $HEAT_FAIL_CNT = 1 ]")
    heat = place.heat(
        *("-i", FAST, "--count", "6", "--fail", fail, "--fail-overlap", "skip"),
        *("--script-timeout", "30", "-s", check),
    )

    assert heat.wait() == 0
    assert without_times(heat.log()) == (
        "T: err\nT: err 2\nT: (nothing on stderr) Exit Code 7\nT: no newline\n"
    )
    runs = "T : INFO : heat :\n> fail script ./fail runs for failure {}, process P\n"
    told = re.sub(r"(?m)(after|,) [\d.]+ s$", r"\1 S s", without_pids(heat.verbose()))
    assert told == (
        f"T : INFO : heat :\n> watching every {FAST} s: ./check\n"
        "T : INFO : ./check :\n> all well\n"
        "T : FAIL : ./check :\n> out\n> err\n> err 2\n> [Exit Code 7]\n"
        "T : INFO : heat :\n> NORMAL -> FAILING (1 failure)\n"
        f"{runs.format(1)}"
        "T : INFO : ./fail :\n> to whom it may concern\n"
        "T : INFO : heat :\n> fail script ./fail ended: Exit Code 0, after S s\n"
        "T : FAIL : ./check :\n> [Exit Code 7]\n"
        f"{runs.format(2)}"
        "T : FAIL : ./fail :\n> to whom it may concern\n> [Exit Code 1]\n"
        "T : FAIL : ./check :\n> no newline\n> [Exit Code 1]\n"
        f"{runs.format(3)}"
        "T : FAIL : ./fail :\n> to whom it may concern\n> [Exit Code 1]\n"
        "T : INFO : heat :\n> FAILING -> NORMAL\n"
        "T : INFO : heat :\n> NORMAL again after 3 failures, S s\n"
        "T : INFO : heat :\n> 6 checks done (--count)\n"
    )


def test_records_carry_the_second_in_which_the_program_started(place: Place) -> None:
    heat = place.heat("-i", FAST, "--count", "1", "sh", "-c", "date +%s; sleep 1.1; exit 1")

    assert heat.wait() == 1
    found = re.search(r"(?m)^(\d+) : FAIL : .*\n> (\d+)$", heat.verbose())
    assert found is not None
    assert int(found[2]) - int(found[1]) in {0, 1}
    assert heat.out.read_text().startswith(f"{found[1]}: ")
    assert heat.log().startswith(f"{found[1]}: ")


def test_logs_are_appended_to(place: Place) -> None:
    (place.folder / "heat.log").write_text("1: before\n")
    (place.folder / "heat.verbose.log").write_text("1 : INFO : heat :\n> before\n")
    for _ in range(2):
        assert place.heat("-i", FAST, "--count", "1", "false").wait() == 1
    heat = place.heat("-i", FAST, "--count", "1", "false")

    assert heat.wait() == 1
    assert without_times(heat.log()) == "1: before\n" + "T: (nothing on stderr) Exit Code 1\n" * 3
    assert heat.verbose().startswith("1 : INFO : heat :\n> before\n")
    assert heat.verbose().count("FAIL : false :\n> [Exit Code 1]\n") == 3


def test_logs_are_not_for_everybody_to_read(place: Place) -> None:
    heat = place.heat(
        "-i", FAST, "--count", "1", "--fail", place.script("fail", "true"), "-s", place.check(1)
    )

    assert heat.wait() == 1
    for name in ("heat.log", "heat.verbose.log", "heat.check.out"):
        assert (place.folder / name).stat().st_mode & 0o137 == 0


def test_script_output_beyond_a_mebibyte_is_copied_cut_and_emptied(place: Place) -> None:
    fail = place.script(
        "fail", "echo begin\nhead -c 3000000 /dev/zero | tr '\\0' x\necho\necho end"
    )
    heat = place.heat("-i", FAST, "--count", "1", "--fail", fail, "-s", place.check(1))

    assert heat.wait() == 1
    assert (place.folder / "heat.check.out").stat().st_size <= 1024 * 1024
    assert len(heat.verbose()) < 80_000
    assert "INFO : ./fail :\n> begin\n> xxx" in heat.verbose()
    assert re.search(r"\n> \[\d+ bytes cut here\]\n> x+\n> end\n", heat.verbose())


# Signals to HEAT, and how it ends


def test_sigterm_ends_heat_well(place: Place) -> None:
    heat = place.heat("-i", "1h", "-s", place.check(1))
    heat.await_line("Failed")

    assert heat.stop() == 0
    assert heat.news()[-1].startswith("heat: SIGTERM")
    assert "SIGTERM" in heat.verbose().splitlines()[-1]


def test_sigint_ends_heat_with_130(place: Place) -> None:
    heat = place.heat("-i", "1h", "true")
    heat.await_line("OK")
    heat.signal(signal.SIGINT)

    assert heat.wait() == 130


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_heat_that_signals_itself_to_stop_exits_3(place: Place, name: str) -> None:
    heat = place.heat(
        *("-i", FAST, "--threshold", "2", "--fault-signal", name),
        *("-s", place.check(0, 1)),
    )

    assert heat.wait() == 3
    assert heat.lines() == ["OK", FAILED, FAILED]
    assert f"sent {name} to HEAT itself (--fault-signal)" in heat.news()


def test_heat_that_signals_itself_hup_and_usr1_does_what_they_ask(place: Place) -> None:
    heat = place.heat(
        *("-i", FAST, "--signal", "USR1", "--fault-signal", "HUP", "--threshold", "2"),
        *("--count", "3", "-s", place.check(1, 1, 0)),
    )

    assert heat.wait() == 0
    assert sum("1 failure in a row (threshold 2)" in line for line in heat.news()) == 1


def test_sighup_opens_the_logs_anew(place: Place) -> None:
    heat = place.heat("-i", "1h", "-s", place.check(1))
    heat.await_file("heat.verbose.log", "FAILING")
    for name in ("heat.log", "heat.verbose.log"):
        (place.folder / name).rename(place.folder / f"{name}.1")
    heat.signal(signal.SIGHUP)
    heat.await_file("heat.log")
    heat.await_file("heat.verbose.log")

    assert heat.stop() == 0
    assert "NORMAL -> FAILING" in heat.log("heat.verbose.log.1")
    assert "NORMAL -> FAILING" not in heat.verbose()
    assert "SIGTERM" in heat.verbose()


def test_sigusr1_tells_where_heat_stands(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", "1h", "--pid", str(receiver.pid), "--fault-signal", "USR1", "--threshold", "3"),
        *("-s", place.check(7)),
    )
    heat.await_news("sent HUP")
    heat.signal(signal.SIGUSR1)
    heat.await_news("next check")

    assert heat.stop() == 0
    (status,) = [line for line in heat.news() if "next check" in line]
    assert re.fullmatch(
        r"heat: \./check: FAILING, 1 failure in a row \(threshold 3\); "
        r"last check Exit Code 7, [\d.]+ m?s ago; next check in 3[\d.]+ s; 1 check",
        status,
    )


def test_help_tells_all_options(place: Place) -> None:
    heat = place.heat("--help")

    assert heat.wait() == 0
    text = heat.out.read_text()
    assert "Usage:\n  heat -i SECS [options] [--] COMMAND [ARG...]\n" in text
    for option in (
        *("--interval", "--script", "--timeout", "--pid", "--pid-file", "--signal", "--fail"),
        *("--fail-overlap", "--threshold", "--recovery", "--recovery-timeout", "--name"),
        *("--max-recoveries", "--success-threshold", "--fault-signal", "--success-signal"),
        *("--retry-interval", "--unknown-codes", "--warn-codes", "--recovery-interval"),
        *("--recovery-backoff", "--recovery-backoff-max", "--when-spent"),
        *("--script-timeout", "--start-period", "--on-killed", "--count", "--log-dir", "--json"),
        *("--quiet", "--help", "--version"),
    ):
        assert re.search(rf"(?m)^  (-., )?{option}\b", text), option
    assert heat.err.read_text() == ""
    assert place.heat("-h").wait() == 0


def test_version_tells_the_version(place: Place) -> None:
    heat = place.heat("--version")

    assert heat.wait() == 0
    assert heat.out.read_text() == f"heat {__version__}\n"


# Start-up


def test_neither_script_nor_command_is_refused(place: Place) -> None:
    assert refused(place.heat("-i", "1"))[0] == "Error: use either script or command"


def test_both_script_and_command_are_refused(place: Place) -> None:
    lines = refused(place.heat("-i", "1", "-s", place.check(0), "true"))

    assert lines[0] == "Error: use either script or command"


def test_all_mistakes_are_told_at_once_the_options_first(place: Place) -> None:
    lines = refused(place.heat("-i", "no", "--max-recoveries", "0", "--signal", "NIX", "true"))

    told = [line for line in lines if line.startswith("Error: ")]
    assert told == [
        "Error: --interval 'no' is not a duration",
        "Error: --signal 'NIX' is not a signal of this system",
        "Error: --max-recoveries '0' is not a count",
        "Error: --max-recoveries '0' has no effect without anything to do in recovery",
    ]


def test_a_script_that_cannot_run_is_refused_with_its_path_as_given(place: Place) -> None:
    (place.folder / "check").write_text("#!/bin/sh\n")
    (place.folder / "dos").write_bytes(b"#!/bin/sh\r\ntrue\r\n")
    (place.folder / "dos").chmod(0o755)
    missing = place.script("missing", "", "/no/such/interpreter")

    assert refused(place.heat("-i", "1", "-s", "./check"))[0] == "Failed: ./check not executable"
    assert "Failed: ./no not executable" in refused(place.heat("-i", "1", "-s", "./no"))
    lines = refused(place.heat("-i", "1", "-s", missing))
    assert any("/no/such/interpreter" in line for line in lines)
    lines = refused(place.heat("-i", "1", "-s", "./dos"))
    assert any("carriage return: /bin/sh" in line for line in lines)
    assert "Traceback" not in (place.folder / "stderr").read_text()


def test_a_command_that_is_not_there_is_refused(place: Place) -> None:
    lines = refused(place.heat("-i", "1", "no-such-program -x | grep y"))

    assert lines[0] == "Failed: no-such-program -x | grep y not found"
    assert "sh -c '" in lines[1]


def test_a_target_that_is_not_there_is_refused(place: Place) -> None:
    ended = place.spawn(["true"])
    until(lambda: process_state(ended.pid) == "Z", "a zombie")

    assert "zombie" in refused(place.heat("-i", "1", "--pid", str(ended.pid), "true"))[0]
    ended.wait()
    lines = refused(place.heat("-i", "1", "--pid", str(ended.pid), "true"))
    assert any(f"process {ended.pid} does not exist" in line for line in lines)


def test_logs_that_cannot_be_opened_are_refused(place: Place) -> None:
    lines = refused(place.heat("-i", "1", "--log-dir", "nowhere", "true"))

    assert "nowhere/heat.log" in lines[0]
    assert any("nowhere/heat.verbose.log" in line for line in lines)
    assert sorted(os.listdir(place.folder)) == ["stderr", "stdout"]


def test_what_is_refused_leaves_no_files_behind(place: Place) -> None:
    refused(place.heat("-i", "1", "--pid", "4194304", "true"))

    assert sorted(os.listdir(place.folder)) == ["stderr", "stdout"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root refuses what anybody may change")
def test_root_does_not_run_what_anybody_may_change(place: Place) -> None:
    check = place.check(0)
    (place.folder / "check").chmod(0o777)

    assert refused(place.heat("-i", "1", "-s", check))[0].startswith("Failed: ./check ")
