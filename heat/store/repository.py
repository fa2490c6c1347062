"""The state file, as the fleet uses it: what an earlier HEAT has left, and what this one keeps."""

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
from heat.report.reporter import HeatReport
from heat.store.monitor_record import FAIL, FROZEN, MonitorRecord, Remembered, removed
from heat.store.sql import RELEASED_ALL, Statement, storable
from heat.store.state_file import StateFile

if TYPE_CHECKING:
    from heat.process.ports import Target

Taken = tuple[MonitorRecord, Remembered | None]
"""One monitor's ledger, and what an earlier HEAT knew of it."""


class Repository:
    """A store, and the ledgers in it."""

    def __init__(self, store: StateFile, unix: Callable[[], float], journal: HeatReport) -> None:
        self.store = store
        self._unix = unix
        self._journal = journal

    def begin(self, names: Sequence[str], config: str | None) -> list[Taken]:
        """Take up what an earlier HEAT knew of these; what it knew of others is let go."""
        saved, now = self.store.load(), self._unix()
        stored = [str(storable(name)) for name in names]
        ledgers = [MonitorRecord(self.store, name) for name in stored]
        # Taken out: what is left in the end is of monitors that are no more.
        taken = [
            (ledger, ledger.take_up(saved.pop(name, None)))
            for ledger, name in zip(ledgers, stored, strict=True)
        ]
        unreadable = [ledger for ledger in ledgers if ledger.unreadable]
        if unreadable:
            self._journal.not_readable(self.store.shown, len(unreadable))

        def changes() -> Iterator[Statement]:
            for ledger in ledgers:
                yield ledger.added(now)
            for name in saved:
                yield from removed(name, now)
            for ledger in unreadable:
                yield from ledger.snapshot(now)
            yield from self._woken(stored)

        self.store.begin(config, changes())
        if taken and all(found is not None and found.memory.given_up for _, found in taken):
            # A HEAT with nothing to do is none: whoever starts it again means it.
            self._journal.all_anew()
            return [(ledger, self.forget(ledger)) for ledger in ledgers]
        return taken

    def _woken(self, present: Iterable[str]) -> Iterator[Statement]:
        """Continue what was stopped for a monitor that is no more."""
        frozen = self.store.frozen()
        for name in frozen.keys() - present:
            held = frozen[name]
            if _continued(held):
                self._journal.woke(held.pid)
            yield RELEASED_ALL, (name,)

    def keep(self, ledgers: Callable[[], Iterable[MonitorRecord]]) -> None:
        """These are what a file that is begun anew has to know."""

        def snapshot() -> Iterator[Statement]:
            now = self._unix()
            for ledger in ledgers():
                yield from ledger.snapshot(now)

        self.store.snapshot = snapshot

    def new(self, name: str) -> MonitorRecord:
        """The ledger of a monitor that was not there before."""
        ledger = MonitorRecord(self.store, name)
        self.store.write([ledger.added(self._unix())])
        return ledger

    def remove(self, name: str) -> None:
        """A monitor is no longer watched."""
        self.store.write(list(removed(name, self._unix())))

    def forget(self, ledger: MonitorRecord) -> Remembered | None:
        """A monitor in ERROR begins anew; what is left of it, if it is not new."""
        now, held = self._unix(), ledger.held.get(FAIL)
        pidfd = None if held is None else open_same(held.pid, held.identity)
        if pidfd is not None:
            os.close(pidfd)
        return ledger.forget(reset(now), now, fail_runs=pidfd is not None)


def mind_frozen(target: Target, ledger: MonitorRecord) -> None:
    """Have it written down when a target is stopped, and take up one that was."""
    held = ledger.held.get(FROZEN)
    if not isinstance(target, PidTarget | PidFileTarget):
        if held is not None:  # It had a target when it was stopped.
            _continued(held)
            ledger.release(FROZEN)
        return

    def frozen(pid: int, pidfd: int) -> None:
        ledger.hold(FROZEN, pid, identity(pid, pidfd))

    target.frost.owed = Owed(frozen, partial(ledger.release, FROZEN))
    if held is not None and target.frost.pid is None:
        if (pidfd := open_same(held.pid, held.identity)) is None:
            ledger.release(FROZEN)
        else:
            target.frost.hold(held.pid, pidfd)


def _continued(held: Held) -> bool:
    """Continue a process that an earlier HEAT has stopped; False if it is gone."""
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
