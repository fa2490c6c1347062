"""The memory that survives a restart: one SQLite file, written at each transition first.

The tables are described in docs/protocol.md. Nothing here stops the watching: what cannot be
written is kept and tried again, a file that is damaged is set aside and begun anew. A commit
waits for no disk (WAL, synchronous NORMAL): it survives the end of HEAT in any manner. The
disk is waited for by a process of its own (`heat.store.prune`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from heat.errors import HeatError, StartRefused, reason_of
from heat.files import NotOwnFileError, open_to_write
from heat.process.identity import Held, boot
from heat.records import Pause
from heat.runtime.lock import HeldError, Lock
from heat.store import sql
from heat.store.sql import Statement, storable
from heat.text import counted, escaped
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.runtime.ports import Clock, Owner, Timers

_MOMENT = 20
"""Milliseconds that a write may wait for another program, such as the housekeeping."""
_BUSY_RETRY = 0.005
"""Seconds until what could not be written is tried again, and twice as long each further time."""
_RETRY = 0.1
"""At most so long where another program holds the file."""
_TROUBLE_RETRY = 1.0
"""Where there is something wrong."""
_PATIENCE = 2.0
"""Seconds for which another program may lock the file before that is said."""
_MOST_KEPT = 10_000
_AT_ONCE = 100
"""Changes that are written in one go; more of them would hold up the checks."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}
_SEEN = 60.0
"""Seconds from one mark that HEAT runs to the next, when there is nothing else to write."""
_SEEN_ANEW = 1.0
"""A write that comes so many seconds after the last mark makes another."""
_LONG = 4 * 1024 * 1024
"""Bytes of SQLite's log after which it is put into the file, and old history removed."""
_LONGEST_LOG = 8192
"""Pages of it after which SQLite itself does that: if nobody else has, for whatever reason."""
BESIDE = "-wal", "-shm", "-journal"
"""Endings of the files that SQLite opens beside it, whatever is there."""

Inode = tuple[int, int]


class Saved(NamedTuple):
    """The file's knowledge of one monitor."""

    since: float
    memory: str | None
    pause: Pause | None
    held: dict[str, Held]


