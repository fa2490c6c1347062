"""A started program: its output, its signals, its exit, and the rest of its process group."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from heat.process.output import Capture
from heat.process.proc import WORKING, described, members, proc_stat
from heat.process.program import SILENT, Output, Status
from heat.process.signals import may_signal
from heat.runtime.loop import Loop

if TYPE_CHECKING:
    from heat.runtime.ports import Owner

NO_FD = -1
_PIPE_SIZE = 64 * 1024
_MOST_READS = 16
"""A program can make its pipe hold a mebibyte; what comes beyond that is a flood."""
_TO_GROUP = 4
"""PIDFD_SIGNAL_PROCESS_GROUP of pidfd_send_signal(2)."""


class PosixChild:
    """A started program; until it is reaped, its process id and group are its own."""

    __slots__ = (
        "_captures",
        "_drained",
        "_exited",
        "_listening",
        "_loop",
        "_owner",
        "_pidfd",
        "_pipes",
        "_status",
        "_unreaped",
        "_watched",
        "pid",
    )

    by_pidfd: ClassVar[bool] = True
    """The kernel signals a group by the pidfd of its leader; the first try tells."""

    def __init__(
        self,
        loop: Loop,
        ids: tuple[int, int, int, int],
        report: tuple[Callable[[], None], Owner],
        unreaped: set[int],
    ) -> None:
        self._unreaped = unreaped
        self._loop = loop
        self.pid, self._pidfd, *pipes = ids
        self._pipes = pipes
        self._captures: tuple[Capture, Capture] | None = None
        self._listening = [False, False]
        self._exited, self._owner = report
        self._drained: Callable[[], None] | None = None
        """Called once nobody can print any more."""
        self._status: Status | None = None
        self._watched = True
        loop.watch(self._pidfd, self._leader_exited, self._owner)

    def _leader_exited(self) -> None:
        self._status = self.status()
        if self._status.signal is not None:
            # The signal may be meant for HEAT as well, as when systemd stops both: then the program
            # is stopped with HEAT, and not judged.
            self._loop.heed()
        try:
            self._exited()
        finally:
            self._unwatch()

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.forget(self._pidfd)

    def listen(self) -> None:
        """Take its output as it comes.

        A check that prints less than a pipe holds and ends at once does not need this, so
        HEAT listens only to a check that has run for a while. A pipe that cannot be watched
        for want of memory is read at the end.
        """
        for which, pipe in enumerate(self._pipes):
            if pipe != NO_FD and not self._listening[which]:
                with contextlib.suppress(OSError):
                    self._loop.watch(pipe, partial(self._ready, which), self._owner)
                    self._listening[which] = True

    def await_end(self, ended: Callable[[], None]) -> None:
        """Take its output as it comes, and call ``ended`` once nobody can print any more."""
        self._drained = ended
        self.listen()

    def _ready(self, which: int) -> None:
        self._read(which)
        if self._drained is not None and self._pipes == [NO_FD, NO_FD]:
            ended, self._drained = self._drained, None
            ended()

    def _read(self, which: int) -> bool:
        """Take what is there; return False if nothing is, or nobody can print more."""
        try:
            data = os.read(self._pipes[which], _PIPE_SIZE)
        except (BlockingIOError, MemoryError):
            return False
        except OSError:
            data = b""
        if not data:
            self._close_pipe(which)
            return False
        if self._captures is None:
            self._captures = (Capture(), Capture())
        self._captures[which].add(data)
        return True

    def _close_pipe(self, which: int) -> None:
        if self._listening[which]:
            self._loop.forget(self._pipes[which])
            self._listening[which] = False
        close_all(self._pipes[which])
        self._pipes[which] = NO_FD

    def drained(self) -> bool:
        """Take what is in the pipes now; return True if nobody holds their other ends."""
        for which, pipe in enumerate(self._pipes):
            reads = _MOST_READS if pipe != NO_FD else 0
            while reads and self._read(which):
                reads -= 1
        return self._pipes == [NO_FD, NO_FD]

    def peek(self) -> Output:
        """Return the output that `output` will return, as far as it has come."""
        self.drained()
        if self._captures is None:
            return SILENT
        stdout, stderr = self._captures
        return Output(stdout.peek(), stderr.peek())

    def output(self) -> Output:
        """Return the output since the last call."""
        self.drained()
        if self._captures is None:
            return SILENT
        stdout, stderr = self._captures
        return Output(stdout.take(), stderr.take())

    def identity(self) -> str:
        """Return the identity of the leader. Raises OSError."""
        from heat.process.identity import identity

        return identity(self.pid, self._pidfd)

    def may_signal(self) -> bool:
        """Return whether HEAT may signal the processes of the user that its leader runs as."""
        return may_signal(self._pidfd)

    def signal_group(self, signum: int) -> None:
        """Signal all of the group that HEAT may signal, and a leader that has left it."""
        try:
            os.killpg(self.pid, signum)
            inside = os.getpgid(self.pid) == self.pid
        except OSError:
            inside = False  # HEAT may signal nobody of it, or the leader at most is left.
        if not inside:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signum)

    def exited(self) -> bool:
        """Return whether its leader has exited, and was not reaped yet."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PIDFD, self._pidfd, flags) is not None
        except ChildProcessError:
            return True

    def alone(self) -> bool:
        """Return whether only the exited leader is left of the group, as far as HEAT can see."""
        try:
            return not any(members(self.pid))
        except OSError:
            return False  # For want of descriptors, say; SIGKILL needs no look.

    def works(self) -> bool:
        """Return whether a process of the group, its leader apart, wants a processor or a disk."""
        try:
            return any(proc_stat(pid)[:1] in WORKING for pid in members(self.pid))
        except OSError:
            return False

    def status(self) -> Status:
        """Return how the exited leader ended; it stays a zombie, and its group its own."""
        if self._status is not None:
            return self._status
        try:
            result = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOWAIT)
        except OSError:
            result = None
        if result is None:
            return Status(None)
        if result.si_code == os.CLD_EXITED:
            return Status(result.si_status, None)  # Both given: the quick way.
        return Status(None, result.si_status)

    def reap(self) -> None:
        """Collect the exited leader; the process id means nothing from here on."""
        self._unwatch()
        try:  # noqa: SIM105 - the quick way, once a check
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
        except OSError:
            pass  # Somebody else has.
        self._unreaped.discard(self.pid)
        self._loop.attentive -= 1

    def signal_left(self, signum: int) -> bool:
        """Signal the rest of a group whose leader is reaped; return False if there is none.

        0 only asks. Zombies do not count: process 1 of many a container never reaps them. HEAT
        signals by the pidfd, which can come to mean no other group (Linux 6.9). Before, by the
        number of the group, which the kernel gives to nobody while the group lasts; if a process
        has it, the group is gone.
        """
        if not self._signal_rest(signum):
            return False
        try:
            return any(members(self.pid))
        except OSError:
            return True

    def _signal_rest(self, signum: int) -> bool:
        if PosixChild.by_pidfd:
            try:
                signal.pidfd_send_signal(self._pidfd, signum, None, _TO_GROUP)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    return error.errno == errno.EPERM
                PosixChild.by_pidfd = False
            else:
                return True
        if not _exists(os.killpg, self.pid) or _exists(os.kill, self.pid):
            return False
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signum)
        return True

    def names_left(self) -> list[str]:
        """Return a line for each process that is left of its group."""
        try:
            return [described(pid) for pid in members(self.pid)]
        except OSError:
            return []

    def close(self) -> None:
        """Take no more output, and refer to no run, so that it is freed at once."""
        self._exited, self._drained = _nothing, None
        for which, pipe in enumerate(self._pipes):
            if pipe != NO_FD:
                self._close_pipe(which)
        os.close(self._pidfd)


def _nothing() -> None:
    """Do nothing: the run is over."""


def _exists(kill: Callable[[int, int], None], number: int) -> bool:
    """Return whether a process, or a group, has this number."""
    try:
        kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def close_all(*fds: int) -> None:
    """Close those of these descriptors that there are."""
    for fd in fds:
        if fd != NO_FD:
            os.close(fd)
