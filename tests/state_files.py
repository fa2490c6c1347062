"""HEATs with a state file, and what it holds."""

import json
import os
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from client import why
from fleet import monitor
from heat_process import Heat
from place import Place
from processes import process_state, until

STATE = "heat.state"
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


def rows(heat: Heat, sql: str, *values: object) -> list[Any]:
    """Return rows of the state file."""
    with closing(sqlite3.connect(heat.folder / STATE, timeout=10)) as db:
        return db.execute(sql, values).fetchall()


def change(place: Place, sql: str, *values: object) -> None:
    """Change the state file of a HEAT that does not run."""
    with closing(sqlite3.connect(place.folder / STATE)) as db, db:
        db.execute(sql, values)


def memory(heat: Heat, name: str = "web") -> Any:
    """Return the memory of a monitor in the file."""
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
    """Wait until its monitor has failed so often in a row."""
    until(lambda: bool(why(heat, "web")["count"] >= count), f"{count} failures")


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
