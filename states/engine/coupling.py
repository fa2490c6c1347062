"""Machines that hear each other: an effect of one is an event of another.

The coupling of machines is a table as well: it can be asked, and drawn.
"""

from collections.abc import Callable, Iterator
from typing import Any

from states.engine.named_tuple import NamedTuple
from states.engine.table import Table


class Link(NamedTuple):
    """An effect of a machine that becomes an event of another.

    ``event`` makes the event out of the effect; its class does, where it takes the effect alone.
    """

    source: str
    effect: type
    target: str
    event: Callable[[Any], object]


class Coupling:
    """Tables and the links between them. Raises ValueError for a link that leads nowhere."""

    def __init__(self, tables: tuple[Table, ...], links: tuple[Link, ...]) -> None:
        self.tables = {table.name: table for table in tables}
        self.links = links
        for link in links:
            for name in (link.source, link.target):
                if name not in self.tables:
                    raise ValueError(f"no machine is named {name}")

    def heard(self, source: str, effect: object) -> Iterator[tuple[str, object]]:
        """Machines that hear this effect of ``source``, and the event that each hears."""
        for link in self.links:
            if link.source == source and type(effect) is link.effect:
                yield link.target, link.event(effect)
