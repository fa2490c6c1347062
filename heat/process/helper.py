"""Fork HEAT, for what another process does better: reading a file, keeping pipes open."""

import os
import signal
import warnings


def fork() -> int:
    """Fork, and return what os.fork does; what a signal tells goes to HEAT alone. Raises OSError.

    A signal that comes to both would be reported to HEAT twice, by the pipe that both have, and a
    second INT kills at once.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of threads, of which HEAT has none.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
