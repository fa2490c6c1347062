"""The machine's quick way and the library's own are the same: on the real table, and on any."""

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EVENTS, LIMITS
from transitions import Machine as LibraryMachine

from states.engine import Machine, Region, Row, Step, Table
from states.engine.machine import Rule
from states.engine.table import Action, Guard
from states.monitor.events import Event
from states.monitor.limits import Limits
from states.monitor.machine import MACHINE
from states.monitor.model import Monitor
from states.monitor.table import TABLE


def typed(values: list[Any]) -> list[Any]:
    """Named tuples of two types can be equal; here they are not."""
    return [(type(value), value) for value in values]


def slots(monitor: Monitor) -> dict[str, object]:
    return {name: getattr(monitor, name) for name in Monitor.__slots__}


@settings(deadline=None)
@given(limits=LIMITS, events=st.lists(EVENTS, min_size=40, max_size=40))
def test_both_ways_are_the_same_on_the_table_of_a_monitor(
    limits: Limits, events: list[Event]
) -> None:
    quick, slow = Monitor(limits), Monitor(limits)

    for event in events:
        done, expected = MACHINE.step(quick, event), MACHINE.trigger(slow, event)

        assert typed(done) == typed(expected)
        assert slots(quick) == slots(slow)
        for name in TABLE.regions:
            assert getattr(quick, name) is getattr(slow, name)


def library_tells(region: Region, machine: LibraryMachine) -> None:
    """Hold what the library says of its transitions against the rows."""
    every = 0
    for event in region.events:
        for leaf in region.leaves:
            rows = region.rows_of(event, leaf)
            rules = cast("list[Rule]", machine.get_transitions(event.__name__, leaf))
            to = [None if row.to is None else _name(region.leaf(row.to)) for row in rows]
            assert [rule.row for rule in rules] == rows
            assert [rule.dest for rule in rules] == to
            every += len(rows)
    assert len(machine.get_transitions()) == every


def _name(leaf: Any) -> str:
    return str(getattr(leaf, "name", leaf))


@pytest.mark.parametrize("name", TABLE.regions)
def test_the_library_tells_the_truth_about_the_table_of_a_monitor(name: str) -> None:
    library_tells(TABLE.regions[name], MACHINE.machines[name])


def test_no_state_of_a_monitor_has_a_hole_or_a_shadowed_row_and_each_is_reached() -> None:
    assert (TABLE.holes(), TABLE.shadowed(), TABLE.unreachable()) == ([], [], [])


# Any table

FLAGS = 3
KINDS = 5


class Thing:
    """A model of a table that was drawn."""

    def __init__(self, table: Table) -> None:
        self.flags = [False] * FLAGS
        self.met = 0
        table.start(self)


EVENT_TYPES = tuple(type(f"Event{number}", (tuple,), {}) for number in range(KINDS))


class Effect(NamedTuple):
    """An effect of a table that was drawn: which, and what the step knew then."""

    number: int
    to: str
    flags: tuple[bool, ...]


def _has_flag(number: int, *, expected: bool) -> Guard:
    def guard(step: Step[Any]) -> bool:
        return step.model.flags[number] is expected

    return guard


def _was_in(region: str, state: str) -> Guard:
    def guard(step: Step[Any]) -> bool:
        return bool(getattr(step.was, region) == state)

    return guard


def _appends(number: int) -> Action:
    def act(step: Step[Any]) -> None:
        step.effects.append(Effect(number, step.to, tuple(step.model.flags)))

    return act


def _flips(number: int) -> Action:
    def act(step: Step[Any]) -> None:
        step.model.flags[number] = not step.model.flags[number]
        step.model.met += 1

    return act


def _follows(number: int, *, announced: bool) -> Action:
    """Another event, later in the list than the one that it follows: so it comes to an end."""

    def act(step: Step[Any]) -> None:
        if number > EVENT_TYPES.index(type(step.event)):
            event = EVENT_TYPES[number]()
            if announced:
                step.announce(event)
            else:
                step.raised.append(event)

    return act


class Drawn(NamedTuple):
    """Material for rows: states and parents of all regions, and events to announce."""

    states: dict[str, tuple[str, ...]]
    announced: tuple[int, ...]


