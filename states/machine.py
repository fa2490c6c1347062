"""The table at work: ``step`` feeds one event to a monitor and returns the effects.

One shared machine of ``transitions`` serves all monitors; it keeps no list of them. Guards,
actions, entry and exit are the functions of the table, passed as such.
"""

from typing import cast

from transitions import EventData, Machine, Transition
from transitions import State as MachineState
from transitions.core import Condition

from states.effects import Effect
from states.model import Event, Monitor, State
from states.rules import Step
from states.table import ON_ENTER, ON_EXIT, ROWS, Action, Row


class Rule(Transition):
    """A row within the machine: guards, actions, and the change of state, if it makes one.

    The library's own ``execute`` does the same five times as slowly: it logs six records a
    transition, and looks for callbacks in eight places of which we use two.
    """

    def __init__(self, source: str, dest: str, guards: Condition, *_: None, row: Row) -> None:
        super().__init__(source, dest, guards)
        self.row = row

    def take(self, step: Step) -> None:
        """Do what the row says."""
        row = self.row
        if row.to is not None:
            step.to = row.to
        for act in row.actions:
            act(step)
        if row.to is not None:
            self._change_state(EventData(None, None, _machine, step.monitor, (step,), {}))


class Place(MachineState):
    """A state within the machine: what is done on entering and leaving it, without records."""

    def enter(self, event_data: EventData) -> None:
        """Do what the table says of its entry."""
        for act in cast("list[Action]", self.on_enter):
            act(*event_data.args)

    def exit(self, event_data: EventData) -> None:
        """Do what the table says of its exit."""
        for act in cast("list[Action]", self.on_exit):
            act(*event_data.args)


class _RuleMachine(Machine):
    state_cls = Place
    transition_cls = Rule


def _build() -> Machine:
    machine = _RuleMachine(
        model=None,
        states=[
            Place(state, on_enter=list(ON_ENTER[state]), on_exit=list(ON_EXIT[state]))
            for state in State
        ],
        initial=None,
        auto_transitions=False,
    )
    for row in ROWS:
        name = row.event.__name__
        machine.add_transition(name, list(row.sources), row.to, list(row.guards), row=row)
    return machine


_machine = _build()
_rules = {
    event: {
        state: cast("list[Rule]", _machine.events[event.__name__].transitions[state])
        for state in State
    }
    for event in {row.event for row in ROWS}
}


def step(monitor: Monitor, event: Event) -> list[Effect]:
    """Feed ``event`` to ``monitor``; the effects come in the order they are to be performed."""
    taken = Step(monitor, event)
    for rule in _rules[type(event)][monitor.state]:  # pragma: no branch - the table is total
        for guard in rule.row.guards:
            if not guard(taken):
                break
        else:
            rule.take(taken)
            break
    effects = taken.effects
    for raised in taken.raised:
        effects += step(monitor, raised)
    return effects
