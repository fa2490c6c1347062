"""Scripts of an earlier HEAT that still run: this HEAT waits for their end."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from heat.errors import WANT
from heat.process.identity import Held, age, group_leader, identity, open_same
from heat.process.program import SILENT, Output, Program, Status, encoded
from heat.process.signals import may_signal
from heat.runtime.loop import Loop

if TYPE_CHECKING:
    from heat.runtime.ports import Owner


class Adopted:
    """A starter that has its one program, which runs already; it closes ``pidfd`` at the end."""

    def __init__(self, loop: Loop, pid: int, pidfd: int, unreaped: set[int]) -> None:
        self.age = age(pid)
        self._loop = loop
        self._pid = pid
        self._pidfd = pidfd
        self._unreaped = unreaped

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> AdoptedChild:
        """Watch it; the loop calls ``exited`` when it has."""
        del program
        ids = self._pid, self._pidfd
        return AdoptedChild(self._loop, ids, (exited, owner), self._unreaped)


class AdoptedChild:
    """A process that this HEAT did not start: nobody can tell how it ended."""

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
        """Do nothing: another process reads what it prints."""

    def await_end(self, ended: Callable[[], None]) -> None:
        """Do nothing: another process reads what it prints."""

    def drained(self) -> bool:
        """Return True: this HEAT has no pipe of it."""
        return True

    def peek(self) -> Output:
        """Return no output: another process reads it."""
        return SILENT

    def output(self) -> Output:
        """Return no output: another process reads it."""
        return SILENT

    def identity(self) -> str:
        """Return its identity. Raises OSError."""
        return identity(self.pid, self._pidfd)

    def may_signal(self) -> bool:
        """Return whether HEAT may signal the processes of the user that it runs as."""
        return may_signal(self._pidfd)

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
        """Return whether it has ended."""
        return self._over

    def alone(self) -> bool:
        """Return True: HEAT can no longer tell the rest of its group from another's."""
        return True

    def works(self) -> bool:
        """Return False: HEAT can no longer tell the rest of its group from another's."""
        return False

    def status(self) -> Status:
        """Return a status that says nothing: only its parent, which has ended, could tell."""
        return Status(None)

    def reap(self) -> None:
        """Reap it, if this HEAT inherited it; else that is another process's business."""
        if not self._over:
            self._over = True
            self._loop.forget(self._pidfd)
        self._unreaped.discard(self.pid)
        self._loop.attentive -= 1
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        os.close(self._pidfd)

    def signal_left(self, signum: int) -> bool:
        """Return False: HEAT can no longer tell the rest of its group from another's."""
        del signum
        return False

    def names_left(self) -> tuple[str, ...]:
        """Return nothing: HEAT can no longer tell the rest of its group from another's."""
        return ()

    def close(self) -> None:
        """Refer to no run."""
        self._exited = _nothing


def take_up(loop: Loop, held: Held, unreaped: set[int]) -> Adopted | None:
    """Return the hold on a program that an earlier HEAT started; None if it has ended."""
    pidfd = open_same(held.pid, held.identity)
    return None if pidfd is None else Adopted(loop, held.pid, pidfd, unreaped)


def find(environment: Mapping[str, str]) -> Held | None:
    """Return a script that was started just before HEAT was killed; None if there is none.

    It leads a group in somebody else's session, and was started with these variables. It may
    execute another file by now; a service that it has started leads a session, or belongs to its
    group. Raises OSError for want of resources.
    """
    variables = {encoded(f"{name}={value}") for name, value in environment.items()}
    scripts: list[tuple[int, int]] = []
    for entry in os.listdir("/proc"):
        leader = group_leader(int(entry)) if entry.isdigit() else None
        if leader is not None and variables <= leader.environ:
            scripts.append((leader.started, int(entry)))
    if not scripts:
        return None
    pid = min(scripts)[1]
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
    """Do nothing: the run is over."""
