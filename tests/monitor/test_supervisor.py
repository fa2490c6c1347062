"""Many monitors of one file, on real processes: their lines, errors, reloads, turns and logs."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from client import why
from conftest import (
    DETAILS,
    FAILED,
    FAST,
    Heat,
    Place,
    alive,
    orderly,
    process_state,
    records,
    until,
)

WELL = ["true"]


def monitor(name: str, check: str | list[str], **keys: object) -> str:
    """The table of one; ``check`` is a script, or a command as a list."""
    what = "script" if isinstance(check, str) else "command"
    values = {what: check, "interval": FAST, **keys}
    lines = [f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in values.items()]
    return f"[monitor.{name}]\n{''.join(lines)}"


def hanging(place: Place, name: str) -> str:
    """A check that does not end; its process ids are in NAME.pids."""
    return place.script(name, f"echo $$ >> {name}.pids\nexec sleep 600")


def stubborn(place: Place, name: str) -> str:
    """The same, and it ignores TERM."""
    return place.script(name, f"trap '' TERM\necho $$ >> {name}.pids\nwhile :; do sleep 0.02; done")


def pid_of(place: Place, name: str) -> int:
    """The first process of a check or script that tells it in NAME.pids."""
    return place.adopt(int(place.await_words(f"{name}.pids")[0]))


def ran(place: Place, name: str) -> int:
    """How often a check of ``place.check`` was run."""
    return len(place.words(f"{name}.ran"))


def await_more(heat: Heat, line: str, more: int = 5) -> None:
    """Wait until a monitor has printed its line so many times from now on."""
    heat.await_line(line, heat.out.read_text().count(line) + more)


def started(heat: Heat) -> Heat:
    """HEAT takes signals from now on."""
    heat.await_file("heat.verbose.log", "> watching ")
    return heat


def summary(heat: Heat) -> list[str]:
    """What SIGUSR1 prints now."""
    before = heat.err.read_text().count(" running of ")
    heat.signal(signal.SIGUSR1)
    heat.await_news(" running of ", before + 1)
    heads = [n for n, line in enumerate(heat.news()) if " running of " in line]
    return [line.removeprefix("heat: ") for line in heat.news()[heads[-1] :]]


def state_of(heat: Heat, name: str) -> str:
    """What SIGUSR1 prints of one of a few monitors."""
    (line,) = (line for line in summary(heat) if line.startswith(f"{name}: "))
    return line.removeprefix(f"{name}: ")


# What is printed and logged


def test_lines_and_records_carry_the_name_and_scripts_are_told_it(place: Place) -> None:
    db = place.check(7, name="db", body="echo refused >&2")
    fail = place.script("fail", "echo told of $HEAT_NAME")
    text = monitor("web", place.check(0, name="web"), count=2) + monitor("db", db, count=2)
    for name in ("silent", "other"):
        text += monitor(name, ["false"], count=1, fail=fail)
    heat = place.fleet(text)

    assert heat.wait() == 1
    assert sorted(heat.lines()) == sorted(
        ["web: OK", f"db: Failed: Exit Code 7, {DETAILS}"] * 2
        + [f"silent: {FAILED}", f"other: {FAILED}"]
    )
    assert re.fullmatch(r"(\d{10,}: (web|db|silent|other): .*\n){6}", heat.out.read_text())
    logged = [re.sub(r"^\d{10,}", "T", line) for line in heat.log().splitlines()]
    silent = [f"T: {name}: (nothing on stderr) Exit Code 1" for name in ("other", "silent")]
    assert sorted(logged) == ["T: db: refused", "T: db: refused", *silent]
    written = records(heat.verbose())
    assert ("INFO", "heat", ["watching 4 monitors of heat.toml"]) in written
    assert written.count(("FAIL", "db: ./db", ["refused", "[Exit Code 7]"])) == 2
    assert ("INFO", "db: heat", ["NORMAL -> FAILING (1 failure)"]) in written
    assert "web: heat: 2 checks done (--count)" in heat.news()
    for name in ("silent", "other"):
        assert heat.log(f"heat.{name}.out") == f"told of {name}\n"
        assert ("INFO", f"{name}: ./fail", [f"told of {name}"]) in written
    orderly(heat)


def test_json_names_the_monitor(place: Place) -> None:
    heat = place.fleet(monitor("a", WELL, count=1) + monitor("b", ["false"], count=1), "--json")

    assert heat.wait() == 1
    told = {each["monitor"]: (each["result"], each["state"]) for each in heat.objects()}
    assert told == {"a": ("ok", "NORMAL"), "b": ("failed", "FAILING")}


def test_quiet_leaves_out_what_is_well(place: Place) -> None:
    heat = place.fleet(monitor("a", WELL, count=2) + monitor("b", ["false"], count=1), "-q")

    assert heat.wait() == 1
    assert heat.lines() == [f"b: {FAILED}"]
    assert heat.news() == []


# Where things are


def test_paths_are_relative_to_the_file_and_the_log_folder_to_where_heat_was_started(
    place: Place,
) -> None:
    for name in ("etc", "logs"):
        (place.folder / name).mkdir()
    script = "pwd >> ran\nreadlink /proc/$PPID/cwd >> ran\nexit 1"
    for name in ("check", "fail"):
        place.script(f"etc/{name}", script)
    receiver = place.receiver("etc/received")
    (place.folder / "etc/target.pid").write_text(f"{receiver.pid}\n")
    text = monitor("web", "./check", count=1, fail="fail", pid_file="target.pid")
    place.write_config(text, "etc/heat.toml")
    heat = place.heat("--config", "etc/heat.toml", "--log-dir", "logs")

    assert heat.wait() == 1
    assert place.words("etc/ran") == [str(place.folder / "etc")] * 4
    receiver.await_signal("HUP")
    assert heat.lines() == ["web: Failed: Exit Code 1, details in logs/heat.log"]
    assert sorted(os.listdir(place.folder / "logs")) == [
        "heat.log",
        "heat.state",
        "heat.state.lock",
        "heat.verbose.log",
        "heat.web.out",
    ]
    assert heat.log("logs/heat.log").count("Exit Code 1") == 1


def test_a_reload_reads_the_same_file_from_wherever_heat_was_started(place: Place) -> None:
    (place.folder / "etc").mkdir()
    place.script("etc/check", "exit 0")
    place.write_config(monitor("a", "./check"), "etc/heat.toml")
    heat = place.heat("--config", "etc/heat.toml")
    heat.await_line("a: OK")
    place.write_config(monitor("b", "./check"), "etc/heat.toml")
    line = heat.reload("1 monitor added, 0 changed, 1 removed")
    heat.await_line("b: OK")

    assert line.startswith("heat: etc/heat.toml was read again")
    assert heat.stop() == 0
    orderly(heat)


# Errors and the end


def test_one_in_error_stays_there_and_one_at_its_count_too_and_the_others_go_on(
    place: Place,
) -> None:
    bad = place.check(0, name="bad", body="kill -9 $$")
    dying = monitor("bad", bad, on_killed="error")
    heat = place.fleet(dying + monitor("good", WELL) + monitor("some", WELL, count=2))
    heat.await_news("bad: heat: error: ")
    heat.await_news("some: heat: 2 checks done (--count)")
    await_more(heat, "good: OK")
    told = summary(heat)

    assert heat.lines().count("some: OK") == 2
    assert "; no more checks of it\n" in heat.err.read_text()
    assert told[0].startswith("3 monitors: 2 NORMAL, 1 ERROR; ")
    assert told[1].startswith("bad: ERROR, ")
    # On a busy machine a tick may have found the check still running.
    assert re.search(r"; no more checks; 1 check(; \d+ ticks? skipped)?$", told[1])
    assert ran(place, "bad") == 1
    assert heat.stop() == 0


def test_when_all_are_in_error_heat_exits_3(place: Place) -> None:
    dies = place.script("dies", "kill -9 $$")
    heat = place.fleet("".join(monitor(name, dies, on_killed="error") for name in "abc"))

    assert heat.wait() == 3
    assert heat.err.read_text().count("heat: error: check ./dies") == 3
    assert heat.err.read_text().count('on-killed = "fail" takes that for a failure') == 3
    errors = [program for kind, program, _ in records(heat.verbose()) if kind == "ERR"]
    assert sorted(errors) == ["a: heat", "b: heat", "c: heat", "heat"]
    assert heat.news()[-1] == "heat: error: all monitors are in ERROR; HEAT stops"


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ("true true", 0),
        ("true false", 1),
        ("./dies true", 1),
        ("./dies ./dies", 3),
    ],
)
def test_the_exit_status_when_all_have_reached_their_count(
    place: Place, commands: str, code: int
) -> None:
    place.script("dies", "kill -9 $$")
    tables = [
        monitor(f"m{n}", [command], count=2, on_killed="error")
        for n, command in enumerate(commands.split())
    ]
    heat = place.fleet("".join(tables))

    assert heat.wait() == code
    orderly(heat)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_stops_what_runs_of_all_of_them(place: Place, signum: int, code: int) -> None:
    bad = place.script("bad", "kill -9 $$")
    text = "".join(monitor(name, hanging(place, name)) for name in "abc")
    fails = monitor("fails", ["false"], fail=hanging(place, "fail"))
    heat = place.fleet(text + fails + monitor("bad", bad, on_killed="error"))
    pids = [pid_of(place, name) for name in ("a", "b", "c", "fail")]
    heat.await_news("bad: heat: error: ")
    heat.signal(signum)

    assert heat.wait() == code
    assert not any(map(alive, pids))
    stopped = [p for _, p, said in records(heat.verbose()) if said == ["[stopped with HEAT]"]]
    scripts = [each for each in stopped if each != "fails: false"]  # One may just have begun.
    assert sorted(scripts) == ["a: ./a", "b: ./b", "c: ./c", "fails: ./fail"]
    orderly(heat)


def test_a_second_term_kills_all_at_once(place: Place) -> None:
    heat = place.fleet("".join(monitor(name, stubborn(place, name)) for name in "abc"))
    pids = [pid_of(place, name) for name in "abc"]
    heat.signal(signal.SIGTERM)
    heat.await_news("SIGTERM received, stopping")
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    assert not any(map(alive, pids))
    assert "heat: SIGTERM received, killing" in heat.news()


def test_a_signal_of_heats_own_ends_all_with_3(place: Place) -> None:
    heat = place.fleet(
        monitor("gives-up", ["sh", "-c", "! test -s other.pids"], fault_signal="TERM", threshold=2)
        + monitor("other", hanging(place, "other"))
    )

    assert heat.wait() == 3
    assert not alive(pid_of(place, "other"))
    orderly(heat)


# Reloads that are refused


NOT_TAKEN = "heat: heat.toml was read again and is not taken"


def test_a_reload_without_descriptors_says_so_and_the_next_one_is_taken(place: Place) -> None:
    heat = place.fleet(monitor("web", WELL))
    heat.await_line("web: OK")
    usual = resource.prlimit(heat.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, (5, usual[1]))
    line = heat.reload("stays in force")
    resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, usual)

    assert line.startswith(NOT_TAKEN)
    why = "heat: Error: the configuration could not be read: too many open files"
    assert why in heat.news()
    assert "Errno" not in heat.err.read_text()
    heat.reload("0 monitors added")
    assert heat.stop() == 0


def test_a_reload_by_a_heat_whose_own_files_are_gone_leaves_everything_as_it_was(
    place: Place,
) -> None:
    own, home = place.folder / "own", Path(__file__).parents[2]
    for package in ("heat", "states"):
        shutil.copytree(home / package, own / package)
    heat = place.fleet(monitor("web", WELL), env={**os.environ, "PYTHONPATH": str(own)})
    heat.await_line("web: OK")
    shutil.rmtree(own)
    line = heat.reload("stays in force")

    assert line.startswith(NOT_TAKEN)
    assert "could not be read: a file of HEAT's own is not where it was" in heat.err.read_text()
    await_more(heat, "web: OK")
    assert heat.stop() == 0
    orderly(heat)


MISTAKES = {
    "[monitor.web]\nintervall = 3\n": "heat.toml: monitor.web.intervall: ",
    "[monitor.web\n": "heat.toml: line 1: ",
    "": "heat.toml: no monitor is in it",
    '[monitor.web]\nscript = "./gone"\ninterval = 1\n': "./gone",
    "[heat]\nmax-running = 0\n": "heat.max-running: 0 is not a count",
}


def test_a_mistake_leaves_everything_as_it_was(place: Place) -> None:
    before = monitor("web", hanging(place, "web")) + monitor("db", WELL)
    heat = place.fleet(before)
    pid = pid_of(place, "web")
    refused = "is not taken: what was in force before stays in force"
    for text in MISTAKES:
        place.write_config(text)
        heat.reload(refused)
    path = place.folder / "heat.toml"
    path.unlink()
    heat.reload(refused)
    path.mkdir()
    heat.reload(refused)
    await_more(heat, "db: OK", 2)
    path.rmdir()
    place.write_config(before)
    heat.reload("0 monitors added, 0 changed, 0 removed")

    expected = [*MISTAKES.values(), "heat.toml: no such file", "heat.toml: is a directory"]
    told = [lines for kind, _, lines in records(heat.verbose()) if kind == "ERR"]
    assert len(told) == len(expected)
    for said, lines in zip(expected, told, strict=True):
        assert said in heat.err.read_text()
        assert said in lines[0]
        assert lines[-1].startswith("heat.toml was read again and is not taken")
    assert alive(pid)
    assert len(place.words("web.pids")) == 1
    assert heat.stop() == 0
    orderly(heat)


# Monitors that a reload leaves alone, adds and removes


def test_who_is_not_changed_is_not_touched(place: Place) -> None:
    down = place.check(1, name="down", body="[ $n -lt 2 ] || exec sleep 600")
    rest = (
        monitor("runs", hanging(place, "runs"))
        + monitor("down", down, threshold=9, recovery=place.script("recover", ""))
        + monitor("fails", ["false"], fail=hanging(place, "fail"))
    )
    heat = place.fleet(rest + monitor("changes", WELL, timeout=9))
    place.await_words("down.ran", 3)
    pids = [pid_of(place, "runs"), pid_of(place, "fail"), int(place.words("down.ran")[2])]
    place.write_config(monitor("new", WELL) + rest + monitor("changes", WELL, timeout=8))
    heat.reload("1 monitor added, 1 changed, 0 removed")
    heat.await_line("new: OK", 2)
    await_more(heat, "changes: OK", 2)

    assert all(map(alive, pids))
    assert state_of(heat, "down").startswith("FAILING, 2 failures in a row (threshold 9); ")
    assert (len(place.words("runs.pids")), len(place.words("fail.pids"))) == (1, 1)
    assert heat.stop() == 0
    orderly(heat)


def test_a_removed_one_is_stopped_and_the_target_it_froze_is_woken(place: Place) -> None:
    receiver = place.receiver()
    gone = monitor(
        "gone",
        ["false"],
        pid=receiver.pid,
        signal="none",
        fault_signal="STOP",
        recovery=hanging(place, "recover"),
    )
    hangs = monitor("hangs", hanging(place, "hangs"))
    heat = place.fleet(monitor("stays", WELL) + gone + hangs)
    pids = [pid_of(place, "recover"), pid_of(place, "hangs")]
    until(lambda: process_state(receiver.pid) == "T", "the target's stop")
    place.write_config(monitor("stays", WELL))
    heat.reload("0 monitors added, 0 changed, 2 removed")
    until(lambda: not any(map(alive, pids)), "the end of what ran")
    receiver.await_signal("CONT")
    await_more(heat, "stays: OK", 2)

    assert [line.partition(": ")[0] for line in summary(heat)] == ["1 monitor", "stays"]
    heat.await_news(f"gone: sent CONT to {receiver.pid}, which HEAT had stopped")
    assert heat.stop() == 0
    written = records(heat.verbose())
    assert ("INFO", "gone: ./recover", ["[stopped with HEAT]"]) in written
    assert ("INFO", "hangs: ./hangs", ["[stopped with HEAT]"]) in written
    orderly(heat)


def test_one_in_error_that_is_removed_and_added_again_begins_anew(place: Place) -> None:
    check = place.check(0, name="bad", body="[ $n -gt 0 ] || kill -9 $$")
    bad = monitor("bad", check, on_killed="error")
    heat = place.fleet(monitor("good", WELL) + bad)
    heat.await_news("bad: heat: error: ")
    place.write_config(monitor("good", WELL))
    heat.reload("1 removed")
    place.write_config(monitor("good", WELL) + bad)
    heat.reload("1 monitor added")
    heat.await_line("bad: OK")

    assert state_of(heat, "bad").startswith("NORMAL, 0 failures in a row; ")
    assert heat.stop() == 0
    orderly(heat)


def test_when_only_those_in_error_are_left_heat_exits_3(place: Place) -> None:
    bad = monitor("bad", place.script("bad", "kill -9 $$"), on_killed="error")
    heat = place.fleet(bad + monitor("good", hanging(place, "good")))
    heat.await_news("bad: heat: error: ")
    pid = pid_of(place, "good")
    place.write_config(bad)
    heat.signal(signal.SIGHUP)

    assert heat.wait() == 3
    assert not alive(pid)
    orderly(heat)


def test_one_that_comes_back_waits_for_the_end_of_what_it_left(place: Place) -> None:
    stays = monitor("stays", WELL)
    back, gone = (monitor(name, stubborn(place, name)) for name in ("back", "gone"))
    heat = place.fleet(stays + back + gone)
    pids = [pid_of(place, "back"), pid_of(place, "gone")]
    place.write_config(stays)
    heat.reload("0 monitors added, 0 changed, 2 removed")
    place.write_config(stays + back + gone)
    heat.reload("2 monitors added, 0 changed, 0 removed")
    heat.reload("0 monitors added, 0 changed, 0 removed")
    place.write_config(stays + back)
    heat.reload("0 monitors added, 0 changed, 1 removed")
    both_ran = all(map(alive, pids))
    place.await_words("back.pids", 2)
    await_more(heat, "stays: OK", 3)

    assert both_ran
    assert not any(map(alive, pids))
    assert (len(place.words("back.pids")), len(place.words("gone.pids"))) == (2, 1)
    heat.signal(signal.SIGTERM)
    heat.await_news("SIGTERM received, stopping")
    assert heat.stop() == 0
    orderly(heat)


def test_one_may_come_in_the_reload_that_ends_the_only_other_one(place: Place) -> None:
    heat = place.fleet(monitor("first", WELL, count=1000))
    heat.await_line("first: OK", 3)
    place.write_config(monitor("first", WELL, count=2) + monitor("second", WELL))
    heat.reload("1 monitor added, 1 changed, 0 removed")
    heat.await_line("second: OK", 3)

    assert "first: heat: " in heat.err.read_text()
    assert heat.stop() == 0
    orderly(heat)


def test_reloads_that_come_quickly_are_taken_as_they_come(place: Place) -> None:
    heat = place.fleet(monitor("a", WELL))
    heat.await_line("a: OK")
    for number in range(20):
        place.write_config(monitor("a", WELL, timeout=number + 1) + monitor(f"b{number}", WELL))
        heat.signal(signal.SIGHUP)
    heat.await_line("b19: OK")
    await_more(heat, "a: OK", 2)

    assert [line.partition(": ")[0] for line in summary(heat)] == ["2 monitors", "a", "b19"]
    assert heat.stop() == 0
    orderly(heat)


def test_a_reload_while_heat_stops_adds_nothing(place: Place) -> None:
    heat = place.fleet(monitor("a", stubborn(place, "a")))
    pid = pid_of(place, "a")
    heat.signal(signal.SIGTERM)
    heat.await_news("SIGTERM received, stopping")
    place.write_config(monitor("a", WELL) + monitor("b", place.check(0, name="b")))
    heat.signal(signal.SIGHUP)
    until(lambda: heat.verbose().count("logs reopened") == 1, "the record of SIGHUP")
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    assert not alive(pid)
    assert ran(place, "b") == 0
    assert "was read again" not in heat.err.read_text()
    orderly(heat)


# Monitors that a reload changes


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
    told = summary(heat)[1:]
    for name, gate in gates.items():
        gate.open()
        heat.await_news(f"{name}: NORMAL again after 3 failures and 1 recovery")

    for line, (name, limit) in zip(told, limits.items(), strict=True):
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
    seen = heat.lines().count("quick: OK")
    heat.await_line("slow: OK", 5)

    assert heat.lines().count("quick: OK") <= seen + 1
    found = re.search(r"next check in (\d+)", state_of(heat, "quick"))
    assert found is not None
    assert int(found[1]) > 60
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
    seen = len(first.signals())
    second.await_signal("HUP", 3)
    os.kill(first.pid, signal.SIGKILL)
    second.await_signal("HUP", 5)

    assert len(first.signals()) <= seen + 1
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


# One does not disturb another


def test_one_that_hangs_or_floods_or_whose_fail_script_hangs_delays_no_other(place: Place) -> None:
    flood = place.script(
        "flood", "echo $$ >> flood.pids\nhead -c 20000000 /dev/zero\necho >> flood.ran\nsleep 600"
    )
    text = (
        monitor("hangs", hanging(place, "hangs"))
        + monitor("floods", flood)
        + monitor("fails", ["false"], fail=hanging(place, "fail"))
        + monitor("frozen", place.script("frozen", "kill -STOP $$"), timeout="200ms")
        + monitor("good", WELL)
    )
    heat = place.fleet(text)
    for name in ("hangs", "fail", "flood"):
        pid_of(place, name)
    heat.await_line("good: OK")
    before = heat.out.read_text().count("good: OK")
    place.await_words("flood.ran")
    await_more(heat, "good: OK", 10)
    await_more(heat, "fails: Failed", 5)

    assert heat.out.read_text().count("good: OK") > before + 10
    assert heat.stop() == 0
    orderly(heat)


INJECTED = """
import sys
import heat.app.cli
from heat.checks.command import Command
from heat.monitor.check_runner import CheckRunner
from heat.monitor.monitor import Monitor
from heat.monitor.script_runner import ScriptRunner
from heat.report.monitor_report import MonitorReport

