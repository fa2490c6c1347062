"""The upkeep of the state file, in a process of its own, so that no tick waits for a disk.

``python -m heat.store.prune FILE SECONDS`` removes history that is older than this, and moves
SQLite's log into the file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from heat.errors import StartError
from heat.process import helper
from heat.process.run import Callbacks, Run

if TYPE_CHECKING:
    from heat.process.ports import Launcher
    from heat.runtime.ports import Clock, Owner, Timers

_LIMIT = 600.0
"""Seconds that it may take."""
_MOMENT = 50
"""Milliseconds to wait, while HEAT waits too, for programs that read the file."""
_PATIENCE = 5.0
"""Seconds to wait for HEAT, whose own writes take less than a millisecond."""


class Prune:
    """Starts the process, one at a time."""

    def __init__(
        self,
        world: tuple[Clock, Timers, Launcher],
        path: str,
        history: Callable[[], float],
        owner: Owner,
    ) -> None:
        self._world = world
        self._path = path
        self._history = history
        self._owner = owner
        self._run: Run | None = None

    def begin(self) -> None:
        """Start it, unless it runs; if it cannot start now, the next time will do."""
        if self._run is not None:
            return
        program = helper.program("housekeeping", __name__, self._path, str(self._history()))
        callbacks = Callbacks(_nothing, self._gone, self._gone)
        try:
            self._run = Run(self._world, program, _LIMIT, callbacks, self._owner)
        except StartError:
            self._run = None

    def _gone(self, _run: Run) -> None:
        self._run = None


def main(path: str, span: str) -> int:
    """Prune the file; return 1 if that failed, which the next time will make good."""
    import sqlite3
    from pathlib import Path

    from heat.store import sql

    try:
        uri = f"{Path(path).as_uri()}?mode=rw"
        db = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
        (now,) = db.execute(sql.LAST_SEEN).fetchone()
        for statement, values in sql.prune(float(now) - float(span)):
            while db.execute(statement, values).rowcount == sql.CHUNK:
                pass
        # Most of the log while HEAT writes; then the rest, for which HEAT waits a moment.
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.execute(f"PRAGMA busy_timeout = {_MOMENT}")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
    except sqlite3.Error:
        return 1
    return 0


def _nothing(_run: Run) -> None:
    """Do nothing: the file shows the result."""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
