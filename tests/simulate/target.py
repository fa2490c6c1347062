"""The target of a history: processes of a small kernel, signalled by what HEAT itself uses."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import heat.process.frost
from heat.config.options import Options
from heat.errors import TargetError
from heat.process.frost import Frost, Owed
from heat.process.signals import STOPPING
from heat.rehearsal.target import HeatItself
from heat.store.monitor_record import FROZEN, MonitorRecord

from .deeds import Violation

if TYPE_CHECKING:
    from .history import History


class Process:
    """One that takes every signal."""

    __slots__ = ("alive", "pid", "stopped")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.alive = True
        self.stopped = False


class Kernel:
    """Processes and descriptors of them; ``received`` is called for each signal that one gets."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.processes: dict[int, Process] = {}
        self.descriptors: dict[int, Process] = {}
        self._next = 100
        self._os = SimpleNamespace(**{**vars(os), "dup": self.dup, "close": self.close})
        self._signal = SimpleNamespace(**{**vars(signal), "pidfd_send_signal": self.send})
        self.killed: Callable[[Process], None]

    @contextmanager
    def put(self) -> Generator[None]:
        """Let HEAT signal these processes, and no others, as long as this lasts."""
        heat.process.frost.os = self._os  # type: ignore[assignment]
        heat.process.frost.signal = self._signal  # type: ignore[assignment]
        try:
            yield
        finally:
            heat.process.frost.os = os
            heat.process.frost.signal = signal

    def start(self) -> Process:
        process = Process(42 + len(self.processes))
        self.processes[process.pid] = process
        return process

    def stopped(self) -> set[int]:
        """Return the ids of the stopped processes."""
        return {each.pid for each in self.processes.values() if each.alive and each.stopped}

    def open(self, process: Process) -> int:
        self._next += 1
        self.descriptors[self._next] = process
        return self._next

    def dup(self, fd: int) -> int:
        return self.open(self.descriptors[fd])

    def close(self, fd: int) -> None:
        del self.descriptors[fd]

    def send(self, fd: int, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError, and Killed before it or after it."""
        history, process = self._history, self.descriptors[fd]
        if history.fuse.dead:
            return
        history.fuse.burn()
        if not process.alive:
            raise ProcessLookupError
        history.witness.deeds.received(signum)
        if signum in STOPPING:
            process.stopped = True
        elif signum == signal.SIGCONT:
            process.stopped = False
        elif signum == signal.SIGKILL:
            process.alive = False
            self.killed(process)
        history.fuse.burn()


class Target:
    """The process of --pid, or the one that the file of --pid-file names."""

    def __init__(self, history: History, options: Options) -> None:
        self._of_file = options.pid_file is not None
        self._history = history
        self._kernel = kernel = history.kernel
        self._process = kernel.start()
        self._frost = Frost()
        kernel.killed = self._gone

    @property
    def ended(self) -> bool:
        """It has ended."""
        return not self._process.alive

    def remembered_by(self, record: MonitorRecord) -> None:
        """Begin with a HEAT that knows only its record."""
        kernel = self._kernel
        self._frost = frost = Frost()

        def frozen(pid: int, _pidfd: int) -> None:
            record.hold(FROZEN, pid, f"process {pid}")

        frost.owed = Owed(frozen, partial(record.release, FROZEN))
        if (held := record.held.get(FROZEN)) is not None:
            process = kernel.processes[held.pid]
            if process.alive:
                frost.hold(held.pid, kernel.open(process))
            else:
                record.release(FROZEN)

    def end(self) -> None:
        """End it, and let HEAT know."""
        self._process.alive = False
        self._gone(self._process)

    def end_unseen(self) -> None:
        """End it while there is no HEAT."""
        self._process.alive = False
        if self._of_file:
            self._process = self._kernel.start()

    def replace(self) -> None:
        """Let another process take its place in the file; it lives on."""
        if self._of_file:
            self._process = self._kernel.start()

    def _gone(self, process: Process) -> None:
        if self._of_file:
            if process is self._process:
                self._process = self._kernel.start()
        else:
            self._history.target_gone(self._gone_reason())

    def _gone_reason(self) -> str:
        return f"target {self._process.pid} (--pid) has ended"

    def send(self, signum: int) -> int:
        """Send a signal as the targets of `heat.process.target` do. Raises TargetError."""
        history, kernel = self._history, self._kernel
        history.witness.signal_due(signum)
        chosen = history.choices.pick(16)
        if chosen == 15:
            history.witness.deeds.not_sent()
            raise TargetError("no memory", passing=True)
        if chosen == 14 and self._of_file:
            history.witness.deeds.not_sent()
            raise TargetError("--pid-file pid cannot be read: no such file")
        if chosen == 13:
            self.replace()
        pid, pidfd = self._process.pid, kernel.open(self._process)
        try:
            self._frost.send(signum, pid, pidfd)
        except ProcessLookupError:
            history.witness.deeds.not_sent()
            raise TargetError(self._gone_reason(), gone=True) from None
        finally:
            kernel.close(pidfd)
        if signum == signal.SIGCONT and kernel.stopped():
            raise Violation("CONT is sent, and a process that HEAT has stopped is not continued")
        return pid

    def owes(self) -> int | None:
        """Return the process that HEAT has stopped."""
        return self._frost.pid

    def wake(self) -> int | None:
        """Continue what HEAT has stopped."""
        return self._frost.wake()


class Itself(HeatItself):
    """HEAT as its own target; the witness counts what it sends itself."""

    def __init__(self, history: History, ends: Callable[[int], None]) -> None:
        super().__init__(history.time, ends, history)
        self._witness = history.witness

    def send(self, signum: int) -> int:
        self._witness.signal_due(signum)
        self._witness.deeds.received(signum)
        return super().send(signum)
