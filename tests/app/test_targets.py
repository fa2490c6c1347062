"""The target, and the signals that it gets."""

import pytest
from heat_process import FAILED, FAST
from place import TURN_AT_GATE, Place
from processes import alive, process_state, until


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
    "names",
    [
        {"USR1": "USR1", "SIGWINCH": "WINCH", "cont": "CONT"},
        {"10": "USR1", "sigusr2": "USR2", "RTMIN+1": "RTMIN+1"},
    ],
    ids=" ".join,
)
def test_a_signal_is_sent_by_its_name_or_number(place: Place, names: dict[str, str]) -> None:
    receiver = place.receiver()
    options = ("--signal", "--fault-signal", "--success-signal")
    words = [word for pair in zip(options, names, strict=True) for word in pair]
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--threshold", "1", *words, "--count", "2"),
        *("-s", place.check(1, 0)),
    )

    assert heat.wait() == 0
    for option, got in zip(options, names.values(), strict=True):
        receiver.await_signal(got)
        assert f"sent {got} to {receiver.pid} ({option})" in heat.news()
    assert sorted(receiver.signals()) == sorted(names.values())


def test_failures_in_recovery_send_no_signal_and_run_no_fail_script(place: Place) -> None:
    receiver = place.receiver()
    body = "while [ $n = 1 ] && [ $(wc -l < received) -lt 2 ]; do sleep 0.01; done"
    fail = place.script("fail", "echo $HEAT_FAIL_CNT $HEAT_STATE >> told")
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--threshold", "2", "--success-signal", "USR2"),
        *("--recovery-timeout", "1h", "--fail", fail, "--count", "5"),
        *("-s", place.check(1, 1, 1, 1, 0, body=body)),
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
