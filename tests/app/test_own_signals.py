"""HEAT is its own target, and sends signals to itself."""

import signal

import pytest
from heat_process import FAILED, FAST
from place import FIRST_AT_GATE, Place

from heat.process import signals


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
