"""The state file at work: each change is written before HEAT acts on it, and nothing waits for it.

What cannot be written is kept and tried again, up to a limit; a file that is damaged is set aside,
and a new one gets a snapshot of all that holds. `heat.store.prune`, a process of its own, waits
for the disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING

from heat.errors import HeatError
from heat.process.identity import boot
from heat.store import sql
from heat.store.backlog import CHUNK, Backlog, Change
from heat.store.database import MOMENT, PATIENCE, Database, SavedMonitor
from heat.store.opening import open_or_refuse
from heat.store.sql import Statement
from heat.text import counted, escaped

if TYPE_CHECKING:
    from heat.process.identity import Held
    from heat.runtime.ports import Clock, Owner, Timers

_BUSY_RETRY = 0.005
"""Seconds until the first retry while another program holds the file; doubled each time."""
_RETRY = 0.1
"""The longest of these."""
_TROUBLE_RETRY = 1.0
"""Seconds between retries after any other error."""
_SEEN = 60.0
"""Seconds between two marks that HEAT runs, when it writes nothing else."""
_SEEN_AGAIN = 1.0
"""A write this many seconds after the last mark makes another."""
_LONG = 4 * 1024 * 1024
"""Bytes of SQLite's log after which it is time for `heat.store.prune`."""