def options_of(part, args):
    if isinstance(part, MonitorReport):
        return part.options
    host = args[-1] if isinstance(part, Command) else getattr(part, "_host", part)
    return host.setup.options

def breaks(owner, method, name):
    whole = getattr(owner, method)
    def broken(self, *args):
        if options_of(self, args).name == name:
            raise ZeroDivisionError(f"injected into {method}")
        return whole(self, *args)
    setattr(owner, method, broken)

for monitor, places in BROKEN.items():
    for place in places:
        name, method = place.split(".")
        breaks(globals()[name], method, monitor)
sys.exit(heat.app.cli.main(sys.argv[4:]))
"""


def with_bugs(broken: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A HEAT in which these methods raise for these monitors."""
    return (sys.executable, "-c", INJECTED.replace("BROKEN", repr(broken)))


def with_bug(*broken: str) -> tuple[str, ...]:
    """A HEAT in which these methods raise for the monitor that is named bad."""
    return with_bugs({"bad": broken})


BUGS = (
    "CheckRunner._verdict",
    "Monitor.__call__",
    "Command.start",
    "CheckRunner._gone",
    "CheckRunner._write",
    "MonitorReport.checked",
    "ScriptRunner._fail_gone",
    "ScriptRunner.run_fail",
)


def test_a_bug_in_the_handling_of_one_ends_that_one_alone(place: Place) -> None:
    place.script("fail", "")
    bad = {f"bad{n}": place.check(1, name=f"bad{n}") for n in range(len(BUGS))}
    text = "[heat]\nmax-running = 1\n" + monitor("good", WELL)
    text += "".join(monitor(name, check, fail="./fail") for name, check in bad.items())
    broken = {name: (bug,) for name, bug in zip(bad, BUGS, strict=True)}
    heat = place.fleet(text, prefix=with_bugs(broken))
    for name in bad:
        heat.await_news(f"{name}: heat: error: a bug of HEAT: ZeroDivisionError(")
    await_more(heat, "good: OK")

    assert summary(heat)[0].startswith(f"{len(BUGS) + 1} monitors: 1 NORMAL, {len(BUGS)} ERROR; ")
    assert all(ran(place, name) <= 1 for name in bad)
    assert heat.stop() == 0
    written = records(heat.verbose())
    for name, (bug,) in broken.items():
        traces = [lines for _, program, lines in written if program == f"{name}: heat"]
        (trace,) = (lines for lines in traces if lines[0] == "Traceback (most recent call last):")
        assert trace[-1] == f"ZeroDivisionError: injected into {bug.partition('.')[2]}"


