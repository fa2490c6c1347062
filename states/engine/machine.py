"""A table at work: ``step`` feeds one event to a model and returns the effects.

The machine that runs is that of `transitions`: one for each region, shared by all models, with
`Rule` for its transitions. A guard, an action, an entry and an exit are functions of a `Step`.
``Machine.step`` takes the rules of those machines in their order, without what the library does
around them; ``Machine.trigger`` takes its own way. Both do the same, which a test holds, and
the second is five times as slow: it logs six records a transition and looks for callbacks in
eight places.

An event goes to each region that hears it. What a region announces is an event for the others:
it is taken when all have heard the first one, and before what was raised, and its effects stand
in the place where it was announced.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar, cast

import transitions
from transitions.core import EventData

from states.engine.table import Actions, Region, Row, Table

M = TypeVar("M")


class Step(Generic[M]):
    """One event on its way through the table, and the effects gathered on it.

    ``was`` has the regions as guards are to see them, as they were before the event; ``to`` is
    the state that the row leads to.
    """

    __slots__ = ("announced", "effects", "event", "model", "raised", "to", "was")

    def __init__(self, model: M, event: object, was: M) -> None:
        self.model = model
        self.event: Any = event
        """A row knows of which kind it is."""
        self.was = was
        self.to = ""
        self.effects: list[Any] = []
        self.raised: list[Any] = []
        self.announced = False

    def announce(self, event: object) -> None:
        """Tell the other regions."""
        self.effects.append(event)
        self.announced = True


_NO_CALLBACKS: list[Any] = []


class Rule(transitions.Transition):
    """A row in one state, within the library's machine: guards, actions, exit and entry."""

    def __init__(self, row: Row, region: Region, leaf: str) -> None:
        self.row = row
        self.guards = row.guards
        self.region = region.name
        self.to, self.actions = leaf, row.actions
        self.entries: Actions = ()
        dest = None
        if row.to is not None:
            self.to = region.leaf(row.to)
            dest = _name(self.to)
            left, entered = region.way(leaf, row.to)
            self.actions += _all(region.on_exit, left)
            self.entries = _all(region.on_enter, entered)
        # As the library's, whose four lists of callbacks take 100 KB for what stays empty.
        self.source, self.dest = _name(leaf), cast(str, dest)
        self.prepare = self.before = self.after = self.conditions = _NO_CALLBACKS

    def execute(self, event_data: EventData) -> bool:
        """Apply the row, if its guards hold: as the library asks for it."""
        [step] = cast("list[Step[Any]]", event_data.args)
        if not all(guard(step) for guard in self.guards):
            return False
        self.take(step)
        return True

    def take(self, step: Step[Any]) -> None:
        """Do what the row says."""
        step.to = self.to
        for act in self.actions:
            act(step)
        if self.dest is not None:
            setattr(step.model, self.region, self.to)
            for act in self.entries:
                act(step)


class _RegionMachine(transitions.Machine):
    transition_cls = Rule


class _Hearing:
    """Regions that hear one event, and their rules by state."""

    __slots__ = ("events", "keep", "regions")

    def __init__(self, table: Table, event: type, machines: dict[str, transitions.Machine]) -> None:
        regions = table.hearing(event)
        self.events = [_build(region, event, machines[region.name]) for region in regions]
        self.regions = [
            (
                region.name,
                {leaf: cast("list[Rule]", of.transitions[_name(leaf)]) for leaf in region.leaves},
            )
            for region, of in zip(regions, self.events, strict=True)
        ]
        self.keep = len(regions) > 1
        """Only a region that is not the only one can find another changed."""


class Machine(Generic[M]):
    """The machine of a table, for any number of models."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._machines = {name: _empty(region) for name, region in table.regions.items()}
        self._hearing: dict[type, _Hearing] = {}
        """Events that have come: what nobody needs yet takes a start no time."""
        self._was = _keeper(table)

    @property
    def machines(self) -> dict[str, transitions.Machine]:
        """The library's machine of each region, with all of its transitions."""
        for event in self.table.events:
            self._heard(event)
        return self._machines

    def _heard(self, event: type) -> _Hearing:
        hearing = self._hearing.get(event)
        if hearing is None:
            if not self.table.hearing(event):
                raise KeyError(event)
            hearing = self._hearing[event] = _Hearing(self.table, event, self._machines)
        return hearing

    def step(self, model: M, event: object) -> list[Any]:
        """Feed ``event`` to ``model``; the effects come in the order they are to be performed.

        Where no row applies, nothing happens. Raises KeyError for an event that no region hears.
        """
        hearing = self._hearing.get(type(event)) or self._heard(type(event))
        taken = Step(model, event, self._was(model) if hearing.keep else model)
        for region, rules in hearing.regions:
            for rule in rules[getattr(model, region)]:
                for guard in rule.guards:
                    if not guard(taken):
                        break
                else:
                    rule.take(taken)
                    break
        if not taken.announced and not taken.raised:
            return taken.effects
        return self._follow(taken, self.step)

    def trigger(self, model: M, event: object) -> list[Any]:
        """Do the same in the library's own way: slower, and for tests."""
        hearing = self._heard(type(event))
        taken = Step(model, event, self._was(model) if hearing.keep else model)
        for each in hearing.events:
            each.trigger(model, taken)
        return self._follow(taken, self.trigger)

    def _follow(self, taken: Step[M], step: Callable[[M, object], list[Any]]) -> list[Any]:
        """Take what was announced, in its place, and then what was raised."""
        effects: list[Any] = []
        for effect in taken.effects:
            if type(effect) in self.table.announced:
                effects += step(taken.model, effect)
            else:
                effects.append(effect)
        for event in taken.raised:
            effects += step(taken.model, event)
        return effects


def _empty(region: Region) -> transitions.Machine:
    return _RegionMachine(
        model=None,
        states=list(region.leaves),
        initial=None,
        auto_transitions=False,
        ignore_invalid_triggers=True,  # As `step` has it: where no row applies, nothing happens.
        model_attribute=region.name,
    )


def _build(region: Region, event: type, machine: transitions.Machine) -> transitions.Event:
    """Add the rows of an event, as `add_transition` does, at a third of its cost."""
    heard = machine.events[event.__name__] = transitions.Event(event.__name__, machine)
    for leaf in region.leaves:
        for row in region.rows_of(event, leaf):
            heard.add_transition(Rule(row, region, leaf))
    return heard


def _name(leaf: str) -> str:
    """Name the state as the library does."""
    return leaf._name_ if isinstance(leaf, Enum) else leaf  # Ten times as quick as `name`.


def _all(actions: Mapping[str, Actions], states: list[str]) -> Actions:
    return tuple(act for state in states for act in actions.get(state, ()))


def _keeper(table: Table) -> Callable[[Any], Any]:
    """Make a function that keeps the states of all regions of a model."""

    class Was(tuple[Any, ...]):
        __slots__ = ()

    for place, name in enumerate(table.regions):
        setattr(Was, name, property(itemgetter(place)))
    get = attrgetter(*table.regions)
    return lambda model: Was(get(model))
