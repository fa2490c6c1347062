"""Pictures made of a table, or of a coupling of tables.

An arrow is a change of state; what happens within a state stands in its box. A row is drawn
once: where it holds in all of a parent's states, at the parent, and where it holds everywhere
else, at a box named "any other state".
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from states.engine.coupling import Coupling, Link
from states.engine.named_tuple import NamedTuple
from states.engine.picture import GREY, Arrow, Box, Colour, Label, Layout, Picture, words
from states.engine.table import Action, Actions, Region, Row, Table

ANY = "any other state"
_MANY = 3
"""States of which one may be missing, and that is said beside the label."""


def _nothing(_row: Row) -> bool:
    return False


class Look(NamedTuple):
    """How a table is drawn, which the table itself does not say."""

    colours: Mapping[str, Colour] = MappingProxyType({})
    """By state; a state without one has that of its parent."""
    books: tuple[str, ...] = ()
    """Beginnings of the names of actions that keep the books: told where there is nothing else."""
    hidden: Callable[[Row], bool] = _nothing
    """Tells which rows are not drawn."""
    layouts: Mapping[str, Layout] = MappingProxyType({})
    """By region."""


PLAIN = Look()


# Of a table


def of_table(table: Table, look: Look = PLAIN, region: str | None = None) -> Picture:
    """Draw one region; without its name all of them, each in a frame if there are several."""
    if region is not None or len(table.regions) == 1:
        only = table.regions[region or next(iter(table.regions))]
        name = table.name if len(table.regions) == 1 else f"{table.name}-{only.name}"
        return _of_region(name, only, look)
    parts = {
        each: _of_region(each, table.regions[each], look, f"{each}.") for each in table.regions
    }
    frames = tuple(
        Box(name, name, boxes=part.boxes, initial=part.initial, frame=True)
        for name, part in parts.items()
    )
    return Picture(table.name, frames, tuple(a for part in parts.values() for a in part.arrows))


def _of_region(name: str, region: Region, look: Look, prefix: str = "") -> Picture:
    drawing = _Drawing(region, look, prefix)
    boxes = [drawing.box(each) for each in drawing.outermost]
    arrows = drawing.arrows()
    if any(arrow.source == prefix + ANY for arrow in arrows):
        boxes.insert(0, Box(prefix + ANY, ANY, frame=True))
    layout = look.layouts.get(region.name, Layout())
    return Picture(name, tuple(boxes), arrows, prefix + _first(region), layout)


def _first(region: Region) -> str:
    """The outermost state that is entered when things begin."""
    leaf = region.leaf(region.initial)
    return next(each for each in region.path(leaf) if region.leaf(each) == leaf)


class _Place(NamedTuple):
    """A state at which a row is drawn, and those within it in which it holds not, or only."""

    state: str
    missing: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """The states that it excepts, or to which it is confined."""
        if self.missing:
            return f" (not in {', '.join(self.missing)})"
        return f" (in {', '.join(self.only)})" if self.only else ""


class _Drawing:
    """A region that is being drawn."""

    def __init__(self, region: Region, look: Look, prefix: str) -> None:
        self.region = region
        self.look = look
        self.prefix = prefix
        self.rows = [row for row in region.rows if not look.hidden(row)]
        self.outermost = tuple(dict.fromkeys(region.path(leaf)[0] for leaf in region.leaves))

    def box(self, state: str, colour: Colour = GREY) -> Box:
        """Draw a state with all that is within it."""
        own = self.look.colours.get(state, colour)
        within = self.region.parents.get(state, ())
        return Box(
            self.prefix + state,
            state,
            own,
            tuple(self._texts(state)),
            tuple(self.box(each, own) for each in within),
            self.prefix + within[0] if within else None,
            not within and self._final(state),
        )

    def arrows(self) -> tuple[Arrow, ...]:
        """Draw the changes of state, those of one way as one arrow."""
        leading = [row for row in self.rows if row.to is not None]
        drawn = {(place.state, row.to) for row in leading for place in self._places(row)}
        ways: dict[tuple[str, str], list[tuple[Row, _Place]]] = {}
        for row in leading:
            for place in self._joined(row, drawn):
                to = self._head(place.state, row.to or "")
                ways.setdefault((place.state, to), []).append((row, place))
        return tuple(
            Arrow(self.prefix + source, self.prefix + to, tuple(self._labels(rows)))
            for (source, to), rows in ways.items()
        )

    def _joined(self, row: Row, drawn: Collection[tuple[str, str | None]]) -> list[_Place]:
        """Tell a row of some states at their parent, if an arrow leads from there anyway."""
        places: dict[str, _Place] = {}
        for place in self._places(row):
            outer = [] if place.state == ANY else self._parents(place.state)
            found = next((each for each in outer if (each, row.to) in drawn), None)
            if found is None:
                places[place.state] = place
            else:
                only = places.get(found, _Place(found)).only
                places[found] = _Place(found, (), (*only, place.state))
        return list(places.values())

    def _parents(self, state: str) -> list[str]:
        return [each for each in self.region.parents if state in self._within(each)]

    def _head(self, source: str, to: str) -> str:
        """Within a parent an arrow that leads to it is drawn to the state that is entered."""
        return self.region.leaf(to) if source in self._within(to) else to

    def _within(self, state: str) -> list[str]:
        children = self.region.parents.get(state, ())
        return [*children, *(each for child in children for each in self._within(child))]

    def _final(self, state: str) -> bool:
        return all(row.to is None for row in self.region.rows if state in self._leaves(row))

    def _texts(self, state: str) -> Iterator[Label]:
        """Tell what is done on entry, on exit, and at events that do not lead away."""
        for name, of in (("enter", self.region.on_enter), ("exit", self.region.on_exit)):
            if effects := self._effects(of.get(state, ())):
                yield Label(name, f" / {effects}")
        staying = [row for row in self.rows if row.to is None and self._tells(row)]
        here = [(row, place) for row in staying for place in self._places(row)]
        yield from self._labels([each for each in here if each[1].state == state])

    def _tells(self, row: Row) -> bool:
        return bool(self._effects(row.actions) or (row.guards and row.actions))

    def _leaves(self, row: Row) -> list[str]:
        return [leaf for each in row.sources for leaf in self.region.leaves_of(each)]

    def _places(self, row: Row) -> list[_Place]:
        """Find the states at which a row is drawn: as few as tell all of it."""
        leaves = self._leaves(row)
        if row.to is not None:
            away = [each for each in self.region.leaves if each not in self._targets(row)]
            tops = {self.region.path(leaf)[0] for leaf in leaves}
            missing = tuple(each for each in away if each not in leaves)
            if len(tops) >= _MANY and len(missing) <= 1 and set(leaves) <= set(away):
                return [_Place(ANY, missing)]
        return [place for top in self.outermost for place in self._cover(top, leaves, row)]

    def _targets(self, row: Row) -> tuple[str, ...]:
        return () if row.to is None else self.region.leaves_of(row.to)

    def _cover(self, state: str, leaves: list[str], row: Row) -> Iterator[_Place]:
        within = self.region.leaves_of(state)
        there = [each for each in within if each in leaves]
        missing = tuple(each for each in within if each not in leaves)
        whole = not missing or (len(missing) == 1 and len(there) >= _MANY)
        if there and whole and (len(within) == 1 or not set(within) & set(self._targets(row))):
            yield _Place(state, missing)
        elif there:
            for child in self.region.parents.get(state, ()):
                yield from self._cover(child, leaves, row)

    def _labels(self, rows: list[tuple[Row, _Place]]) -> Iterator[Label]:
        """``event [guards] / effects``; rows that differ in their guards alone are one."""
        told: dict[tuple[str, str, str], list[str]] = {}
        for row, place in rows:
            effects = self._effects(row.actions) or ("" if row.to else _all(row.actions))
            key = words(row.event.__name__), place.told, effects
            told.setdefault(key, []).append(self._guards(row, place))
        for (event, places, effects), guards in told.items():
            when = f" [{' or '.join(dict.fromkeys(guards))}]" if all(guards) else ""
            yield Label(event, places + when + (f" / {effects}" if effects else ""))

    def _guards(self, row: Row, place: _Place) -> str:
        """Where there are none, and rows are tried before this one: otherwise."""
        guards = " and ".join(words(guard.__name__) for guard in row.guards)
        return guards or ("otherwise" if self._has_earlier(row, place) else "")

    def _has_earlier(self, row: Row, place: _Place) -> bool:
        here = {*self._leaves(row)} & {*self._all_of(place)}
        before = self.rows[: self.rows.index(row)]
        return any(each.event is row.event and here & {*self._leaves(each)} for each in before)

    def _all_of(self, place: _Place) -> Iterator[str]:
        for state in place.only or (place.state,):
            yield from self.region.leaves if state == ANY else self.region.leaves_of(state)

    def _effects(self, actions: Actions) -> str:
        return _all(each for each in actions if not each.__name__.startswith(self.look.books))


def _all(actions: Iterable[Action]) -> str:
    return ", ".join(words(each.__name__) for each in actions)


# Of a coupling


def of_coupling(coupling: Coupling, name: str = "coupling", look: Look = PLAIN) -> Picture:
    """Draw machines as boxes, and effects that others hear as arrows."""
    boxes = tuple(Box(each, each, look.colours.get(each, GREY)) for each in coupling.tables)
    ways: dict[tuple[str, str], list[Label]] = {}
    for link in coupling.links:
        ways.setdefault((link.source, link.target), []).append(_link(link))
    arrows = tuple(Arrow(*way, tuple(labels)) for way, labels in ways.items())
    return Picture(name, boxes, arrows, None, look.layouts.get(name, Layout()))


def _link(link: Link) -> Label:
    """The effect, and the event if that has a name of its own."""
    effect, event = words(link.effect.__name__), link.event
    heard = words(event.__name__) if isinstance(event, type) else effect
    return Label(effect, "" if heard == effect else f" / {heard}")
