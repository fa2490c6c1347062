"""The state file: it survives a restart, and may be damaged, locked, full, gone or foreign."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from client import ask, await_state, client, done, why
from conftest import Heat, Place, alive, orderly, process_state, until
from kills import run
from test_supervisor import WELL, await_more, monitor, started

from heat.process.identity import identity

STATE = "heat.state"
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


def rows(heat: Heat, sql: str, *values: object) -> list[Any]:
    """Query the state file."""
    with closing(sqlite3.connect(heat.folder / STATE, timeout=10)) as db:
        return db.execute(sql, values).fetchall()


def change(place: Place, sql: str, *values: object) -> None:
    """Change the state file of a HEAT that does not run."""
    with closing(sqlite3.connect(place.folder / STATE)) as db, db:
        db.execute(sql, values)


def memory(heat: Heat, name: str = "web") -> Any:
    """Return the machine of a monitor as the file knows it."""
    ((text,),) = rows(heat, "SELECT memory FROM monitors WHERE name = ?", name)
    return None if text is None else json.loads(text)[0]


def kill(heat: Heat) -> None:
    heat.process.kill()
    heat.wait()


def fails(place: Place, **keys: object) -> str:
    """The table of a monitor whose check fails."""
    return monitor("web", place.check(1), **{"signal": "none", **keys})


def failing(place: Place, *words: str) -> Heat:
    """A HEAT whose monitor has failed some times."""
    heat = place.fleet(fails(place), *words)
    await_failures(heat, 3)
    return heat


def await_failures(heat: Heat, count: int) -> None:
    """Wait until its monitor has failed this many times in a row."""
    until(lambda: bool(why(heat, "web")["count"] >= count), f"{count} failures")


# Going on


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


def test_the_session_of_a_killed_heat_lasts_until_its_last_failures(place: Place) -> None:
    heat = failing(place)
    query = "SELECT seen - began > 1 FROM sessions"
    until(lambda: rows(heat, query) == [(1,)], "a mark long before a minute is over")
    kill(heat)

    assert rows(heat, query) == [(1,)]


def test_heat_waits_for_a_recovery_script_that_still_runs(place: Place) -> None:
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
    answer = why(heat, "web")
    assert (answer["state"], answer["remedy"]) == ("RECOVERING", "running")
    assert answer["script"]["pid"] == int(pid)
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


# Another configuration than before


def frozen(place: Place, **keys: object) -> tuple[Heat, int]:
    """A HEAT that is killed while its target is stopped and its recovery script runs."""
    target = place.receiver()
    place.script("recover", "echo $$ >> recover.pids\nexec sleep 600")
    signals = {"pid": target.pid, "fault_signal": "STOP", "success_signal": "CONT"}
    heat = place.fleet(fails(place, recovery="./recover", **signals, **keys))
    place.adopt(int(place.await_words("recover.pids")[0]))
    until(lambda: len(rows(heat, "SELECT role FROM held")) == 2, "both")
    until(lambda: process_state(target.pid) == "T", "the STOP")
    kill(heat)
    return heat, target.pid


def goes_on(pid: int) -> None:
    until(lambda: process_state(pid) != "T", "the CONT")


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


def test_the_history_of_a_removed_monitor_ends(place: Place) -> None:
    heat = failing(place)
    kill(heat)
    heat = place.fleet(monitor("other", WELL))
    heat.await_line("other: OK")

    assert rows(heat, "SELECT ending FROM outages") == [("removed",)]
    assert rows(heat, "SELECT memory FROM monitors WHERE name = 'web'") == [(None,)]


# ERROR


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


# Faults of the file


def test_a_damaged_file_is_set_aside_and_a_new_one_begins(place: Place) -> None:
    (place.folder / STATE).write_bytes(b"no state, but garbage\n" * 1000)
    heat = failing(place)

    heat.await_news("heat.state is damaged (file is not a database): it was set aside as")
    (aside,) = place.folder.glob("heat.state.damaged-*")
    assert aside.read_bytes().startswith(b"no state")
    assert memory(heat)[0] == "FAILING"
    assert heat.stop() == 0


def test_a_truncated_file_is_set_aside_and_a_new_one_begins(place: Place) -> None:
    heat = failing(place)
    assert heat.stop() == 0
    os.truncate(place.folder / STATE, 10_000)
    heat = failing(place)

    heat.await_news("heat.state is damaged (")
    assert memory(heat)[0] == "FAILING"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE mine (x)",
        "PRAGMA user_version = 1; CREATE TABLE mine (x)",
        "PRAGMA user_version = 2; CREATE TABLE sessions (x)",
    ],
)
def test_heat_does_not_touch_the_file_of_another_program_or_version(place: Place, sql: str) -> None:
    path = place.folder / STATE
    with closing(sqlite3.connect(path)) as db:
        db.executescript(sql)
    before = path.read_bytes()
    heat = place.fleet(monitor("web", WELL))

    assert heat.wait() == 2
    assert "is of another version of HEAT, or not a file of HEAT's" in heat.err.read_text()
    assert "give it another file: --state FILE" in heat.err.read_text()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    del before


def test_two_heats_on_one_file(place: Place) -> None:
    heat = started(place.fleet(monitor("web", WELL)))
    other = place.heat("-i", "1", "--state", STATE, "--log-dir", "logs", "true")
    (place.folder / "logs").mkdir(exist_ok=True)

    assert other.wait() == 2
    assert f"belongs to another HEAT, process {heat.pid}, that runs now" in heat.err.read_text()
    assert rows(heat, "SELECT count(*), count(ended) FROM sessions") == [(1, 0)]


@contextlib.contextmanager
def locked(place: Place) -> Generator[None]:
    """Another program writes, and takes its time."""
    with closing(sqlite3.connect(place.folder / STATE, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def test_a_file_that_is_locked_for_a_moment_is_written_a_moment_later(place: Place) -> None:
    heat = failing(place)
    with locked(place):
        heat.await_line("web: Failed", 8)
    until(lambda: bool(memory(heat)[1] >= 8), "what was not written")

    assert "heat.state" not in heat.err.read_text()


def test_heat_reports_a_file_that_is_locked_for_long_once_and_loses_nothing(place: Place) -> None:
    heat = failing(place)
    began = time.monotonic()
    with locked(place):
        heat.await_news("cannot write")
        assert time.monotonic() - began > 1.9
        assert "database is locked" in done(heat, "hello")["about"]["trouble"][0]
        done(heat, "pause", name="web")
    heat.await_news("can be written again; nothing was lost")

    assert heat.err.read_text().count("cannot write") == 1
    assert done(heat, "hello")["about"]["trouble"] == []
    assert rows(heat, "SELECT count(*) FROM pauses") == [(1,)]
    assert memory(heat)[1] == why(heat, "web")["count"]


def test_a_heat_that_ends_waits_a_moment_for_the_file(place: Place) -> None:
    heat = failing(place)
    with locked(place):
        heat.signal(signal.SIGTERM)
        heat.await_news("stopping")
        time.sleep(0.2)  # It is about to write its last.

    assert heat.wait() == 0
    assert "could not be written" not in heat.err.read_text()
    assert rows(heat, "SELECT count(ended) FROM sessions") == [(1,)]


def test_a_new_file_replaces_a_deleted_one_and_knows_all_that_holds(place: Place) -> None:
    heat = failing(place)
    for path in place.folder.glob("heat.state*"):
        path.unlink()
    heat.await_news("heat.state was moved away or deleted: HEAT starts a new one")
    done(heat, "pause", name="web", seconds=600, reason="tests")

    assert memory(heat)[0] == "FAILING"
    assert rows(heat, "SELECT count(*) FROM outages WHERE ended IS NULL") == [(1,)]
    kill(heat)
    heat = place.fleet(fails(place))
    heat.await_news("goes on where it was: FAILING")
    assert why(heat, "web")["paused"]["reason"] == "tests"
    orderly(heat)


def test_a_file_that_took_its_place_learns_all_that_holds(place: Place) -> None:
    target = place.receiver()
    heat = place.fleet(fails(place, pid=target.pid))
    heat.await_line("web: Failed", 3)
    there = place.folder / "copy.state"
    with closing(sqlite3.connect(place.folder / STATE)) as db:
        db.execute(f"VACUUM INTO '{there}'")
    done(heat, "pause", name="web")
    there.rename(place.folder / STATE)
    done(heat, "resume", name="web")
    heat.await_news("was moved away or deleted")
    heat.await_line("web: Failed", 6)

    assert rows(heat, "SELECT count(*) FROM outages") == [(1,)]
    assert rows(heat, "SELECT count(*) FROM pauses WHERE ended IS NULL") == [(0,)]
    orderly(heat)


def test_a_log_of_sqlite_that_is_deleted_loses_nothing(place: Place) -> None:
    heat = failing(place)
    before = rows(heat, "SELECT * FROM transitions")
    (place.folder / "heat.state-wal").unlink()
    heat.await_news("heat.state (-wal) was deleted: nothing was lost")
    await_failures(heat, 8)
    kill(heat)

    assert rows(heat, "SELECT * FROM transitions") == before
    assert memory(heat)[1] >= 5


GARBAGE = {
    "no JSON": "garbage",
    "deep": "[" * 100_000,
    "another thing": "{}",
    "no machine": '[["WELL",0,0,"none",null,null,null,null,null,false],null,null]',
    "half a machine": '[["RECOVERING",3,1,"running",null,null,null,null,null,false],null,null]',
    "a strange time": '[["FAILING",3,0,"none",[1,1,1],[1,1,1],null,null,null,false],null,"x"]',
    "a strange change": '[["NORMAL",0,0,"none",null,null,null,null,null,false],[1,2],null]',
    "a strange failure": '[["FAILING",3,0,"none",["a",1,1],[1,1,1],null,null,null,false],null,1]',
    "too large": '[["FAILING",3,0,"none",[1,1,1],[1,1,1],null,null,null,false],null,1e999]',
}


def test_a_monitor_whose_machine_nobody_can_read_starts_from_the_first_state(place: Place) -> None:
    names = [f"web{n}" for n in range(len(GARBAGE))]
    text = "".join(monitor(name, ["false"], signal="none") for name in names)
    heat = place.fleet(text)
    for name in names:
        heat.await_line(f"{name}: Failed")
    kill(heat)
    with closing(sqlite3.connect(place.folder / STATE)) as db, db:
        for name, garbage in zip(names, GARBAGE.values(), strict=True):
            db.execute("UPDATE monitors SET memory = ? WHERE name = ?", (garbage, name))
        db.execute("UPDATE monitors SET memory = x'00ff' WHERE name = 'web0'")
    heat.err.unlink()
    heat = place.fleet(text)
    heat.await_news(f"heat.state: what it knows of {len(names)} monitors cannot be read")
    before = heat.out.read_text().count("web0: Failed")
    heat.await_line("web0: Failed", before + 3)

    assert "goes on" not in heat.err.read_text()
    assert rows(heat, "SELECT count(*) FROM outages WHERE ended IS NULL") == [(len(names),)]
    orderly(heat)


# A small disk


@pytest.fixture
def disk(place: Place) -> Iterator[Path]:
    """A disk of 256 KiB, in ``small``."""
    path = place.folder / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path], check=True)
    yield path
    place.clean()
    subprocess.run(["umount", "-l", path], check=True)


def fill(disk: Path) -> Path:
    """Take what is left of it."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    return path


