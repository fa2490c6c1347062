"""Monitors that a reload changes."""

import os
import re
import signal

from fleet import WELL, await_more, monitor, pid_of, ran, started, state_of, summary
from heat_process import orderly, records
from place import Place
from processes import alive, process_state, until


def test_a_changed_one_keeps_state_and_count_and_the_check_in_flight(place: Place) -> None:
    recover = place.script("recover", "")
    limits = {"a": 3, "b": 2, "c": 1}
    gates = {name: place.gate(f"{name}.gate") for name in limits}
    for name in limits:
        place.check(1, 1, 1, 0, name=name, body=f"[ $n -ne 2 ] || : < {name}.gate")

    def config(thresholds: dict[str, int]) -> str:
        each = thresholds.items()
        return "".join(monitor(n, f"./{n}", threshold=t, recovery=recover) for n, t in each)

    heat = place.fleet(config(dict.fromkeys(limits, 10)))
    for name in limits:
        place.await_words(f"{name}.ran", 3)
    place.write_config(config(limits))
    heat.reload("0 monitors added, 3 changed, 0 removed")
    lines = summary(heat)[1:]
    for name, gate in gates.items():
        gate.open()
        heat.await_news(f"{name}: NORMAL again after 3 failures and 1 recovery")

    for line, (name, limit) in zip(lines, limits.items(), strict=True):
        assert line.startswith(f"{name}: FAILING, 2 failures in a row (threshold {limit}); ")
        assert f"{name}: RECOVERING after 3 failures in a row, recovery 1: ./recover" in heat.news()
    assert heat.stop() == 0
    orderly(heat)


def test_a_fail_script_in_flight_is_let_end_whatever_takes_its_place(place: Place) -> None:
    gates = {name: place.gate(f"{name}.gate") for name in ("none", "another")}
    for name in gates:
        place.script(name, f"echo $$ >> {name}.pids; : < {name}.gate; echo to its end")
    other = place.script("other", "echo $HEAT_NAME $HEAT_FAIL_CNT >> other.ran")
    heat = place.fleet("".join(monitor(n, ["false"], fail=f"./{n}") for n in gates))
    pids = [pid_of(place, name) for name in gates]
    for name in gates:
        heat.await_file("heat.verbose.log", f"INFO : {name}: heat :\n> fail script still runs")
    place.write_config(monitor("none", ["false"]) + monitor("another", ["false"], fail=other))
    heat.reload("0 monitors added, 2 changed, 0 removed")
    for name, gate in gates.items():
        await_more(heat, f"{name}: Failed", 2)
        gate.open()
        heat.await_news(f"{name}: fail script ./{name} ended: Exit Code 0")
    place.await_words("other.ran", 2)
    await_more(heat, "none: Failed", 2)

    assert not any(map(alive, pids))
    assert {len(place.words(f"{name}.pids")) for name in gates} == {1}
    assert {line.partition(" ")[0] for line in place.words("other.ran")} == {"another"}
    assert heat.stop() == 0
    for name in gates:
        assert ("INFO", f"{name}: ./{name}", ["to its end"]) in records(heat.verbose())
    orderly(heat)


CHANGES: dict[str, dict[str, object]] = {
    "interval": {"recovery": "./recover-interval"},
    "none": {},
    "another": {"recovery": "./other", "recovery_timeout": "5m"},
    "threshold": {"recovery": "./recover-threshold", "threshold": 7},
    "signal": {"fault_signal": "USR1"},
}


def test_the_end_of_a_recovery_script_in_flight_opens_the_window(place: Place) -> None:
    gates = {name: place.gate(f"{name}.gate") for name in CHANGES}
    place.script("other", "echo ran >> other.ran")
    before = after = ""
    for name, keys in CHANGES.items():
        check = place.check(1, 0, name=name)
        recover = place.script(f"recover-{name}", f"echo $$ >> {name}.pids; : < {name}.gate")
        before += monitor(name, check, recovery=recover)
        after += monitor(name, check, **{**keys, "interval": "8000h"})
    heat = place.fleet(before)
    for name in CHANGES:
        pid_of(place, name)
    place.write_config(after)
    heat.reload("0 monitors added, 5 changed, 0 removed")
    during = summary(heat)[1:]
    for name, gate in gates.items():
        gate.open()
        heat.await_news(f"{name}: NORMAL again after 1 failure and 1 recovery")

    for name, line in zip(CHANGES, during, strict=True):
        assert line.startswith(f"{name}: RECOVERING, 1 failure in a row")
        assert "next check when the recovery script has ended" in line
        assert ran(place, name) == 2
    assert place.words("other.ran") == []
    assert heat.stop() == 0
    orderly(heat)


