"""Monitors with every option, as HEAT describes them in answers."""

from typing import Any

from talker import NOW, Facts, facts, last

FAILED = last("failed", code=7)
TARGET = {"pid": 4711, "pid_file": None}
OPTIONS: Facts = {
    "interval": 30,
    "timeout": 10,
    "signal": "HUP",
    "fail": "./fail",
    "threshold": 3,
    "recovery": "./restart",
    "recovery-timeout": 60,
    "max-recoveries": 5,
    "fault-signal": "STOP",
    "success-signal": "CONT",
    "script-timeout": None,
}
OUTAGE = {
    "began": NOW - 75,
    "failures": 4,
    "first_code": 7,
    "last_code": 124,
    "last_time": NOW - 2,
}


def full(options: Facts | None = None, **other: Any) -> Facts:
    """Return a monitor with every option."""
    known: Facts = {"threshold": 3, "max_recoveries": 5, "target": TARGET}
    return facts("web", OPTIONS | (options or {}), **(known | other))


def failing(**other: Any) -> Facts:
    known: Facts = {"state": "FAILING", "count": 2, "last": FAILED, "outage": OUTAGE}
    return full(**(known | other))


def recovering(remedy_text: str, options: Facts | None = None, **other: Any) -> Facts:
    known: Facts = {
        "state": "RECOVERING",
        "count": 4,
        "attempts": 1,
        "remedy_text": remedy_text,
        "last": FAILED,
        "outage": OUTAGE,
    }
    return full(options, **(known | other))
