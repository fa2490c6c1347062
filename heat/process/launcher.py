"""The process layer: spawn into a group of its own, take the output, signal, reap.

``posix_spawn`` (a vfork in the C library), a pidfd to learn of the exit, pipes for what a
check prints. ``setpgroup`` and not a new session: that would put each child into a
scheduler group of its own, and the vfork would wait for it on a busy machine.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from heat.errors import GONE, NOT_EXECUTABLE, WANT, StartError, reason_of
from heat.process.executable import on_path, why_not_executable
from heat.process.output import Capture
from heat.process.program import SILENT, Output, Program, Status, encoded
from heat.process.target import has_ended, proc_stat
from heat.runtime.loop import Loop
from heat.text import escaped
from heat.trust import user

if TYPE_CHECKING:
    from heat.process.adopt import Adopted
    from heat.process.working_folder import Folder
    from heat.records import Held
    from heat.runtime.ports import Owner

    _Report = tuple[Callable[[], None], Owner]
    """A callback for when a program has exited, and whose program it is."""

_PASSING = WANT | {errno.EBADF, errno.ETXTBSY, errno.EIO, errno.ESTALE}
"""A program that cannot be started for one of these may be started later.

EBADF is what the C library says of an open descriptor above a limit that was lowered since.
"""

_PIPE_SIZE = 64 * 1024
_MOST_READS = 16
"""A program can make its pipe hold a mebibyte; what comes beyond that is a flood."""

_NO_FD = -1
_WORKING = ([b"R"], [b"D"])
_TO_GROUP = 4
"""PIDFD_SIGNAL_PROCESS_GROUP of pidfd_send_signal(2)."""


class PosixLauncher:
    """Starts programs in a folder, with stdin from /dev/null, in their own groups."""

    age = 0.0
    """Seconds; a program that it starts is new."""

    def __init__(
        self, loop: Loop, environ: Mapping[bytes, bytes], folder: Folder | None = None
    ) -> None:
        self._loop = loop
        self._folder = folder
        self._environ = dict(environ)
        self._null = _open_null()
        self._spare = _open_null()
        """Given up when descriptors run out, so that a started child always gets its pidfd."""
        self.own: set[int] = set()
        """The process ids of programs and helpers that HEAT has, and has not reaped yet."""
        ignored = {s for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN}
        self._reset = sorted(ignored | {signal.SIGPIPE, signal.SIGXFSZ})

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> PosixChild:
        """Start it; ``exited`` is called from the loop. Raises StartError."""
        if self._spare == _NO_FD:
            self._restock()
        there = self._folder is None or self._folder.follow()
        try:
            if program.file is not None:
                return self._start_script(program, program.file.open(), (exited, owner))
            return self._start_check(program, (exited, owner))
        except OSError as error:
            passing = error.errno in _PASSING or (not there and self._gone_with_folder(program))
            why = reason_of(error)
            if not passing:
                why = why_not_executable(program.path) or why
            code = NOT_EXECUTABLE if os.path.exists(program.path) else GONE
            raise StartError(
                f"{program.shown} cannot be started: {why}", passing=passing, code=code
            ) from error

    def _gone_with_folder(self, program: Program) -> bool:
        """It was in the folder that is gone, and may come back with it."""
        return self._folder is not None and self._folder.holds(program.path)

    def _start_script(self, program: Program, file: int | None, report: _Report) -> PosixChild:
        try:
            printed = self._null if file is None else file
            pid = self._spawn(program, printed, printed)
        finally:
            if file is not None:
                os.close(file)
        return self._child((pid, _NO_FD, _NO_FD), report)

    def _start_check(self, program: Program, report: _Report) -> PosixChild:
        stdout, their_stdout = os.pipe()
        stderr = their_stderr = _NO_FD
        try:
            stderr, their_stderr = os.pipe()
            os.set_blocking(stdout, False)
            os.set_blocking(stderr, False)
            pid = self._spawn(program, their_stdout, their_stderr)
        except BaseException:
            _close(stdout, stderr, their_stdout, their_stderr)
            raise
        os.close(their_stdout)
        os.close(their_stderr)
        return self._child((pid, stdout, stderr), report)

    def _spawn(self, program: Program, out: int, err: int) -> int:
        environ: Mapping[bytes, bytes] = self._environ
        if program.env:
            added = {key.encode(): encoded(value) for key, value in program.env.items()}
            environ = {**environ, **added}
        path = program.path
        while True:
            try:
                return os.posix_spawn(
                    path,
                    program.argv,
                    environ,
                    file_actions=(
                        (os.POSIX_SPAWN_DUP2, self._null, 0),
                        (os.POSIX_SPAWN_DUP2, out, 1),
                        (os.POSIX_SPAWN_DUP2, err, 2),
                    ),
                    setpgroup=0,
                    setsigmask=(),
                    setsigdef=self._reset,
                )
            except FileNotFoundError:
                # An upgrade of its package may have moved a command along PATH.
                found = None if program.file is not None else on_path(program.argv[0])
                if found is None or found == path:
                    raise
                path = found

    def _child(self, started: tuple[int, int, int], report: _Report) -> PosixChild:
        pid, stdout, stderr = started
        pidfd = _NO_FD
        try:
            pidfd = self._pidfd(pid)
            self.own.add(pid)
            child = PosixChild(self._loop, (pid, pidfd, stdout, stderr), report, self.own)
        except BaseException:
            # Our own child, not reaped yet: its pid is still its own.
            self.own.discard(pid)
            os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            _close(stdout, stderr, pidfd)
            raise
        self._loop.attentive += 1
        return child

    def _pidfd(self, pid: int) -> int:
        try:
            return os.pidfd_open(pid)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or self._spare == _NO_FD:
                raise
        os.close(self._spare)
        self._spare = _NO_FD
        return os.pidfd_open(pid)

    def take_up(self, held: Held) -> Adopted | None:
        """The hold on a program that an earlier HEAT has started; None if it has ended."""
        from heat.process import adopt

        return adopt.take_up(self._loop, held, self.own)

    def find(self, environment: Mapping[str, str]) -> Held | None:
        """A script that an earlier HEAT has started, and had no time to write down."""
        from heat.process import adopt

        return adopt.find(environment)

    def _restock(self) -> None:
        with contextlib.suppress(OSError):
            self._spare = _open_null()

    def close(self) -> None:
        """Give the descriptors back."""
        _close(self._null, self._spare)


class PosixChild:
    """One started program; until it is reaped, its process id and group are its own."""

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
    """The kernel signals a group by the pidfd of its leader; known once it was tried."""

    def __init__(
        self,
        loop: Loop,
        ids: tuple[int, int, int, int],
        report: _Report,
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
            # It may be meant for HEAT as well, as when systemd stops both: then the program is
            # stopped with HEAT, and not judged.
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

        A check that prints less than a pipe holds and ends at once needs none of this, so
        it is put off until a check has run for a while. A pipe that cannot be watched for
        want of memory is read at the end.
        """
        for which, pipe in enumerate(self._pipes):
            if pipe != _NO_FD and not self._listening[which]:
                with contextlib.suppress(OSError):
                    self._loop.watch(pipe, partial(self._ready, which), self._owner)
                    self._listening[which] = True

    def await_end(self, ended: Callable[[], None]) -> None:
        """Likewise, and call once nobody can print any more."""
        self._drained = ended
        self.listen()

    def _ready(self, which: int) -> None:
        self._read(which)
        if self._drained is not None and self._pipes == [_NO_FD, _NO_FD]:
            ended, self._drained = self._drained, None
            ended()

    def _read(self, which: int) -> bool:
        """Take what is there; False when nothing is, or nobody can print more."""
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
        _close(self._pipes[which])
        self._pipes[which] = _NO_FD

    def drained(self) -> bool:
        """Take what is in the pipes now, and no more; True if nobody holds their other ends."""
        for which, pipe in enumerate(self._pipes):
            reads = _MOST_READS if pipe != _NO_FD else 0
            while reads and self._read(which):
                reads -= 1
        return self._pipes == [_NO_FD, _NO_FD]

    def peek(self) -> Output:
        """The output that `output` will give, as far as it has come."""
        self.drained()
        if self._captures is None:
            return SILENT
        stdout, stderr = self._captures
        return Output(stdout.peek(), stderr.peek())

    def output(self) -> Output:
        """The output since the last call."""
        self.drained()
        if self._captures is None:
            return SILENT
        stdout, stderr = self._captures
        return Output(stdout.take(), stderr.take())

    def identity(self) -> str:
        """Which process the leader is. Raises OSError."""
        from heat.process.identity import identity

        return identity(self.pid, self._pidfd)

    def may_signal(self) -> bool:
        """Its leader runs as a user whose processes HEAT may signal."""
        try:
            signal.pidfd_send_signal(self._pidfd, 0)
        except PermissionError:
            return False
        except ProcessLookupError:
            pass
        return True

    def signal_group(self, signum: int) -> None:
        """Signal all of the group that may be signalled, and a leader that has left it."""
        try:
            os.killpg(self.pid, signum)
            inside = os.getpgid(self.pid) == self.pid
        except OSError:
            inside = False  # Nobody of it may be signalled, or is left, but the leader perhaps.
        if not inside:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signum)

    def exited(self) -> bool:
        """Its leader has exited, and was not reaped yet."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PIDFD, self._pidfd, flags) is not None
        except ChildProcessError:
            return True

    def alone(self) -> bool:
        """Nothing but the exited leader is left of the group, as far as can be seen."""
        try:
            return not any(self._members())
        except OSError:
            return False  # For want of descriptors, say; SIGKILL needs no look.

    def works(self) -> bool:
        """Some process of the group, whose leader has exited, wants a processor or a disk now."""
        try:
            return any(proc_stat(pid)[:1] in _WORKING for pid in self._members())
        except OSError:
            return False

    def _members(self) -> Iterator[int]:
        """The processes of its group, without the leader. Raises OSError."""
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(ProcessLookupError):
                if pid != self.pid and os.getpgid(pid) == self.pid and not has_ended(pid):
                    yield pid

    def status(self) -> Status:
        """How the exited leader ended; it stays a zombie, and its group its own."""
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
        """Signal, 0 for none, what is left of the group of a reaped leader; False if nothing is.

        Nothing are zombies too, which process 1 of many a container never reaps.
        By the pidfd, which no other group can come to mean (Linux 6.9). Before, by the number of
        the group, which is not given away while the group lasts, unless a process has it: then it
        was.
        """
        if not self._signal_rest(signum):
            return False
        try:
            return any(self._members())
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
        """A line for each process that is left of its group."""
        try:
            return [_named(pid) for pid in self._members()]
        except OSError:
            return []

    def close(self) -> None:
        """Take no more output, and refer to no run: what is over is freed at once."""
        self._exited, self._drained = _nothing, None
        for which, pipe in enumerate(self._pipes):
            if pipe != _NO_FD:
                self._close_pipe(which)
        os.close(self._pidfd)


def _nothing() -> None:
    """Nobody is to be told any more."""


def _exists(kill: Callable[[int, int], None], number: int) -> bool:
    """Tell whether a process, or a group, has this number."""
    try:
        kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _named(pid: int) -> str:
    try:
        uid = os.stat(f"/proc/{pid}").st_uid
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="backslashreplace") as comm:
            return f"process {pid} ({escaped(comm.read().strip())}, of {user(uid)})"
    except OSError:
        return f"process {pid}"


def _open_null() -> int:
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def _close(*fds: int) -> None:
    for fd in fds:
        if fd != _NO_FD:
            os.close(fd)
