"""The state file, read and never written; its tables are in docs/protocol.md."""

import contextlib
import os
import sqlite3
from collections import defaultdict
from collections.abc import Generator, Sequence
from typing import Any
from urllib.parse import quote

from heat.ctl.errors import CtlError
from heat.diagnostics import Diagnostic
from heat.store.outages import HOUR, Failed, Life, Outage, Pause, Recovery, Span
from heat.store.state_file import LATER
from heat.text import escaped

VERSION = 1
_WAIT = 5.0
"""Seconds that a lock of HEAT's, which holds it for a moment, is waited for."""

_MONITORS = """
    SELECT name, since, removed FROM monitors
    WHERE (removed IS NULL OR removed >= :since) AND (:name IS NULL OR name = :name)
    ORDER BY name"""
_OUTAGES = """
    SELECT id, monitor, began, ended, failures, recoveries, ending,
        {first_code}, {first_message}, {last_code}, {last_message} FROM outages
    WHERE (ended IS NULL OR ended >= :since) AND (:name IS NULL OR monitor = :name)
    ORDER BY began, id"""
_RECOVERIES = """
    SELECT outage, helped, attempt, began, ended, code, how, well_after, {message} FROM recoveries
    WHERE outage IN (SELECT id FROM outages WHERE ended IS NULL OR ended >= :since)
    AND (:name IS NULL OR monitor = :name)
    ORDER BY id"""
_PAUSES = """
    SELECT monitor, began, ended, until, reason FROM pauses
    WHERE (ended IS NULL OR ended >= :since) AND (:name IS NULL OR monitor = :name)
    ORDER BY began, id"""
_LEAVES = """
    SELECT monitor, at FROM transitions
    WHERE at > :hour AND before = 'NORMAL' AND after <> 'NORMAL'
    AND (:name IS NULL OR monitor = :name)"""


class History:
    """All that is on record in a state file. Raises CtlError."""

    def __init__(self, path: str) -> None:
        self._shown = escaped(path)
        self._path = path
        with self._explained():
            self._file = self._open()
            version = self._rows("PRAGMA user_version")[0][0]
        if not version:
            hint = "'heatctl status' tells if HEAT cannot write it; name another with --state FILE"
            raise CtlError(Diagnostic(f"Failed: nothing of HEAT's is in {self._shown}", hint))
        if version != VERSION:
            told = f"Failed: {self._shown} is of version {version}, and heatctl reads {VERSION}"
            raise CtlError(
                Diagnostic(told, "use the heatctl that came with the HEAT that wrote it")
            )

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def sessions(self, now: float | None) -> list[Span]:
        """When HEAT ran; ``now`` if it runs still."""
        with self._explained():
            rows = self._rows("SELECT began, seen, ended FROM sessions ORDER BY id")
        spans = [Span(began, seen if ended is None else ended) for began, seen, ended in rows]
        if rows and now is not None and rows[-1][2] is None:
            spans[-1] = Span(spans[-1].began, now)
        return spans

    def lives(self, since: float, now: float, name: str | None = None) -> list[Life]:
        """All monitors, or the one of this name, with what happened to them since then."""
        with self._explained():
            return self._lives(since, now, name)

    def _lives(self, since: float, now: float, name: str | None) -> list[Life]:
        keys = {"since": since, "hour": now - HOUR, "name": name}
        recoveries: dict[int, list[Recovery]] = defaultdict(list)
        for outage, helped, *rest in self._rows(self._known("recoveries", _RECOVERIES), keys):
            known = None if helped is None else bool(helped)
            recoveries[outage].append(Recovery(known, *rest))
        outages: dict[str, list[Outage]] = defaultdict(list)
        for key, monitor, *about in self._rows(self._known("outages", _OUTAGES), keys):
            began, ended, failures, attempts, ending, *of = about
            found = Outage(began, ended, failures, attempts, ending, recoveries[key])
            outages[monitor].append(found._replace(first=Failed(*of[:2]), last=Failed(*of[2:])))
        pauses: dict[str, list[Pause]] = defaultdict(list)
        for monitor, *pause in self._rows(_PAUSES, keys):
            pauses[monitor].append(Pause(*pause))
        leaves: dict[str, list[float]] = defaultdict(list)
        for monitor, at in self._rows(_LEAVES, keys):
            leaves[monitor].append(at)
        return [
            Life(each, began, removed, outages[each], pauses[each], leaves[each])
            for each, began, removed in self._rows(_MONITORS, keys)
        ]

    def _known(self, table: str, query: str) -> str:
        """The query without those columns that an earlier HEAT's file does not have yet."""
        found = {name for _, name, *_ in self._rows(f"PRAGMA table_info({table})")}
        later = LATER[table]
        return query.format_map({name: name if name in found else "NULL" for name in later})

    def names(self) -> list[str]:
        """The names of all monitors that are on record."""
        with self._explained():
            return [name for (name,) in self._rows("SELECT name FROM monitors")]

    def _open(self) -> sqlite3.Connection:
        with open(self._path, "rb"):
            pass  # SQLite's own words for a file that is missing or out of reach help nobody.
        place = f"file:{quote(os.path.abspath(self._path))}?mode=ro"
        if not os.path.exists(f"{self._path}-wal"):
            # No HEAT has it open; and where the folder may not be written to, SQLite could not
            # make what it needs to read with others.
            place += "&immutable=1"
        return sqlite3.connect(place, uri=True, timeout=_WAIT)

    def _rows(self, query: str, keys: dict[str, Any] | None = None) -> Sequence[tuple[Any, ...]]:
        return self._file.execute(query, keys or {}).fetchall()

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        """Turn what goes wrong with the file into words."""
        told = f"Failed: the state file {self._shown} cannot be read"
        try:
            yield
        except OSError as error:
            hint = "name the file with --state FILE; 'heatctl status --json' needs none"
            if isinstance(error, PermissionError):
                hint = "read it as the user that HEAT runs as, or as root"
            raise CtlError(Diagnostic(f"{told}: {str(error.strerror).lower()}", hint)) from None
        except sqlite3.Error as error:
            hint = "it may be damaged: HEAT sets such a file aside when it starts, and begins anew"
            if "not a database" in str(error):
                hint = "name HEAT's state file, such as heat.state, with --state FILE"
            raise CtlError(Diagnostic(f"{told}: {escaped(str(error))}", hint)) from None
