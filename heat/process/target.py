"""The process that signals are sent to, held by a pidfd: a reused pid is never signalled."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from heat.errors import WANT, NotBelievedError, TargetError, reason_of
from heat.process.signals import NEED_TARGET, STOPPING
from heat.process.signals import name as signal_name
from heat.text import escaped
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.process import pid_file

_DEAD = {b"Z", b"X"}
_FLAGS = 6
START_TIME = 19
"""Of the fields from the state on (proc(5)), as the flags."""
_KERNEL_THREAD = 0x00200000


class Frozen(NamedTuple):
    """A process that HEAT has stopped and not continued."""

    pid: int
    pidfd: int


class Owed(NamedTuple):
    """A writer of what is frozen, before it is, and that it goes on, after it does."""

    frozen: Callable[[int, int], None]
    """Called with its process id and a pidfd. Raises OSError."""
    woken: Callable[[], None]


class Frost:
    """Remembers what a STOP froze, so that somebody wakes it."""

    def __init__(self) -> None:
        self._frozen: Frozen | None = None
        self.owed: Owed | None = None

    @property
    def pid(self) -> int | None:
        """The process that is frozen."""
        return None if self._frozen is None else self._frozen.pid

    def hold(self, pid: int, pidfd: int) -> None:
        """An earlier HEAT has frozen this one; the descriptor is closed with it."""
        self._frozen = Frozen(pid, pidfd)

    def send(self, signum: int, pid: int, pidfd: int) -> None:
        """Signal ``pidfd``; nothing is stopped that could not be woken. Raises OSError."""
        if signum in STOPPING:
            self._stop(signum, pid, pidfd)
            return
        signal.pidfd_send_signal(pidfd, signum)
        if signum == signal.SIGCONT and self._frozen is not None:
            # Another process may have taken the place of the frozen one: wake that too.
            self.wake()

    def _stop(self, signum: int, pid: int, pidfd: int) -> None:
        if self._frozen is not None and self._frozen.pid != pid:
            self.wake()
        held = os.dup(pidfd)
        try:
            if self.owed is not None:
                self.owed.frozen(pid, pidfd)
            signal.pidfd_send_signal(pidfd, signum)
        except OSError:
            os.close(held)
            raise
        if self._frozen is not None:
            os.close(self._frozen.pidfd)
        self._frozen = Frozen(pid, held)

    def wake(self) -> int | None:
        """Send CONT to what is frozen; its process id, if it was still there."""
        if self._frozen is None:
            return None
        frozen, self._frozen = self._frozen, None
        try:
            signal.pidfd_send_signal(frozen.pidfd, signal.SIGCONT)
        except OSError:
            return None
        finally:
            os.close(frozen.pidfd)
            if self.owed is not None:
                self.owed.woken()
        return frozen.pid


class NoTarget:
    """HEAT is its own target; the signals that it handles do not go through the kernel."""

    def __init__(self, handled: Callable[[int], bool]) -> None:
        self._handled = handled

    def send(self, signum: int) -> int:
        """Do what the signal asks of HEAT, or have its default action."""
        if not self._handled(signum):
            os.kill(os.getpid(), signum)
        return os.getpid()

    def owes(self) -> None:
        """HEAT never stops itself."""

    def wake(self) -> None:
        """HEAT never stops itself."""


class PidTarget:
    """The process of ``--pid``: the one that was there at the start, and no other."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.pidfd = open_process(pid)
        self.ended = False
        self.frost = Frost()

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
        """The sentence for when it has ended."""
        return f"target {self.pid} (--pid) has ended"

    def owes(self) -> int | None:
        """The process that HEAT has stopped, and owes a CONT."""
        return self.frost.pid

    def wake(self) -> int | None:
        """Continue what was stopped and never continued; return its process id."""
        return self.frost.wake()