@pytest.mark.parametrize(
    "methods",
    [("CheckRunner._verdict", "MonitorReport.bug"), ("MonitorReport.changed",)],
    ids=" ".join,
)
def test_a_bug_in_that_too_ends_heat_with_3_and_nothing_is_left(
    place: Place, methods: tuple[str, ...]
) -> None:
    gate = place.gate("gate")
    heat = place.fleet(
        monitor("bad", place.check(1, name="bad", body=": < gate"))
        + monitor("hangs", hanging(place, "hangs"))
        + monitor("fails", ["false"], fail=stubborn(place, "fail")),
        prefix=with_bug(*methods),
    )
    pids = [pid_of(place, "hangs"), pid_of(place, "fail")]
    gate.open()

    assert heat.wait() == 3
    until(lambda: not any(map(alive, pids)), "the end of all that ran")
    assert "heat: error: a bug of HEAT" in heat.err.read_text()
    assert f"injected into {methods[-1].partition('.')[2]}" in heat.verbose()


def test_a_bug_in_the_words_for_an_error_keeps_nothing_else_from_being_said(place: Place) -> None:
    dies = place.script("dies", "kill -9 $$")
    text = "".join(monitor(name, dies, on_killed="error") for name in "ab") + monitor("good", WELL)
    broken = {"a": ("MonitorReport.changed",), "b": ("MonitorReport.error",)}
    heat = place.fleet(text, prefix=with_bugs(broken))
    for name in ("changed", "error"):
        heat.await_file("heat.verbose.log", f"injected into {name}")
    await_more(heat, "good: OK", 2)

    (said,) = (line for line in heat.news() if ": heat: error: " in line)
    assert said.startswith("a: heat: error: check ./dies")
    assert {f"{name}: Failed: Killed by SIGKILL, {DETAILS}" for name in "ab"} <= set(heat.lines())
    assert [line.split()[1] for line in summary(heat)[1:3]] == ["ERROR,", "ERROR,"]
    assert heat.stop() == 0


