"""Simulated programs: they start, print, hang, end and die on demand."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from heat.errors import GONE, StartError
from heat.process.output import Printed
from heat.process.program import SILENT, Output, Program, Status

if TYPE_CHECKING:
    from heat.process.identity import Held
    from heat.process.ports import Starter
    from heat.rehearsal.clock import VirtualTime
    from heat.runtime.ports import Owner

_status = cache(Status)


class Ends(NamedTuple):
    """The course of a simulated program: ``after`` seconds it exits; None: it hangs."""

    code: int = 0
    after: float | None = 0.0
    killed: int | None = None
    """The signal that ends it, instead of an exit code."""
    stubborn: bool = False
    """It ignores SIGTERM."""
    immortal: bool = False
    """It does not die of SIGKILL, either."""
    stderr: bytes = b""
    error: str = ""
    """The reason why it cannot be started, ``passing`` if for want of resources only."""
    passing: bool = True
    escapee: bool = False
    """It leaves a process behind that is no longer in its group."""
    lost: bool = False
    """Nobody can learn its exit code."""
    stdout: bytes = b""


class SimulatedChild:
    """A program that does nothing until it ends, or is killed."""

    __slots__ = ("_ends", "_exited", "_output", "_owner", "_status", "_time", "pid")

    def __init__(
        self, time: VirtualTime, pid: int, ends: Ends, exited: Callable[[], None], owner: Owner
    ) -> None:
        self.pid = pid
        self._time = time
        self._ends = ends
        self._exited = exited
        self._owner = owner
        self._status: Status | None = None
        self._output = _output(ends)
        if ends.after is not None:
            time.at(time.now() + ends.after, self._end, owner)

    def _end(self) -> None:
        ends = self._ends
        odd = ends.killed is not None or ends.lost
        self._exit(_status(None, ends.killed) if odd else _status(ends.code))

    def _exit(self, status: Status) -> None:
        if self._status is None:
            self._status = status
            self._exited()

    @property
    def immortal(self) -> bool:
        """Nothing ends it."""
        return self._ends.immortal

    def listen(self) -> None:
        """Do nothing: all it prints is there from the beginning."""

    def await_end(self, ended: Callable[[], None]) -> None:
        """Do nothing: nobody else prints."""

    def drained(self) -> bool:
        """Tell if nothing that it left behind can still print."""
        return not self._ends.escapee

    def peek(self) -> Output:
        """Return what `output` will return."""
        return self._output

    def output(self) -> Output:
        """Return the output since the last call."""
        taken, self._output = self._output, SILENT
        return taken

    def identity(self) -> str:
        """Return what tells it from others: no other program has its process id."""
        return f"process {self.pid}"

    def may_signal(self) -> bool:
        """Tell if HEAT may signal it, which is always so."""
        return True

    def signal_group(self, signum: int) -> None:
        """Die of KILL, and of TERM unless it is stubborn, a moment later."""
        if self._status is not None:
            return
        ends = self._ends
        deadly = signum == signal.SIGKILL or (signum == signal.SIGTERM and not ends.stubborn)
        if deadly and not ends.immortal:
            status = _status(None, signum)
            self._time.at(self._time.now(), lambda: self._exit(status), self._owner)

    def exited(self) -> bool:
        """Tell if it has exited."""
        return self._status is not None

    def alone(self) -> bool:
        """Tell if its group is empty, as it starts no other processes."""
        return True

    def works(self) -> bool:
        """Tell if its group works, as it starts no other processes."""
        return False

    def status(self) -> Status:
        """Return how it ended."""
        return self._status or _status(None)

    def reap(self) -> None:
        """Do nothing: nothing is left of it."""

    def signal_left(self, signum: int) -> bool:
        """Tell if anybody of its group is left to be signalled."""
        del signum
        return False

    def names_left(self) -> tuple[str, ...]:
        """Return the names of what is left of its group."""
        return ()

    def close(self) -> None:
        """Do nothing: it has no descriptors."""


def _output(ends: Ends) -> Output:
    stdout, stderr = ends.stdout, ends.stderr
    if not stdout and not stderr:
        return SILENT
    return Output(Printed(stdout, len(stdout)), Printed(stderr, len(stderr)))


class SimulatedLauncher:
    """Starts programs that go as ``ends`` says; process ids count up from ``first``."""

    def __init__(
        self, time: VirtualTime, ends: Callable[[Program], Ends], first: int = 2001
    ) -> None:
        self._time = time
        self._ends = ends
        self._next = first
        self.last: Program | None = None
        """The program that started last, with its environment."""

    age = 0.0

    def take_up(self, held: Held) -> Starter | None:
        """Return None: nothing ran before the beginning."""
        del held
        return None

    def find(self, environment: Mapping[str, str]) -> Held | None:
        """Return None: nothing ran before the beginning."""
        del environment
        return None

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> SimulatedChild:
        """Start a program. Raises StartError."""
        ends = self._ends(program)
        if ends.error:
            raise StartError(ends.error, passing=ends.passing, code=ends.code or GONE)
        self.last = program
        self._next += 1
        return self._child(self._next - 1, ends, exited, owner)

    def _child(
        self, pid: int, ends: Ends, exited: Callable[[], None], owner: Owner
    ) -> SimulatedChild:
        return SimulatedChild(self._time, pid, ends, exited, owner)
