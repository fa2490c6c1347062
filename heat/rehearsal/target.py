"""Simulated targets: a process that takes signals, and HEAT itself."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from heat.errors import TargetError
from heat.process.signals import HARMLESS, STOPPING

if TYPE_CHECKING:
    from heat.rehearsal.clock import VirtualTime
    from heat.runtime.ports import Owner

_AT_ONCE = 0.0
_UNHARMED = HARMLESS | {signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE, signal.SIGXFSZ}
"""Signals that HEAT can send itself and live on: it handles them, or Python ignores them."""


class SimulatedTarget:
    """A process that takes every signal until it has ended, and knows whether it is stopped."""

    def __init__(self, pid: int, gone: Callable[[str], None] | None = None) -> None:
        self.pid = pid
        self.frozen = False
        self.ended = False
        self._gone = gone
        """Called when it has ended; None for one that comes back, as that of a pid file."""

    def send(self, signum: int) -> int:
        """Take a signal, and return the process id. Raises TargetError."""
        if self.ended:
            raise TargetError(self.gone_reason(), gone=True)
        if signum in STOPPING:
            self.frozen = True
        elif signum == signal.SIGCONT:
            self.frozen = False
        elif signum == signal.SIGKILL:
            self.frozen = False
            self.end()
        return self.pid

    def end(self) -> None:
        """End, and tell the monitor."""
        if self._gone is not None:
            self.ended = True
            self._gone(self.gone_reason())

    def gone_reason(self) -> str:
        """Return the sentence for when it has ended."""
        return f"target {self.pid} (--pid) has ended"

    def owes(self) -> int | None:
        """Return the process that HEAT stopped and must continue, if there is one."""
        return self.pid if self.frozen and not self.ended else None

    def wake(self) -> int | None:
        """Continue the process that HEAT stopped; return its process id, if there is one."""
        frozen, self.frozen = self.frozen, False
        return self.pid if frozen and not self.ended else None


class HeatItself:
    """HEAT as its own target: a signal that would end it calls ``ends`` a moment later."""

    def __init__(self, time: VirtualTime, ends: Callable[[int], None], owner: Owner) -> None:
        self._time = time
        self._ends = ends
        self._owner = owner

    def send(self, signum: int) -> int:
        """Take a signal, and return a process id."""
        if signum not in _UNHARMED:
            self._time.at(_AT_ONCE, lambda: self._ends(signum), self._owner)
        return 1

    def owes(self) -> None:
        """Return None: HEAT never stops itself."""

    def wake(self) -> None:
        """Return None: HEAT never stops itself."""