def test_a_bug_while_one_is_being_removed_ends_that_one_alone(place: Place) -> None:
    good = monitor("good", WELL)
    heat = place.fleet(
        good + monitor("bad", hanging(place, "bad")), prefix=with_bug("MonitorReport.check_stopped")
    )
    pid = pid_of(place, "bad")
    place.write_config(good)
    heat.reload("1 removed")
    heat.await_file("heat.verbose.log", "injected into check_stopped")
    await_more(heat, "good: OK", 2)

    assert not alive(pid)
    assert heat.stop() == 0


# Turns


TRACED = "echo + >> trace\nsleep 0.01\necho - >> trace"


def test_never_more_run_at_once_than_allowed_and_that_is_said_once(place: Place) -> None:
    check = place.script("check", TRACED)
    tables = [monitor(f"m{n}", check, count=4, interval="20ms") for n in range(8)]
    heat = place.fleet("[heat]\nmax-running = 2\n" + "".join(tables))

    assert heat.wait() == 0
    trace = place.words("trace")
    running = [trace[:n].count("+") - trace[:n].count("-") for n in range(len(trace) + 1)]
    assert max(running) == 2
    assert len(trace) == 2 * 8 * 4
    said = [line for line in heat.news() if "max-running" in line]
    assert said == ["heat: max-running (2) is reached: what is due beyond it waits its turn"]
    assert ("ERR", "heat", [said[0].removeprefix("heat: ")]) in [
        (kind, program, [line.removeprefix("heat: ") for line in lines])
        for kind, program, lines in records(heat.verbose())
    ]