class StateFile:
    """The file, open; ``said`` is told of trouble once. Raises StartRefused."""

    def __init__(
        self,
        path: str,
        shown: str,
        world: tuple[Clock, Timers],
        said: Callable[[str], None],
        owner: Owner,
    ) -> None:
        self.path = os.path.abspath(path)
        self.shown = escaped(shown)
        self.trouble = ""
        """Why nothing is written now; empty if all is well."""
        self.snapshot: Callable[[], Iterable[Statement]] = tuple
        """All that a file has to know, whatever it has known before."""
        self.tidy: Callable[[], None] = _nothing
        """Called when there is something for `heat.store.prune` to do."""
        self._clock, self._timers = world
        self._said = said
        self._owner = owner
        self._config: str | None = None
        self._kept: deque[list[Statement]] = deque()
        self._behind = False
        """Too much was to be kept: the file gets a snapshot when it can be written."""
        self._lost = 0
        self._since: float | None = None
        """When writing began to fail, on the monotonic clock."""
        self._delay = _BUSY_RETRY
        self._long = _LONG
        self._retrying = False
        self._begun = False
        self._marked = 0.0
        """When it was written last that HEAT runs, on the monotonic clock."""
        self._lock: Lock | None = None
        self._db: sqlite3.Connection | None = None
        """None while there is no file that can be used."""
        self._inode: Inode | None = None
        self._log_inode: Inode | None = None
        """Of SQLite's log beside the file; None as long as there is none."""
        try:
            self._open()
        except HeldError as error:
            who = "another HEAT" if error.pid is None else f"another HEAT, process {error.pid},"
            raise StartRefused(
                f"Error: --state {self.shown} belongs to {who} that runs now\n"
                "  stop that one, or give this one a file of its own: --state FILE"
            ) from None
        except NotOwnFileError as error:
            hint = "let it be HEAT's alone, or give HEAT another file: --state FILE"
            raise self._refused(str(error), hint) from None
        except OSError as error:
            if error.errno not in _FULL:
                raise self._refused(reason_of(error)) from None
            self._unusable(reason_of(error))
        except sqlite3.OperationalError as error:
            self._unusable(str(error))
        except sqlite3.Error as error:
            raise self._refused(str(error)) from None

    def _refused(
        self,
        why: str,
        hint: str = "name a file that can be written, in a folder that can be: --state FILE",
    ) -> StartRefused:
        return StartRefused(f"Error: --state {self.shown} cannot be opened: {why}\n  {hint}")

    def _unusable(self, why: str) -> None:
        self._db = None
        if not self.trouble:
            self._said(
                f"{self.shown} cannot be used: {why}; HEAT goes on checking, tries again every "
                "minute, and what happens until then does not survive a restart"
            )
        self.trouble = why

    # Opening

    def _open(self) -> None:
        if self._lock is not None and not self._lock.in_place():
            self._lock.release()
            self._lock = None
        if self._lock is None:
            with _naming(f"{self.path}.lock") as path:
                self._lock = Lock(path)
        try:
            self._db = self._opened()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self._set_aside(str(error))
            self._db = self._opened()
        self._inode, self._log_inode = _inode(self.path), None

    def _opened(self) -> sqlite3.Connection:
        # Made here: its mode is that of the logs. SQLite asks nobody whose the others are.
        os.close(open_to_write(self.path, os.O_RDWR | os.O_CREAT))
        for ending in BESIDE:
            with contextlib.suppress(FileNotFoundError), _naming(f"{self.path}{ending}") as path:
                os.close(open_to_write(path, os.O_RDWR))
        db = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG}")
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            db.execute("PRAGMA journal_mode = WAL")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            tables = {name for (name,) in db.execute(sql.ALL_TABLES)}
            if not tables:
                db.executescript(
                    f"BEGIN; {sql.SCHEMA} PRAGMA user_version = {sql.VERSION}; COMMIT;"
                )
            elif version != sql.VERSION or not tables >= sql.TABLES:
                raise StartRefused(
                    f"Error: --state {self.shown} is of another version of HEAT, or no file of "
                    "HEAT's\n  give it another file: --state FILE"
                )
            sql.add_later_columns(db)
            _wait(db, _MOMENT)
        except BaseException:
            db.close()
            raise
        return db

    def _set_aside(self, why: str) -> None:
        aside = f"{self.path}.damaged-{int(self._clock.unix())}"
        for ending in ("", *BESIDE):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self.path}{ending}", f"{aside}{ending}")
        self._said(
            f"{self.shown} is damaged ({why}): it was set aside as {escaped(aside)} and is "
            "begun anew; counts, pauses and history from before are not known"
        )

    # Reading, at the start

    def load(self) -> dict[str, Saved]:
        """The knowledge of the monitors that were watched last."""
        if self._db is None:
            return {}
        try:
            return _loaded(self._db)
        except sqlite3.OperationalError as error:
            self._db.close()
            self._unusable(str(error))
        except sqlite3.DatabaseError as error:
            self._db.close()
            self._begin_anew(str(error), damaged=True)
        return {}

    def frozen(self) -> dict[str, Held]:
        """Targets that an earlier HEAT has stopped and not continued, by monitor."""
        if self._db is None:
            return {}
        return {name: Held(*rest) for name, *rest in self._db.execute(sql.FROZEN_LEFT)}

    def begin(self, config: str | None, statements: Iterable[Statement]) -> None:
        """This HEAT's session begins, with these changes; it is seen every minute."""
        self._config, self._begun = config, True
        self.write([self._session()])
        some_of = iter(statements)
        while some := list(islice(some_of, _AT_ONCE)):
            self.write(some)
        self._timers.at(self._clock.now() + _SEEN, self._see, self._owner)

    def _see(self) -> None:
        self._timers.at(self._clock.now() + _SEEN, self._see, self._owner)
        if self._db is None:
            self._begin_anew(self.trouble)
        else:
            self.write([self._seen()])

    def _seen(self) -> Statement:
        return sql.SESSION_SEEN, (self._clock.unix(),)

    # Writing

    def write(self, statements: list[Statement]) -> None:
        """Have all of these done, or none of them: now if that can be, else as soon as it can."""
        if self._db is None:
            return
        if self._behind:
            self._lost += 1
        else:
            self._kept.append(statements)
        if len(self._kept) > _MOST_KEPT:
            self._behind = True
            self._lost += len(self._kept)
            self._kept.clear()
        if not self._retrying:
            self._write(self._db)

    def _write(self, db: sqlite3.Connection) -> None:
        length = self._length()
        if length is None:
            self._missed(db)
            return
        some = list(islice(self._kept, _AT_ONCE))
        now = self._clock.now()
        mark = [self._seen()] if self._begun and now >= self._marked + _SEEN_ANEW else []
        try:
            db.execute("BEGIN IMMEDIATE")
            for statements in [*([self.snapshot()] if self._behind else some), mark]:
                for statement, values in statements:
                    db.execute(statement, tuple(map(storable, values)))
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._failed(db, error)
            return
        self._behind = False
        self._marked = now if mark else self._marked
        for _ in some:
            self._kept.popleft()
        self._delay = _BUSY_RETRY
        if self._kept:
            self._try_again(0.0)
        elif self._since is not None:
            self._well_again(db)
        if length >= self._long:
            # Not now: what is written here tells of what is still to be done.
            self._timers.at(self._clock.now(), self.tidy, self._owner)
            self._long = length + _LONG
        elif length < _LONG:
            self._long = _LONG

    def _failed(self, db: sqlite3.Connection, error: sqlite3.Error) -> None:
        with contextlib.suppress(sqlite3.Error):  # It was rolled back with the error.
            if db.in_transaction:
                db.execute("ROLLBACK")
        if not isinstance(error, sqlite3.OperationalError):
            db.close()
            self._begin_anew(str(error), damaged=True)
            return
        now = self._clock.now()
        if self._since is None:
            self._since = now
            _wait(db, 0)  # It has waited for its moment.
        waits = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        if not self.trouble and (not waits or now - self._since >= _PATIENCE):
            self.trouble = str(error)
            self._said(
                f"cannot write {self.shown}: {error}; HEAT goes on checking, keeps what is to be "
                "written, and writes it when it can"
            )
        self._try_again(self._delay if waits else _TROUBLE_RETRY)
        self._delay = min(2 * self._delay, _RETRY)

    def _try_again(self, span: float) -> None:
        self._retrying = True
        self._timers.at(self._clock.now() + span, self._retry, self._owner)

    def _retry(self) -> None:
        self._retrying = False
        if self._db is not None and (self._kept or self._behind):
            self._write(self._db)

    def _well_again(self, db: sqlite3.Connection) -> None:
        self._since = None
        _wait(db, _MOMENT)
        if self.trouble:
            lost, self._lost, self.trouble = self._lost, 0, ""
            told = f"lost: {counted(lost, 'change')}" if lost else "nothing was lost"
            self._said(f"{self.shown} can be written again; {told}")

    # A file that is gone, or no use any more

    def _length(self) -> int | None:
        """Bytes in SQLite's log; None if it or the file is not at its path any more.

        What was written then would not be found.
        """
        if _inode(self.path) != self._inode:
            return None
        try:
            about = os.stat(f"{self.path}-wal", follow_symlinks=False)
        except OSError:
            return 0 if self._log_inode is None else None
        if self._log_inode is None:
            self._log_inode = about.st_dev, about.st_ino
        return about.st_size if (about.st_dev, about.st_ino) == self._log_inode else None

    def _missed(self, db: sqlite3.Connection) -> None:
        if _inode(self.path) != self._inode:
            db.close()
            self._begin_anew("was moved away or deleted")
            return
        db.close()  # Puts what is in the log into the file.
        try:
            self._open()
        except (OSError, sqlite3.Error, HeatError) as error:
            self._unusable(f"its log was deleted, and: {error}")
            return
        self._said(f"the log of {self.shown} (-wal) was deleted: nothing was lost")
        self._retry()

    def _begin_anew(self, why: str, *, damaged: bool = False) -> None:
        """Write what is known now into a file that does not know it."""
        self._db = None
        self._kept.clear()
        try:
            if damaged:
                self._set_aside(why)
            self._open()
        except (OSError, sqlite3.Error, HeatError) as error:
            self._unusable(f"it {why}, and: {error}" if not self.trouble else str(error))
            return
        self._since, self._behind, self._lost = None, False, 0
        if self.trouble:
            self.trouble = ""
            self._said(f"{self.shown} can be used again")
        elif not damaged:
            self._said(f"{self.shown} {why}: it is begun anew; the history is in the old one")
        if self._begun:
            self.write([self._session(), *self.snapshot()])

    def _session(self) -> Statement:
        now = self._clock.unix()
        return (
            sql.SESSION_BEGAN,
            (now, now, os.getpid(), boot(), self._config),
        )

    def close(self) -> None:
        """HEAT ends, and not by a kill."""
        if self._begun and self._db is not None:
            self._finish(self._db)
        if self._db is not None:
            self._db.close()
        if self._lock is not None:
            self._lock.release()

    def _finish(self, db: sqlite3.Connection) -> None:
        with contextlib.suppress(sqlite3.Error):
            # There is no later any more, and nothing that could be held up.
            _wait(db, int(1000 * _PATIENCE))
        self._retrying = True
        self.write([self._seen(), (sql.SESSION_ENDED, (self._clock.unix(),))])
        self._retrying = False
        while (self._kept or self._behind) and self._db is db and not self._retrying:
            before = len(self._kept)
            self._write(db)
            self._retrying = bool(self._kept) and len(self._kept) >= before
        if self._kept or self._behind:
            lost = counted(len(self._kept) + self._lost, "change")
            self._said(f"{lost} for {self.shown} could not be written")


@contextlib.contextmanager
def _naming(path: str) -> Generator[str]:
    """Have the message name the file, as it may be one beside the file that was given."""
    try:
        yield path
    except NotOwnFileError as error:
        raise NotOwnFileError(f"{escaped(path)}: {error}") from None


def _loaded(db: sqlite3.Connection) -> dict[str, Saved]:
    pauses = {name: Pause(*rest) for name, *rest in db.execute(sql.PAUSES_LEFT)}
    held: dict[str, dict[str, Held]] = {}
    for name, role, *rest in db.execute(sql.HELD_LEFT):
        held.setdefault(name, {})[role] = Held(*rest)
    return {
        name: Saved(since, memory, pauses.get(name), held.get(name, {}))
        for name, since, memory in db.execute(sql.MONITORS_LEFT)
    }


def _wait(db: sqlite3.Connection, span: int) -> None:
    """Have it wait so many milliseconds for another program that writes."""
    db.execute(f"PRAGMA busy_timeout = {span}")


def _inode(path: str) -> Inode | None:
    try:
        about = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _nothing() -> None:
    """Nobody keeps house."""
