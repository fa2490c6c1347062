"""Mutants of the table, region by region.

Each row is left out; each of its sources, guards and actions is left out, and each guard is turned
round; it does not go where it should, and goes elsewhere; it is tried before the row above it. Each
action of an entry or an exit is left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from states.engine import Region, Row
from states.engine.table import Actions, Guard
from states.monitor.machine import MACHINE
from states.monitor.table import TABLE

from .judge import Mutant


def mutants() -> Iterator[Mutant]:
    """Yield all mutants, region by region and row by row."""
    for region in TABLE.regions.values():
        yield from _of_rows(region)
        for kind, actions in (("entry", region.on_enter), ("exit", region.on_exit)):
            yield from _of_actions(region, kind, actions)


def unchanged() -> Iterator[Mutant]:
    """Yield the regions unchanged: no test may find anything."""
    for region in TABLE.regions.values():
        yield Mutant(f"region {region.name}", _with(region))


def _of_rows(region: Region) -> Iterator[Mutant]:
    rows = region.rows
    for place, row in enumerate(rows):
        name = f"{region.name}: {_name(row)}"
        left_out = (*rows[:place], *rows[place + 1 :])
        yield Mutant(f"{name}: left out", _with(region, rows=left_out))
        for changed, what in _changed(region, row):
            changed_rows = (*rows[:place], changed, *rows[place + 1 :])
            yield Mutant(f"{name}: {what}", _with(region, rows=changed_rows))
        above = _above(region, place)
        if above is not None:
            swapped = [*rows]
            swapped[above], swapped[place] = row, rows[above]
            what = f"before [{_guards(rows[above])}] -> {rows[above].to}"
            yield Mutant(f"{name}: {what}", _with(region, rows=swapped))


def _of_actions(region: Region, kind: str, actions: Mapping[str, Actions]) -> Iterator[Mutant]:
    for state, each in actions.items():
        for number, action in enumerate(each):
            rest = {**actions, state: each[:number] + each[number + 1 :]}
            what = f"{region.name}: {kind} of {state}: without {action.__name__}"
            entry = kind == "entry"
            changed = _with(region, on_enter=rest) if entry else _with(region, on_exit=rest)
            yield Mutant(what, changed)


def _changed(region: Region, row: Row) -> Iterator[tuple[Row, str]]:
    for number, source in enumerate(row.sources):
        rest = row.sources[:number] + row.sources[number + 1 :]
        if rest:
            yield row._replace(sources=rest), f"not from {source}"
    for number, guard in enumerate(row.guards):
        before, after = row.guards[:number], row.guards[number + 1 :]
        yield row._replace(guards=before + after), f"without {guard.__name__}"
        yield row._replace(guards=(*before, _turned(guard), *after)), f"not {guard.__name__}"
    for number, action in enumerate(row.actions):
        rest_of = row.actions[:number] + row.actions[number + 1 :]
        yield row._replace(actions=rest_of), f"without {action.__name__}"
    if row.to is not None:
        yield row._replace(to=None), f"does not go to {row.to}"
    other = _elsewhere(region, row)
    yield row._replace(to=other), f"goes to {other}"


def _elsewhere(region: Region, row: Row) -> str:
    """The state after the one that the row leads to, or that it is in."""
    here = region.leaves.index(region.leaf(row.to or row.sources[0]))
    return region.leaves[(here + 1) % len(region.leaves)]


def _above(region: Region, place: int) -> int | None:
    """The nearest row above, of the same event, with which its order may matter."""
    row = region.rows[place]
    leaves = _leaves(region, row)
    for above in range(place - 1, -1, -1):
        other = region.rows[above]
        if other.event is row.event and not leaves.isdisjoint(_leaves(region, other)):
            return above
    return None


def _leaves(region: Region, row: Row) -> set[str]:
    return {leaf for source in row.sources for leaf in region.leaves_of(source)}


def _name(row: Row) -> str:
    return f"{'/'.join(row.sources)} {row.event.__name__} [{_guards(row)}] -> {row.to}"


def _guards(row: Row) -> str:
    return ", ".join(guard.__name__ for guard in row.guards)


def _turned(guard: Guard) -> Guard:
    def turned(step: Any) -> bool:
        return not guard(step)

    turned.__name__ = f"not_{guard.__name__}"
    return turned


def _with(
    region: Region,
    *,
    rows: Sequence[Row] | None = None,
    on_enter: Mapping[str, Actions] | None = None,
    on_exit: Mapping[str, Actions] | None = None,
) -> Callable[[], None]:
    """Have the machine made of a table with this region in the place of the one that it has."""

    def make() -> None:
        TABLE.regions[region.name] = Region(
            region.name,
            region.leaves,
            region.rows if rows is None else rows,
            parents=region.parents,
            on_enter=region.on_enter if on_enter is None else on_enter,
            on_exit=region.on_exit if on_exit is None else on_exit,
        )
        vars(type(MACHINE))["__init__"](MACHINE, TABLE)

    return make
