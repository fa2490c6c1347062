"""A command as a check: its exit code is the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.process.program import Program
from heat.process.run import Callbacks, Run

if TYPE_CHECKING:
    from heat.process.ports import Starter
    from heat.runtime.ports import Clock, Owner, Timers


class Command(Program):
    """A program whose exit code says how the service is.

    Inherited, and without a field of its own: of ten thousand, one object each is enough.
    """

    __slots__ = ()

    def start(
        self,
        world: tuple[Clock, Timers, Starter],
        timeout: float | None,
        callbacks: Callbacks,
        owner: Owner,
    ) -> Run:
        """Start the program. Raises StartError."""
        return Run(world, self, timeout, callbacks, owner)
