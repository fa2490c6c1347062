"""The worked example, and all options at once."""

import re
import time

from heat_process import DETAILS, hints, without_pids
from place import Place


def test_the_worked_example_signals_in_order_and_says_so(place: Place) -> None:
    receiver = place.receiver()
    body = "while [ $(wc -l < received) -lt $n ]; do sleep 0.01; done"
    check = place.check(0, 7, 7, 7, 0, body=f"{body}\necho 'curl: (7) Failed to connect' >&2")
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
    variables = hints((place.folder / "told").read_text())
    first, last = int(variables.pop("HEAT_FAIL_TIME")), int(variables.pop("HEAT_FAIL_TIME_LAST"))
    assert before <= first <= last <= time.time()
    assert variables == {
        "HEAT_FAIL_CODE": "4",
        "HEAT_FAIL_INTERVAL": "0.1",
        "HEAT_FAIL_PID": place.words("check.ran")[1],
        "HEAT_FAIL_CNT": "2",
        "HEAT_FAIL_TEXT": "",
        "HEAT_NAME": "web",
        "HEAT_STATE": "RECOVERING",
    }


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
    results = heat.objects()
    assert [each["count"] for each in results] == [0, 1, 2, 3, 4]
    assert "> recovery web 2\n" in heat.log("logs/heat.verbose.log")
    assert "recovery web 2\n" in heat.log("logs/heat.web.out")