class StateFile:
    """A file that HEAT writes as long as it runs; ``say`` is called once for each trouble.

    ``tidy`` is called when it is time for `heat.store.prune`.
    """

    def __init__(
        self,
        path: str,
        world: tuple[Clock, Timers],
        say: Callable[[str], None],
        tidy: Callable[[], None],
        owner: Owner,
    ) -> None:
        self.path = os.path.abspath(path)
        self.shown = escaped(path)
        self.trouble = ""
        """The reason why nothing is written now; empty if all is well."""
        self.snapshot: Callable[[], Iterable[Statement]] = tuple
        """Returns all that a file must know, whatever it knew before."""
        self._tidy = tidy
        self._clock, self._timers = world
        self._say = say
        self._owner = owner
        self._database = Database(self.path, self.shown)
        self._backlog = Backlog()
        self._config: str | None = None
        self._begun = False
        self._failing_since: float | None = None
        """The moment since which writes fail, on the monotonic clock."""
        self._delay = _BUSY_RETRY
        self._retrying = False
        self._long = _LONG
        self._seen_at = 0.0
        """The moment of the last mark that HEAT runs, on the monotonic clock."""
        if why := open_or_refuse(self._open, self.shown):
            self._unusable(why)

    # Opening

    def _open(self) -> None:
        try:
            self._database.open()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self._set_aside(str(error))
            self._database.open()

    def _set_aside(self, why: str) -> None:
        aside = self._database.set_aside(self._clock.unix())
        self._say(
            f"{self.shown} is damaged ({why}): it was set aside as {escaped(aside)}, and HEAT "
            "starts a new one; it no longer knows earlier counts, pauses and history"
        )

    def _unusable(self, why: str) -> None:
        self._database.close()
        if not self.trouble:
            self._say(
                f"{self.shown} cannot be used: {why}; HEAT goes on checking, tries again every "
                "minute, and what happens until then does not survive a restart"
            )
        self.trouble = why

    # The start of a session

    def load(self) -> dict[str, SavedMonitor]:
        """Return the monitors that an earlier HEAT watched last."""
        if not self._database.is_open:
            return {}
        try:
            return self._database.load()
        except sqlite3.OperationalError as error:
            self._unusable(str(error))
        except sqlite3.DatabaseError as error:
            self._replace(str(error), damaged=True)
        return {}

    def frozen(self) -> dict[str, Held]:
        """Return the targets that an earlier HEAT stopped and did not continue, by monitor."""
        return self._database.frozen() if self._database.is_open else {}

    def begin(self, config: str | None, statements: Iterable[Statement]) -> None:
        """Begin the session of this HEAT, with these changes, and mark each minute of it."""
        self._config, self._begun = config, True
        self.write([self._session()])
        remaining = iter(statements)
        while chunk := list(islice(remaining, CHUNK)):
            self.write(chunk)
        self._timers.at(self._clock.now() + _SEEN, self._mark, self._owner)

    def _mark(self) -> None:
        self._timers.at(self._clock.now() + _SEEN, self._mark, self._owner)
        if self._database.is_open:
            self.write([self._seen()])
        else:
            self._replace(self.trouble)

    def _session(self) -> Statement:
        now = self._clock.unix()
        return sql.SESSION_BEGAN, (now, now, os.getpid(), boot(), self._config)

    def _seen(self) -> Statement:
        return sql.SESSION_SEEN, (self._clock.unix(),)

    # Writing

    def write(self, change: Change) -> None:
        """Write a change now, or as soon as it can be written."""
        if not self._database.is_open:
            return
        self._backlog.add(change)
        if not self._retrying:
            self._write()

    def _write(self) -> None:
        length = self._database.log_length()
        if length is None:
            self._recover_missing()
            return
        now = self._clock.now()
        chunk = self._backlog.chunk()
        marks = self._begun and now >= self._seen_at + _SEEN_AGAIN
        changes = [self.snapshot()] if self._backlog.overflowed else chunk
        try:
            self._database.write(chain(*changes, [self._seen()] if marks else []))
        except sqlite3.OperationalError as error:
            self._retry_later(error)
            return
        except sqlite3.Error as error:
            self._database.close()
            self._replace(str(error), damaged=True)
            return
        self._seen_at = now if marks else self._seen_at
        self._written(chunk)
        self._tidy_if_long(length)

    def _written(self, chunk: list[Change]) -> None:
        self._backlog.written(chunk)
        self._delay = _BUSY_RETRY
        if self._backlog:
            self._retry_after(0.0)
        elif self._failing_since is not None:
            self._report_recovery()

    def _tidy_if_long(self, length: int) -> None:
        if length >= self._long:
            # Not now: what is written here precedes an action that is still to come.
            self._timers.at(self._clock.now(), self._tidy, self._owner)
            self._long = length + _LONG
        elif length < _LONG:
            self._long = _LONG

    def _retry_later(self, error: sqlite3.OperationalError) -> None:
        now = self._clock.now()
        if self._failing_since is None:
            self._failing_since = now
            self._database.wait(0)  # It has waited for its moment.
        busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        if not self.trouble and (not busy or now - self._failing_since >= PATIENCE):
            self.trouble = str(error)
            self._say(
                f"cannot write {self.shown}: {error}; HEAT goes on checking, keeps the changes, "
                "and writes them when it can"
            )
        self._retry_after(self._delay if busy else _TROUBLE_RETRY)
        self._delay = min(2 * self._delay, _RETRY)

    def _retry_after(self, span: float) -> None:
        self._retrying = True
        self._timers.at(self._clock.now() + span, self._retry, self._owner)

    def _retry(self) -> None:
        self._retrying = False
        if self._database.is_open and self._backlog:
            self._write()

    def _report_recovery(self) -> None:
        self._failing_since = None
        self._database.wait(MOMENT)
        if self.trouble:
            lost, self._backlog.lost, self.trouble = self._backlog.lost, 0, ""
            result = f"lost: {counted(lost, 'change')}" if lost else "nothing was lost"
            self._say(f"{self.shown} can be written again; {result}")

    # A file that has gone, or is damaged

    def _recover_missing(self) -> None:
        in_place = self._database.in_place()
        self._database.close()  # Moves the log into the file.
        if not in_place:
            self._replace("was moved away or deleted")
            return
        try:
            self._open()
        except (OSError, sqlite3.Error, HeatError) as error:
            self._unusable(f"its log was deleted, and: {error}")
            return
        self._say(f"the log of {self.shown} (-wal) was deleted: nothing was lost")
        self._retry()

    def _replace(self, why: str, *, damaged: bool = False) -> None:
        """Open whatever is at the path now, or a new file, and write a snapshot to it."""
        self._database.close()
        self._backlog.clear()
        try:
            if damaged:
                self._set_aside(why)
            self._open()
        except (OSError, sqlite3.Error, HeatError) as error:
            self._unusable(f"it {why}, and: {error}" if not self.trouble else str(error))
            return
        self._failing_since, self._backlog.lost = None, 0
        if self.trouble:
            self.trouble = ""
            self._say(f"{self.shown} can be used again")
        elif not damaged:
            self._say(f"{self.shown} {why}: HEAT starts a new one; the history is in the old one")
        if self._begun:
            self.write([self._session(), *self.snapshot()])

    # The end

    def close(self) -> None:
        """Write the end of the session, and let another HEAT have the file."""
        if self._begun and self._database.is_open:
            self._finish()
        self._database.close()
        self._database.unlock()

    def _finish(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            # There is no later retry, and nothing left that this could hold up.
            self._database.wait(int(1000 * PATIENCE))
        self._retrying = True
        self.write([self._seen(), (sql.SESSION_ENDED, (self._clock.unix(),))])
        self._retrying = False
        while self._backlog and self._database.is_open and not self._retrying:
            before = len(self._backlog)
            self._write()
            self._retrying = bool(self._backlog) and len(self._backlog) >= before
        if self._backlog:
            lost = counted(len(self._backlog) + self._backlog.lost, "change")
            self._say(f"{lost} for {self.shown} could not be written")
