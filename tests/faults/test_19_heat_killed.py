"""Row 19: HEAT is killed while a check or a recovery script runs, or its target is stopped."""

import os
import signal
from pathlib import Path

import pytest
from client import ask, await_state, why
from fleet import WELL, monitor
from heat_process import FAST, orderly, records
from kills import run
from phases import checking, recovery_script
from place import Place
from processes import alive, until
from state_files import await_failures, change, failing, fails, frozen, goes_on, kill, memory, rows


@pytest.mark.parametrize("what", ["check", "recovery script"])
def test_a_killed_heat_leaves_whole_logs_and_the_next_one_goes_on(place: Place, what: str) -> None:
    begin = checking if what == "check" else recovery_script
    heat = begin(place)
    pid = place.adopt(int(place.words("pids")[0]))
    heat.signal(signal.SIGKILL)
    assert heat.wait() == -signal.SIGKILL
    records(heat.verbose())
    again = place.heat("-i", FAST, "--count", "2", "false")

    assert again.wait() == 1
    assert alive(pid)
    assert [kind for kind, program, _ in records(again.verbose()) if program == "false"] == [
        *("FAIL", "FAIL")
    ]


def test_a_heat_that_is_killed_again_and_again_goes_on_where_it_was(tmp_path: Path) -> None:
    moments = run(tmp_path, seed=3, kills=6)

    assert moments.total() - moments["in a system call"] == 6


def test_the_count_and_the_time_of_the_first_failure_stand(place: Place) -> None:
    text = fails(place)
    heat = failing(place)
    before = why(heat, "web")["outage"]
    kill(heat)
    count = memory(heat)[1]
    heat = place.fleet(text)
    heat.await_news(f"goes on where it was: FAILING, {count} failures in a row")
    await_failures(heat, count + 2)

    after = why(heat, "web")["outage"]
    assert after["began"] == pytest.approx(before["began"], abs=0.05)
    assert after["failures"] > count
    assert rows(heat, "SELECT count(*) FROM outages") == [(1,)]
    assert heat.stop() == 0
    assert rows(heat, "SELECT count(*), count(ended) FROM sessions") == [(2, 1)]


def test_a_recovery_script_that_still_runs_is_waited_for(place: Place) -> None:
    gate = place.gate("gate")
    place.script("recover", "echo $$ >> recover.pids\n: < gate\necho over")
    text = fails(place, recovery="./recover", success_threshold=2)
    heat = place.fleet(text)
    (pid,) = place.await_words("recover.pids")
    place.adopt(int(pid))
    until(lambda: rows(heat, "SELECT pid FROM held WHERE role = 'recovery'") == [(int(pid),)], "it")
    kill(heat)
    place.check(0)
    heat = place.fleet(text)
    heat.await_news(f"recovery script ./recover (process {pid}) still runs")
    outlook = why(heat, "web")
    assert (outlook["state"], outlook["remedy"]) == ("RECOVERING", "running")
    assert outlook["script"]["pid"] == int(pid)
    assert "wait for it" in ask(heat, "reset", name="web")["fix"]
    gate.open()
    heat.await_line("web: OK", 2)
    await_state(heat, "web", "NORMAL")

    assert place.words("recover.pids") == [pid]
    assert rows(heat, "SELECT attempt, code, helped FROM recoveries") == [(1, None, 1)]
    assert rows(heat, "SELECT ending, recoveries FROM outages") == [("passed", 1)]
    orderly(heat)


def test_a_script_that_was_never_written_down_is_found_though_it_runs_another_by_now(
    place: Place,
) -> None:
    place.script("recover", "echo $$ >> recover.pids\nexec sleep 600")
    text = fails(place, recovery="./recover", script_timeout="1h")
    heat = place.fleet(text)
    pid = place.adopt(int(place.await_words("recover.pids")[0]))
    until(lambda: bool(rows(heat, "SELECT pid FROM held")), "it")
    kill(heat)
    change(place, "DELETE FROM held")
    heat = place.fleet(text)
    heat.await_news(f"(process {pid}) still runs")

    assert why(heat, "web")["script"]["left"] == pytest.approx(3600, abs=60)
    assert len(place.words("recover.pids")) == 1


def test_a_service_that_a_recovery_script_has_left_is_not_taken_for_the_script(
    place: Place,
) -> None:
    serve = "setsid sh -c 'echo $$ >> service.pids; exec sleep 600' &"
    place.script("recover", f"[ -e service.pids ] || {serve}\necho $$ >> recover.pids\n: < gate")
    place.gate("gate")
    text = fails(place, recovery="./recover")
    heat = place.fleet(text)
    recovery = int(place.await_words("recover.pids")[0])
    place.adopt(int(place.await_words("service.pids")[0]))
    kill(heat)
    os.kill(recovery, signal.SIGKILL)
    change(place, "DELETE FROM held")
    place.fleet(text)

    assert len(place.await_words("recover.pids", 2)) == 2


@pytest.mark.parametrize("name", ["removed", "renamed", "without a target", "without a threshold"])
def test_a_target_that_was_stopped_goes_on_though_its_monitor_is_another(
    place: Place, name: str
) -> None:
    heat, target = frozen(place)
    after = {
        "removed": monitor("other", WELL),
        "renamed": monitor("webs", WELL, pid=target),
        "without a target": monitor("web", WELL),
        "without a threshold": monitor("web", WELL, pid=target),
    }
    heat = place.fleet(after[name])
    goes_on(target)
    if name.startswith("without"):  # HEAT waits for its recovery script, which still runs.
        os.kill(int(place.words("recover.pids")[0]), signal.SIGKILL)
    heat.await_line(": OK", 2)

    assert rows(heat, "SELECT count(*) FROM held WHERE role = 'frozen'") == [(0,)]
    assert heat.stop() == 0
    orderly(heat)
