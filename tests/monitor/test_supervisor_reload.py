"""Reloads: refused ones, and monitors that come, go or stay."""

import os
import resource
import shutil
import signal
from pathlib import Path

from fleet import WELL, await_more, hanging, monitor, pid_of, ran, state_of, stubborn, summary
from heat_process import orderly, records
from place import Place
from processes import alive, process_state, until

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
    "": "heat.toml: has no monitors",
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
    written = [lines for kind, _, lines in records(heat.verbose()) if kind == "ERR"]
    assert len(written) == len(expected)
    for words, lines in zip(expected, written, strict=True):
        assert words in heat.err.read_text()
        assert words in lines[0]
        assert lines[-1].startswith("heat.toml was read again and is not taken")
    assert alive(pid)
    assert len(place.words("web.pids")) == 1
    assert heat.stop() == 0
    orderly(heat)


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