class PidFileTarget:
    """The process that a file names, read anew for each signal."""

    def __init__(self, path: str, myself: NoTarget) -> None:
        self._path = path
        self._shown = escaped(path)
        self._myself = myself
        self.frost = Frost()
        from heat.process import pid_file

        pid_file.clock_ahead_at_first()

    def send(self, signum: int) -> int:
        """Send, and return the process id. Raises TargetError."""
        named, pidfd = self._found()
        try:
            if named.pid == os.getpid():
                return self._send_to_heat(signum)
            self.frost.send(signum, named.pid, pidfd)
        except OSError as error:
            raise _not_sent(signum, named.pid, error) from error
        finally:
            os.close(pidfd)
        return named.pid

    def _found(self) -> tuple[pid_file.Named, int]:
        """The process that the file names and that may be signalled, held by a descriptor."""
        from heat.process import pid_file

        named = pid_file.read(self._path)
        try:
            pidfd = open_process(named.pid)
        except TargetError as error:
            why = f"{error} (--pid-file {self._shown})"
            raise TargetError(why, passing=error.passing) from None
        # If it has ended since, what is read here may be of another one; but the signal goes to
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
        """Say why the process that the file names would not be signalled, though it is there."""
        try:
            _, pidfd = self._found()
        except NotBelievedError as error:
            return str(error)
        except TargetError:
            return ""
        os.close(pidfd)
        return ""

    def read(self) -> int:
        """The process id that the file names now. Raises TargetError."""
        from heat.process import pid_file

        return pid_file.read(self._path).pid

    def owes(self) -> int | None:
        """The process that HEAT has stopped, and owes a CONT."""
        return self.frost.pid

    def wake(self) -> int | None:
        """Continue what was stopped and never continued; return its process id."""
        return self.frost.wake()


def _not_sent(signum: int, pid: int, error: OSError) -> TargetError:
    if error.errno == errno.ESRCH:
        return TargetError(f"process {pid} has ended")
    why = "not permitted" if error.errno == errno.EPERM else reason_of(error)
    told = f"{signal_name(signum)} cannot be sent to process {pid}: {why}"
    return TargetError(told, passing=error.errno in WANT)


def open_process(pid: int) -> int:
    """A pidfd of a living process that may be signalled. Raises TargetError with the reason."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError as error:
        raise _not_opened(pid, error) from None
    try:
        about = proc_stat(pid)
        signal.pidfd_send_signal(pidfd, 0)
    except OSError as error:
        os.close(pidfd)
        if error.errno == errno.EPERM:
            raise TargetError(f"process {pid} may not be signalled by this user") from None
        raise _not_opened(pid, error) from None
    # It was not reaped before the signal, so what was read is about it. (Nothing, where
    # /proc hides it.)
    why = ""
    if about and about[0] in _DEAD:
        why = "has ended and is a zombie"
    elif about and int(about[_FLAGS]) & _KERNEL_THREAD:
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
        # A thread id; pidfd_open says ENOENT or EINVAL, depending on the kernel.
        if error.errno in (errno.ENOENT, errno.EINVAL):
            return TargetError(f"process {pid} is a thread of another process")
        return TargetError(f"process {pid}: {reason_of(error)}")
    return TargetError(f"process {pid} does not exist")


def has_ended(pid: int) -> bool:
    """Tell if a process is gone, or a zombie that waits to be reaped. Raises OSError."""
    about = proc_stat(pid)
    return not about or about[0] in _DEAD


def proc_stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat from the state on (proc(5)); none if it is not there.

    Raises OSError for want of resources.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat_file:
            return stat_file.read().rpartition(b")")[2].split()
    except OSError as error:
        if error.errno in WANT:
            raise
        return []


def started(pid: int) -> float | None:
    """Tell when a process was started, in seconds since the boot; None if that cannot be seen.

    Raises OSError for want of resources.
    """
    about = proc_stat(pid)
    return int(about[START_TIME]) / os.sysconf("SC_CLK_TCK") if about else None


def would_end(pid: int, signum: int) -> bool:
    """Tell if ``signum`` would end ``pid``: neither caught nor ignored nor waited for.

    A blocked signal may be read through a signalfd, so it is taken as waited for.
    """
    cared_for = 0
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            for line in status:
                key, _, value = line.partition(b":")
                if key in (b"SigCgt", b"SigIgn", b"SigBlk"):
                    cared_for |= int(value, 16)
    except (OSError, ValueError):
        return False
    return not cared_for >> (signum - 1) & 1
