"""HEAT's children as the system tells of them: those that it did not start, and stopped ones.

The program that became HEAT may have left it children, and HEAT inherits orphans as process 1
of a container or as a child subreaper. Unreaped they stay as zombies. What HEAT has started
itself, its ``own``, is never reaped here: its exit status would be lost.
"""

import contextlib
import os
from collections.abc import Collection, Iterator

_MOST_REAPED = 256
"""In one go: the orphans of a fork bomb must not hold up a tick."""


def reap_strangers(own: Collection[int]) -> bool:
    """Reap dead children that are not HEAT's own; False if there may be more of them."""
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
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def _reap_behind(own: Collection[int]) -> None:
    """The system tells of one dead child only, and that one is kept for its group."""
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as children:
            found = [int(each) for each in children.read().split()]
    except OSError:
        return
    for each in found:
        if each not in own:
            _reap(each)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def stops(own: Collection[int]) -> Iterator[tuple[int, int | None]]:
    """Programs that a signal has stopped, and which; None for those that go on again.

    Each is told once.
    """
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
        except ChildProcessError:
            return
        if found is None:
            return
        if found.si_pid in own:
            stopped = found.si_code == os.CLD_STOPPED
            yield found.si_pid, found.si_status if stopped else None
