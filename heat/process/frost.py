"""Processes that HEAT has stopped with a signal: it owes them a CONT, whatever happens to it."""

import os
import signal
from collections.abc import Callable

from heat.process.signals import STOPPING
from states.engine.named_tuple import NamedTuple


class Frozen(NamedTuple):
    """A process that HEAT has stopped and not continued."""

    pid: int
    pidfd: int


class Owed(NamedTuple):
    """The record of a debt: calls that write it down before a STOP, and strike it after a CONT."""

    frozen: Callable[[int, int], None]
    """Called with its process id and a pidfd. Raises OSError."""
    woken: Callable[[], None]


class Frost:
    """Sends signals, and remembers the process that a STOP froze, so that HEAT wakes it."""

    def __init__(self) -> None:
        self._frozen: Frozen | None = None
        self.owed: Owed | None = None

    @property
    def pid(self) -> int | None:
        """The process that is frozen."""
        return None if self._frozen is None else self._frozen.pid

    def hold(self, pid: int, pidfd: int) -> None:
        """Take over a process that an earlier HEAT froze, and its descriptor."""
        self._frozen = Frozen(pid, pidfd)

    def send(self, signum: int, pid: int, pidfd: int) -> None:
        """Signal ``pidfd``; stop nothing that could not be woken. Raises OSError."""
        if signum in STOPPING:
            self._stop(signum, pid, pidfd)
            return
        signal.pidfd_send_signal(pidfd, signum)
        if signum == signal.SIGCONT and self._frozen is not None:
            # Another process may have taken the place of the frozen one: wake that too.
            self.wake()

    def _stop(self, signum: int, pid: int, pidfd: int) -> None:
        if self._frozen is not None and self._frozen.pid != pid:
            self.wake()
        held = os.dup(pidfd)
        try:
            if self.owed is not None:
                self.owed.frozen(pid, pidfd)
            signal.pidfd_send_signal(pidfd, signum)
        except OSError:
            os.close(held)
            raise
        if self._frozen is not None:
            os.close(self._frozen.pidfd)
        self._frozen = Frozen(pid, held)

    def wake(self) -> int | None:
        """Send CONT to the frozen process; return its process id if it was still there."""
        if self._frozen is None:
            return None
        frozen, self._frozen = self._frozen, None
        try:
            signal.pidfd_send_signal(frozen.pidfd, signal.SIGCONT)
        except OSError:
            return None
        finally:
            os.close(frozen.pidfd)
            if self.owed is not None:
                self.owed.woken()
        return frozen.pid
