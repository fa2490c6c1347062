"""The things that HEAT is born with, put right before all else: signals and descriptors.

Loaded first, and itself loads next to nothing: a signal that comes before it ends HEAT as it
would end any program.
"""

import os
import signal

_ENDS = {signal.SIGTERM: 0, signal.SIGQUIT: 0, signal.SIGINT: 130}
"""Exit statuses of a HEAT that is stopped before it watches anything."""
KEPT = frozenset({signal.SIGHUP, signal.SIGUSR1})
"""Blocked until they can be acted on; their default would end HEAT."""
_FIRST = 3
"""Descriptors below are the standard ones."""
_MOST = 65_536
"""How many are looked at where /proc does not list them."""

forked: set[int] = set()
"""Forks of HEAT that a signal ends with it, before it watches anything."""


def put_right() -> None:
    """Take signals and descriptors as HEAT needs them; harmless when done again."""
    for signum in _ENDS:
        # A shell has what it starts with & ignore INT and QUIT: that stays so.
        if signum == signal.SIGTERM or signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, _end)
    signal.pthread_sigmask(signal.SIG_BLOCK, KEPT)
    # After `stty tostop` a HEAT in the background would be stopped by its first line.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    _keep_descriptors()


def _end(signum: int, _frame: object) -> None:
    # Nothing was started but what reads the configuration; an exception could be swallowed
    # wherever Python happens to be.
    for pid in forked:
        os.kill(pid, signal.SIGKILL)
    os._exit(_ENDS[signal.Signals(signum)])


def _keep_descriptors() -> None:
    """Let nothing that HEAT starts have the descriptors it was given: a lock, say, or a socket."""
    for fd in descriptors():
        try:  # noqa: SIM105 - contextlib takes as long to load as all that is here
            os.set_inheritable(fd, False)
        except OSError:
            pass  # That of the listing itself is closed by now.


def descriptors() -> list[int]:
    """All that may be open, but for the standard ones."""
    try:
        found = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return list(range(_FIRST, min(os.sysconf("SC_OPEN_MAX"), _MOST)))
    return [fd for fd in found if fd >= _FIRST]
