"""The machine of the monitor's table."""

from typing import TYPE_CHECKING, cast

from states.engine import Machine
from states.monitor.table import TABLE

if TYPE_CHECKING:
    from states.monitor.effects import Effect
    from states.monitor.events import Event
    from states.monitor.model import Monitor

MACHINE: "Machine[Monitor]" = Machine(TABLE)


def step(monitor: "Monitor", event: "Event") -> "list[Effect]":
    """Feed ``event`` to ``monitor`` and return the effects, in the order to perform them."""
    return cast("list[Effect]", MACHINE.step(monitor, event))
