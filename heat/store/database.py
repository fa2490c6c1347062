"""One SQLite file and its lock: opened, checked, read, written, and set aside when it is damaged.

A commit waits for no disk (WAL, synchronous NORMAL): it survives the end of HEAT in any manner.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Generator, Iterable

from heat.errors import StartRefused
from heat.files import NotOwnFileError, open_to_write
from heat.process.identity import Held
from heat.records import Pause
from heat.runtime.lock import Lock
from heat.store import sql
from heat.text import escaped
from states.engine.named_tuple import NamedTuple

MOMENT = 20
"""Milliseconds that a write may wait for another program, such as `heat.store.prune`."""
PATIENCE = 2.0
"""Seconds that opening the file, and the last write of all, may wait for another program."""
SIDECARS = "-wal", "-shm", "-journal"
"""Endings of the files that SQLite opens next to the file, whatever they are."""
_LONGEST_LOG = 8192
"""Pages of SQLite's log after which SQLite itself moves it into the file, if nobody else has."""

Inode = tuple[int, int]


class SavedMonitor(NamedTuple):
    """One monitor, as the file knows it."""

    since: float
    machine: str | None
    """Text for `heat.store.snapshot.decode`; None for a machine in its first state."""
    pause: Pause | None
    held: dict[str, Held]


class Database:
    """A file that is closed until `open`, and again after `close`."""

    __slots__ = ("_db", "_inode", "_lock", "_log_inode", "path", "shown")

    def __init__(self, path: str, shown: str) -> None:
        self.path = path
        self.shown = shown
        self._lock: Lock | None = None
        self._db: sqlite3.Connection | None = None
        self._inode: Inode | None = None
        self._log_inode: Inode | None = None
        """The inode of SQLite's log; None as long as there is none."""

    @property
    def is_open(self) -> bool:
        """It can be read and written."""
        return self._db is not None

    def open(self) -> None:
        """Lock the file and open it, or make it.

        Raises HeldError, NotOwnFileError, StartRefused, OSError or sqlite3.Error.
        """
        if self._lock is not None and not self._lock.in_place():
            self.unlock()
        if self._lock is None:
            with _naming(f"{self.path}.lock") as path:
                self._lock = Lock(path)
        self._create()
        db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        self._inode, self._log_inode = _inode(self.path), None

    def _create(self) -> None:
        """Create the file with the mode of the logs; SQLite does not ask who owns its sidecars."""
        os.close(open_to_write(self.path, os.O_RDWR | os.O_CREAT))
        for ending in SIDECARS:
            with contextlib.suppress(FileNotFoundError), _naming(f"{self.path}{ending}") as path:
                os.close(open_to_write(path, os.O_RDWR))

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG}")
        (result,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if result != "ok":
            raise sqlite3.DatabaseError(result)
        db.execute("PRAGMA journal_mode = WAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in db.execute(sql.ALL_TABLES)}
        if not tables:
            db.executescript(f"BEGIN; {sql.SCHEMA} PRAGMA user_version = {sql.VERSION}; COMMIT;")
        elif version != sql.VERSION or not tables >= sql.TABLES:
            raise StartRefused(
                f"Error: --state {self.shown} is of another version of HEAT, or not a file of "
                "HEAT's\n  give it another file: --state FILE"
            )
        sql.add_later_columns(db)
        _wait(db, MOMENT)

    def close(self) -> None:
        """Close the file, which moves SQLite's log into it; the lock is still held."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def unlock(self) -> None:
        """Let another HEAT have the file."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def set_aside(self, now: float) -> str:
        """Rename the file, so that a new one can be made; return its new path."""
        aside = f"{self.path}.damaged-{int(now)}"
        for ending in ("", *SIDECARS):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self.path}{ending}", f"{aside}{ending}")
        return aside

    # Reading and writing; the file is open

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise sqlite3.ProgrammingError("the file is not open")
        return self._db

    def load(self) -> dict[str, SavedMonitor]:
        """Return the monitors that an earlier HEAT watched last. Raises sqlite3.Error."""
        db = self._opened()
        pauses = {name: Pause(*rest) for name, *rest in db.execute(sql.PAUSES_LEFT)}
        held: dict[str, dict[str, Held]] = {}
        for name, role, *rest in db.execute(sql.HELD_LEFT):
            held.setdefault(name, {})[role] = Held(*rest)
        return {
            name: SavedMonitor(since, machine, pauses.get(name), held.get(name, {}))
            for name, since, machine in db.execute(sql.MONITORS_LEFT)
        }

    def frozen(self) -> dict[str, Held]:
        """Return the targets that an earlier HEAT stopped and did not continue, by monitor."""
        return {name: Held(*rest) for name, *rest in self._opened().execute(sql.FROZEN_LEFT)}

    def write(self, statements: Iterable[sql.Statement]) -> None:
        """Execute all of the statements, or none of them. Raises sqlite3.Error."""
        db = self._opened()
        try:
            db.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                db.execute(statement, tuple(map(sql.storable, values)))
            db.execute("COMMIT")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):  # SQLite has rolled it back with the error.
                if db.in_transaction:
                    db.execute("ROLLBACK")
            raise

    def wait(self, milliseconds: int) -> None:
        """Let each write wait this long for another program. Raises sqlite3.Error."""
        _wait(self._opened(), milliseconds)

    # Whether the file is still the one at its path

    def in_place(self) -> bool:
        """Tell if the file is still at its path."""
        return _inode(self.path) == self._inode

    def log_length(self) -> int | None:
        """Return the bytes in SQLite's log; None if that log, or the file, has gone from its path.

        Nobody would find what was written after that.
        """
        if not self.in_place():
            return None
        try:
            status = os.stat(f"{self.path}-wal", follow_symlinks=False)
        except OSError:
            return 0 if self._log_inode is None else None
        if self._log_inode is None:
            self._log_inode = status.st_dev, status.st_ino
        return status.st_size if (status.st_dev, status.st_ino) == self._log_inode else None


def _wait(db: sqlite3.Connection, milliseconds: int) -> None:
    db.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _inode(path: str) -> Inode | None:
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def _naming(path: str) -> Generator[str]:
    """Name the file in the error, as it may be another one than the user gave."""
    try:
        yield path
    except NotOwnFileError as error:
        raise NotOwnFileError(f"{escaped(path)}: {error}") from None
