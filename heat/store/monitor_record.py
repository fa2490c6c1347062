"""The ledger of one monitor in the state file: its machine, its history, what it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from heat.process.identity import Held
from heat.records import RESET, Changed, Pause
from heat.store import sql
from heat.store.sql import Statement
from heat.store.state_file import Saved, StateFile
from heat.text import escaped
from states.engine.named_tuple import NamedTuple
from states.monitor.model import FailRun, Failure, Monitor, State
from states.monitor.snapshot import Snapshot, of_now, save, sound, unchanged

if TYPE_CHECKING:
    from heat.report.monitor_report import Ran

FAIL, RECOVERY, FROZEN = "fail", "recovery", "frozen"
"""Things that are held: the process of a script, or a target that was stopped."""


class Remembered(NamedTuple):
    """The file's knowledge of a monitor's machine, taken apart."""

    memory: Snapshot
    changed: Changed | None
    outage_began: float | None
    backoff_until: float | None = None
    """The unix second until which no further recovery begins."""


def encoded(remembered: Remembered) -> str:
    """As it stands in the file."""
    return _plain(remembered)


def decoded(text: str) -> Remembered:
    """Read the text of `encoded`. Raises ValueError or TypeError for anything else."""
    plain, changed, began, *until = json.loads(text)
    stage, count, attempts, first, last, run, queued, due, passed, backoff = of_now(plain)
    memory = Snapshot(
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
    if not sound(memory):
        raise ValueError("no machine is ever like that")
    if changed is not None:
        before, after, at, failures, reason = changed
        changed = Changed(State(before), State(after), _time(at), _count(failures), str(reason))
    times = (None if each is None else _time(each) for each in (began, *until))
    return Remembered(memory, changed, *times)


def _count(plain: object) -> int:
    if not isinstance(plain, int) or plain < 0:
        raise TypeError("no count")
    return plain


def _time(plain: object) -> float:
    if not isinstance(plain, int | float) or not 0 <= plain < _END_OF_TIME:
        raise TypeError("no time")
    return plain


def _failure(plain: list[object] | None) -> Failure | None:
    if plain is None:
        return None
    code, pid, time, *text = plain  # Without a text in files of earlier versions.
    return Failure(_count(code), None if pid is None else _count(pid), _count(time), _text(*text))


def _text(plain: object = "") -> str:
    if not isinstance(plain, str):
        raise TypeError("no text")
    return escaped(plain)


def _fail_run(plain: list[Any] | None) -> FailRun | None:
    if plain is None:
        return None
    failure, failures, state = plain
    of = _failure(failure)
    if of is None:
        raise TypeError("no failure")
    return FailRun(of, _count(failures), State(state))


class MonitorRecord:
    """Writes down one monitor's life, each thing before it is done."""

    __slots__ = (
        "_memory",
        "_name",
        "_store",
        "backoff_until",
        "began",
        "changed",
        "held",
        "pause",
        "unreadable",
    )

    def __init__(self, store: StateFile, name: str) -> None:
        self._store = store
        self._name = name
        self._memory = _NEW
        self.unreadable = False
        """There was something to take up that nobody can read."""
        self.began: float | None = None
        """The unix second in which the present outage began."""
        self.backoff_until: float | None = None
        self.changed: Changed | None = None
        self.held: Mapping[str, Held] = _NOTHING
        self.pause: Pause | None = None

    def take_up(self, saved: Saved | None) -> Remembered | None:
        """The machine as it was; None if it is as new. A text nobody can read is as new.

        ``saved`` is what an earlier HEAT has left.
        """
        if saved is None:
            return None
        self.held, self.pause = saved.held, saved.pause
        if saved.memory is None:
            return None
        try:
            found = decoded(saved.memory)
        except (ValueError, TypeError, RecursionError):
            self.unreadable = True
            return None
        self._memory, self.changed, self.began, self.backoff_until = found
        return found

    # Steps

    def stepped(self, monitor: Monitor, changed: Changed | None, unix: Callable[[], float]) -> None:
        """The machine has taken a step; ``changed`` if it came to another state by it."""
        before = self._memory
        if unchanged(monitor, before):
            return
        memory = save(monitor)
        if memory == before:
            return
        self._memory = memory
        now = unix()
        if memory.backoff != before.backoff:
            self.backoff_until = None if memory.backoff is None else now + memory.backoff
        rows = list(self._told(before, memory, changed, now))
        if changed is not None:
            self.changed = changed
        self._store.write([self._row(), *rows])

    def printed(self, text: str) -> None:
        """The last line of the latest failed check came after its verdict."""
        self._store.write([(sql.LAST_MESSAGE, (text, text, self._name))])

    def _row(self) -> Statement:
        text = encoded(Remembered(self._memory, self.changed, self.began, self.backoff_until))
        return sql.MACHINE, (text, self._name)

    def _told(
        self, before: Snapshot, after: Snapshot, changed: Changed | None, now: float
    ) -> Iterator[Statement]:
        name = self._name
        if changed is not None:
            self.changed = changed
            yield (
                sql.TRANSITION,
                (name, changed.at, *changed[:2], *changed[3:]),
            )
        if self.began is None and not after.well:
            self.began = now
            yield (
                sql.OUTAGE_BEGAN,
                (name, now, after.failures, after.attempts, *_reasons(after)),
            )
        elif self.began is not None and after.failures:
            yield (
                sql.OUTAGE_COUNTS,
                (after.failures, after.attempts, name),
            )
            if after.last_failure != before.last_failure:
                yield sql.LAST_FAILURE, (*_reasons(after)[2:], name)
        if after.attempts > before.attempts:
            yield self._useless()
            yield (
                sql.RECOVERY_BEGAN,
                (name, name, after.attempts, now),
            )
        if after.repairing and not before.repairing:
            yield self._released(RECOVERY)
        if after.fail_run is not None and after.fail_run != before.fail_run:
            yield self._released(FAIL)
        if after.given_up or after.spent:
            yield self._useless()
        if after.well and self.began is not None:
            self.began = None
            yield from self._over(changed, now)

    def _useless(self) -> Statement:
        return (
            sql.RECOVERY_DID_NOT_HELP,
            (self._name,),
        )

    def _over(self, changed: Changed | None, now: float) -> Iterator[Statement]:
        """The outage has ended: by a pass, or because somebody has reset it."""
        reset = changed is None or changed.reason == RESET
        if reset:
            yield self._useless()
        else:
            yield (
                sql.RECOVERY_HELPED,
                (now, now, now, self._name),
            )
        yield (
            sql.OUTAGE_ENDED,
            (now, "reset" if reset else "passed", self._name),
        )

    def forget(self, changed: Changed, now: float, *, fail_runs: bool) -> Remembered | None:
        """The monitor begins anew, as somebody wants it; what is left of it, if it is not new.

        ``fail_runs`` if a fail script of an earlier HEAT still runs: it is waited for.
        """
        memory = _NEW._replace(fail_run=self._memory.fail_run) if fail_runs else _NEW
        self._memory, self.changed = memory, changed
        self.began = self.backoff_until = None
        transition = sql.TRANSITION, (self._name, changed.at, *changed[:2], *changed[3:])
        self._store.write([transition, self._row(), *self._over(changed, now)])
        return Remembered(memory, changed, None) if fail_runs else None

    # Scripts and the stopped target

    def hold(self, role: str, pid: int, identity: str) -> None:
        """This process must be known after a restart."""
        self.held = {**self.held, role: Held(pid, identity)}
        self._store.write([(sql.HELD, (self._name, role, pid, identity))])

    def _released(self, role: str) -> Statement:
        if role in self.held:
            self.held = {each: held for each, held in self.held.items() if each != role}
        return sql.RELEASED, (self._name, role)

    def release(self, role: str) -> None:
        """It need not be known any more."""
        if role in self.held:
            self._store.write([self._released(role)])

    def recovery_ended(self, ran: Ran, now: float) -> None:
        """The recovery script has ended."""
        values = now, ran.code, ran.how, ran.text or None, self._name
        self._store.write([(sql.RECOVERY_ENDED, values)])

    def recovery_over(self, now: float) -> None:
        """The recovery script has ended while no HEAT watched."""
        self._store.write(
            [
                (
                    sql.RECOVERY_ENDED_UNSEEN,
                    (now, self._name),
                )
            ]
        )

    # Pauses

    def paused(self, pause: Pause) -> None:
        """No checks and no effects from here on."""
        self.pause = pause
        self._store.write(
            [
                self._unpaused(pause.since),
                (
                    sql.PAUSE_BEGAN,
                    (self._name, *pause),
                ),
            ]
        )

    def resumed(self, now: float) -> None:
        """The pause is over."""
        self.pause = None
        self._store.write([self._unpaused(now)])

    def _unpaused(self, now: float) -> Statement:
        return (
            sql.PAUSE_ENDED,
            (now, self._name),
        )

    # The whole

    def added(self, now: float) -> Statement:
        """It is watched from here on."""
        return (
            sql.MONITOR_ADDED,
            (self._name, now),
        )

    def snapshot(self, now: float) -> Iterator[Statement]:
        """All that a file must know of it, whatever it has known before."""
        name, memory, pause = self._name, self._memory, self.pause
        yield self.added(now)
        yield self._row()
        if self.began is None:
            yield sql.OUTAGE_ENDED, (now, "reset", name)
            yield self._useless()
        else:
            counts, reasons = (memory.failures, memory.attempts), _reasons(memory)
            yield sql.OUTAGE_BEGAN_UNLESS_OPEN, (name, self.began, *counts, *reasons, name)
            yield sql.OUTAGE_COUNTS, (*counts, name)
        yield self._unpaused(now if pause is None else pause.since)
        if pause is not None:
            yield sql.PAUSE_BEGAN, (name, *pause)
        # What an earlier HEAT has stopped is still to be continued.
        yield sql.RELEASED_OTHERS, (name, FROZEN)
        for role, (pid, identity) in self.held.items():
            yield sql.HELD, (name, role, pid, identity)


def _reasons(memory: Snapshot) -> tuple[int | str | None, ...]:
    """Exit code and last line of the first failed check of the outage, and of the latest."""
    first, last = memory.first_failure, memory.last_failure
    if first is None or last is None:
        return None, None, None, None
    return first.code, first.text or None, last.code, last.text or None


def removed(name: str, now: float) -> Iterator[Statement]:
    """A monitor is no longer watched."""
    yield sql.MONITOR_REMOVED, (now, name)
    yield sql.RELEASED_OTHERS, (name, FROZEN)
    yield sql.PAUSE_ENDED, (now, name)
    yield (sql.RECOVERY_DID_NOT_HELP, (name,))
    yield (
        sql.OUTAGE_ENDED,
        (now, "removed", name),
    )


_plain = json.JSONEncoder(separators=(",", ":"), default=attrgetter("value")).encode
_END_OF_TIME = 1e11
"""Seconds; later than any clock can show."""
_NEW = Snapshot()
_NOTHING: Mapping[str, Held] = MappingProxyType({})
