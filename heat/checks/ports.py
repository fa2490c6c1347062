"""The ports of the checks: what a check is, and one attempt at it.

A command implements them. A check without a process will as well: it has the process id 0, leaves
nothing behind and asks no terminal. Types only, never loaded by a running HEAT.
"""

from typing import Protocol

from heat.process.ports import Starter
from heat.process.program import Output, Status
from heat.process.run import Callbacks
from heat.runtime.ports import Clock, Owner, Timers


class Attempt(Protocol):
    """One attempt at a check, from its start until nothing of it is left."""

    terminal: bool
    """It is stopped, as it asked the terminal."""

    @property
    def shown(self) -> str:
        """The check as the user gave it."""
        ...

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    @property
    def started_unix(self) -> int:
        """The unix second in which it started."""
        ...

    @property
    def duration(self) -> float:
        """Seconds from its start to its end."""
        ...

    @property
    def status(self) -> Status:
        """The exit status."""
        ...

    @property
    def code(self) -> int | None:
        """The exit code that it stands for; None if that is lost."""
        ...

    @property
    def last_line(self) -> str:
        """The last line that it has printed so far."""
        ...

    @property
    def limit(self) -> float | None:
        """Seconds from its start to its time limit."""
        ...

    @property
    def time_left(self) -> float:
        """Seconds until its time limit."""
        ...

    @property
    def timed_out(self) -> bool:
        """Its time was up: it has failed, and is being stopped."""
        ...

    @property
    def killed(self) -> bool:
        """A signal that HEAT did not send has ended it."""
        ...

    @property
    def stopped(self) -> bool:
        """HEAT has stopped it, and not for its time limit."""
        ...

    @property
    def denied(self) -> bool:
        """HEAT may not stop it."""
        ...

    @property
    def outlived(self) -> bool:
        """HEAT could not stop it, and can do no more about it."""
        ...

    @property
    def over(self) -> bool:
        """There is nothing left to stop."""
        ...

    @property
    def settled(self) -> bool:
        """It has left nothing behind that HEAT can end."""
        ...

    def drained(self) -> bool:
        """Take its output; return True if nobody can print more."""
        ...

    def output(self) -> Output:
        """Return the output since the last call."""
        ...

    def stop(self) -> None:
        """Begin to stop it."""
        ...

    def stop_hard(self) -> None:
        """Stop it at once."""
        ...


class Check(Protocol):
    """A check that can be attempted again and again."""

    @property
    def shown(self) -> str:
        """The check as the user gave it."""
        ...

    def start(
        self,
        world: tuple[Clock, Timers, Starter],
        timeout: float | None,
        callbacks: Callbacks,
        owner: Owner,
    ) -> Attempt:
        """Start an attempt, which calls back with its outcome. Raises StartError."""
        ...
