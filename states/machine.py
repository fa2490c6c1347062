"""The table at work: ``step`` feeds one event to a monitor and returns the effects.

One shared machine of ``transitions`` serves all monitors; it keeps no list of them. Guards,
actions, entry and exit are the functions of the table, passed as such.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from transitions import EventData, Machine, Transition
from transitions import State as MachineState

from states.effects import Effect
from states.model import Event, Monitor, State
from states.rules import Step
from states.table import ON_ENTER, ON_EXIT, ROWS, Row


class Rule(Transition):
    """A row within the machine: guards, actions, and the change of state, if it makes one.

    The library's own ``execute`` does the same five times as slowly: it logs six records a
    transition, and looks for callbacks in eight places of which we use two.
    """

    def take(self, step: Step) -> bool:
        """Take the row if its guards hold; tell whether they did."""
        for condition in self.conditions:
            if not cast("Callable[[Step], bool]", condition.func)(step):
                return False
        for act in cast("list[Callable[[Step], None]]", self.before):
            act(step)
        if self.dest is not None:
            fired = _events[type(step.event).__name__]
            self._change_state(EventData(None, fired, _machine, step.monitor, (step,), {}))
        return True


class _RuleMachine(Machine):
    transition_cls = Rule


def _act(row: Row, step: Step) -> None:
    if row.to is not None:
        step.to = row.to
    for action in row.actions:
        action(step)


def _build() -> Machine:
    machine = _RuleMachine(
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
            before=[partial(_act, row)],
        )
    return machine


_machine = _build()
_events: dict[str, Any] = _machine.events


def step(monitor: Monitor, event: Event) -> list[Effect]:
    """Feed ``event`` to ``monitor``; the effects come in the order they are to be performed."""
    taken = Step(monitor, event)
    rules = _events[type(event).__name__].transitions[monitor.state.name]
    next(rule for rule in rules if rule.take(taken))
    effects = taken.effects
    for raised in taken.raised:
        effects += step(monitor, raised)
    return effects
