"""A table at work: ``step`` feeds one event to a model and returns the effects.

The machine that runs belongs to `transitions`: one for each region, shared by all models, with
`Rule` for its transitions. Guards, actions, entries and exits are functions of a `Step`.
``Machine.step`` tries the rules of those machines in order, without the library's own overhead;
``Machine.trigger`` goes through the library. A test holds that both do the same. The second is
five times as slow: it logs six records a transition and looks for callbacks in eight places.

An event goes to each region that hears it. What a region announces is an event for the others:
they get it once all have handled the first event, and before anything that was raised. Its
effects take the place of the announcement.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar, cast

from states.engine.late import load_late
from states.engine.table import Actions, Region, Row, Table

load_late("inspect")  # 4 of the 13 ms of the next import, for models that it binds: we have none.
import transitions  # noqa: E402
from transitions.core import EventData  # noqa: E402

M = TypeVar("M")


class Step(Generic[M]):
    """One event on its way through the table, and the effects gathered on it.

    ``was`` has the states of all regions as they were before the event, for guards; ``to`` is the
    state that the row leads to.
    """

    __slots__ = ("announced", "effects", "event", "model", "raised", "to", "was")

    def __init__(self, model: M, event: object, was: M) -> None:
        self.model = model
        self.event: Any = event
        """Of the row's own event type."""
        self.was = was
        self.to = ""
        self.effects: list[Any] = []
        self.raised: list[Any] = []
        self.announced = False

    def announce(self, event: object) -> None:
        """Send an event to the other regions."""
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
        # Set here and not by the library, whose four empty lists a transition take 100 KB.
        self.source, self.dest = _name(leaf), cast(str, dest)
        self.prepare = self.before = self.after = self.conditions = _NO_CALLBACKS

    def execute(self, event_data: EventData) -> bool:
        """Apply the row if its guards hold; the library calls this."""
        [step] = cast("list[Step[Any]]", event_data.args)
        if not all(guard(step) for guard in self.guards):
            return False
        self.take(step)
        return True

    def take(self, step: Step[Any]) -> None:
        """Apply the row: exits and actions, the new state, entries."""
        step.to = self.to
        for act in self.actions:
            act(step)
        if self.dest is not None:
            setattr(step.model, self.region, self.to)
            for act in self.entries:
                act(step)


class _RegionMachine(transitions.Machine):
    transition_cls = Rule


class _Hearers:
    """The regions that hear one event, and their rules by state."""

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
        """Keep ``was``: with several regions, one may have changed before another looks."""


class Machine(Generic[M]):
    """The machine of a table, for any number of models."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._machines = {name: _empty(region) for name, region in table.regions.items()}
        self._hearers: dict[type, _Hearers] = {}
        """Built when an event first comes, which keeps the start quick."""
        self._was = _keeper(table)

    @property
    def machines(self) -> dict[str, transitions.Machine]:
        """The library's machine of each region, with all of its transitions."""
        for event in self.table.events:
            self._hearers_of(event)
        return self._machines

    def _hearers_of(self, event: type) -> _Hearers:
        hearers = self._hearers.get(event)
        if hearers is None:
            if not self.table.hearing(event):
                raise KeyError(event)
            hearers = self._hearers[event] = _Hearers(self.table, event, self._machines)
        return hearers

    def step(self, model: M, event: object) -> list[Any]:
        """Feed ``event`` to ``model`` and return the effects, in the order to perform them.

        Where no row applies, nothing happens. Raises KeyError for an event that no region hears.
        """
        hearers = self._hearers.get(type(event)) or self._hearers_of(type(event))
        taken = Step(model, event, self._was(model) if hearers.keep else model)
        for region, rules in hearers.regions:
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
        """Do the same through the library: slower, for tests."""
        hearers = self._hearers_of(type(event))
        taken = Step(model, event, self._was(model) if hearers.keep else model)
        for each in hearers.events:
            each.trigger(model, taken)
        return self._follow(taken, self.trigger)

    def _follow(self, taken: Step[M], step: Callable[[M, object], list[Any]]) -> list[Any]:
        """Handle what was announced, in its place, then what was raised."""
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
    """Add the rows of an event as `add_transition` would, at a third of its cost."""
    trigger = machine.events[event.__name__] = transitions.Event(event.__name__, machine)
    for leaf in region.leaves:
        for row in region.rows_of(event, leaf):
            trigger.add_transition(Rule(row, region, leaf))
    return trigger


def _name(leaf: str) -> str:
    """Return the state's name in the library."""
    return leaf._name_ if isinstance(leaf, Enum) else leaf  # Ten times as quick as `name`.


def _all(actions: Mapping[str, Actions], states: list[str]) -> Actions:
    return tuple(act for state in states for act in actions.get(state, ()))


def _keeper(table: Table) -> Callable[[Any], Any]:
    """Return a function that copies the states of all regions of a model."""

    class Was(tuple[Any, ...]):
        __slots__ = ()

    for place, name in enumerate(table.regions):
        setattr(Was, name, property(itemgetter(place)))
    get = attrgetter(*table.regions)
    return lambda model: Was(get(model))
