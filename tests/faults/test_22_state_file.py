"""Row 22: the state file is damaged, locked, gone or another's, or its disk is full."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from client import done, why
from fleet import WELL, monitor
from heat_process import orderly
from place import Place
from processes import until
from state_files import ROOT, STATE, await_failures, failing, fails, kill, memory, rows


def test_a_damaged_file_is_set_aside_and_begun_anew(place: Place) -> None:
    (place.folder / STATE).write_bytes(b"no state, but garbage\n" * 1000)
    heat = failing(place)

    heat.await_news("heat.state is damaged (file is not a database): it was set aside as")
    (aside,) = place.folder.glob("heat.state.damaged-*")
    assert aside.read_bytes().startswith(b"no state")
    assert memory(heat)[0] == "FAILING"
    assert heat.stop() == 0


def test_a_truncated_file_is_set_aside_and_begun_anew(place: Place) -> None:
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
def test_the_file_of_another_program_or_version_is_left_alone(place: Place, sql: str) -> None:
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


def test_a_file_that_is_locked_for_long_is_said_once_and_nothing_is_lost(place: Place) -> None:
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


def test_a_file_that_is_deleted_is_begun_anew_with_all_that_holds(place: Place) -> None:
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


def test_a_file_that_was_put_in_its_place_learns_what_holds(place: Place) -> None:
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


def test_what_nobody_can_read_of_a_monitor_begins_anew(place: Place) -> None:
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
def test_a_full_disk_is_said_once_and_written_when_it_is_not(place: Place, disk: Path) -> None:
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
def test_a_disk_that_is_full_at_the_start_stops_no_watching(place: Place, disk: Path) -> None:
    fill(disk)
    heat = failing(place, *SMALL)

    heat.await_news("heat.state cannot be used: ")
    assert done(heat, "hello")["about"]["trouble"]
    assert heat.stop() == 0
    orderly(heat)


@ROOT
def test_a_disk_that_can_no_longer_be_written_is_said_once(place: Place, disk: Path) -> None:
    heat = failing(place, *SMALL)
    with contextlib.ExitStack() as stack:
        bound = ["mount", "-o", "remount,ro", disk]
        held = subprocess.run(bound, check=False, capture_output=True)
        if held.returncode:
            pytest.skip("files that are open for writing cannot be made read-only here")
        heat.await_news("cannot write")
        stack.callback(subprocess.run, ["mount", "-o", "remount,rw", disk], check=True)
    heat.await_news("can be written again")
