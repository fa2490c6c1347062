"""A picture as a value, which knows of no language: boxes within boxes, arrows, their labels."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from states.engine.named_tuple import NamedTuple

Colour = tuple[str, str]
"""Fill and line."""
GREY: Colour = ("#f4f4f4", "#555555")


class Label(NamedTuple):
    """A text of which the head, the event, stands out."""

    head: str
    tail: str = ""


class Box(NamedTuple):
    """A state, and those within it; ``initial`` is the one that is entered first."""

    name: str
    title: str
    colour: Colour = GREY
    texts: tuple[Label, ...] = ()
    boxes: "tuple[Box, ...]" = ()
    initial: str | None = None
    final: bool = False
    frame: bool = False
    """It is no state, but holds some together."""
    lit: bool | None = None
    """None: no box of the picture is lit."""
    notes: tuple[str, ...] = ()


class Arrow(NamedTuple):
    """A way from one box to another, by their names."""

    source: str
    to: str
    labels: tuple[Label, ...] = ()
    both: bool = False
    """It leads back as well."""


class Layout(NamedTuple):
    """Help for Graphviz: lines in its own words, by the box in which they hold, "" for none.

    An arrow's label is a node as well, of the name ``SOURCE__TARGET``.
    """

    lines: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    ports: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType({})
    """By source and target: the sides (``n``, ``nw``) at which an arrow leaves and comes.

    Of a box with others within it, the one of those that the arrow points to.
    """
    width: int = 40
    """Characters in a line of a label."""


class Picture(NamedTuple):
    """All that is drawn; ``initial`` is the box in which things begin."""

    name: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    initial: str | None = None
    layout: Layout = Layout()
    direction: str = "TB"
    """Where arrows lead mainly: ``TB``, down, or ``LR``, to the right."""

    def every(self) -> Iterator[Box]:
        """Get all boxes, an outer one before those within it."""
        return _every(self.boxes)

    def light(self, names: Sequence[str], notes: tuple[str, ...] = ()) -> "Picture":
        """Get the same with these boxes lit, and ``notes`` in the first of them."""
        return self._replace(boxes=tuple(_lit(each, names, notes) for each in self.boxes))


def _every(boxes: tuple[Box, ...]) -> Iterator[Box]:
    for box in boxes:
        yield box
        yield from _every(box.boxes)


def _lit(box: Box, names: Sequence[str], notes: tuple[str, ...]) -> Box:
    inner = tuple(_lit(each, names, notes) for each in box.boxes)
    if box.name not in names:
        return box._replace(boxes=inner, lit=False)
    return box._replace(boxes=inner, lit=True, notes=notes if box.name == names[0] else ())


def words(name: str) -> str:
    """``CheckFailed`` and ``check_failed`` as ``check failed``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").strip().lower()
