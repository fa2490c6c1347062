"""The keeper: a process that reads the output of HEAT's scripts once HEAT has ended.

A service that a script left running must live on, and a pipe whose reading end is closed kills
its writer. So a fork of HEAT holds the reading end of each script's pipe too. It sleeps while
HEAT lives; then it appends what comes to ``heat.NAME.out``, until nobody writes any more. One
keeper serves all monitors of a HEAT, from the first script that runs.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from heat.errors import HeatError, reason_of
from heat.process.bounded_file import append
from heat.process.helper import Fork

if TYPE_CHECKING:
    from heat.runtime.loop import Loop
    from heat.runtime.ports import Owner

_AGAIN = 1.0
"""Seconds from one keeper to the next, so that HEAT does not fork without end if none lives."""
_PIPE_SIZE = 64 * 1024
_MESSAGE = 8192
"""Bytes; no path is longer than half of that."""


class Keeper:
    """HEAT's side of the keeper."""

    def __init__(
        self, loop: Loop, own: set[int], report: Callable[[str], None], owner: Owner
    ) -> None:
        self.loop = loop
        self.owner = owner
        self._own = own
        self._report = report
        self._pipes: dict[int, str] = {}
        """The descriptor of each reading end, and the path of its file."""
        self._control: socket.socket | None = None
        self._trouble = False
        self._next = 0.0
        """The earliest moment at which HEAT may fork another one in place of one that has ended."""
        self._fork: Fork | None = None

    def keep(self, reader: int, path: str) -> None:
        """Have a pipe read on after HEAT's end; call this before its script starts."""
        with contextlib.suppress(OSError):  # The current folder is gone, and so is that path.
            path = os.path.abspath(path)
        self._pipes[reader] = path
        if not self._send(b"+%d %b" % (reader, os.fsencode(path)), reader):
            self._lost()

    def drop(self, reader: int) -> None:
        """Forget a pipe to which nobody writes any more; call this before you close it."""
        del self._pipes[reader]
        if self._control is not None and not self._send(b"-%d" % reader):
            self._lost()

    def _send(self, message: bytes, *fds: int) -> bool:
        if self._control is None:
            return False
        try:
            socket.send_fds(self._control, [message], fds)
        except OSError:
            return False
        return True

    def _start(self) -> None:
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                work = partial(_live, theirs, self._pipes)
                self._fork = Fork(work, self._own, {theirs.fileno(), *self._pipes})
            except OSError:
                ours.close()
                raise
            finally:
                theirs.close()
        except OSError as error:
            self._troubled(reason_of(error))
            return
        self._next = self.loop.now() + _AGAIN
        self._control, self._trouble = ours, False
        ours.setblocking(False)
        with contextlib.suppress(OSError):  # Then HEAT sees its end at the next script.
            self.loop.watch(ours.fileno(), self._lost, self.owner)

    def _troubled(self, why: str) -> None:
        if not self._trouble:
            self._trouble = True
            self._report(
                f"cannot fork the keeper: {why}; what scripts leave running may not outlive HEAT, "
                "until the next script"
            )

    def _lost(self) -> None:
        """Put another one in the place of one that has ended, or does not answer."""
        self._end()
        if self.loop.now() >= self._next:
            self._replace()
        else:
            self.loop.at(self._next, self._replace, self.owner)

    def _replace(self) -> None:
        if self._pipes and self._control is None:
            self._start()

    def _end(self) -> None:
        self._hang_up()
        if self._fork is not None:
            self._fork.kill()
            self._fork.reap()
            self._fork = None

    def close(self) -> None:
        """End with HEAT: from here on the keeper reads, if anybody writes."""
        if self._pipes:
            self._hang_up()
        else:
            self._end()

    def _hang_up(self) -> None:
        if self._control is not None:
            self.loop.forget(self._control.fileno())
            self._control.close()
            self._control = None


def _live(control: socket.socket, pipes: dict[int, str]) -> None:
    """Be the keeper."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "wb") as name:
        name.write(b"heat-keeper")
    _read_on(_wait(control, {str(fd).encode(): (fd, path) for fd, path in pipes.items()}))


def _wait(control: socket.socket, pipes: dict[bytes, tuple[int, str]]) -> dict[int, str]:
    """Hold the pipes that HEAT sends, and return them when HEAT has ended."""
    while True:
        message, fds, *_ = socket.recv_fds(control, _MESSAGE, 1)
        number, _, path = message[1:].partition(b" ")
        if not message:
            return dict(pipes.values())
        if message.startswith(b"-") and number in pipes:
            os.close(pipes.pop(number)[0])
        elif fds:
            pipes[number] = fds[0], os.fsdecode(path)


def _read_on(pipes: dict[int, str]) -> None:
    """Append what comes until nobody can write any more; what the disk has no room for is lost."""
    poll = select.poll()
    for fd in pipes:
        poll.register(fd, select.POLLIN)
    while pipes:
        for fd, _ in poll.poll():
            try:
                data = os.read(fd, _PIPE_SIZE)
            except BlockingIOError:
                continue
            if data:
                with contextlib.suppress(OSError, HeatError):
                    append(pipes[fd], data)
            else:
                poll.unregister(fd)
                os.close(fd)
                del pipes[fd]
