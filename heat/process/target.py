"""The target of signals, held by a pidfd: a process id that was reused is never signalled."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from heat.errors import WANT, NotBelievedError, TargetError, reason_of
from heat.process.proc import DEAD, FLAGS, proc_stat, started
from heat.process.signals import NEED_TARGET
from heat.process.signals import name as signal_name
from heat.text import escaped

if TYPE_CHECKING:
    from heat.process import pid_file
    from heat.process.frost import Frost

_KERNEL_THREAD = 0x00200000


class NoTarget:
    """HEAT as its own target; the signals that it handles do not go through the kernel."""

    def __init__(self, handled: Callable[[int], bool]) -> None:
        self._handled = handled

    def send(self, signum: int) -> int:
        """Do what HEAT does at this signal, or else take its default action."""
        if not self._handled(signum):
            os.kill(os.getpid(), signum)
        return os.getpid()

    def owes(self) -> None:
        """Return nothing: HEAT never stops itself."""

    def wake(self) -> None:
        """Return nothing: HEAT never stops itself."""


class PidTarget:
    """The process that ``--pid`` named at the start, and no other."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.pidfd = open_process(pid)
        self.ended = False
        self.frost = _frost()

    def send(self, signum: int) -> int:
        """Send, and return the process id. Raises TargetError."""
        try:
            self.frost.send(signum, self.pid, self.pidfd)
        except ProcessLookupError:
            raise TargetError(self.gone_reason(), gone=True) from None
        except OSError as error:
            raise _not_sent(signum, self.pid, error) from error
        return self.pid

    def gone_reason(self) -> str:
        """Return the sentence for when it has ended."""
        return f"target {self.pid} (--pid) has ended"

    def owes(self) -> int | None:
        """Return the process that HEAT has stopped, and owes a CONT."""
        return self.frost.pid

    def wake(self) -> int | None:
        """Continue the process that HEAT has stopped; return its process id."""
        return self.frost.wake()


class PidFileTarget:
    """The process that a file names: HEAT reads the file again for each signal."""

    def __init__(self, path: str, myself: NoTarget) -> None:
        self._path = path
        self._shown = escaped(path)
        self._myself = myself
        self.frost = _frost()
        from heat.process import pid_file

        pid_file.clock_ahead_at_first()

    def send(self, signum: int) -> int:
        """Send, and return the process id. Raises TargetError."""
        named, pidfd = self._open()
        try:
            if named.pid == os.getpid():
                return self._send_to_heat(signum)
            self.frost.send(signum, named.pid, pidfd)
        except OSError as error:
            raise _not_sent(signum, named.pid, error) from error
        finally:
            os.close(pidfd)
        return named.pid

    def _open(self) -> tuple[pid_file.Named, int]:
        """Return what the file names, with a pidfd of that process, which HEAT may signal."""
        from heat.process import pid_file

        named = pid_file.read(self._path)
        try:
            pidfd = open_process(named.pid)
        except TargetError as error:
            why = f"{error} (--pid-file {self._shown})"
            raise TargetError(why, passing=error.passing) from None
        # It may have ended since, and these be the facts of another one; but the signal goes to
        # the descriptor.
        try:
            pid_file.believe(named, started(named.pid))
        except OSError as error:
            os.close(pidfd)
            raise _not_opened(named.pid, error) from error
        except BaseException:
            os.close(pidfd)
            raise
        return named, pidfd

    def _send_to_heat(self, signum: int) -> int:
        if signum in NEED_TARGET:
            would = "kill" if signum == signal.SIGKILL else "stop for good"
            raise TargetError(
                f"--pid-file {self._shown} names HEAT itself, which "
                f"{signal_name(signum)} would {would}"
            )
        return self._myself.send(signum)

    def doubt(self) -> str:
        """Return why HEAT would not signal the process that the file names, though it is there."""
        try:
            _, pidfd = self._open()
        except NotBelievedError as error:
            return str(error)
        except TargetError:
            return ""
        os.close(pidfd)
        return ""

    def read(self) -> int:
        """Return the process id that the file names now. Raises TargetError."""
        from heat.process import pid_file

        return pid_file.read(self._path).pid

    def owes(self) -> int | None:
        """Return the process that HEAT has stopped, and owes a CONT."""
        return self.frost.pid

    def wake(self) -> int | None:
        """Continue the process that HEAT has stopped; return its process id."""
        return self.frost.wake()


def _frost() -> Frost:
    from heat.process.frost import Frost

    return Frost()


def _not_sent(signum: int, pid: int, error: OSError) -> TargetError:
    if error.errno == errno.ESRCH:
        return TargetError(f"process {pid} has ended")
    why = "not permitted" if error.errno == errno.EPERM else reason_of(error)
    message = f"{signal_name(signum)} cannot be sent to process {pid}: {why}"
    return TargetError(message, passing=error.errno in WANT)


def open_process(pid: int) -> int:
    """Return a pidfd of a living process that HEAT may signal. Raises TargetError."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError as error:
        raise _not_opened(pid, error) from None
    try:
        fields = proc_stat(pid)
        signal.pidfd_send_signal(pidfd, 0)
    except OSError as error:
        os.close(pidfd)
        if error.errno == errno.EPERM:
            raise TargetError(f"process {pid} may not be signalled by this user") from None
        raise _not_opened(pid, error) from None
    # It was not reaped before the signal, so the fields are its own. (None, where /proc hides it.)
    why = ""
    if fields and fields[0] in DEAD:
        why = "has ended and is a zombie"
    elif fields and int(fields[FLAGS]) & _KERNEL_THREAD:
        why = "is a kernel thread and takes no signals"
    if why:
        os.close(pidfd)
        raise TargetError(f"process {pid} {why}")
    return pidfd


def _not_opened(pid: int, error: OSError) -> TargetError:
    if error.errno in WANT:
        why = reason_of(error)
        return TargetError(f"process {pid} cannot be looked at: {why}", passing=True)
    if os.path.exists(f"/proc/{pid}"):
        # A thread id: pidfd_open fails with ENOENT or EINVAL, depending on the kernel.
        if error.errno in (errno.ENOENT, errno.EINVAL):
            return TargetError(f"process {pid} is a thread of another process")
        return TargetError(f"process {pid}: {reason_of(error)}")
    return TargetError(f"process {pid} does not exist")
