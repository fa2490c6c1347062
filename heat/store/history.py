"""The history in a state file, for everybody who only reads it: `heatctl`, and `heatctl serve`."""

import contextlib
import os
import sqlite3
from collections import defaultdict
from collections.abc import Generator, Sequence
from typing import Any, Self
from urllib.parse import quote

from heat.config.durations import DAY
from heat.diagnostics import Diagnostic
from heat.errors import CommandError
from heat.store import sql
from heat.store.outages import HOUR, Account, Failed, Life, Outage, Pause, Recovery, Span, account
from heat.text import escaped

DEFAULT = 7 * DAY
"""Seconds that a history goes back unless somebody says otherwise."""
_PATIENCE = 5.0
"""Seconds to wait for HEAT, which locks the file for a moment when it writes."""


class NotOnRecordError(CommandError):
    """The file knows no monitor of this name."""


def read(
    path: str, now: float, name: str | None = None, *, back: float = DEFAULT, runs: bool = True
) -> list[Account]:
    """Return the accounts of all monitors, or of one, the worst first. Raises CommandError.

    They go ``back`` seconds from ``now``; ``runs`` if HEAT runs, and its last session goes on.
    """
    span = Span(now - back, now)
    with History(path) as history:
        lives = history.lives(span, name)
        if name is not None and not lives:
            raise _not_on_record(name, history.names(), path)
        sessions = history.sessions(now if runs else None)
    accounts = [account(life, sessions, span) for life in lives]
    return sorted(accounts, key=lambda each: (not each.goes_on, -each.down, each.name))


def _not_on_record(name: str, names: Sequence[str], path: str) -> NotOnRecordError:
    import difflib

    near = difflib.get_close_matches(name, names, 1, 0.5)
    hint = f"did you mean {escaped(near[0])}?" if near else "'heatctl history' lists those that are"
    line = f"Error: no monitor named {escaped(name)} is on record in {escaped(path)}"
    return NotOnRecordError(Diagnostic(line, hint))


class History:
    """A state file, open to read. Raises CommandError."""

    def __init__(self, path: str) -> None:
        self._shown = escaped(path)
        self._path = path
        with self._explained():
            self._db = self._open()
            version = self._rows("PRAGMA user_version")[0][0]
        if not version:
            hint = "'heatctl status' tells if HEAT cannot write it; name another with --state FILE"
            line = f"Failed: {self._shown} holds nothing of HEAT's"
            raise CommandError(Diagnostic(line, hint))
        if version != sql.VERSION:
            line = f"Failed: {self._shown} has version {version}, and heatctl reads {sql.VERSION}"
            hint = "use the heatctl that came with the HEAT that wrote it"
            raise CommandError(Diagnostic(line, hint))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def sessions(self, now: float | None) -> list[Span]:
        """Return when HEAT ran; ``now`` if it still runs."""
        with self._explained():
            rows = self._rows(sql.SESSIONS)
        spans = [Span(began, last if ended is None else ended) for began, last, ended in rows]
        if rows and now is not None and rows[-1][2] is None:
            spans[-1] = Span(spans[-1].began, now)
        return spans

    def names(self) -> list[str]:
        """Return the names of all monitors on record."""
        with self._explained():
            return [name for (name,) in self._rows(sql.NAMES)]

    def lives(self, span: Span, name: str | None = None) -> list[Life]:
        """Return all monitors, or the one of this name, and what happened to them in the span."""
        with self._explained():
            return self._lives({"since": span.began, "hour": span.ended - HOUR, "name": name})

    def _lives(self, keys: dict[str, Any]) -> list[Life]:
        outages = self._outages(keys, self._recoveries(keys))
        pauses: dict[str, list[Pause]] = defaultdict(list)
        for monitor, *pause in self._rows(sql.PAUSES, keys):
            pauses[monitor].append(Pause(*pause))
        leaves: dict[str, list[float]] = defaultdict(list)
        for monitor, at in self._rows(sql.LEAVES, keys):
            leaves[monitor].append(at)
        return [
            Life(name, began, removed, outages[name], pauses[name], leaves[name])
            for name, began, removed in self._rows(sql.MONITORS, keys)
        ]

    def _recoveries(self, keys: dict[str, Any]) -> dict[int, list[Recovery]]:
        recoveries: dict[int, list[Recovery]] = defaultdict(list)
        query = sql.without_later_columns(self._db, "recoveries", sql.RECOVERIES)
        for outage, helped, *values in self._rows(query, keys):
            recoveries[outage].append(Recovery(None if helped is None else bool(helped), *values))
        return recoveries

    def _outages(
        self, keys: dict[str, Any], recoveries: dict[int, list[Recovery]]
    ) -> dict[str, list[Outage]]:
        outages: dict[str, list[Outage]] = defaultdict(list)
        query = sql.without_later_columns(self._db, "outages", sql.OUTAGES)
        for key, monitor, *values in self._rows(query, keys):
            began, ended, failures, attempts, ending, *reasons = values
            first, last = Failed(*reasons[:2]), Failed(*reasons[2:])
            outage = Outage(began, ended, failures, attempts, ending, recoveries[key], first, last)
            outages[monitor].append(outage)
        return outages

    def _open(self) -> sqlite3.Connection:
        with open(self._path, "rb"):
            pass  # SQLite does not say why a file that is missing or out of reach cannot be opened.
        uri = f"file:{quote(os.path.abspath(self._path))}?mode=ro"
        if not os.path.exists(f"{self._path}-wal"):
            # No HEAT has it open; and in a folder that is not writable, SQLite could not make the
            # files that it needs to read along with a writer.
            uri += "&immutable=1"
        return sqlite3.connect(uri, uri=True, timeout=_PATIENCE)

    def _rows(self, query: str, keys: dict[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        return self._db.execute(query, keys or {}).fetchall()

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        """Raise errors of the file as CommandError."""
        line = f"Failed: the state file {self._shown} cannot be read"
        try:
            yield
        except OSError as error:
            hint = "name the file with --state FILE; 'heatctl status --json' needs none"
            if isinstance(error, PermissionError):
                hint = "read it as the user that HEAT runs as, or as root"
            reason = str(error.strerror).lower()
            raise CommandError(Diagnostic(f"{line}: {reason}", hint)) from None
        except sqlite3.Error as error:
            hint = (
                "it may be damaged: HEAT sets such a file aside when it starts, and makes another"
            )
            if "not a database" in str(error):
                hint = "name HEAT's state file, such as heat.state, with --state FILE"
            raise CommandError(Diagnostic(f"{line}: {escaped(str(error))}", hint)) from None