def waiting(place: Place) -> tuple[Heat, str]:
    """A HEAT of which one check runs, at a gate, and those of two others wait; and its turns."""
    place.gate("gate")
    limiter = "[heat]\nmax-running = 1\n"
    first = monitor("first", place.check(0, name="first", body="[ $n -gt 0 ] || : < gate"))
    heat = place.fleet(limiter + first)
    place.await_words("first.ran")
    for name in ("second", "third"):
        place.check(0, name=name)
    place.write_config(
        limiter + first + monitor("second", "./second") + monitor("third", "./third")
    )
    heat.reload("2 monitors added")
    until(lambda: summary(heat)[0].startswith("3 monitors: 3 NORMAL; 1 check running"), "three")
    until(
        lambda: sum("a check " in line for line in summary(heat)) == 3,
        "two checks that wait",
    )
    return heat, limiter + first


def test_a_check_that_waits_is_dropped_with_its_monitor(place: Place) -> None:
    heat, first = waiting(place)
    place.write_config(first + monitor("third", "./third"))
    heat.reload("1 removed")
    with (place.folder / "gate").open("wb"):
        place.await_words("third.ran", 2)
    await_more(heat, "first: OK", 2)

    assert ran(place, "second") == 0
    assert "had to wait for max-running" in summary(heat)[0]
    assert heat.stop() == 0
    orderly(heat)


