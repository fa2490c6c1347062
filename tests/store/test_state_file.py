"""State that survives a restart of HEAT."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

from client import await_state, client, done, why
from fleet import WELL, await_more, monitor, started
from heat_process import orderly
from place import Place
from processes import alive, process_state, until
from state_files import STATE, await_failures, change, failing, fails, goes_on, kill, rows

from heat.process.identity import identity


def test_the_session_of_a_killed_heat_lasts_until_its_last_failures(place: Place) -> None:
    heat = failing(place)
    query = "SELECT seen - began > 1 FROM sessions"
    until(lambda: rows(heat, query) == [(1,)], "a mark long before a minute is over")
    kill(heat)

    assert rows(heat, query) == [(1,)]


def test_an_adopted_script_has_its_time_limit(place: Place) -> None:
    place.script("recover", "echo $$ >> recover.pids\n[ -e again ] && exit\nexec sleep 600")
    text = fails(place, recovery="./recover", script_timeout="1.5s")
    heat = place.fleet(text)
    pid = place.adopt(int(place.await_words("recover.pids")[0]))
    until(lambda: bool(rows(heat, "SELECT pid FROM held")), "it")
    kill(heat)
    (place.folder / "again").touch()
    heat = place.fleet(text)
    heat.await_news("Timed out after 1.5 s")

    until(lambda: not alive(pid), "its end")
    heat.await_line("web: Failed", 2)
    orderly(heat)


def test_a_process_of_another_run_of_the_machine_is_another_process(place: Place) -> None:
    place.script("recover", "echo $$ >> recover.pids\nexec sleep 600")
    target = place.receiver()
    text = fails(place, recovery="./recover", pid=target.pid, fault_signal="STOP")
    heat = place.fleet(text)
    pid = place.adopt(int(place.await_words("recover.pids")[0]))
    until(lambda: len(rows(heat, "SELECT pid FROM held")) == 2, "both")
    kill(heat)
    change(place, "UPDATE held SET identity = 'another' || substr(identity, 8)")
    os.kill(target.pid, signal.SIGCONT)
    heat = place.fleet(text)
    heat.await_line("web: Failed", 2)

    assert alive(pid)
    assert why(heat, "web")["remedy"] in ("open", "running")
    assert rows(heat, "SELECT how FROM recoveries LIMIT 1") == [("ended while HEAT was away",)]


def test_a_heat_that_was_stopped_in_a_recovery_goes_on_with_a_check_at_once(place: Place) -> None:
    place.script("recover", "echo $$ >> recover.pids\nexec sleep 600")
    target = place.receiver()
    keys = {"pid": target.pid, "fault_signal": "STOP", "success_signal": "CONT"}
    text = fails(place, recovery="./recover", recovery_timeout="1h", **keys)
    heat = place.fleet(text)
    pid = int(place.await_words("recover.pids")[0])
    until(lambda: process_state(target.pid) == "T", "the STOP")
    assert heat.stop() == 0
    assert not alive(pid)
    assert process_state(target.pid) != "T"
    assert rows(heat, "SELECT count(*) FROM held WHERE role = 'frozen'") == [(0,)]
    heat = place.fleet(text)
    heat.await_line("web: Failed", 2)

    assert why(heat, "web")["remedy"] == "open"
    assert len(place.words("recover.pids")) == 1
    orderly(heat)


def test_the_history_of_a_removed_monitor_ends(place: Place) -> None:
    heat = failing(place)
    kill(heat)
    heat = place.fleet(monitor("other", WELL))
    heat.await_line("other: OK")

    assert rows(heat, "SELECT ending FROM outages") == [("removed",)]
    assert rows(heat, "SELECT memory FROM monitors WHERE name = 'web'") == [(None,)]


def test_one_of_two_in_error_stays_there_and_can_be_reset(place: Place) -> None:
    target = place.receiver()
    check = place.check(0, 1, body="[ -e well ] || kill -9 $$")
    text = "".join(
        [
            monitor("web", check, pid=target.pid, signal="none", on_killed="error"),
            monitor("other", WELL),
        ]
    )
    heat = place.fleet(text)
    before = await_state(heat, "web", "ERROR")
    kill(heat)
    heat = place.fleet(text)
    heat.await_news("web: stays in ERROR, as before HEAT was restarted: no checks of it")
    after = why(heat, "web")
    await_more(heat, "other: OK")
    assert (after["state"], after["changed"]) == ("ERROR", before["changed"])
    assert after["since"] == before["since"]
    (place.folder / "well").touch()
    assert done(heat, "reset", name="web")["was"] == "ERROR"
    await_state(heat, "web", "FAILING")

    ended = rows(heat, "SELECT ending FROM outages ORDER BY id")
    assert ended == [("reset",), (None,)]
    heat.reload("0 changed")
    kill(heat)
    heat = place.fleet(text)
    heat.await_news("goes on where it was: FAILING")
    orderly(heat)


def test_one_in_error_can_be_removed_after_a_restart(place: Place) -> None:
    target = place.receiver()
    check = place.script("killed", "kill -9 $$")
    other = monitor("other", WELL)
    text = monitor("web", check, pid=target.pid, on_killed="error") + other
    heat = place.fleet(text)
    await_state(heat, "web", "ERROR")
    kill(heat)
    heat = place.fleet(text)
    assert why(heat, "web")["state"] == "ERROR"
    place.write_config(other)
    heat.reload("1 removed")
    await_more(heat, "other: OK")

    orderly(heat)


def test_heat_waits_for_a_fail_script_of_before_an_error_when_all_monitors_are_reset(
    place: Place,
) -> None:
    gate = place.gate("gate")
    place.script("tell", "echo $$ >> told.pids\n: < gate")
    check = place.check(1, name="once", body="[ $n -lt 1 ] || [ -e again ] || kill -9 $$")
    text = monitor("web", check, signal="none", fail="./tell", on_killed="error")
    heat = place.fleet(text)
    place.adopt(int(place.await_words("told.pids")[0]))
    await_state(heat, "web", "ERROR")
    kill(heat)
    (place.folder / "again").touch()
    heat = place.fleet(text)
    heat.await_news("all monitors were in ERROR when HEAT ended")
    heat.await_news("still runs from before HEAT was restarted")
    await_failures(heat, 3)

    assert len(place.words("told.pids")) == 1
    gate.open()
    place.adopt(int(place.await_words("told.pids", 2)[1]))
    gate.open()
    orderly(heat)


def test_when_all_are_in_error_heat_resets_them_and_says_so(place: Place) -> None:
    target = place.receiver()
    place.script("recover", "kill -9 $$")
    keys = {"pid": target.pid, "fault_signal": "STOP", "success_signal": "CONT"}
    text = fails(place, recovery="./recover", on_killed="error", **keys)
    heat = place.fleet(text)
    assert heat.wait() == 3
    goes_on(target.pid)
    # As if it had been killed before it could continue its target.
    os.kill(target.pid, signal.SIGSTOP)
    pidfd = os.pidfd_open(target.pid)
    which = identity(target.pid, pidfd)
    os.close(pidfd)
    change(place, "INSERT INTO held VALUES ('web', 'frozen', ?, ?)", target.pid, which)
    place.check(0)
    heat = place.fleet(text)
    heat.await_news("all monitors were in ERROR when HEAT ended")
    goes_on(target.pid)

    assert rows(heat, "SELECT reason FROM transitions WHERE before = 'ERROR'") == [("reset",)]
    assert rows(heat, "SELECT ending FROM outages ORDER BY id LIMIT 1") == [("reset",)]
    orderly(heat)


def test_prune_removes_old_history_and_keeps_what_goes_on(place: Place) -> None:
    place.write_config("")
    heat = failing(place)
    with closing(sqlite3.connect(place.folder / STATE, timeout=10)) as db, db:
        for n in range(1200):
            db.execute(
                "INSERT INTO transitions (monitor, at, before, after, count, reason)"
                " VALUES ('web', ?, 'NORMAL', 'FAILING', 1, 'x')",
                (n,),
            )
        db.execute("INSERT INTO outages VALUES (1000, 'web', 1, 2, 1, 1, 'passed', 7, 'x', 7, 'x')")
        db.execute("INSERT INTO outages VALUES (1001, 'old', 1, NULL, 1, 1, NULL, 7, 'x', 7, 'x')")
        db.execute("INSERT INTO recoveries VALUES (1, 1000, 'web', 1, 1, 2, 0, 'x', 1, 1, 'x')")
        db.execute("INSERT INTO recoveries VALUES (2, 1000, 'web', 1, 1, NULL, 0, 'x', 0, 1, 'x')")
        db.execute("INSERT INTO recoveries VALUES (3, 1001, 'old', 1, 1, 2, 0, 'x', 0, 1, 'x')")
        db.execute("INSERT INTO pauses VALUES (1, 'web', 1, 2, 3, 'x')")
        db.execute("INSERT INTO pauses VALUES (2, 'old', 1, NULL, NULL, 'x')")
        db.execute("INSERT INTO sessions VALUES (0, 1, 2, NULL, 1, 'x', NULL)")
        db.execute("INSERT INTO monitors VALUES ('gone', 1, 2, NULL)")
    before = heat.out.read_text().count("web: Failed")
    command = [sys.executable, "-m", "heat.store.prune", str(place.folder / STATE), "3600"]
    subprocess.run(command, check=True, cwd="/")
    heat.await_line("web: Failed", before + 3)

    assert rows(heat, "SELECT count(*) FROM transitions WHERE reason = 'x'") == [(0,)]
    assert rows(heat, "SELECT count(*) FROM transitions") == [(1,)]
    assert rows(heat, "SELECT monitor, ended FROM outages ORDER BY began DESC") == [
        ("web", None),
        ("old", None),
    ]
    assert rows(heat, "SELECT id FROM recoveries") == [(3,)]
    assert rows(heat, "SELECT id FROM pauses") == [(2,)]
    assert rows(heat, "SELECT count(*) FROM sessions") == [(1,)]
    assert rows(heat, "SELECT name FROM monitors") == [("web",)]
    assert "heat.state" not in heat.err.read_text()


def test_prune_runs_by_itself_and_the_log_is_used_again(place: Place) -> None:
    odd = place.folder / "100% #1?"
    odd.mkdir()
    heat = started(place.fleet(monitor("web", WELL), "--state", str(odd / STATE)))
    (place.folder / "heat").mkdir()
    (place.folder / "heat/__init__.py").write_text("raise SystemExit('not this one')\n")
    with client(heat) as there:
        for _ in range(600):
            there.ask("pause", name="web")
            there.ask("resume", name="web")

    def moved() -> bool:
        without_log = f"{(odd / STATE).as_uri()}?immutable=1"
        try:
            with closing(sqlite3.connect(without_log, uri=True)) as db:
                return bool(db.execute("SELECT count(*) FROM pauses").fetchone()[0] > 100)
        except sqlite3.Error:
            return False

    until(moved, "what was in the log in the file")


def test_a_heat_of_one_monitor_keeps_a_state_file_too(place: Place) -> None:
    words = ("-i", "0.05", "--state", ":memory:", "-s", place.check(1))
    heat = place.heat(*words)
    heat.await_line("Failed", 3)
    kill(heat)
    heat = place.heat(*words)
    heat.await_news("goes on where it was: FAILING")

    orderly(heat)