def test_another_interval_counts_from_the_reload_on(place: Place) -> None:
    heat = place.fleet(monitor("slow", WELL, interval="8000h") + monitor("quick", WELL))
    heat.await_line("quick: OK", 2)
    place.write_config(monitor("slow", WELL) + monitor("quick", WELL, interval="8000h"))
    heat.reload("0 monitors added, 2 changed, 0 removed")
    before = heat.lines().count("quick: OK")
    heat.await_line("slow: OK", 5)

    assert heat.lines().count("quick: OK") <= before + 1
    match = re.search(r"next check in (\d+)", state_of(heat, "quick"))
    assert match is not None
    assert int(match[1]) > 60
    assert heat.stop() == 0


def test_another_recovery_timeout_holds_for_the_open_window(place: Place) -> None:
    recover = place.script("recover", "echo ran >> recover.ran")
    web = {"recovery": recover, "threshold": 1}
    heat = place.fleet(monitor("web", ["false"], recovery_timeout="1h", **web))
    heat.await_line("web: Failed", 5)
    place.write_config(monitor("web", ["false"], recovery_timeout="100ms", **web))
    once = place.words("recover.ran")
    heat.reload("1 changed")
    place.await_words("recover.ran", 2)
    place.write_config(monitor("web", ["false"], recovery_timeout="1h", **web))
    heat.reload("1 changed")
    state_of(heat, "web")
    runs = len(place.words("recover.ran"))
    await_more(heat, "web: Failed", 8)

    assert once == ["ran"]
    assert len(place.words("recover.ran")) <= runs + 1
    assert heat.stop() == 0
    orderly(heat)


def test_another_target_gets_the_signals_and_the_old_one_is_left_alone(place: Place) -> None:
    first, second = place.receiver("first"), place.receiver("second")
    (place.folder / "second.pid").write_text(f"{second.pid}\n")
    of_file = monitor("web", ["false"], pid_file="second.pid")
    heat = place.fleet(monitor("web", ["false"], pid=first.pid) + monitor("db", WELL))
    first.await_signal("HUP", 2)
    place.write_config(of_file + monitor("db", WELL))
    heat.reload("0 monitors added, 1 changed, 0 removed")
    before = len(first.signals())
    second.await_signal("HUP", 3)
    os.kill(first.pid, signal.SIGKILL)
    second.await_signal("HUP", 5)

    assert len(first.signals()) <= before + 1
    assert "ERROR" not in heat.verbose()
    place.write_config(monitor("web", ["false"], pid=second.pid) + monitor("db", WELL))
    heat.reload("0 monitors added, 1 changed, 0 removed")
    os.kill(second.pid, signal.SIGKILL)
    heat.await_news(f"web: heat: error: target {second.pid} (--pid) has ended")
    await_more(heat, "db: OK", 2)
    assert heat.stop() == 0
    orderly(heat)


def test_a_frozen_target_is_woken_when_it_is_the_target_no_more(place: Place) -> None:
    receiver = place.receiver()
    frozen = {"signal": "none", "fault_signal": "STOP", "recovery_timeout": "1h"}
    heat = place.fleet(monitor("web", ["false"], pid=receiver.pid, **frozen))
    until(lambda: process_state(receiver.pid) == "T", "the target's stop")
    place.write_config(monitor("web", ["false"], pid=receiver.pid, timeout=9, **frozen))
    heat.reload("1 changed")
    still = process_state(receiver.pid)
    place.write_config(monitor("web", ["false"]))
    heat.reload("1 changed")
    receiver.await_signal("CONT")

    assert still == "T"
    assert heat.stop() == 0
    orderly(heat)


def test_reloads_leave_no_descriptor_behind(place: Place) -> None:
    receiver = place.receiver()
    quiet = {"interval": "8000h", "pid": receiver.pid}
    both = monitor("a", WELL, **quiet) + monitor("b", WELL, **quiet)
    heat = started(place.fleet(both))

    def reloaded(text: str) -> int:
        place.write_config(text)
        heat.reload("heat.toml was read again: ")
        return len(os.listdir(f"/proc/{heat.pid}/fd"))

    counts = [
        [
            reloaded(monitor("a", WELL, timeout=9, **quiet)),
            reloaded(monitor("a", WELL, interval="8000h")),
            reloaded(both),
        ]
        for _ in range(3)
    ]

    assert counts[0] == counts[1] == counts[2]
    assert counts[0][0] == counts[0][2] - 1
    assert heat.stop() == 0
