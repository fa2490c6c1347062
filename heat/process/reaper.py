"""Children of HEAT's that it did not start, and its own that a signal has stopped.

The program that became HEAT may have left it children, and HEAT inherits orphans as process 1
of a container or as a child subreaper. Unreaped they stay as zombies. HEAT never reaps its
``own`` here, those that it started itself: their exit status would be lost.
"""

import contextlib
import os
from collections.abc import Collection, Iterator

_MOST_REAPED = 256
"""The most in one go: the orphans of a fork bomb must not hold up a tick."""


def reap_strangers(own: Collection[int]) -> bool:
    """Reap dead children that are not HEAT's own; return False if there may be more of them."""
    for _ in range(_MOST_REAPED):
        if (pid := _dead_child()) is None:
            return True
        if pid in own:
            _reap_behind(own)
            return True
        _reap(pid)
    return False


def _dead_child() -> int | None:
    try:
        result = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if result is None else result.si_pid


def _reap_behind(own: Collection[int]) -> None:
    """Reap the strangers behind a dead child that HEAT keeps for its group.

    waitid shows one dead child only, and always that one.
    """
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as children:
            pids = [int(each) for each in children.read().split()]
    except OSError:
        return
    for each in pids:
        if each not in own:
            _reap(each)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def stops(own: Collection[int]) -> Iterator[tuple[int, int | None]]:
    """Yield each program that a signal has stopped, with that signal; None if it goes on again.

    The kernel reports each once.
    """
    while True:
        try:
            result = os.waitid(os.P_ALL, 0, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
        except ChildProcessError:
            return
        if result is None:
            return
        if result.si_pid in own:
            stopped = result.si_code == os.CLD_STOPPED
            yield result.si_pid, result.si_status if stopped else None
