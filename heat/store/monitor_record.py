"""The record of one monitor in the state file: its machine, its history, the processes it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from heat.process.identity import Held
from heat.records import RESET, Changed, Pause
from heat.store import sql
from heat.store.snapshot import SavedMachine, decode, encode
from states.monitor.snapshot import Snapshot, save, unchanged

if TYPE_CHECKING:
    from heat.records import ScriptResult
    from heat.store.database import SavedMonitor
    from heat.store.sql import Statement
    from heat.store.state_file import StateFile
    from states.monitor.model import Monitor

FAIL, RECOVERY, FROZEN = "fail", "recovery", "frozen"
"""The roles of processes that are held: a script that runs, or a target that HEAT stopped."""
_NEW = Snapshot()
_NOTHING: Mapping[str, Held] = MappingProxyType({})


class MonitorRecord:
    """Writes each event of a monitor down before HEAT acts on it."""

    __slots__ = (
        "_name",
        "_snapshot",
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
        self._snapshot = _NEW
        self.unreadable = False
        """The file has a machine that nobody can read."""
        self.began: float | None = None
        """The unix second in which the present outage began."""
        self.backoff_until: float | None = None
        self.changed: Changed | None = None
        self.held: Mapping[str, Held] = _NOTHING
        self.pause: Pause | None = None

    def restore(self, saved: SavedMonitor | None) -> SavedMachine | None:
        """Return the machine that an earlier HEAT has left; None if it is new, or unreadable."""
        if saved is None:
            return None
        self.held, self.pause = saved.held, saved.pause
        if saved.machine is None:
            return None
        try:
            machine = decode(saved.machine)
        except (ValueError, TypeError, RecursionError):
            self.unreadable = True
            return None
        self._snapshot, self.changed, self.began, self.backoff_until = machine
        return machine

    # Steps of the machine

    def stepped(self, monitor: Monitor, changed: Changed | None, unix: Callable[[], float]) -> None:
        """Write down a step of the machine; ``changed`` if it led to another state."""
        before = self._snapshot
        if unchanged(monitor, before):
            return
        after = save(monitor)
        if after == before:
            return
        self._snapshot = after
        now = unix()
        if after.backoff != before.backoff:
            self.backoff_until = None if after.backoff is None else now + after.backoff
        history = list(self._history(before, after, changed, now))
        self._store.write([self._machine(), *history])

    def printed(self, text: str) -> None:
        """Write down the last line of the latest failed check, which came after its verdict."""
        self._store.write([(sql.LAST_MESSAGE, (text, text, self._name))])

    def _machine(self) -> Statement:
        machine = SavedMachine(self._snapshot, self.changed, self.began, self.backoff_until)
        return sql.MACHINE, (encode(machine), self._name)

    def _history(
        self, before: Snapshot, after: Snapshot, changed: Changed | None, now: float
    ) -> Iterator[Statement]:
        if changed is not None:
            self.changed = changed
            yield self._transition(changed)
        yield from self._outage(before, after, now)
        if after.attempts > before.attempts:
            yield self._did_not_help()
            yield sql.RECOVERY_BEGAN, (self._name, self._name, after.attempts, now)
        if after.repairing and not before.repairing:
            yield self._released(RECOVERY)
        if after.fail_run is not None and after.fail_run != before.fail_run:
            yield self._released(FAIL)
        if after.given_up or after.spent:
            yield self._did_not_help()
        if after.well and self.began is not None:
            self.began = None
            yield from self._outage_ended(changed, now)

    def _transition(self, changed: Changed) -> Statement:
        before, after, at, failures, reason = changed
        return sql.TRANSITION, (self._name, at, before, after, failures, reason)

    def _outage(self, before: Snapshot, after: Snapshot, now: float) -> Iterator[Statement]:
        """Yield the begin of an outage, or its latest counts and failure."""
        counts = after.failures, after.attempts
        if self.began is None and not after.well:
            self.began = now
            yield sql.OUTAGE_BEGAN, (self._name, now, *counts, *_reasons(after))
        elif self.began is not None and after.failures:
            yield sql.OUTAGE_COUNTS, (*counts, self._name)
            if after.last_failure != before.last_failure:
                yield sql.LAST_FAILURE, (*_reasons(after)[2:], self._name)

    def _outage_ended(self, changed: Changed | None, now: float) -> Iterator[Statement]:
        """Yield the end of an outage: the check passed, or somebody has reset the monitor."""
        if changed is None or changed.reason == RESET:
            yield self._did_not_help()
            yield sql.OUTAGE_ENDED, (now, "reset", self._name)
        else:
            yield sql.RECOVERY_HELPED, (now, now, now, self._name)
            yield sql.OUTAGE_ENDED, (now, "passed", self._name)

    def _did_not_help(self) -> Statement:
        return sql.RECOVERY_DID_NOT_HELP, (self._name,)

    def reset(self, changed: Changed, now: float, *, fail_runs: bool) -> SavedMachine | None:
        """Return to the first state, as somebody wants it; return what is left of the machine.

        ``fail_runs`` if a fail script of an earlier HEAT still runs: the machine waits for it.
        """
        snapshot = _NEW._replace(fail_run=self._snapshot.fail_run) if fail_runs else _NEW
        self._snapshot, self.changed = snapshot, changed
        self.began = self.backoff_until = None
        history = (self._transition(changed), self._machine(), *self._outage_ended(changed, now))
        self._store.write([*history])
        return SavedMachine(snapshot, changed, None) if fail_runs else None

    # Scripts, and the target that HEAT stopped

    def hold(self, role: str, pid: int, identity: str) -> None:
        """Write down a process that HEAT must know after a restart."""
        self.held = {**self.held, role: Held(pid, identity)}
        self._store.write([(sql.HELD, (self._name, role, pid, identity))])

    def release(self, role: str) -> None:
        """Forget the process of this role."""
        if role in self.held:
            self._store.write([self._released(role)])

    def _released(self, role: str) -> Statement:
        if role in self.held:
            self.held = {each: held for each, held in self.held.items() if each != role}
        return sql.RELEASED, (self._name, role)

    def recovery_ended(self, ran: ScriptResult, now: float) -> None:
        """Write down how the recovery script ended."""
        values = now, ran.code, ran.how, ran.text or None, self._name
        self._store.write([(sql.RECOVERY_ENDED, values)])

    def recovery_ended_unseen(self, now: float) -> None:
        """Write down that the recovery script ended while no HEAT ran."""
        self._store.write([(sql.RECOVERY_ENDED_UNSEEN, (now, self._name))])

    # Pauses

    def paused(self, pause: Pause) -> None:
        """Write down a pause, which replaces the present one."""
        self.pause = pause
        self._store.write([self._pause_ended(pause.since), self._pause_began(pause)])

    def resumed(self, now: float) -> None:
        """Write down the end of the pause."""
        self.pause = None
        self._store.write([self._pause_ended(now)])

    def _pause_began(self, pause: Pause) -> Statement:
        return sql.PAUSE_BEGAN, (self._name, *pause)

    def _pause_ended(self, now: float) -> Statement:
        return sql.PAUSE_ENDED, (now, self._name)

    # The whole

    def added(self, now: float) -> Statement:
        """Return the statement that HEAT watches this monitor from now on."""
        return sql.MONITOR_ADDED, (self._name, now)

    def snapshot(self, now: float) -> Iterator[Statement]:
        """Yield all that a file must know of the monitor, whatever it knew before."""
        name, pause = self._name, self.pause
        yield self.added(now)
        yield self._machine()
        yield from self._outage_snapshot(now)
        yield self._pause_ended(now if pause is None else pause.since)
        if pause is not None:
            yield self._pause_began(pause)
        # A target that an earlier HEAT stopped must still be continued.
        yield sql.RELEASED_OTHERS, (name, FROZEN)
        for role, (pid, identity) in self.held.items():
            yield sql.HELD, (name, role, pid, identity)

    def _outage_snapshot(self, now: float) -> Iterator[Statement]:
        name, snapshot = self._name, self._snapshot
        if self.began is None:
            yield sql.OUTAGE_ENDED, (now, "reset", name)
            yield self._did_not_help()
        else:
            counts, reasons = (snapshot.failures, snapshot.attempts), _reasons(snapshot)
            yield sql.OUTAGE_BEGAN_UNLESS_OPEN, (name, self.began, *counts, *reasons, name)
            yield sql.OUTAGE_COUNTS, (*counts, name)


def _reasons(snapshot: Snapshot) -> tuple[int | str | None, ...]:
    """Return exit code and last line of the first failed check of the outage, and of the latest."""
    first, last = snapshot.first_failure, snapshot.last_failure
    if first is None or last is None:
        return None, None, None, None
    return first.code, first.text or None, last.code, last.text or None


def removed(name: str, now: float) -> Iterator[Statement]:
    """Yield the statements that end the record of a monitor that HEAT no longer watches."""
    yield sql.MONITOR_REMOVED, (now, name)
    yield sql.RELEASED_OTHERS, (name, FROZEN)
    yield sql.PAUSE_ENDED, (now, name)
    yield sql.RECOVERY_DID_NOT_HELP, (name,)
    yield sql.OUTAGE_ENDED, (now, "removed", name)
