"""Helper processes: the one way in which HEAT runs a second HEAT. There are two kinds.

A `Fork` has what HEAT has: its modules, which an upgrade may have replaced on the disk since, its
monitors and its descriptors. It costs a millisecond. It gets a call as its work, and answers by
a pipe that its caller has made, whose end of file is its end. The loader reads the configuration
in one, so that HEAT goes on checking and keeps none of the memory that this takes; the keeper is
one.

`program` runs the ``main`` of a module in an interpreter of its own, which takes 20 ms of a
processor, for work that a fork may not do: SQLite must not open a file that its parent has open.
It gets words, answers by its exit status, and the launcher starts and ends it like a script.
"""

import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Callable, Collection
from typing import NoReturn

from heat.process import inherited
from heat.process.program import Program
from heat.process.signals import STOP_HEAT

_RUN = "import sys; sys.path[:] = {path}; from {module} import main; sys.exit(main(*sys.argv[1:]))"


def program(shown: str, module: str, *words: str) -> Program:
    """Return the program that runs ``main(*words)`` of a module.

    It imports from where HEAT does: not from the current folder, nor from those of PYTHONPATH.
    """
    if getattr(sys, "frozen", False):  # In a one-file binary, heat.startup finds the module.
        return Program(shown, sys.executable, (sys.executable, "-m", module, *words))
    path = [folder for folder in sys.path if folder]  # Without the current one of python -c.
    run = _RUN.format(path=path, module=module)
    return Program(shown, sys.executable, (sys.executable, "-I", "-c", run, *words))


class Fork:
    """A fork of HEAT, which does its ``work`` and ends. Raises OSError.

    It ends at a signal that ends HEAT. If ``detached`` names the descriptors that it keeps, it
    outlives HEAT instead: it ignores signals, and has its own session and no folder. Until it is
    reaped its process id is in ``own``.
    """

    __slots__ = ("_own", "pid")

    def __init__(
        self,
        work: Callable[[], object],
        own: set[int],
        detached: Collection[int] | None = None,
    ) -> None:
        self._own = own
        # A signal that comes to both would be reported to HEAT twice, by the pipe that both have,
        # and a second INT kills at once. And it must find the process id in ``own``.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            with warnings.catch_warnings():
                # Python 3.12 warns of threads; HEAT has none.
                warnings.simplefilter("ignore", DeprecationWarning)
                self.pid = os.fork()
            if not self.pid:
                _live(work, blocked, detached)
            own.add(self.pid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def kill(self) -> None:
        """Kill it; it must still be reaped."""
        os.kill(self.pid, signal.SIGKILL)

    def reap(self, *, wait: bool = True) -> bool:
        """Collect it once it has ended; return False if it has not, and HEAT may not ``wait``."""
        if os.waitpid(self.pid, 0 if wait else os.WNOHANG) == (0, 0):
            return False
        self._own.discard(self.pid)
        return True


def _live(
    work: Callable[[], object], blocked: set[int], detached: Collection[int] | None
) -> NoReturn:
    """Be the fork, to its end."""
    try:
        signal.set_wakeup_fd(-1)
        ends = detached is None
        for signum in signal.valid_signals():
            if callable(signal.getsignal(signum)):
                signal.signal(signum, signal.SIG_DFL if ends else signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked - STOP_HEAT if ends else ())
        if detached is not None:
            _detach(detached)
        work()
    finally:
        os._exit(0)


def _detach(descriptors: Collection[int]) -> None:
    os.chdir("/")
    with contextlib.suppress(OSError):
        os.setsid()  # What ends HEAT, its terminal or its group, is not meant for this process.
    # The locks, logs and sockets of HEAT must end with HEAT. It may have no descriptor left, and
    # then so has its fork: 0 makes room to list them.
    os.close(0)
    for fd in inherited.descriptors():
        if fd not in descriptors:
            with contextlib.suppress(OSError):
                os.close(fd)
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
