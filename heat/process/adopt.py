"""A script that an earlier HEAT has started, and that still runs: it is waited for."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from heat.errors import WANT
from heat.process.identity import age, identity, open_same, started_with
from heat.process.program import SILENT, Output, Program, Status, encoded
from heat.records import Held
from heat.runtime.loop import Loop

if TYPE_CHECKING:
    from heat.runtime.ports import Owner


class Adopted:
    """Has the one program that runs already; ``pidfd`` is closed when it is over."""

    def __init__(self, loop: Loop, pid: int, pidfd: int, unreaped: set[int]) -> None:
        self.age = age(pid)
        self._loop = loop
        self._pid = pid
        self._pidfd = pidfd
        self._unreaped = unreaped

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> AdoptedChild:
        """Watch it; ``exited`` is called from the loop."""
        del program
        ids = self._pid, self._pidfd
        return AdoptedChild(self._loop, ids, (exited, owner), self._unreaped)


class AdoptedChild:
    """A process that is no child of this HEAT's starting: how it ended nobody can tell."""

    __slots__ = ("_exited", "_loop", "_over", "_pidfd", "_unreaped", "pid")

    def __init__(
        self,
        loop: Loop,
        ids: tuple[int, int],
        report: tuple[Callable[[], None], Owner],
        unreaped: set[int],
    ) -> None:
        self.pid, self._pidfd = ids
        self._loop = loop
        self._exited, owner = report
        self._over = False
        self._unreaped = unreaped
        unreaped.add(self.pid)  # HEAT may have inherited it: its group is its own until then.
        loop.watch(self._pidfd, self._ended, owner, patient=True)
        loop.attentive += 1

    def _ended(self) -> None:
        if not self._over:
            self._over = True
            self._loop.forget(self._pidfd)
            self._exited()

    def listen(self) -> None:
        """Read nothing: whoever keeps what it prints is another process."""

    def await_end(self, ended: Callable[[], None]) -> None:
        """Likewise."""

    def drained(self) -> bool:
        """Likewise."""
        return True

    def peek(self) -> Output:
        """Likewise."""
        return SILENT

    def output(self) -> Output:
        """Likewise."""
        return SILENT

    def identity(self) -> str:
        """Which process it is."""
        return identity(self.pid, self._pidfd)

    def may_signal(self) -> bool:
        """It runs as a user whose processes HEAT may signal."""
        try:
            signal.pidfd_send_signal(self._pidfd, 0)
        except PermissionError:
            return False
        except ProcessLookupError:
            pass
        return True

    def signal_group(self, signum: int) -> None:
        """Signal the whole group; once the leader is gone its number may be another's."""
        if self._over:
            return
        try:
            os.killpg(self.pid, signum)
        except OSError:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signum)

    def exited(self) -> bool:
        """It has ended."""
        return self._over

    def alone(self) -> bool:
        """The rest of its group can no longer be told from another's."""
        return True

    def works(self) -> bool:
        """Likewise."""
        return False

    def status(self) -> Status:
        """Its parent has ended, and with it the news."""
        return Status(None)

    def reap(self) -> None:
        """Whoever inherited it does that, which may be this HEAT."""
        if not self._over:
            self._over = True
            self._loop.forget(self._pidfd)
        self._unreaped.discard(self.pid)
        self._loop.attentive -= 1
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        os.close(self._pidfd)

    def signal_left(self, signum: int) -> bool:
        """The rest of its group can no longer be told from another's."""
        del signum
        return False

    def names_left(self) -> tuple[str, ...]:
        """Likewise."""
        return ()

    def close(self) -> None:
        """Refer to no run."""
        self._exited = _nothing


def take_up(loop: Loop, held: Held, unreaped: set[int]) -> Adopted | None:
    """The hold on a program that an earlier HEAT has started; None if it has ended."""
    pidfd = open_same(held.pid, held.identity)
    return None if pidfd is None else Adopted(loop, held.pid, pidfd, unreaped)


def find(environment: Mapping[str, str]) -> Held | None:
    """A script that was started just before HEAT was killed; None if there is none.

    It leads a group in somebody else's session, and was told exactly this. It may execute
    another file by now; a service that it has started leads a session, or belongs to its group.
    Raises OSError for want of resources.
    """
    wanted = {encoded(f"{name}={value}") for name, value in environment.items()}
    found: list[tuple[int, int]] = []
    for entry in os.listdir("/proc"):
        told = started_with(int(entry)) if entry.isdigit() else None
        if told is not None and wanted <= told.environ:
            found.append((told.started, int(entry)))
    if not found:
        return None
    pid = min(found)[1]
    try:
        pidfd = os.pidfd_open(pid)
        try:
            return Held(pid, identity(pid, pidfd))
        finally:
            os.close(pidfd)
    except OSError as error:
        if error.errno in WANT:
            raise
        return None


def _nothing() -> None:
    """Nobody is to be told any more."""
