"""The fail script."""

import time

import pytest
from heat_process import FAST, hints
from place import TURN_AT_GATE, Place
from processes import alive, until


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
    variables = hints(environment)
    assert before <= int(variables.pop("HEAT_FAIL_TIME")) <= time.time()
    assert variables == {
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
    counts = place.words("told")
    assert counts == ["fail 1 FAILING", "fail 2 RECOVERING", "recovery 2 RECOVERING"]


@pytest.mark.parametrize(
    ("words", "codes", "last", "code"),
    [((), (11, 12, 13, 14), "4 14", 1), (("--fail-overlap", "queue"), (11, 12, 0), "2 12", 0)],
    ids=["", "though a check has passed by then"],
)
def test_failures_during_the_fail_script_are_folded_into_one_more_run(
    place: Place, words: tuple[str, ...], codes: tuple[int, ...], last: str, code: int
) -> None:
    gate = place.gate("gate")
    body = "echo $HEAT_FAIL_CNT $HEAT_FAIL_CODE $HEAT_STATE >> told"
    fail = place.script("fail", f"{body}\n{TURN_AT_GATE}")
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
