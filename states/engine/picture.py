"""A picture as a value, in no particular language: nested boxes, arrows, labels."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from states.engine.named_tuple import NamedTuple

Colour = tuple[str, str]
"""Fill and line."""
GREY: Colour = ("#f4f4f4", "#555555")


class Label(NamedTuple):
    """A text with its head, the event, in bold."""

    head: str
    tail: str = ""


class Box(NamedTuple):
    """A state and the states within it; ``initial`` is entered first."""

    name: str
    title: str
    colour: Colour = GREY
    texts: tuple[Label, ...] = ()
    boxes: "tuple[Box, ...]" = ()
    initial: str | None = None
    final: bool = False
    frame: bool = False
    """A frame around states, not a state itself."""
    lit: bool | None = None
    """None if no box of the picture is lit."""
    notes: tuple[str, ...] = ()


class Arrow(NamedTuple):
    """An arrow from one box to another, by name."""

    source: str
    to: str
    labels: tuple[Label, ...] = ()
    both: bool = False
    """The arrow has two heads."""


class Layout(NamedTuple):
    """Hints for Graphviz: lines of DOT by box, "" for the whole picture.

    An arrow's label is a node as well, with the name ``SOURCE__TARGET``.
    """

    lines: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    ports: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType({})
    """By source and target: the sides (``n``, ``nw``) at which an arrow leaves and arrives.

    For a box with others within it, the inner box that the arrow points to.
    """
    width: int = 40
    """Characters in one line of a label."""


class Picture(NamedTuple):
    """Everything to draw; ``initial`` is the box that comes first."""

    name: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    initial: str | None = None
    layout: Layout = Layout()
    direction: str = "TB"
    """Main direction of the arrows: ``TB``, down, or ``LR``, to the right."""

    def every(self) -> Iterator[Box]:
        """Yield all boxes, each before the boxes within it."""
        return _every(self.boxes)

    def light(self, names: Sequence[str], notes: tuple[str, ...] = ()) -> "Picture":
        """Return the picture with these boxes lit, and ``notes`` in the first of them."""
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
    """Write ``CheckFailed`` or ``check_failed`` as ``check failed``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").strip().lower()
