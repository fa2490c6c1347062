"""A declaration of a machine, made of rows in regions. It can be queried, and runs nothing.

A **row** says: in one of these states, at this event, if these guards hold, go there and do
this. Rows for the same state and event are tried in the table's order, and there is no other
precedence: a parent among the sources stands for all of its leaves, and is spread over them first.

A **region** is a set of states. A model is in exactly one of them at any time, and keeps it in an
attribute with the region's name. A **table** is one region, or several side by side.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from states.engine.named_tuple import NamedTuple

Guard = Callable[[Any], bool]
Action = Callable[[Any], None]
Actions = tuple[Action, ...]
_NONE: Mapping[str, Actions] = MappingProxyType({})
_FLAT: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Row(NamedTuple):
    """One rule; with ``to`` None the model stays in its state without leaving and entering it.

    Guards and actions are functions of a `Step`. A ``to`` that is a parent enters its first child.
    """

    sources: tuple[str, ...]
    event: type
    guards: tuple[Guard, ...]
    to: str | None
    actions: Actions


class Hole(NamedTuple):
    """A state in which no row is sure to apply to an event that its region hears."""

    region: str
    leaf: str
    event: type


class Shadowed(NamedTuple):
    """A row that can never apply in this state: one before it always does."""

    region: str
    leaf: str
    row: Row


class Region:
    """A set of states, and the rows that lead from one to another.

    ``parents`` maps a state to the states within it; entering the parent enters the first of them.
    ``states`` are those that a model can be in. ``on_enter`` and ``on_exit`` run whenever a state,
    or a parent, is entered or left. Raises ValueError for a row that names an unknown state.
    """

    def __init__(  # noqa: PLR0913 - as a declaration has it, by their names
        self,
        name: str,
        states: Sequence[str],
        rows: Sequence[Row],
        *,
        parents: Mapping[str, tuple[str, ...]] = _FLAT,
        on_enter: Mapping[str, Actions] = _NONE,
        on_exit: Mapping[str, Actions] = _NONE,
    ) -> None:
        self.name = name
        self.leaves = tuple(states)
        self.rows = tuple(rows)
        self.parents = parents
        self.on_enter = on_enter
        self.on_exit = on_exit
        self._parent = {child: each for each, children in parents.items() for child in children}
        self._spread: dict[type, dict[str, list[Row]]] = {}
        """Rows by event and state, filled on demand: HEAT starts with a few events only."""
        named = {*on_enter, *on_exit, *self._parent, *(row.to for row in self.rows)}
        named.update(*{row.sources for row in self.rows})
        if unknown := named - {*self.leaves, *parents, None}:
            raise ValueError(f"region {name} has no state {', '.join(sorted(map(str, unknown)))}")

    def _spread_rows(self, event: type) -> dict[str, list[Row]]:
        """Add each row to each of the states that its sources stand for."""
        spread: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.event is event:
                # A state that is named itself and by its parent gets the row once.
                named = (leaf for source in row.sources for leaf in self.leaves_of(source))
                for leaf in dict.fromkeys(named):
                    spread.setdefault(leaf, []).append(row)
        return spread

    @property
    def initial(self) -> str:
        """The state of a new model: the first one."""
        return self.leaves[0]

    @property
    def events(self) -> list[type]:
        """The events that this region hears, in the order of its rows."""
        return list(dict.fromkeys(row.event for row in self.rows))

    def hears(self, event: type) -> bool:
        """Tell if the region has rows for this event."""
        return any(row.event is event for row in self.rows)

    def leaf(self, state: str) -> str:
        """Return the leaf that a model is in after entering this state."""
        while state in self.parents:
            state = self.parents[state][0]
        return state

    def leaves_of(self, state: str) -> tuple[str, ...]:
        """Return the leaves within this state; the state itself if it is a leaf."""
        if state not in self.parents:
            return (state,)
        return tuple(leaf for child in self.parents[state] for leaf in self.leaves_of(child))

    def path(self, leaf: str) -> list[str]:
        """Return the leaf with all of its parents, the outermost first."""
        path = [leaf]
        while (parent := self._parent.get(path[0])) is not None:
            path.insert(0, parent)
        return path

    def rows_of(self, event: type, leaf: str) -> list[Row]:
        """Return the rows for this event in this state, in the order they are tried."""
        if event not in self._spread:
            self._spread[event] = self._spread_rows(event)
        return self._spread[event].get(leaf, [])

    def way(self, leaf: str, to: str) -> tuple[list[str], list[str]]:
        """Return the states that are left and those that are entered from ``leaf`` to ``to``.

        A parent of both is neither left nor entered, unless it is ``to`` itself.
        """
        left, entered = self.path(leaf), self.path(self.leaf(to))
        while left and entered and left[0] == entered[0] != to:
            del left[0], entered[0]
        return left[::-1], entered

    def holes(self) -> Iterator[Hole]:
        """Yield the pairs of state and event for which no row is sure to apply."""
        for event in self.events:
            for leaf in self.leaves:
                if all(row.guards for row in self.rows_of(event, leaf)):
                    yield Hole(self.name, leaf, event)

    def shadowed(self) -> Iterator[Shadowed]:
        """Yield the rows behind one whose guards are the same or fewer."""
        for event in self.events:
            for leaf in self.leaves:
                before: list[set[Guard]] = []
                for row in self.rows_of(event, leaf):
                    if any(guards <= set(row.guards) for guards in before):
                        yield Shadowed(self.name, leaf, row)
                    before.append(set(row.guards))

    def reachable(self) -> set[str]:
        """Return the states that rows lead to from the first one, guards aside."""
        reached: set[str] = set()
        coming = [self.initial]
        while coming:
            here = coming.pop()
            if here not in reached:
                reached.add(here)
                for event in self.events:
                    targets = (row.to for row in self.rows_of(event, here))
                    coming += [self.leaf(to) for to in targets if to is not None]
        return reached


class Table:
    """Regions side by side: an event goes to each one that hears it, in their order.

    ``announced`` are the events that regions send each other; they never come out as effects.
    """

    def __init__(self, name: str, *regions: Region, announced: Sequence[type] = ()) -> None:
        self.name = name
        self.regions = {region.name: region for region in regions}
        self.announced = tuple(announced)

    @property
    def events(self) -> list[type]:
        """All events that any region hears."""
        return list(dict.fromkeys(event for each in self.regions.values() for event in each.events))

    @property
    def rows(self) -> list[Row]:
        """The rows of all regions."""
        return [row for region in self.regions.values() for row in region.rows]

    def hearing(self, event: type) -> list[Region]:
        """Return the regions that hear this event."""
        return [region for region in self.regions.values() if region.hears(event)]

    def rows_of(self, event: type) -> Iterator[tuple[str, Row]]:
        """Yield the rows for this event, each with its region's name."""
        for region in self.regions.values():
            yield from ((region.name, row) for row in region.rows if row.event is event)

    def holes(self) -> list[Hole]:
        """Return the pairs of state and event for which no row is sure to apply."""
        return [hole for region in self.regions.values() for hole in region.holes()]

    def shadowed(self) -> list[Shadowed]:
        """Return the rows that can never apply."""
        return [row for region in self.regions.values() for row in region.shadowed()]

    def unreachable(self) -> list[tuple[str, str]]:
        """Return each region's name with a state that no row leads to."""
        return [
            (region.name, leaf)
            for region in self.regions.values()
            for leaf in region.leaves
            if leaf not in region.reachable()
        ]

    def start(self, model: Any) -> None:  # noqa: ANN401 - any model
        """Put a new model into the first state of each region."""
        for region in self.regions.values():
            setattr(model, region.name, region.initial)
