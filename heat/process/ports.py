"""The ports of the process layer: programs, a target, the output of scripts.

A monitor gets these and reaches for nothing else, so that it runs on a virtual clock with
simulated programs as it does on the real thing. Only types, which a running HEAT never loads.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from heat.process.identity import Held
from heat.process.program import Output, Program, Status
from heat.runtime.ports import Owner


class Child(Protocol):
    """A started program and its process group."""

    @property
    def pid(self) -> int:
        """The process id of the leader."""
        ...

    def listen(self) -> None:
        """Take its output as it comes, from now on."""
        ...

    def await_end(self, ended: Callable[[], None]) -> None:
        """Take its output as it comes, and call ``ended`` once nobody can print any more."""
        ...

    def drained(self) -> bool:
        """Take what it has printed; return True if nobody can print more."""
        ...

    def peek(self) -> Output:
        """Return the output that `output` will return, as far as it has come."""
        ...

    def output(self) -> Output:
        """Return the output since the last call."""
        ...

    def identity(self) -> str:
        """Return the identity of the leader, in any run of the machine. Raises OSError."""
        ...

    def may_signal(self) -> bool:
        """Return whether HEAT may signal the processes of the user that its leader runs as."""
        ...

    def signal_group(self, signum: int) -> None:
        """Signal all of the group that HEAT may signal, and a leader that has left it."""
        ...

    def exited(self) -> bool:
        """Return whether its leader has exited, and was not reaped yet."""
        ...

    def alone(self) -> bool:
        """Return whether only the exited leader is left of the group; False if HEAT cannot see."""
        ...

    def works(self) -> bool:
        """Return whether a process of the group, its leader apart, wants a processor or a disk."""
        ...

    def status(self) -> Status:
        """Return how the exited leader ended."""
        ...

    def reap(self) -> None:
        """Collect the exited leader; the process id means nothing from here on."""
        ...

    def signal_left(self, signum: int) -> bool:
        """Signal the rest of the group of a reaped leader; return False if there is none.

        0 only asks, and signals nobody.
        """
        ...

    def names_left(self) -> Sequence[str]:
        """Return a line for each process that is left of its group."""
        ...

    def close(self) -> None:
        """Take no more output."""
        ...


class Starter(Protocol):
    """A way to have a program run: by a start, or because it runs already."""

    @property
    def age(self) -> float:
        """Seconds for which a program has been running when it is started."""
        ...

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> Child:
        """Start a program, and call ``exited`` once its leader has. Raises StartError."""
        ...


class Launcher(Starter, Protocol):
    """A starter of programs, which also knows those of an earlier HEAT."""

    def take_up(self, held: Held) -> Starter | None:
        """Return the hold on a program that runs already; None if it has ended."""
        ...

    def find(self, environment: Mapping[str, str]) -> Held | None:
        """Return a program that an earlier HEAT started with these variables."""
        ...


class Target(Protocol):
    """The process that HEAT sends signals to."""

    def send(self, signum: int) -> int:
        """Send, and return the process id it went to. Raises TargetError."""
        ...

    def owes(self) -> int | None:
        """Return the process that HEAT has stopped, and owes a CONT."""
        ...

    def wake(self) -> int | None:
        """Continue the process that HEAT has stopped; return its process id."""
        ...


class ScriptFile(Protocol):
    """The output of fail and recovery scripts, and of what they leave behind."""

    printed: Callable[[], None] | None
    """Called when there is something to take, but not for each line."""

    @property
    def last_line(self) -> str:
        """The last line of the script that was started last, as far as HEAT has read it."""
        ...

    def open(self) -> int | None:
        """Return a descriptor for a script to print to; None where there can be none."""
        ...

    def take(self) -> bytes:
        """Return the output since the last call, bounded."""
        ...
