"""A rehearsal as text and as JSON."""

import json

import pytest
from rehearsals import CONTRACT, main, moments, played, rehearse

from heat.rehearsal.render_text import lines


def test_the_rehearsal_of_the_contract(capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*CONTRACT, "--recovery-takes", "5"])
    out, err = capfd.readouterr()

    assert (code, err) == (0, "")
    assert out.startswith(
        """\
  0 s  NORMAL      check 1: OK
 30 s  FAILING     check 2: Failed: Exit Code 1 (1 failure in a row)
 30 s  FAILING     signal HUP to process 1234 (--signal)
 60 s  FAILING     check 3: Failed: Exit Code 1 (2 failures in a row)
 60 s  FAILING     signal HUP to process 1234 (--signal)
 90 s  RECOVERING  check 4: Failed: Exit Code 1 (3 failures in a row)
 90 s  RECOVERING  signal HUP to process 1234 (--signal)
 90 s  RECOVERING  recovery 1 begins
 90 s  RECOVERING  signal STOP to process 1234 (--fault-signal)
 90 s  RECOVERING  recovery script ./recover runs
                   HEAT_FAIL_CODE=1 HEAT_FAIL_INTERVAL=30 HEAT_FAIL_PID=2004 HEAT_FAIL_CNT=3
                   HEAT_FAIL_TEXT='' HEAT_NAME=check HEAT_STATE=RECOVERING
                   HEAT_FAIL_TIME=1700000030 HEAT_FAIL_TIME_LAST=1700000090
 95 s  RECOVERING  recovery script ended: Exit Code 0, after 5 s
 95 s  RECOVERING  the window opens for 60 s, until 155 s
"""
    )
    assert "225 s  NORMAL      well again after 6 failures and 3 recoveries, 195 s\n" in out
    assert (
        "The outage lasted 195 s, from 30 s to 225 s; the first remedy came 60 s after the first "
        "failure: signal STOP to process 1234.\n"
    ) in out
    assert "Signals sent: HUP 3 times, STOP 3 times and CONT once.\n" in out


def test_the_same_rehearsal_prints_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    first = (main(CONTRACT), capfd.readouterr())

    assert (main(CONTRACT), capfd.readouterr()) == first


def test_as_json_every_line_is_an_object_and_the_last_sums_up(
    capfd: pytest.CaptureFixture[str],
) -> None:
    main([*CONTRACT, "--json"])
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    assert events[0] == {
        "at": 0.0,
        "event": "check",
        "state": "NORMAL",
        "result": "ok",
        "code": 0,
        "pid": 2001,
        "count": 0,
        "began": 0.0,
        "text": "check 1: OK",
    }
    started = next(each for each in events if each["event"] == "recovery")
    assert started["env"]["HEAT_FAIL_CNT"] == "3"
    assert [each["signal"] for each in events if each["event"] == "signal"][-1] == "CONT"
    assert events[-1]["event"] == "summary"
    assert events[-1]["signals"] == {"HUP": 3, "STOP": 3, "CONT": 1}
    assert events[-1]["outages"] == [{"start": 30.0, "end": 210.0, "first_remedy": 90.0}]


def test_states_are_coloured_only_on_a_terminal() -> None:
    outcome = played("0,1")

    assert "\x1b[33mFAILING   \x1b[0m" in [*lines(outcome, [], colour=True)][1]
    assert "\x1b" not in "".join(lines(outcome, []))


def test_listed_codes_have_the_words_of_the_real_heat(
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = "-i 10 -t 5 -s ./check --warn-codes 1 --unknown-codes 3 --results 1,3,2"
    code, out, _ = rehearse(f"{words} --json", capfd)
    outcome = [json.loads(line) for line in out.splitlines()]

    assert code == 1
    checks = [each for each in outcome if each.get("event") == "check"]
    assert [(each["result"], each["code"], each.get("warning")) for each in checks] == [
        ("ok", 1, True),
        ("unknown", 3, None),
        ("failed", 2, None),
    ]
    out = rehearse(words, capfd)[1]
    assert "check 1: Warning: Exit Code 1" in out
    assert "check 2: Unknown: Exit Code 3" in out


def test_a_window_with_an_interval_of_its_own_is_named_by_its_length() -> None:
    of = played("2x4,0", "--recovery=./r", "--threshold=2", "--recovery-interval=5")

    assert moments(of, "window") == [
        (10.0, "the window opens, until a check fails at 30 s or later")
    ]
