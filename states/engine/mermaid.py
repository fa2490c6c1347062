"""A picture as a state diagram of Mermaid."""

import re
from collections.abc import Iterator

from states.engine.dot import folded, identifiers, shown
from states.engine.picture import Box, Label, Picture

_INK = "#1b1b1b"


def mermaid(picture: Picture) -> str:
    """Return the picture as Mermaid."""
    return "\n".join(_Writer(picture).lines()) + "\n"


class _Writer:
    """One picture on its way to Mermaid."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.boxes = list(picture.every())
        self.ids = identifiers([box.name for box in self.boxes])
        self.left = {arrow.source for arrow in picture.arrows}
        self.entered = {arrow.to for arrow in picture.arrows}

    def lines(self) -> Iterator[str]:
        """Yield the lines of the file."""
        yield "stateDiagram-v2"
        yield "    direction TB"
        for box in self.picture.boxes:
            yield from self._box(box, "    ")
        yield from self._start(self.picture.initial, "    ")
        for arrow in self.picture.arrows:
            yield from self._arrow(arrow.source, arrow.to, arrow.labels)
            if arrow.both:
                yield from self._arrow(arrow.to, arrow.source, ())
        for box in self.boxes:
            if box.final:
                yield f"    {self.ids[box.name]} --> [*]"
            yield from self._notes(box)
        yield from self._looks()

    def _box(self, box: Box, margin: str) -> Iterator[str]:
        if not box.boxes:
            texts = (each.head + each.tail for each in box.texts)
            for text in (box.title, *_lines(box.notes), *texts):
                yield f"{margin}{self.ids[box.name]} : {_plain(text)}"
        elif self._is_outside(box):
            yield f"{margin}{self.ids[box.name]} : {_plain(box.title)}"
            yield from self._within(box, margin)
        else:
            yield f'{margin}state "{_plain(box.title)}" as {self.ids[box.name]} {{'
            yield from self._within(box, f"{margin}    ")
            yield f"{margin}}}"

    def _is_outside(self, box: Box) -> bool:
        """Tell if it is a frame with arrows: Mermaid loses arrows at a frame with states in it."""
        return box.frame and box.name in self.left | self.entered

    def _within(self, box: Box, margin: str) -> Iterator[str]:
        """Write the start mark first if arrows lead to the box: they would go around it."""
        start = list(self._start(box.initial, margin))
        if box.name in self.entered:
            yield from start
        for each in box.boxes:
            yield from self._box(each, margin)
        if box.name not in self.entered:
            yield from start

    def _start(self, initial: str | None, margin: str) -> Iterator[str]:
        if initial is not None:
            yield f"{margin}[*] --> {self.ids[initial]}"

    def _arrow(self, source: str, to: str, labels: tuple[Label, ...]) -> Iterator[str]:
        text = "<br/>".join(_text(label) for label in labels)
        yield f"    {self.ids[source]} --> {self.ids[to]}" + (f" : {text}" if text else "")

    def _notes(self, box: Box) -> Iterator[str]:
        """Write a note for a state with others within: Mermaid has no room for text in it."""
        texts = [_plain(note) for note in _lines(box.notes)] + [_text(text) for text in box.texts]
        if box.boxes and texts:
            yield f"    note right of {self.ids[box.name]}"
            yield from (f"        {text.replace('end note', 'end#32;note')}" for text in texts)
            yield "    end note"

    def _looks(self) -> Iterator[str]:
        """Write the styles: boxes that are not lit are white, lit ones have a bold border."""
        looks: dict[str, list[str]] = {}
        for box in self.boxes:
            fill, line, width = shown(box)
            dashes = ",stroke-dasharray:4" if box.frame else ""
            look = f"fill:{fill},stroke:{line},color:{_INK},stroke-width:{width}px{dashes}"
            looks.setdefault(look, []).append(self.ids[box.name])
        for number, (look, names) in enumerate(looks.items(), 1):
            yield f"    classDef look{number} {look}"
            yield f"    class {','.join(names)} look{number}"


def _lines(notes: tuple[str, ...]) -> list[str]:
    """Break notes into lines: Mermaid makes a box as wide as its longest text."""
    return [line for note in notes for line in folded(note, 60)]


def _text(label: Label) -> str:
    return _plain(label.head + label.tail)


def _plain(text: str) -> str:
    """Replace characters that Mermaid could read as syntax by their numbers."""
    return re.sub(r"[^\w\s()\[\]/,.'+=!?-]|_", lambda match: f"#{ord(match[0])};", text)
