"""Signals and descriptors that HEAT inherits, put right before anything else.

HEAT loads this module first, and it loads next to nothing itself: a signal that comes earlier
ends HEAT as it would end any program.
"""

import os
import signal

_ENDS = {signal.SIGTERM: 0, signal.SIGQUIT: 0, signal.SIGINT: 130}
"""Exit statuses of a HEAT that is stopped before it watches anything."""
KEPT = frozenset({signal.SIGHUP, signal.SIGUSR1})
"""Blocked until HEAT can act on them; their default action would end HEAT."""
_FIRST = 3
"""The first descriptor after the standard ones."""
_MOST = 65_536
"""The most that HEAT looks at where /proc does not list them."""

forked: set[int] = set()
"""Forks of HEAT that a signal ends with it, before it watches anything."""


def put_right() -> None:
    """Set signals and descriptors as HEAT needs them; harmless when done again."""
    for signum in _ENDS:
        # A shell makes a command that it starts with & ignore INT and QUIT; HEAT still does.
        if signum == signal.SIGTERM or signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, _end)
    signal.pthread_sigmask(signal.SIG_BLOCK, KEPT)
    # After `stty tostop` a HEAT in the background would be stopped by its first line.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    _keep_descriptors()


def _end(signum: int, _frame: object) -> None:
    # HEAT has started only the loader of its configuration. An exception might be swallowed
    # wherever Python happens to be.
    for pid in forked:
        os.kill(pid, signal.SIGKILL)
    os._exit(_ENDS[signal.Signals(signum)])


def _keep_descriptors() -> None:
    """Keep what HEAT starts from inheriting HEAT's own descriptors, such as a lock or a socket."""
    for fd in descriptors():
        try:  # noqa: SIM105 - contextlib takes as long to load as all of this module
            os.set_inheritable(fd, False)
        except OSError:
            pass  # The listing's own descriptor is closed by now.


def descriptors() -> list[int]:
    """Return all that may be open, without the standard ones."""
    try:
        fds = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return list(range(_FIRST, min(os.sysconf("SC_OPEN_MAX"), _MOST)))
    return [fd for fd in fds if fd >= _FIRST]
