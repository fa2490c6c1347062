"""The table at work: ``step`` feeds one event to a monitor and returns the effects.

One shared machine of ``transitions`` serves all monitors; it keeps no list of them. Guards,
actions, entry and exit are the functions of the table, passed as such.
"""

import logging
from functools import partial
from typing import Any

from transitions import Machine
from transitions import State as MachineState

from states.effects import Effect
from states.model import Event, Monitor, State
from states.rules import Step
from states.table import ON_ENTER, ON_EXIT, ROWS, Row

logging.getLogger("transitions").setLevel(logging.WARNING)


def _act(row: Row, step: Step) -> None:
    if row.to is not None:
        step.to = row.to
    for action in row.actions:
        action(step)


def _build() -> Machine:
    machine = Machine(
        model=None,
        states=[
            MachineState(state, on_enter=list(ON_ENTER[state]), on_exit=list(ON_EXIT[state]))
            for state in State
        ],
        initial=None,
        auto_transitions=False,
        send_event=False,
    )
    for row in ROWS:
        machine.add_transition(
            trigger=row.event.__name__,
            source=list(row.sources),
            dest=row.to,
            conditions=list(row.guards),
            before=[partial(_act, row)] if row.actions or row.to else None,
        )
    return machine


_events: dict[str, Any] = _build().events


def step(monitor: Monitor, event: Event) -> list[Effect]:
    """Feed ``event`` to ``monitor``; the effects come in the order they are to be performed."""
    taken = Step(monitor, event)
    _events[type(event).__name__].trigger(monitor, taken)
    effects = taken.effects
    for raised in taken.raised:
        effects += step(monitor, raised)
    return effects
