"""The machine of a monitor as the state file has it: a text that is written and read back."""

import json
from operator import attrgetter
from typing import Any

from heat.records import Changed
from heat.text import escaped
from states.engine.named_tuple import NamedTuple
from states.monitor.model import FailRun, Failure, State
from states.monitor.snapshot import Snapshot, of_now, sound

_END_OF_TIME = 1e11
"""Seconds; later than any clock can show."""
_encode = json.JSONEncoder(separators=(",", ":"), default=attrgetter("value")).encode


class SavedMachine(NamedTuple):
    """A machine, and what HEAT knows about its past."""

    snapshot: Snapshot
    changed: Changed | None
    outage_began: float | None
    backoff_until: float | None = None
    """The unix second until which no further recovery begins."""


def encode(machine: SavedMachine) -> str:
    """Return the text of a machine."""
    return _encode(machine)


def decode(text: str) -> SavedMachine:
    """Read what `encode` wrote, now or in an earlier version. Raises ValueError or TypeError."""
    plain, changed, began, *until = json.loads(text)
    stage, count, attempts, first, last, run, queued, due, passed, backoff = of_now(plain)
    snapshot = Snapshot(
        stage,
        _count(count),
        _count(attempts),
        _failure(first),
        _failure(last),
        _fail_run(run),
        _fail_run(queued),
        None if due is None else str(due),
        bool(passed),
        None if backoff is None else _time(backoff),
    )
    if not sound(snapshot):
        raise ValueError("no machine is ever like that")
    times = (None if each is None else _time(each) for each in (began, *until))
    return SavedMachine(snapshot, None if changed is None else _changed(*changed), *times)


def _changed(before: str, after: str, at: object, failures: object, reason: object) -> Changed:
    return Changed(State(before), State(after), _time(at), _count(failures), str(reason))


def _count(plain: object) -> int:
    if not isinstance(plain, int) or plain < 0:
        raise TypeError("not a count")
    return plain


def _time(plain: object) -> float:
    if not isinstance(plain, int | float) or not 0 <= plain < _END_OF_TIME:
        raise TypeError("not a time")
    return plain


def _failure(plain: list[object] | None) -> Failure | None:
    if plain is None:
        return None
    code, pid, time, *text = plain  # Without a text in files of earlier versions.
    return Failure(_count(code), None if pid is None else _count(pid), _count(time), _text(*text))


def _text(plain: object = "") -> str:
    if not isinstance(plain, str):
        raise TypeError("not a text")
    return escaped(plain)


def _fail_run(plain: list[Any] | None) -> FailRun | None:
    if plain is None:
        return None
    failure, failures, state = plain
    of = _failure(failure)
    if of is None:
        raise TypeError("not a failure")
    return FailRun(of, _count(failures), State(state))
