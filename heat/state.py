"""What survives a restart: one SQLite file, written at each transition before its effects.

The tables are described in PROTOCOL.md. Nothing here stops the watching: what cannot be
written is kept and tried again, a file that is damaged is set aside and begun anew. A commit
waits for no disk (WAL, synchronous NORMAL): it survives the end of HEAT in any manner. The
disk is waited for by a process of its own (`heat.housekeeping`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from heat.errors import HeatError, StartRefused
from heat.identity import boot
from heat.lock import HeldError, Lock
from heat.past import Held, Pause
from heat.text import counted, escaped

if TYPE_CHECKING:
    from heat.world import Clock, Owner, Timers

VERSION = 1
SCHEMA = """
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, began REAL NOT NULL, seen REAL NOT NULL, ended REAL,
    pid INTEGER NOT NULL, boot TEXT NOT NULL, config TEXT);
CREATE TABLE monitors (
    name TEXT PRIMARY KEY, since REAL NOT NULL, removed REAL, memory TEXT) WITHOUT ROWID;
CREATE TABLE transitions (
    id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, at REAL NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, count INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE outages (
    id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, began REAL NOT NULL, ended REAL,
    failures INTEGER NOT NULL, recoveries INTEGER NOT NULL, ending TEXT);
CREATE TABLE recoveries (
    id INTEGER PRIMARY KEY, outage INTEGER NOT NULL, monitor TEXT NOT NULL,
    attempt INTEGER NOT NULL, began REAL NOT NULL, ended REAL, code INTEGER, how TEXT,
    helped INTEGER, well_after REAL);
CREATE TABLE pauses (
    id INTEGER PRIMARY KEY, monitor TEXT NOT NULL, began REAL NOT NULL, until REAL,
    ended REAL, reason TEXT NOT NULL);
CREATE TABLE held (
    monitor TEXT NOT NULL, role TEXT NOT NULL, pid INTEGER NOT NULL, identity TEXT NOT NULL,
    PRIMARY KEY (monitor, role)) WITHOUT ROWID;
CREATE INDEX transitions_of ON transitions (monitor, at);
CREATE INDEX outages_of ON outages (monitor, began);
CREATE INDEX recoveries_of ON recoveries (monitor, began);
CREATE INDEX pauses_of ON pauses (monitor, began);
"""

Statement = tuple[str, tuple[object, ...]]

_RETRY = 0.1
"""Seconds until what could not be written is tried again."""
_PATIENCE = 2.0
"""Seconds for which another program may lock the file before that is said."""
_MOST_KEPT = 100_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}
_SEEN = 60.0
_MANY = 500
"""Commits after which the log of SQLite is put into the file, and old history removed."""


class Saved(NamedTuple):
    """What the file knows of one monitor."""

    since: float
    memory: str | None
    pause: Pause | None
    held: dict[str, Held]


class Store:
    """The file, open; ``said`` is told of trouble once. Raises StartRefused, or OSError."""

    def __init__(
        self,
        path: str,
        shown: str,
        world: tuple[Clock, Timers],
        said: Callable[[str], None],
        owner: Owner,
    ) -> None:
        self.path = path
        self.shown = escaped(shown)
        self.trouble = ""
        """Why nothing is written now; empty if all is well."""
        self.snapshot: Callable[[], Iterable[Statement]] = tuple
        """What is written into a file that is begun anew."""
        self.tidy: Callable[[], None] = _nothing
        """Called when there is something for `heat.housekeeping` to do."""
        self._clock, self._timers = world
        self._said = said
        self._owner = owner
        self._kept: deque[list[Statement]] = deque()
        self._lost = 0
        self._since: float | None = None
        """When writing began to fail, on the monotonic clock."""
        self._commits = 0
        self._retrying = False
        try:
            self._lock = Lock(f"{path}.lock")
        except HeldError as error:
            who = "another HEAT" if error.pid is None else f"another HEAT, process {error.pid},"
            raise StartRefused(
                f"Error: --state {self.shown} belongs to {who} that runs now\n"
                "  stop that one, or give this one a file of its own: --state FILE"
            ) from None
        self._db: sqlite3.Connection | None = None
        """None while there is no file that can be used."""
        self._inode: tuple[int, int] | None = None
        try:
            self._db = self._open()
        except OSError as error:
            if error.errno not in _FULL:
                raise self._refused(str(error.strerror).lower()) from None
            self._unusable(str(error.strerror).lower())
        except sqlite3.OperationalError as error:
            self._unusable(str(error))
        except sqlite3.Error as error:
            raise self._refused(str(error)) from None
        self._inode = self._look()

    def _refused(self, why: str) -> StartRefused:
        self._lock.release()
        return StartRefused(
            f"Error: --state {self.shown} cannot be opened: {why}\n"
            "  name a file that can be written, in a folder that can be: --state FILE"
        )

    def _unusable(self, why: str) -> None:
        self.trouble = why
        self._said(
            f"{self.shown} cannot be used: {why}; HEAT goes on checking, tries again every "
            "minute, and what happens until then does not survive a restart"
        )

    # Opening

    def _open(self) -> sqlite3.Connection:
        try:
            return self._opened()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self._set_aside(str(error))
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        # Made here: its mode is that of the logs, and it is no link to somewhere else.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640))
        db = sqlite3.connect(self.path, timeout=0.0, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA wal_autocheckpoint = 0")
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            db.execute("PRAGMA journal_mode = WAL")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:
                db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
            elif version != VERSION:
                raise StartRefused(
                    f"Error: --state {self.shown} is of another version of HEAT, or no file of "
                    "HEAT's\n  give it another file: --state FILE"
                )
            db.execute("SELECT count(*) FROM sessions, held").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def _set_aside(self, why: str) -> None:
        aside = f"{self.path}.damaged-{int(self._clock.unix())}"
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self.path}{ending}", f"{aside}{ending}")
        self._said(
            f"{self.shown} is damaged ({why}): it was set aside as {escaped(aside)} and is "
            "begun anew; counts, pauses and history from before are not known"
        )

    def _look(self) -> tuple[int, int] | None:
        try:
            about = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return None
        return about.st_dev, about.st_ino

    # Reading, at the start

    def load(self) -> dict[str, Saved]:
        """What is known of the monitors that were watched last."""
        if self._db is None:
            return {}
        pauses = {
            name: Pause(*rest)
            for name, *rest in self._db.execute(
                "SELECT monitor, began, until, reason FROM pauses WHERE ended IS NULL"
            )
        }
        held: dict[str, dict[str, Held]] = {}
        for name, role, *rest in self._db.execute("SELECT monitor, role, pid, identity FROM held"):
            held.setdefault(name, {})[role] = Held(*rest)
        return {
            name: Saved(since, memory, pauses.get(name), held.get(name, {}))
            for name, since, memory in self._db.execute(
                "SELECT name, since, memory FROM monitors WHERE removed IS NULL"
            )
        }

    def frozen(self) -> dict[str, Held]:
        """Targets that an earlier HEAT has stopped and not continued, by monitor."""
        if self._db is None:
            return {}
        found = self._db.execute("SELECT monitor, pid, identity FROM held WHERE role = 'frozen'")
        return {name: Held(*rest) for name, *rest in found}

    def begin(self, config: str | None, statements: Iterable[Statement]) -> None:
        """This HEAT's session begins, with these changes; it is seen every minute."""
        self.write([self._session(config), *statements])
        self._timers.at(self._clock.now() + _SEEN, self._see, self._owner)

    def _see(self) -> None:
        self._timers.at(self._clock.now() + _SEEN, self._see, self._owner)
        if self._db is None or self._look() != self._inode:
            self._begin_anew("was moved away or deleted")
        else:
            self.write([self._seen()])

    def _seen(self) -> Statement:
        sql = "UPDATE sessions SET seen = ? WHERE id = (SELECT max(id) FROM sessions)"
        return sql, (self._clock.unix(),)

    # Writing

    def write(self, statements: list[Statement]) -> None:
        """Have all of these done, or none of them: now if that can be, else as soon as it can."""
        if self._db is None:
            return
        self._kept.append(statements)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popleft()
            self._lost += 1
        if not self._retrying:
            self._write(self._db)

    def _write(self, db: sqlite3.Connection) -> None:
        try:
            db.execute("BEGIN IMMEDIATE")
            for statements in self._kept:
                for sql, values in statements:
                    db.execute(sql, values)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._failed(db, error)
            return
        self._kept.clear()
        self._commits += 1
        if self._since is not None:
            self._well_again()
        if self._commits >= _MANY:
            self._commits = 0
            self.tidy()

    def _failed(self, db: sqlite3.Connection, error: sqlite3.Error) -> None:
        with contextlib.suppress(sqlite3.Error):  # It was rolled back with the error.
            if db.in_transaction:
                db.execute("ROLLBACK")
        if not isinstance(error, sqlite3.OperationalError):
            self._begin_anew(f"is damaged ({error})")
            return
        now = self._clock.now()
        self._since = now if self._since is None else self._since
        waits = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        if not self.trouble and (not waits or now - self._since >= _PATIENCE):
            self.trouble = str(error)
            self._said(
                f"cannot write {self.shown}: {error}; HEAT goes on checking, keeps what is to be "
                "written, and writes it when it can"
            )
        self._retrying = True
        self._timers.at(now + _RETRY, self._retry, self._owner)

    def _retry(self) -> None:
        self._retrying = False
        if self._db is not None and self._kept:
            self._write(self._db)

    def _well_again(self) -> None:
        self._since = None
        if self.trouble:
            lost, self._lost, self.trouble = self._lost, 0, ""
            told = f"lost: {counted(lost, 'change')}" if lost else "nothing was lost"
            self._said(f"{self.shown} can be written again; {told}")

    def _begin_anew(self, why: str) -> None:
        """The file is no use any more, or not there: write what is known now into another."""
        if self._db is not None:
            self._db.close()
            self._db = None
            self._kept.clear()
        try:
            if self._look() is not None and not self.trouble:
                self._set_aside(why)
            self._db = self._open()
        except (OSError, sqlite3.Error, HeatError) as error:
            if not self.trouble:
                self._unusable(f"it {why}, and: {error}")
            return
        if self._look() != self._inode and not self.trouble:
            self._said(f"{self.shown} {why}: it is begun anew; the history is in the old one")
        self._inode = self._look()
        self._since, self._retrying = None, False
        if self.trouble:
            self.trouble = ""
            self._said(f"{self.shown} can be used again")
        self.write([self._session(None), *self.snapshot()])

    def _session(self, config: str | None) -> Statement:
        now = self._clock.unix()
        return (
            "INSERT INTO sessions (began, seen, pid, boot, config) VALUES (?, ?, ?, ?, ?)",
            (now, now, os.getpid(), boot(), config),
        )

    def close(self) -> None:
        """HEAT ends, and not by a kill."""
        now = self._clock.unix()
        self._retrying = False
        last = "UPDATE sessions SET ended = ? WHERE id = (SELECT max(id) FROM sessions)"
        self.write([self._seen(), (last, (now,))])
        if self._kept:
            self._said(
                f"{counted(len(self._kept), 'change')} for {self.shown} could not be written"
            )
        if self._db is not None:
            self._db.close()
        self._lock.release()


def old(before: float) -> Iterator[Statement]:
    """What removes the history of before this unix second; what goes on is kept."""
    yield "DELETE FROM transitions WHERE at < ?", (before,)
    yield "DELETE FROM recoveries WHERE ended < ?", (before,)
    yield "DELETE FROM outages WHERE ended < ?", (before,)
    yield "DELETE FROM pauses WHERE ended < ?", (before,)
    yield "DELETE FROM sessions WHERE coalesce(ended, seen) < ?", (before,)
    yield "DELETE FROM monitors WHERE removed < ?", (before,)


def _nothing() -> None:
    """Nobody keeps house."""
