"""Many monitors of one file, on real processes: their lines, folders, errors and ends."""

import os
import re
import signal

import pytest
from client import why
from fleet import WELL, await_more, hanging, monitor, pid_of, ran, started, stubborn, summary
from heat_process import DETAILS, FAILED, orderly, records
from place import Place
from processes import alive, until

# What is printed and logged


def test_lines_and_records_carry_the_name_and_scripts_are_told_it(place: Place) -> None:
    db = place.check(7, name="db", body="echo refused >&2")
    fail = place.script("fail", "echo lines of $HEAT_NAME")
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
        assert heat.log(f"heat.{name}.out") == f"lines of {name}\n"
        assert ("INFO", f"{name}: ./fail", [f"lines of {name}"]) in written
    orderly(heat)


def test_json_names_the_monitor(place: Place) -> None:
    heat = place.fleet(monitor("a", WELL, count=1) + monitor("b", ["false"], count=1), "--json")

    assert heat.wait() == 1
    lines = {each["monitor"]: (each["result"], each["state"]) for each in heat.objects()}
    assert lines == {"a": ("ok", "NORMAL"), "b": ("failed", "FAILING")}


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
    lines = summary(heat)

    assert heat.lines().count("some: OK") == 2
    assert "; no more checks of it\n" in heat.err.read_text()
    assert lines[0].startswith("3 monitors: 2 NORMAL, 1 ERROR; ")
    assert lines[1].startswith("bad: ERROR, ")
    # On a busy machine a tick may have found the check still running.
    assert re.search(r"; no more checks; 1 check(; \d+ ticks? skipped)?$", lines[1])
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
    stopped = [p for _, p, lines in records(heat.verbose()) if lines == ["[stopped with HEAT]"]]
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
    head, *lines = summary(heat)

    assert head == "3 monitors: 1 NORMAL, 1 FAILING, 1 ERROR; 1 check running of 256 at most"
    assert lines[0].startswith("well: NORMAL, 0 failures in a row; no check ended yet; next check")
    assert lines[1].startswith("down: FAILING, 2 failures in a row; last check Exit Code 1, ")
    assert re.search(r"; a check runs now; 3 checks(; \d+ ticks? skipped)?$", lines[1])
    assert lines[2].startswith("dead: ERROR, 0 failures in a row; last check Killed by SIGKILL, ")
    assert len(lines) == 3
    assert heat.stop() == 0


def test_of_a_hundred_only_those_that_are_not_well_have_theirs(place: Place) -> None:
    down = [monitor(f"down{n}", ["false"]) for n in range(25)]
    well = [monitor(f"well{n}", WELL, interval="8000h") for n in range(75)]
    heat = place.fleet("".join([*down, *well]))
    until(lambda: len(set(heat.lines())) == 25, "a failure of each")
    head, *lines = summary(heat)

    assert head.startswith("100 monitors: 75 NORMAL, 25 FAILING; ")
    assert [line.partition(":")[0] for line in lines[:20]] == [f"down{n}" for n in range(20)]
    assert lines[20:] == ["and 5 more monitors not NORMAL, or paused"]
    assert heat.stop() == 0


# Where each begins


def test_first_checks_are_spread_over_the_interval(place: Place) -> None:
    tables = [monitor(f"m{n}", WELL, interval="8000h") for n in range(20)]
    heat = started(place.fleet("".join(tables)))
    due = [re.search(r"next check in (\d+)", line) for line in summary(heat)[1:]]
    hours = [int(match[1]) // 3600 for match in due if match]

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
