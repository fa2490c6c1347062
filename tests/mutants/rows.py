"""Mutants of the table.

Each row is left out; each of its guards is left out, and turned round; each of its actions is left
out; it does not go where it should; it is tried before the row above it. Each action of an entry
or an exit is left out.
"""

from collections.abc import Callable, Iterator

from states import table
from states.monitor.model import State
from states.monitor.questions import Step
from states.monitor.table import Action, Guard, Row

from .judge import Mutant


def mutants() -> Iterator[Mutant]:
    """All of them, row by row."""
    rows = table.ROWS
    for place, row in enumerate(rows):
        name = _name(row)
        yield Mutant(f"{name}: left out", _with_rows((*rows[:place], *rows[place + 1 :])))
        for changed, what in _changed(row):
            changed_rows = (*rows[:place], changed, *rows[place + 1 :])
            yield Mutant(f"{name}: {what}", _with_rows(changed_rows))
        if place and _meets(rows[place - 1], row):
            swapped = (*rows[: place - 1], row, rows[place - 1], *rows[place + 1 :])
            yield Mutant(f"{name}: before the row above it", _with_rows(swapped))
    for kind, actions in (("entry", table.ON_ENTER), ("exit", table.ON_EXIT)):
        for state, each in actions.items():
            for number, action in enumerate(each):
                rest = each[:number] + each[number + 1 :]
                what = f"{kind} of {state.value}: without {action.__name__}"
                yield Mutant(what, _with_actions(actions, state, rest))


def unchanged() -> Iterator[Mutant]:
    """What no test may find: the table as it is."""
    yield Mutant("the table", _with_rows(table.ROWS))


def _name(row: Row) -> str:
    sources = "/".join(source.value for source in row.sources)
    guards = ", ".join(guard.__name__ for guard in row.guards)
    return f"{sources} {row.event.__name__} [{guards}]"


def _changed(row: Row) -> Iterator[tuple[Row, str]]:
    for number, guard in enumerate(row.guards):
        before, after = row.guards[:number], row.guards[number + 1 :]
        yield row._replace(guards=before + after), f"without {guard.__name__}"
        yield row._replace(guards=(*before, _turned(guard), *after)), f"not {guard.__name__}"
    for number, action in enumerate(row.actions):
        rest = row.actions[:number] + row.actions[number + 1 :]
        yield row._replace(actions=rest), f"without {action.__name__}"
    if row.to is not None:
        yield row._replace(to=None), f"does not go to {row.to.value}"


def _turned(guard: Guard) -> Guard:
    def turned(step: Step) -> bool:
        return not guard(step)

    return turned


def _meets(one: Row, other: Row) -> bool:
    """Their order may matter."""
    return one.event is other.event and not set(one.sources).isdisjoint(other.sources)


def _with_rows(rows: tuple[Row, ...]) -> Callable[[], None]:
    def make() -> None:
        table.ROWS = rows

    return make


def _with_actions(
    actions: dict[State, tuple[Action, ...]], state: State, rest: tuple[Action, ...]
) -> Callable[[], None]:
    def make() -> None:
        actions[state] = rest

    return make