def test_checks_that_wait_are_dropped_when_heat_stops(place: Place) -> None:
    heat, _ = waiting(place)

    assert heat.stop() == 0
    assert (ran(place, "second"), ran(place, "third")) == (0, 0)
    assert not alive(int(place.words("first.ran")[0]))
    orderly(heat)


def test_another_max_running_holds_at_once(place: Place) -> None:
    heat, text = waiting(place)
    more = text.replace("max-running = 1", "max-running = 2")
    place.write_config(more + monitor("second", "./second") + monitor("third", "./third"))
    heat.reload("0 monitors added, 0 changed, 0 removed")
    place.await_words("second.ran", 2)
    place.await_words("third.ran", 2)

    assert ran(place, "first") == 1
    assert " running of 2 at most" in summary(heat)[0]
    assert heat.stop() == 0
    orderly(heat)


# Logs


def test_two_hundred_failures_at_once_lose_no_record(place: Place) -> None:
    gate = place.gate("gate")
    check = place.script(
        "check",
        'echo $$ >> started\n: < gate\nfor n in 1 2 3; do echo "$HEAT_X line $n" >&2; done\nexit 1',
    )
    names = [f"m{n}" for n in range(200)]
    tables = [
        monitor(name, ["env", f"HEAT_X={name}", check], interval="100ms", count=1) for name in names
    ]
    heat = place.fleet("".join(tables))
    place.await_words("started", 200)
    with gate.path.open("wb"):
        assert heat.wait() == 1

    lines = {name: [f"{name} line {n}" for n in (1, 2, 3)] for name in names}
    fails = {
        p.partition(":")[0]: said for kind, p, said in records(heat.verbose()) if kind == "FAIL"
    }
    assert fails == {name: [*said, "[Exit Code 1]"] for name, said in lines.items()}
    logged = [line.split(": ", 2)[1:] for line in heat.log().splitlines()]
    assert sorted(name for name, _ in logged[::3]) == sorted(names)
    assert all(
        [name for name, _ in logged[n : n + 3]] == [logged[n][0]] * 3 for n in range(0, 600, 3)
    )
    assert Counter(heat.lines()) == Counter(f"{name}: {FAILED}" for name in names)
    orderly(heat)


