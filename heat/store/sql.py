"""All SQL of HEAT: the tables of the state file, and the statements that write and read them.

docs/protocol.md describes the tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

Statement = tuple[str, tuple[object, ...]]
"""A statement, and the values of its question marks."""

# The tables

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
    failures INTEGER NOT NULL, recoveries INTEGER NOT NULL, ending TEXT,
    first_code INTEGER, first_message TEXT, last_code INTEGER, last_message TEXT);
CREATE TABLE recoveries (
    id INTEGER PRIMARY KEY, outage INTEGER NOT NULL, monitor TEXT NOT NULL,
    attempt INTEGER NOT NULL, began REAL NOT NULL, ended REAL, code INTEGER, how TEXT,
    helped INTEGER, well_after REAL, message TEXT);
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
TABLES = frozenset(line.split()[2] for line in SCHEMA.splitlines() if "TABLE" in line)
LATER = {
    "outages": {
        "first_code": "INTEGER",
        "first_message": "TEXT",
        "last_code": "INTEGER",
        "last_message": "TEXT",
    },
    "recoveries": {"message": "TEXT"},
}
"""Columns that the file of an earlier HEAT lacks; all of them may be NULL."""

ALL_TABLES = "SELECT name FROM sqlite_master"

# Sessions of HEAT

SESSION_BEGAN = "INSERT INTO sessions (began, seen, pid, boot, config) VALUES (?, ?, ?, ?, ?)"
SESSION_SEEN = "UPDATE sessions SET seen = ? WHERE id = (SELECT max(id) FROM sessions)"
SESSION_ENDED = "UPDATE sessions SET ended = ? WHERE id = (SELECT max(id) FROM sessions)"
LAST_SEEN = "SELECT max(seen) FROM sessions"

# A monitor, and its machine

MONITOR_ADDED = (
    "INSERT INTO monitors (name, since) VALUES (?, ?) ON CONFLICT (name) DO "
    "UPDATE SET removed = NULL, since = excluded.since, memory = NULL "
    "WHERE removed IS NOT NULL"
)
MONITOR_REMOVED = "UPDATE monitors SET removed = ?, memory = NULL WHERE name = ?"
MACHINE = "UPDATE monitors SET memory = ? WHERE name = ?"
TRANSITION = (
    "INSERT INTO transitions (monitor, at, before, after, count, reason) VALUES (?, ?, ?, ?, ?, ?)"
)

# Outages

OUTAGE_BEGAN = (
    "INSERT INTO outages (monitor, began, failures, recoveries, "
    "first_code, first_message, last_code, last_message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
OUTAGE_BEGAN_UNLESS_OPEN = (
    "INSERT INTO outages (monitor, began, failures, recoveries, "
    "first_code, first_message, last_code, last_message) SELECT ?, ?, ?, ?, ?, ?, ?, ? "
    "WHERE NOT EXISTS (SELECT 1 FROM outages WHERE monitor = ? AND ended IS NULL)"
)
OUTAGE_COUNTS = (
    "UPDATE outages SET failures = ?, recoveries = ? WHERE monitor = ? AND ended IS NULL"
)
LAST_FAILURE = (
    "UPDATE outages SET last_code = ?, last_message = ? WHERE monitor = ? AND ended IS NULL"
)
LAST_MESSAGE = (
    "UPDATE outages SET last_message = ?, "
    "first_message = CASE WHEN failures = 1 THEN ? ELSE first_message END "
    "WHERE monitor = ? AND ended IS NULL"
)
OUTAGE_ENDED = "UPDATE outages SET ended = ?, ending = ? WHERE monitor = ? AND ended IS NULL"

# Recoveries

RECOVERY_BEGAN = (
    "INSERT INTO recoveries (outage, monitor, attempt, began) VALUES "
    "((SELECT coalesce(max(id), 0) FROM outages WHERE monitor = ?), ?, ?, ?)"
)
RECOVERY_ENDED = (
    "UPDATE recoveries SET ended = ?, code = ?, how = ?, message = ? "
    "WHERE monitor = ? AND ended IS NULL"
)
RECOVERY_ENDED_UNSEEN = (
    "UPDATE recoveries SET ended = ?, how = 'ended while HEAT was away' "
    "WHERE monitor = ? AND ended IS NULL"
)
RECOVERY_HELPED = (
    "UPDATE recoveries SET helped = 1, ended = coalesce(ended, ?), "
    "well_after = ? - coalesce(ended, ?) WHERE monitor = ? AND helped IS NULL"
)
RECOVERY_DID_NOT_HELP = "UPDATE recoveries SET helped = 0 WHERE monitor = ? AND helped IS NULL"

# Pauses

PAUSE_BEGAN = "INSERT INTO pauses (monitor, began, until, reason) VALUES (?, ?, ?, ?)"
PAUSE_ENDED = "UPDATE pauses SET ended = ? WHERE monitor = ? AND ended IS NULL"

# Processes that HEAT must know after a kill

HELD = "INSERT OR REPLACE INTO held (monitor, role, pid, identity) VALUES (?, ?, ?, ?)"
RELEASED = "DELETE FROM held WHERE monitor = ? AND role = ?"
RELEASED_OTHERS = "DELETE FROM held WHERE monitor = ? AND role != ?"
RELEASED_ALL = "DELETE FROM held WHERE monitor = ?"

# What an earlier HEAT has left

MONITORS_LEFT = "SELECT name, since, memory FROM monitors WHERE removed IS NULL"
PAUSES_LEFT = "SELECT monitor, began, until, reason FROM pauses WHERE ended IS NULL"
HELD_LEFT = "SELECT monitor, role, pid, identity FROM held"
FROZEN_LEFT = "SELECT monitor, pid, identity FROM held WHERE role = 'frozen'"

# The history

SESSIONS = "SELECT began, seen, ended FROM sessions ORDER BY id"
NAMES = "SELECT name FROM monitors"
MONITORS = """
    SELECT name, since, removed FROM monitors
    WHERE (removed IS NULL OR removed >= :since) AND (:name IS NULL OR name = :name)
    ORDER BY name"""
OUTAGES = """
    SELECT id, monitor, began, ended, failures, recoveries, ending,
        {first_code}, {first_message}, {last_code}, {last_message} FROM outages
    WHERE (ended IS NULL OR ended >= :since) AND (:name IS NULL OR monitor = :name)
    ORDER BY began, id"""
RECOVERIES = """
    SELECT outage, helped, attempt, began, ended, code, how, well_after, {message} FROM recoveries
    WHERE outage IN (SELECT id FROM outages WHERE ended IS NULL OR ended >= :since)
    AND (:name IS NULL OR monitor = :name)
    ORDER BY id"""
PAUSES = """
    SELECT monitor, began, ended, until, reason FROM pauses
    WHERE (ended IS NULL OR ended >= :since) AND (:name IS NULL OR monitor = :name)
    ORDER BY began, id"""
LEAVES = """
    SELECT monitor, at FROM transitions
    WHERE at > :hour AND before = 'NORMAL' AND after <> 'NORMAL'
    AND (:name IS NULL OR monitor = :name)"""

# Old history

CHUNK = 500
"""Rows that a statement of `prune` removes at most: HEAT writes between two of them."""
_OPEN = "SELECT id FROM outages WHERE ended IS NULL"


def prune(before: float) -> Iterator[Statement]:
    """Yield statements that remove history from before a unix second, and nothing still open."""
    for table, key, condition in (
        ("transitions", "id", "at < ?"),
        ("recoveries", "id", f"coalesce(ended, began) < ? AND outage NOT IN ({_OPEN})"),
        ("outages", "id", "ended < ?"),
        ("pauses", "id", "ended < ?"),
        ("sessions", "id", "coalesce(ended, seen) < ?"),
        ("monitors", "name", "removed < ?"),
    ):
        chunk = f"SELECT {key} FROM {table} WHERE {condition} LIMIT {CHUNK}"  # noqa: S608 - ours
        yield f"DELETE FROM {table} WHERE {key} IN ({chunk})", (before,)  # noqa: S608


# Files of earlier versions


def columns(db: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of the columns that a table of this file has."""
    return {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}


def add_later_columns(db: sqlite3.Connection) -> None:
    """Add the columns that the file of an earlier HEAT lacks; that HEAT can still use it."""
    for table, later in LATER.items():
        there = columns(db, table)
        for name, kind in later.items():
            if name not in there:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def without_later_columns(db: sqlite3.Connection, table: str, query: str) -> str:
    """Return the query with NULL for each column that the file of an earlier HEAT lacks."""
    there = columns(db, table)
    return query.format_map({name: name if name in there else "NULL" for name in LATER[table]})


def storable(value: object) -> object:
    """Return a value that SQLite takes: bytes of a text that are not UTF-8 become hex."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode()
    return value
