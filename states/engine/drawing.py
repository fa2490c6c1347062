"""Make pictures of a table, or of a coupling of tables.

An arrow is a change of state; what happens within a state stands in its box. A row is drawn
once: at the parent if it holds in all states of that parent, and at a box named "any other
state" if it holds everywhere but at its target.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from states.engine.coupling import Coupling, Link
from states.engine.named_tuple import NamedTuple
from states.engine.picture import GREY, Arrow, Box, Colour, Label, Layout, Picture, words
from states.engine.table import Action, Actions, Region, Row, Table

ANY = "any other state"
_MANY = 3
"""From this many states on, one may be missing: the label then names it."""


def _nothing(_row: Row) -> bool:
    return False


class Look(NamedTuple):
    """Style of a drawing, which the table itself does not hold."""

    colours: Mapping[str, Colour] = MappingProxyType({})
    """By state; a state without one takes its parent's."""
    books: tuple[str, ...] = ()
    """Prefixes of actions that only count: shown only where nothing else happens."""
    hidden: Callable[[Row], bool] = _nothing
    """True for rows to leave out."""
    layouts: Mapping[str, Layout] = MappingProxyType({})
    """By region."""


PLAIN = Look()


# Of a table


def of_table(table: Table, look: Look = PLAIN, region: str | None = None) -> Picture:
    """Draw one region, or all of them, each in a frame of its own if there are several."""
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
    """Return the outermost state that the region starts in."""
    leaf = region.leaf(region.initial)
    return next(each for each in region.path(leaf) if region.leaf(each) == leaf)


class _Place(NamedTuple):
    """A state at which to draw a row; ``missing`` and ``only`` limit it to states within."""

    state: str
    missing: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def limits(self) -> str:
        """The states that it leaves out, or that it is limited to."""
        if self.missing:
            return f" (not in {', '.join(self.missing)})"
        return f" (in {', '.join(self.only)})" if self.only else ""


class _Drawing:
    """One region on its way to a picture."""

    def __init__(self, region: Region, look: Look, prefix: str) -> None:
        self.region = region
        self.look = look
        self.prefix = prefix
        self.rows = [row for row in region.rows if not look.hidden(row)]
        self.outermost = tuple(dict.fromkeys(region.path(leaf)[0] for leaf in region.leaves))

    def box(self, state: str, colour: Colour = GREY) -> Box:
        """Draw a state with everything within it."""
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
        """Draw the changes of state: one arrow from one state to another."""
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
        """Move a row up to the parent of its states if an arrow already leads from there."""
        places: dict[str, _Place] = {}
        for place in self._places(row):
            outer = [] if place.state == ANY else self._parents(place.state)
            parent = next((each for each in outer if (each, row.to) in drawn), None)
            if parent is None:
                places[place.state] = place
            else:
                only = places.get(parent, _Place(parent)).only
                places[parent] = _Place(parent, (), (*only, place.state))
        return list(places.values())

    def _parents(self, state: str) -> list[str]:
        return [each for each in self.region.parents if state in self._within(each)]

    def _head(self, source: str, to: str) -> str:
        """Return the state to point at: within a parent, the leaf that is entered."""
        return self.region.leaf(to) if source in self._within(to) else to

    def _within(self, state: str) -> list[str]:
        children = self.region.parents.get(state, ())
        return [*children, *(each for child in children for each in self._within(child))]

    def _final(self, state: str) -> bool:
        return all(row.to is None for row in self.region.rows if state in self._leaves(row))

    def _texts(self, state: str) -> Iterator[Label]:
        """List what happens on entry, on exit, and at events that do not change the state."""
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
        """Find the fewest states at which the row can be drawn."""
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
        """Write ``event [guards] / effects``; rows that differ only in guards share a label."""
        labels: dict[tuple[str, str, str], list[str]] = {}
        for row, place in rows:
            effects = self._effects(row.actions) or ("" if row.to else _all(row.actions))
            key = words(row.event.__name__), place.limits, effects
            labels.setdefault(key, []).append(self._guards(row, place))
        for (event, places, effects), guards in labels.items():
            when = f" [{' or '.join(dict.fromkeys(guards))}]" if all(guards) else ""
            yield Label(event, places + when + (f" / {effects}" if effects else ""))

    def _guards(self, row: Row, place: _Place) -> str:
        """Word the guards; "otherwise" if there are none and other rows come first."""
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
    """Draw machines as boxes, and the effects that they hear from others as arrows."""
    boxes = tuple(Box(each, each, look.colours.get(each, GREY)) for each in coupling.tables)
    ways: dict[tuple[str, str], list[Label]] = {}
    for link in coupling.links:
        ways.setdefault((link.source, link.target), []).append(_link(link))
    arrows = tuple(Arrow(*way, tuple(labels)) for way, labels in ways.items())
    return Picture(name, boxes, arrows, None, look.layouts.get(name, Layout()))


def _link(link: Link) -> Label:
    """Label a link with its effect, and with the event if its name differs."""
    effect, event = words(link.effect.__name__), link.event
    reaction = words(event.__name__) if isinstance(event, type) else effect
    return Label(effect, "" if reaction == effect else f" / {reaction}")