@st.composite
def nested(draw: st.DrawFn, leaves: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Parents: some of the states side by side are put into one, and again."""
    parents: dict[str, tuple[str, ...]] = {}
    top = list(leaves)
    for number in range(draw(st.integers(0, 3))):
        size = draw(st.integers(1, len(top)))
        place = draw(st.integers(0, len(top) - size))
        parent = f"P{number}"
        parents[parent] = tuple(top[place : place + size])
        top[place : place + size] = [parent]
    return parents


def actions(announced: Sequence[int], most: int = 3) -> st.SearchStrategy[tuple[Action, ...]]:
    each = [
        st.builds(_appends, st.integers(0, 9)),
        st.builds(_flips, st.integers(0, FLAGS - 1)),
        st.builds(_follows, st.integers(1, KINDS - 1), announced=st.just(False)),
    ]
    if announced:
        each.append(st.builds(_follows, st.sampled_from(announced), announced=st.just(True)))
    return st.lists(st.one_of(*each), max_size=most).map(tuple)


def guards(drawn: Drawn) -> st.SearchStrategy[tuple[Guard, ...]]:
    places = [(region, leaf) for region, leaves in drawn.states.items() for leaf in leaves]
    flags = st.builds(_has_flag, st.integers(0, FLAGS - 1), expected=st.booleans())
    was = st.sampled_from(places).map(lambda place: _was_in(*place))
    return st.lists(st.one_of(flags, was), max_size=2).map(tuple)


@st.composite
def regions(draw: st.DrawFn, name: str, drawn: Drawn) -> Region:
    leaves = drawn.states[name]
    parents = draw(nested(leaves))
    states = st.sampled_from([*leaves, *parents])
    hearing = draw(st.lists(st.sampled_from(EVENT_TYPES), min_size=1, unique=True))
    hearing += [EVENT_TYPES[each] for each in drawn.announced if EVENT_TYPES[each] not in hearing]
    row = st.builds(
        Row,
        st.lists(states, min_size=1, max_size=3, unique=True).map(tuple),
        st.sampled_from(hearing),
        guards(drawn),
        st.none() | states,
        actions(drawn.announced),
    )
    rows = draw(st.lists(row, max_size=12))
    for event in hearing:
        to, done = draw(st.none() | states), draw(actions(drawn.announced))
        of = draw(st.sampled_from([leaves, leaves, leaves, leaves[:1]]))
        rows.append(Row(of, event, (), to, done))
    each = st.dictionaries(states, actions(drawn.announced, 2), max_size=4)
    return Region(name, leaves, rows, parents=parents, on_enter=draw(each), on_exit=draw(each))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = ("one", "two", "three")[: draw(st.integers(1, 3))]
    leaves = {name: ("A", "B", "C", "D")[: draw(st.integers(1, 4))] for name in names}
    announced = draw(st.sets(st.integers(1, KINDS - 1), max_size=2))
    drawn = Drawn(leaves, tuple(sorted(announced)))
    made = [draw(regions(name, drawn)) for name in names]
    hearing = {event for each in made for event in each.events}
    rest = tuple(event for event in EVENT_TYPES if event not in hearing)
    deaf = Region("rest", ("A",), [Row(("A",), event, (), None, ()) for event in rest])
    return Table("drawn", *made, deaf, announced=[EVENT_TYPES[each] for each in drawn.announced])


@settings(deadline=None)
@given(table=tables(), numbers=st.lists(st.integers(0, KINDS - 1), min_size=1, max_size=12))
def test_both_ways_are_the_same_on_any_table(table: Table, numbers: list[int]) -> None:
    machine = Machine[Thing](table)
    quick, slow = Thing(table), Thing(table)

    for number in numbers:
        event = EVENT_TYPES[number]()
        done, expected = machine.step(quick, event), machine.trigger(slow, event)

        assert typed(done) == typed(expected)
        assert vars(quick) == vars(slow)
        assert not any(type(effect) in table.announced for effect in done)
        assert all(getattr(quick, name) in each.leaves for name, each in table.regions.items())


@settings(deadline=None, max_examples=50)
@given(table=tables())
def test_the_library_tells_the_truth_about_any_table(table: Table) -> None:
    machine = Machine[Thing](table)

    for name, each in table.regions.items():
        library_tells(each, machine.machines[name])


@settings(deadline=None)
@given(table=tables(), numbers=st.lists(st.integers(0, KINDS - 1), max_size=12))
def test_a_shadowed_row_is_never_missed_and_an_unreachable_state_never_reached(
    table: Table, numbers: list[int]
) -> None:
    shadowed = {(each.region, each.leaf, id(each.row)) for each in table.shadowed()}
    without = copy(table)
    without.regions = {name: _without(each, shadowed) for name, each in table.regions.items()}
    whole, rest = Machine[Thing](table), Machine[Thing](without)
    model, other = Thing(table), Thing(table)

    for number in numbers:
        event = EVENT_TYPES[number]()
        assert typed(whole.step(model, event)) == typed(rest.step(other, event))
        assert vars(model) == vars(other)
        assert not {(name, getattr(model, name)) for name in table.regions} & {*table.unreachable()}


def _without(region: Region, shadowed: set[tuple[str, str, int]]) -> Region:
    """Return the region with each row only in the states in which it is not shadowed."""
    rows: list[Row] = []
    for row in region.rows:
        leaves = [leaf for source in row.sources for leaf in region.leaves_of(source)]
        sources = [each for each in leaves if (region.name, each, id(row)) not in shadowed]
        if sources:
            rows.append(row._replace(sources=tuple(sources)))
    return Region(
        region.name,
        region.leaves,
        rows,
        parents=region.parents,
        on_enter=region.on_enter,
        on_exit=region.on_exit,
    )
