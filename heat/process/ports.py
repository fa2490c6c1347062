"""The ports of the process layer: programs, a target, what scripts print to.

A monitor is given these and reaches for nothing else, so that it runs as well on a virtual clock
with simulated programs as on the real thing. Types only, never loaded by a running HEAT.
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
        """The leader's process id."""
        ...

    def listen(self) -> None:
        """Take its output as it comes, from now on."""
        ...

    def await_end(self, ended: Callable[[], None]) -> None:
        """Likewise, and call once nobody can print any more."""
        ...

    def drained(self) -> bool:
        """Take what it has printed; True if nobody can print more."""
        ...

    def peek(self) -> Output:
        """The output that `output` will give, as far as it has come."""
        ...

    def output(self) -> Output:
        """The output since the last call."""
        ...

    def identity(self) -> str:
        """Which process the leader is, in this run of the machine or another. Raises OSError."""
        ...

    def may_signal(self) -> bool:
        """Its leader runs as a user whose processes HEAT may signal."""
        ...

    def signal_group(self, signum: int) -> None:
        """Signal all of the group that may be signalled, and a leader that has left it."""
        ...

    def exited(self) -> bool:
        """Its leader has exited, and was not reaped yet."""
        ...

    def alone(self) -> bool:
        """Nothing but the exited leader is left of the group; False if that cannot be seen."""
        ...

    def works(self) -> bool:
        """Some process of the group, whose leader has exited, wants a processor or a disk now."""
        ...

    def status(self) -> Status:
        """How the exited leader ended."""
        ...

    def reap(self) -> None:
        """Collect the exited leader; the process id means nothing from here on."""
        ...

    def signal_left(self, signum: int) -> bool:
        """Signal, 0 for none, what is left of its group; False if nothing is.

        Asked when the leader is reaped.
        """
        ...

    def names_left(self) -> Sequence[str]:
        """A line for each process that is left of its group."""
        ...

    def close(self) -> None:
        """Take no more output."""
        ...


class Starter(Protocol):
    """Starts programs, or has what runs already."""

    @property
    def age(self) -> float:
        """Seconds for which what it starts has been running."""
        ...

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> Child:
        """Start it; ``exited`` is called once its leader has exited. Raises StartError."""
        ...


class Launcher(Starter, Protocol):
    """Starts programs, and knows those of an earlier HEAT."""

    def take_up(self, held: Held) -> Starter | None:
        """The hold on a program that runs already; None if it has ended."""
        ...

    def find(self, environment: Mapping[str, str]) -> Held | None:
        """A program that was started in another life, and told exactly this."""
        ...


class Target(Protocol):
    """The process that signals are sent to."""

    def send(self, signum: int) -> int:
        """Send, and return the process id it went to. Raises TargetError."""
        ...

    def owes(self) -> int | None:
        """The process that HEAT has stopped, and owes a CONT."""
        ...

    def wake(self) -> int | None:
        """Continue what was stopped and never continued; return its process id."""
        ...


class ScriptFile(Protocol):
    """The place that fail and recovery scripts print to, and what they leave behind."""

    printed: Callable[[], None] | None
    """Called, not for each line, when there is something to take."""

    @property
    def last_line(self) -> str:
        """The last line of the script that was started last, of what was read by now."""
        ...

    def open(self) -> int | None:
        """A descriptor for a script to print to; None where there can be none."""
        ...

    def take(self) -> bytes:
        """The output since the last call, bounded."""
        ...