def test_two_heats_in_one_log_folder_tear_no_record(place: Place) -> None:
    check = place.script("check", 'for n in 1 2 3 4 5; do echo "$0 $n" >&2; done\nexit 1')
    for which in "ab":
        tables = [monitor(f"{which}{n}", check, count=10, interval="20ms") for n in range(5)]
        place.write_config("".join(tables), f"{which}.toml")
    heats = [place.heat("--config", f"{w}.toml", "--control", f"{w}.sock") for w in "ab"]

    assert [heat.wait() for heat in heats] == [1, 1]
    fails = Counter(
        program
        for kind, program, said in records(heats[0].verbose())
        if kind == "FAIL" and said == [*(f"./check {n}" for n in range(1, 6)), "[Exit Code 1]"]
    )
    assert fails == {f"{which}{n}: ./check": 10 for which in "ab" for n in range(5)}
    logged = [line.split(": ", 2)[1:] for line in heats[0].log().splitlines()]
    assert len(logged) == 2 * 5 * 10 * 5
    for n in range(0, len(logged), 5):
        assert len({name for name, _ in logged[n : n + 5]}) == 1


@pytest.mark.parametrize("way", ["TERM", "ERROR"])
def test_all_is_out_before_heat_exits(place: Place, way: str) -> None:
    gate = place.gate("gate")
    ends = "kill -9 $$" if way == "ERROR" else "exec sleep 600"
    check = place.script("check", f"echo said; echo >> started; : < gate\n{ends}")
    heat = place.fleet("".join(monitor(f"m{n}", check, on_killed="error") for n in range(30)))
    place.await_words("started", 30)
    if way == "TERM":
        heat.signal(signal.SIGTERM)
        assert heat.wait() == 0
    else:
        with gate.path.open("wb"):
            assert heat.wait() == 3

    last = "[stopped with HEAT]" if way == "TERM" else "[killed by SIGKILL]"
    said = Counter(p for _, p, said in records(heat.verbose()) if said == ["said", last])
    assert said == {f"m{n}: ./check": 1 for n in range(30)}


def test_a_full_disk_behind_stdout_does_not_stop_the_watching(place: Place) -> None:
    tables = [monitor(f"m{n}", ["false"], count=3) for n in range(3)]
    with open("/dev/full", "wb") as full:
        heat = place.fleet("".join(tables), stdout=full)

    assert heat.wait() == 1
    assert heat.err.read_text().count("cannot write to stdout: no space left on device") == 1
    assert heat.log().count("Exit Code 1") == 9


