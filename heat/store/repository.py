"""The repository: what an earlier HEAT has left of each monitor, and what this one records."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from heat.process.frost import Owed
from heat.process.identity import Held, identity, open_same
from heat.process.target import PidFileTarget, PidTarget
from heat.records import reset
from heat.store.monitor_record import FAIL, FROZEN, MonitorRecord, removed
from heat.store.sql import RELEASED_ALL, Statement, storable

if TYPE_CHECKING:
    from heat.process.ports import Target
    from heat.report.reporter import HeatReport
    from heat.store.snapshot import SavedMachine
    from heat.store.state_file import StateFile

Restored = tuple[MonitorRecord, "SavedMachine | None"]
"""The record of a monitor, and its machine as an earlier HEAT left it."""


class Repository:
    """The records of all monitors in one state file."""

    def __init__(self, store: StateFile, unix: Callable[[], float], report: HeatReport) -> None:
        self.store = store
        self._unix = unix
        self._report = report

    def begin(self, names: Sequence[str], config: str | None) -> list[Restored]:
        """Return the records of these monitors, and end those of all others."""
        saved, now = self.store.load(), self._unix()
        stored = [str(storable(name)) for name in names]
        records = [MonitorRecord(self.store, name) for name in stored]
        # What is left in `saved` belongs to monitors that no longer exist.
        restored: list[Restored] = [
            (record, record.restore(saved.pop(name, None)))
            for record, name in zip(records, stored, strict=True)
        ]
        unreadable = [record for record in records if record.unreadable]
        if unreadable:
            self._report.not_readable(self.store.shown, len(unreadable))

        def changes() -> Iterator[Statement]:
            for record in records:
                yield record.added(now)
            for name in saved:
                yield from removed(name, now)
            for record in unreadable:
                yield from record.snapshot(now)
            yield from self._continued(stored)

        self.store.begin(config, changes())
        if restored and all(_given_up(machine) for _, machine in restored):
            # A HEAT with nothing to do is useless: somebody who starts it again means it.
            self._report.all_begin_again()
            return [(record, self.reset(record)) for record in records]
        return restored

    def _continued(self, present: Iterable[str]) -> Iterator[Statement]:
        """Continue the targets that HEAT stopped for monitors that no longer exist."""
        frozen = self.store.frozen()
        for name in frozen.keys() - present:
            held = frozen[name]
            if _continue(held):
                self._report.woke(held.pid)
            yield RELEASED_ALL, (name,)

    def keep(self, records: Callable[[], Iterable[MonitorRecord]]) -> None:
        """Write these records to a file that is new."""

        def snapshot() -> Iterator[Statement]:
            now = self._unix()
            for record in records():
                yield from record.snapshot(now)

        self.store.snapshot = snapshot

    def new(self, name: str) -> MonitorRecord:
        """Return the record of a monitor that was not there before."""
        record = MonitorRecord(self.store, name)
        self.store.write([record.added(self._unix())])
        return record

    def remove(self, name: str) -> None:
        """End the record of a monitor that HEAT no longer watches."""
        self.store.write(list(removed(name, self._unix())))

    def reset(self, record: MonitorRecord) -> SavedMachine | None:
        """Return a monitor in ERROR to its first state, and what is left of its machine."""
        now, held = self._unix(), record.held.get(FAIL)
        pidfd = None if held is None else open_same(held.pid, held.identity)
        if pidfd is not None:
            os.close(pidfd)
        return record.reset(reset(now), now, fail_runs=pidfd is not None)


def _given_up(machine: SavedMachine | None) -> bool:
    return machine is not None and machine.snapshot.given_up


def track_frozen(target: Target, record: MonitorRecord) -> None:
    """Record when HEAT stops or continues a target, and take over one that was stopped before."""
    held = record.held.get(FROZEN)
    if not isinstance(target, PidTarget | PidFileTarget):
        if held is not None:  # It had a target when it was stopped.
            _continue(held)
            record.release(FROZEN)
        return

    def frozen(pid: int, pidfd: int) -> None:
        record.hold(FROZEN, pid, identity(pid, pidfd))

    target.frost.owed = Owed(frozen, partial(record.release, FROZEN))
    if held is not None and target.frost.pid is None:
        if (pidfd := open_same(held.pid, held.identity)) is None:
            record.release(FROZEN)
        else:
            target.frost.hold(held.pid, pidfd)


def _continue(held: Held) -> bool:
    """Continue a process that an earlier HEAT stopped; return False if it is gone."""
    pidfd = open_same(held.pid, held.identity)
    if pidfd is None:
        return False
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGCONT)
    except OSError:
        return False
    finally:
        os.close(pidfd)
    return True