SMALL = ("--state", "small/heat.state")


def on_disk(disk: Path) -> list[Any]:
    with closing(sqlite3.connect(disk / STATE, timeout=10)) as db:
        return db.execute("SELECT memory FROM monitors").fetchall()


@ROOT
def test_heat_reports_a_full_disk_once_and_writes_when_there_is_room(
    place: Place, disk: Path
) -> None:
    heat = failing(place, *SMALL)
    filler = fill(disk)
    before = heat.out.read_text().count("web: Failed")
    heat.await_news("cannot write")
    heat.await_line("web: Failed", before + 10)
    filler.unlink()
    heat.await_news("can be written again; nothing was lost")

    assert heat.err.read_text().count("cannot write") == 1
    orderly(heat)


@ROOT
def test_a_disk_that_is_full_at_the_start_stops_no_checks(place: Place, disk: Path) -> None:
    fill(disk)
    heat = failing(place, *SMALL)

    heat.await_news("heat.state cannot be used: ")
    assert done(heat, "hello")["about"]["trouble"]
    assert heat.stop() == 0
    orderly(heat)


@ROOT
def test_heat_reports_a_disk_that_can_no_longer_be_written_once(place: Place, disk: Path) -> None:
    heat = failing(place, *SMALL)
    with contextlib.ExitStack() as stack:
        bound = ["mount", "-o", "remount,ro", disk]
        held = subprocess.run(bound, check=False, capture_output=True)
        if held.returncode:
            pytest.skip("files that are open for writing cannot be made read-only here")
        heat.await_news("cannot write")
        stack.callback(subprocess.run, ["mount", "-o", "remount,rw", disk], check=True)
    heat.await_news("can be written again")


# What is old


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