def test_a_full_disk_is_said_once_for_all_and_nothing_is_lost(place: Place) -> None:
    (place.folder / "logs").mkdir()
    namespace = ("unshare", "--mount", "sh", "-c")
    mount = "mount -t tmpfs -o size=64k none logs"
    if subprocess.run([*namespace, mount], cwd=place.folder, check=False).returncode != 0:
        pytest.skip("no mount namespace")
    much = "x" * 400
    text = "".join(
        monitor(f"m{n}", place.check(1, name=f"m{n}", body=f"echo $n {much} >&2")) for n in range(3)
    )
    heat = place.fleet(
        text, "--log-dir", "logs", prefix=(*namespace, f'{mount} && exec "$@"', "sh")
    )
    heat.await_line("Failed", 3)
    logs = Path(f"/proc/{heat.pid}/root{place.folder}/logs")
    with (logs / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"cannot write logs/{name}: no space left on device")
    await_more(heat, "Failed", 9)
    (logs / "ballast").unlink()
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"logs/{name} can be written again; nothing was lost")
    with (logs / "heat.log").open() as failures, (logs / "heat.verbose.log").open() as verbose:
        assert heat.stop() == 0
        logged, written = failures.read(), records(verbose.read())

    shown = Counter(line.partition(":")[0] for line in heat.lines())
    assert heat.err.read_text().count("cannot write") == 2
    assert Counter(line.split(": ")[1] for line in logged.splitlines()) == shown
    assert Counter(p.partition(":")[0] for kind, p, _ in written if kind == "FAIL") == shown
    orderly(heat)


def test_the_start_is_told_though_the_first_check_is_long_to_come(place: Place) -> None:
    sleeper = place.spawn(["sleep", "600"])
    keys = {"interval": "8000h", "pid": sleeper.pid, "signal": "USR1"}
    heat = place.fleet(monitor("web", WELL, **keys))
    heat.await_news(f"web: heat: warning: process {sleeper.pid} does not catch USR1 (signal)")
    heat.await_file("heat.verbose.log", "> watching 1 monitor of heat.toml")

    assert heat.lines() == []
    assert heat.stop() == 0


# What SIGUSR1 tells


def test_of_a_few_monitors_each_has_its_line(place: Place) -> None:
    text = (
        monitor("well", WELL, interval="8000h")
        + monitor("down", place.check(1, name="down", body="[ $n -lt 2 ] || exec sleep 600"))
        + monitor("dead", place.script("dead", "kill -9 $$"), on_killed="error")
    )
    heat = place.fleet(text)
    place.await_words("down.ran", 3)
    heat.await_news("dead: heat: error: ")
    head, *told = summary(heat)

    assert head == "3 monitors: 1 NORMAL, 1 FAILING, 1 ERROR; 1 check running of 256 at most"
    assert told[0].startswith("well: NORMAL, 0 failures in a row; no check ended yet; next check")
    assert told[1].startswith("down: FAILING, 2 failures in a row; last check Exit Code 1, ")
    assert re.search(r"; a check runs now; 3 checks(; \d+ ticks? skipped)?$", told[1])
    assert told[2].startswith("dead: ERROR, 0 failures in a row; last check Killed by SIGKILL, ")
    assert len(told) == 3
    assert heat.stop() == 0


def test_of_a_hundred_only_those_that_are_not_well_have_theirs(place: Place) -> None:
    down = [monitor(f"down{n}", ["false"]) for n in range(25)]
    well = [monitor(f"well{n}", WELL, interval="8000h") for n in range(75)]
    heat = place.fleet("".join([*down, *well]))
    until(lambda: len(set(heat.lines())) == 25, "a failure of each")
    head, *told = summary(heat)

    assert head.startswith("100 monitors: 75 NORMAL, 25 FAILING; ")
    assert [line.partition(":")[0] for line in told[:20]] == [f"down{n}" for n in range(20)]
    assert told[20:] == ["and 5 more monitors not NORMAL, or paused"]
    assert heat.stop() == 0


# Where each begins


def test_first_checks_are_spread_over_the_interval(place: Place) -> None:
    tables = [monitor(f"m{n}", WELL, interval="8000h") for n in range(20)]
    heat = started(place.fleet("".join(tables)))
    due = [re.search(r"next check in (\d+)", line) for line in summary(heat)[1:]]
    hours = [int(found[1]) // 3600 for found in due if found]

    assert len(hours) == 20
    assert len({hour // 800 for hour in hours}) >= 5
    assert max(hours) < 8000
    assert heat.stop() == 0
    assert heat.lines() == []


def test_a_slow_check_does_not_shift_the_later_ones(place: Place) -> None:
    slow = place.script("slow", "sleep 0.15")
    heat = place.fleet(monitor("quick", WELL, interval=0.2) + monitor("slow", slow, interval=0.2))

    def ticks(name: str) -> int:
        known = why(heat, name)
        return int(known["checks"]) + int(known["skipped"])

    until(lambda: ticks("quick") >= 12, "twelve ticks")
    # On a busy machine ticks are skipped, and checks late: so is what it is compared with. Counted
    # from the end of a check there would be seven.
    assert ticks("slow") >= 10
    assert heat.stop() == 0
