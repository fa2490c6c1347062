"""A world for the watch in which no time passes: a virtual clock, simulated programs and targets.

What it offers is what the ports ask for, so the watch and the machine in it are the real ones.
Nothing here sleeps, starts or signals anything.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from heat.errors import GONE, StartError, TargetError
from heat.process.identity import Held
from heat.process.output import Printed
from heat.process.program import SILENT, Output, Program, Status
from heat.process.signals import HARMLESS, STOPPING
from heat.runtime.scheduler import Scheduler

if TYPE_CHECKING:
    from heat.process.ports import Starter
    from heat.runtime.ports import Owner

UNIX = 1_700_000_000
"""The unix second in which a virtual world begins: HEAT_FAIL_TIME is read as seconds of it."""
BEGINNING = 1000.0
"""The virtual monotonic clock's first value."""
_AT_ONCE = 0.0
_UNHARMED = HARMLESS | {signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE, signal.SIGXFSZ}
"""Signals that HEAT can send itself and live on: it handles them, or Python ignores them."""
_EXACT = 1e-9
_status = cache(Status)


class VirtualTime:
    """A clock and timers; equal times in the order they were set."""

    __slots__ = ("_now", "_unix", "agenda", "at", "lost")

    def __init__(self, unix: float = UNIX) -> None:
        self._now = BEGINNING
        self._unix = unix - BEGINNING
        self.agenda = Scheduler()
        self.at = self.agenda.add
        self.lost = 0.0

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return self._now

    def unix(self) -> float:
        """Seconds since the epoch, for people."""
        return self._unix + self._now

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return round(self._now - BEGINNING, 6)

    def run_until(self, end: float) -> None:
        """Do all that is due up to ``end`` seconds after the beginning."""
        while (when := self.next_until(end)) is not None:
            self.run_next(when)
        self._now = max(self._now, BEGINNING + end)

    def next_until(self, end: float) -> float | None:
        """When the next thing is due, if that is by ``end`` seconds after the beginning."""
        when = self.agenda.next()
        return None if when is None or when > BEGINNING + end + _EXACT else when

    def run_next(self, when: float) -> None:
        """Do the next thing, which is due at this moment of the clock."""
        self._now = max(self._now, when)
        due = self.agenda.take(self._now)
        if due is not None and due.call is not None:
            due.call()

    def stall(self, seconds: float) -> None:
        """Let time pass in which nothing is looked at, as when HEAT is stopped."""
        self._now += seconds


class Ends(NamedTuple):
    """How a simulated program goes: ``after`` seconds it exits; None: it hangs."""

    code: int = 0
    after: float | None = 0.0
    killed: int | None = None
    stubborn: bool = False
    """It ignores SIGTERM."""
    immortal: bool = False
    """And SIGKILL."""
    stderr: bytes = b""
    error: str = ""
    """It cannot be started; ``passing`` tells whether for want of resources."""
    passing: bool = True
    escapee: bool = False
    """It leaves a process behind that is no longer in its group."""
    lost: bool = False
    """Its exit code is."""


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
        said = ends.stderr
        self._output = Output(stderr=Printed(said, len(said))) if said else SILENT
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
        """All it prints is there from the beginning."""

    def await_end(self, ended: Callable[[], None]) -> None:
        """Nobody else prints."""

    def drained(self) -> bool:
        """Likewise, unless it was told to leave somebody behind."""
        return not self._ends.escapee

    def peek(self) -> Output:
        """The output that `output` will give."""
        return self._output

    def output(self) -> Output:
        """The output since the last call."""
        taken, self._output = self._output, SILENT
        return taken

    def identity(self) -> str:
        """No other program has its process id."""
        return f"process {self.pid}"

    def may_signal(self) -> bool:
        """Always."""
        return True

    def signal_group(self, signum: int) -> None:
        """It dies of KILL, and of TERM unless it is stubborn; a moment later."""
        if self._status is not None:
            return
        ends = self._ends
        deadly = signum == signal.SIGKILL or (signum == signal.SIGTERM and not ends.stubborn)
        if deadly and not ends.immortal:
            status = _status(None, signum)
            self._time.at(self._time.now(), lambda: self._exit(status), self._owner)

    def exited(self) -> bool:
        """It has exited."""
        return self._status is not None

    def alone(self) -> bool:
        """It starts no others."""
        return True

    def works(self) -> bool:
        """Likewise."""
        return False

    def status(self) -> Status:
        """How it ended."""
        return self._status or _status(None)

    def reap(self) -> None:
        """Nothing is left of it."""

    def signal_left(self, signum: int) -> bool:
        """Nobody is left of its group."""
        del signum
        return False

    def names_left(self) -> tuple[str, ...]:
        """Likewise."""
        return ()

    def close(self) -> None:
        """It prints no more."""


