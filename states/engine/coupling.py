"""Machines that hear each other: an effect of one is an event of another.

The coupling of machines is a table as well, so it can be queried and drawn.
"""

from collections.abc import Callable, Iterator
from typing import Any

from states.engine.named_tuple import NamedTuple
from states.engine.table import Table


class Link(NamedTuple):
    """An effect of a machine that becomes an event of another.

    ``event`` builds the event from the effect: an event class will do if that is its field.
    """

    source: str
    effect: type
    target: str
    event: Callable[[Any], object]


class Coupling:
    """Tables and the links between them. Raises ValueError for a link to an unknown machine."""

    def __init__(self, tables: tuple[Table, ...], links: tuple[Link, ...]) -> None:
        self.tables = {table.name: table for table in tables}
        self.links = links
        for link in links:
            for name in (link.source, link.target):
                if name not in self.tables:
                    raise ValueError(f"no machine is named {name}")

    def heard(self, source: str, effect: object) -> Iterator[tuple[str, object]]:
        """Yield each machine that hears this effect of ``source``, and the event that it hears."""
        for link in self.links:
            if link.source == source and type(effect) is link.effect:
                yield link.target, link.event(effect)
