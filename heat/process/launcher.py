"""The launcher: starts each program in a process group of its own.

It calls ``posix_spawn`` (a vfork in the C library), and learns of the exit by a pidfd; a check
prints to pipes. It sets ``setpgroup`` and no new session: that would put each child into a
scheduler group of its own, and the vfork would wait for it on a busy machine.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from heat.errors import GONE, NOT_EXECUTABLE, WANT, StartError, reason_of
from heat.process.child import NO_FD, PosixChild, close_all
from heat.process.executable import on_path, why_not_executable
from heat.process.program import Program, encoded
from heat.runtime.loop import Loop

if TYPE_CHECKING:
    from heat.process.adopt import Adopted
    from heat.process.identity import Held
    from heat.process.working_folder import Folder
    from heat.runtime.ports import Owner

    _Report = tuple[Callable[[], None], Owner]
    """The call for when a program has exited, and the owner of that call."""

_PASSING = WANT | {errno.EBADF, errno.ETXTBSY, errno.EIO, errno.ESTALE}
"""Errors for which a program cannot start now, and may start later.

The C library fails with EBADF where a descriptor is above a limit that was lowered since.
"""


class PosixLauncher:
    """Starts programs in a folder, with stdin from /dev/null, in their own groups."""

    age = 0.0
    """Seconds: a program that it starts is new."""

    def __init__(
        self, loop: Loop, environ: Mapping[bytes, bytes], folder: Folder | None = None
    ) -> None:
        self._loop = loop
        self._folder = folder
        self._environ = dict(environ)
        self._null = _open_null()
        self._spare = _open_null()
        """Closed when descriptors run out, so that a started child always gets its pidfd."""
        self.own: set[int] = set()
        """The process ids of programs and helpers that HEAT has, and has not reaped yet."""
        ignored = {s for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN}
        self._reset = sorted(ignored | {signal.SIGPIPE, signal.SIGXFSZ})

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> PosixChild:
        """Start a program; the loop calls ``exited`` when it has. Raises StartError."""
        if self._spare == NO_FD:
            self._restock()
        in_place = self._folder is None or self._folder.follow()
        try:
            if program.file is not None:
                return self._start_script(program, program.file.open(), (exited, owner))
            return self._start_check(program, (exited, owner))
        except OSError as error:
            passing = error.errno in _PASSING or (not in_place and self._gone_with_folder(program))
            why = reason_of(error)
            if not passing:
                why = why_not_executable(program.path) or why
            code = NOT_EXECUTABLE if os.path.exists(program.path) else GONE
            raise StartError(
                f"{program.shown} cannot be started: {why}", passing=passing, code=code
            ) from error

    def _gone_with_folder(self, program: Program) -> bool:
        """Return whether it was in the folder that is gone, and may come back with it."""
        return self._folder is not None and self._folder.holds(program.path)

    def _start_script(self, program: Program, file: int | None, report: _Report) -> PosixChild:
        try:
            out = self._null if file is None else file
            pid = self._spawn(program, out, out)
        finally:
            if file is not None:
                os.close(file)
        return self._child((pid, NO_FD, NO_FD), report)

    def _start_check(self, program: Program, report: _Report) -> PosixChild:
        stdout, their_stdout = os.pipe()
        stderr = their_stderr = NO_FD
        try:
            stderr, their_stderr = os.pipe()
            os.set_blocking(stdout, False)
            os.set_blocking(stderr, False)
            pid = self._spawn(program, their_stdout, their_stderr)
        except BaseException:
            close_all(stdout, stderr, their_stdout, their_stderr)
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
                moved = None if program.file is not None else on_path(program.argv[0])
                if moved is None or moved == path:
                    raise
                path = moved

    def _child(self, started: tuple[int, int, int], report: _Report) -> PosixChild:
        pid, stdout, stderr = started
        pidfd = NO_FD
        try:
            pidfd = self._pidfd(pid)
            self.own.add(pid)
            child = PosixChild(self._loop, (pid, pidfd, stdout, stderr), report, self.own)
        except BaseException:
            # HEAT's child, and not reaped yet: its process id is still its own.
            self.own.discard(pid)
            os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            close_all(stdout, stderr, pidfd)
            raise
        self._loop.attentive += 1
        return child

    def _pidfd(self, pid: int) -> int:
        try:
            return os.pidfd_open(pid)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or self._spare == NO_FD:
                raise
        os.close(self._spare)
        self._spare = NO_FD
        return os.pidfd_open(pid)

    def take_up(self, held: Held) -> Adopted | None:
        """Return the hold on a program that an earlier HEAT has started; None if it has ended."""
        from heat.process import adopt

        return adopt.take_up(self._loop, held, self.own)

    def find(self, environment: Mapping[str, str]) -> Held | None:
        """Return a script that an earlier HEAT started, and had no time to write down."""
        from heat.process import adopt

        return adopt.find(environment)

    def _restock(self) -> None:
        with contextlib.suppress(OSError):
            self._spare = _open_null()

    def close(self) -> None:
        """Close the launcher's own descriptors."""
        close_all(self._null, self._spare)


def _open_null() -> int:
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