class SimulatedLauncher:
    """Starts programs as ``ends`` says that they go; process ids count up from ``first``."""

    def __init__(
        self, time: VirtualTime, ends: Callable[[Program], Ends], first: int = 2001
    ) -> None:
        self._time = time
        self._ends = ends
        self._next = first
        self.last: Program | None = None
        """The program that was started last, with its environment."""

    age = 0.0

    def take_up(self, held: Held) -> Starter | None:
        """Nothing ran before the beginning."""
        del held
        return None

    def find(self, environment: Mapping[str, str]) -> Held | None:
        """Likewise."""
        del environment
        return None

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> SimulatedChild:
        """Start it. Raises StartError."""
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


class SimulatedTarget:
    """A process that takes every signal, until it has ended; remembers what froze it."""

    def __init__(self, pid: int, gone: Callable[[str], None] | None = None) -> None:
        self.pid = pid
        self.frozen = False
        self.ended = False
        self._gone = gone
        """Called when it has ended; None for one that comes back, as that of a pid file."""

    def send(self, signum: int) -> int:
        """Take the signal, and return the process id. Raises TargetError."""
        if self.ended:
            raise TargetError(self.gone_reason(), gone=True)
        if signum in STOPPING:
            self.frozen = True
        elif signum == signal.SIGCONT:
            self.frozen = False
        elif signum == signal.SIGKILL:
            self.frozen = False
            self.end()
        return self.pid

    def end(self) -> None:
        """It ends, and who holds it is told."""
        if self._gone is not None:
            self.ended = True
            self._gone(self.gone_reason())

    def gone_reason(self) -> str:
        """The sentence for when it has ended."""
        return f"target {self.pid} (--pid) has ended"

    def owes(self) -> int | None:
        """The process that was stopped, and is owed a CONT."""
        return self.pid if self.frozen and not self.ended else None

    def wake(self) -> int | None:
        """Continue what was stopped and never continued; return its process id."""
        frozen, self.frozen = self.frozen, False
        return self.pid if frozen and not self.ended else None


class HeatItself:
    """HEAT as its own target: ``ends`` is called, a moment later, by what would end it."""

    def __init__(self, time: VirtualTime, ends: Callable[[int], None], owner: Owner) -> None:
        self._time = time
        self._ends = ends
        self._owner = owner

    def send(self, signum: int) -> int:
        """Take the signal, and return a process id."""
        if signum not in _UNHARMED:
            self._time.at(_AT_ONCE, lambda: self._ends(signum), self._owner)
        return 1

    def owes(self) -> None:
        """HEAT never stops itself."""

    def wake(self) -> None:
        """HEAT never stops itself."""


class Nowhere:
    """Console and logs of which nothing is left."""

    shown = ""

    def result(self, text: str, colour: str = "", at: int | None = None) -> None:
        """Nobody reads it."""

    def news(self, text: str, colour: str = "") -> None:
        """Nobody reads it."""

    def trouble(self, text: str) -> None:
        """Nobody reads it."""

    def write(self, record: str) -> None:
        """Nobody reads it."""
