"""A picture as a digraph of Graphviz."""

import re
from collections.abc import Iterator, Mapping
from html import escape

from states.engine.picture import Arrow, Box, Label, Picture

_UNLIT = "#ffffff"
_START = 'shape=circle, style=filled, fillcolor="#333333", label="", width=0.16'
_HEAD = """\
digraph {name} {{
    graph [rankdir={direction}, nodesep=0.4, ranksep=0.3, compound=true, pad=0.2,
           bgcolor=white, fontname="Helvetica", fontsize=11];
    node [shape=plain, fontname="Helvetica", fontsize=11];
    edge [color="#555555", arrowsize=0.8];
"""


def dot(picture: Picture) -> str:
    """Return the picture as DOT."""
    return _Writer(picture).text()


class _Writer:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.layout = picture.layout
        self.boxes = {box.name: box for box in picture.every()}
        self.ids = identifiers(self.boxes)
        self.order = {name: place for place, name in enumerate(self.boxes)}

    def text(self) -> str:
        """Return the whole file."""
        name = identifiers([self.picture.name])[self.picture.name]
        lines = self._inside(None, self.picture.boxes, self.picture.initial, "    ")
        return (
            _HEAD.format(name=name, direction=self.picture.direction)
            + "\n".join([*lines, "}"])
            + "\n"
        )

    def _inside(
        self, outer: Box | None, boxes: tuple[Box, ...], initial: str | None, margin: str
    ) -> Iterator[str]:
        """Write the boxes, then the arrows between them that no inner box holds."""
        name = "" if outer is None else outer.name
        for box in boxes:
            yield from self._box(box, margin)
        if initial is not None:
            own = f"start__{self.ids[name]}" if name else "start"
            yield f"{margin}{own} [{_START}];"
            yield f"{margin}{self._start(own, initial, boxes)}"
        for arrow in self.picture.arrows:
            if self._home(arrow) == name:
                yield from (f"{margin}{line}" for line in self._arrow(arrow))
        yield from (f"{margin}{line}" for line in self.layout.lines.get(name, ()))

    def _start(self, own: str, initial: str, boxes: tuple[Box, ...]) -> str:
        """Draw the start mark: left of its box if arrows point down and it is not a cluster."""
        end, clip = self._end(initial, "", "lhead")
        same_rank = self.picture.direction == "TB" and initial in {
            box.name for box in boxes if not box.boxes
        }
        return (
            f"{{rank=same; {own} -> {end}}}"
            if same_rank
            else f"{own} -> {end} [dir=forward{clip}];"
        )

    def _home(self, arrow: Arrow) -> str:
        """Return the innermost box that holds both ends of the arrow."""
        ends = {arrow.source, arrow.to}
        holding = [box.name for box in self.boxes.values() if ends <= _names(box.boxes)]
        return holding[-1] if holding else ""

    def _box(self, box: Box, margin: str) -> Iterator[str]:
        own = self.ids[box.name]
        if not box.boxes:
            yield f"{margin}{own} [label=<{self._table(box)}>];"
            return
        fill, line, width = shown(box)
        style = "rounded,dashed" if box.frame else "rounded,filled"
        colours = f'color="{line}", fillcolor="{fill}", penwidth={width}, style="{style}"'
        yield f"{margin}subgraph cluster_{own} {{"
        yield f"{margin}    graph [label=<{self._table(box, bare=True)}>, {colours}];"
        yield from self._inside(box, box.boxes, box.initial, f"{margin}    ")
        yield f"{margin}}}"

    def _arrow(self, arrow: Arrow) -> Iterator[str]:
        """Draw two lines with the label as a node between them, so that labels never overlap."""
        up = self._leads_up(arrow)
        leaves, comes = self.layout.ports.get(arrow[:2], ("", ""))
        ends = (arrow.source, leaves), (arrow.to, comes)
        upper, lower = reversed(ends) if up else ends
        (above, tail), (below, head) = self._end(*upper, "ltail"), self._end(*lower, "lhead")
        back, forth = up or arrow.both, not up or arrow.both
        colour = self.boxes[arrow.to].colour[1]
        if not arrow.labels:
            yield _line(above, below, f"{tail}{head}", colour, back=back, forth=forth)
            return
        label = f"{self.ids[arrow.source]}__{self.ids[arrow.to]}"
        yield f'{label} [fontcolor="{colour}", fontsize=10, label=<{self._labels(arrow.labels)}>];'
        yield _line(above, label, tail, colour, back=back)
        yield _line(label, below, head, colour, forth=forth)

    def _leads_up(self, arrow: Arrow) -> bool:
        """Tell if it leads to an earlier box, one above: Graphviz then gets it reversed."""
        return self.order[arrow.to] < self.order[arrow.source]

    def _end(self, name: str, port: str, clip: str) -> tuple[str, str]:
        """Return the node at which a line ends, and the clipping at its cluster's border."""
        box = self.boxes[name]
        if not box.boxes:
            return f"{self.ids[name]}:{port}" if port else self.ids[name], ""
        return self.ids[port or _inner(box).name], f", {clip}=cluster_{self.ids[name]}"

    def _labels(self, labels: tuple[Label, ...]) -> str:
        rows = "".join(f"<tr><td align='left'>{self._folded(each)}</td></tr>" for each in labels)
        return f"<table border='0' cellspacing='0' cellpadding='2'>{rows}</table>"

    def _table(self, box: Box, *, bare: bool = False) -> str:
        """Return the name, notes and texts of a box; ``bare`` leaves out its border."""
        fill, line, width = shown(box)
        title = (
            f"<b>{_escaped(box.title)}</b>" if not box.frame else f"<i>{_escaped(box.title)}</i>"
        )
        size = 11 if box.frame else 14
        rows = [f"<tr><td><font point-size='{size}'>{title}</font></td></tr>"]
        rows += [_note(note, line) for note in box.notes]
        rows += [f"<tr><td align='left'>{self._folded(text)}</td></tr>" for text in box.texts]
        if box.notes and not box.texts:
            rows.append("<tr><td height='2'></td></tr>")  # A note would cover the round corners.
        body = "".join(rows)
        if bare:
            return (
                f"<table border='0' cellborder='0' cellspacing='0' cellpadding='3'>{body}</table>"
            )
        style = "rounded,dashed" if box.frame else "rounded"
        inner = (
            f"<table border='{width}' color='{line}' bgcolor='{fill}' style='{style}' "
            f"cellborder='0' cellspacing='0' cellpadding='3'>{body}</table>"
        )
        if not box.final:
            return inner
        return (
            f"<table border='{width}' color='{line}' style='rounded' cellborder='0' "
            f"cellpadding='3'><tr><td>{inner}</td></tr></table>"
        )

    def _folded(self, label: Label) -> str:
        """Fold the label into short lines, with its head in bold."""
        first, *rest = folded(label.head + label.tail, self.layout.width)
        marked = f"<b>{_escaped(first[: len(label.head)])}</b>{_escaped(first[len(label.head) :])}"
        return "<br align='left'/>".join([marked, *(f"   {_escaped(line)}" for line in rest), ""])


def _line(  # noqa: PLR0913 - what a line has
    above: str, below: str, more: str, colour: str, *, back: bool = False, forth: bool = False
) -> str:
    tips = {(True, True): "both", (True, False): "back", (False, True): "forward"}
    return f'{above} -> {below} [color="{colour}", dir={tips.get((back, forth), "none")}{more}];'


def _names(boxes: tuple[Box, ...]) -> set[str]:
    return {name for box in boxes for name in (box.name, *_names(box.boxes))}


def _note(note: str, line: str) -> str:
    text = "<br/>".join(_escaped(each) for each in folded(note, 46))
    return f"<tr><td bgcolor='{line}'><font color='#ffffff'>{text}</font></td></tr>"


def shown(box: Box) -> tuple[str, str, int]:
    """Return the fill, the line colour and the line width of a box, lit or not."""
    fill, line = box.colour
    if box.lit is None:
        return fill, line, 1
    return (fill, line, 3) if box.lit else (_UNLIT, line, 1)


def _inner(box: Box) -> Box:
    """Return an innermost box to point an arrow at: Graphviz cannot point at a cluster."""
    while box.boxes:
        box = next((each for each in box.boxes if each.name == box.initial), box.boxes[0])
    return box


def folded(text: str, width: int) -> list[str]:
    """Break a text into lines of this width, between words, or within a word that is too long."""
    lines = [""]
    for word in text.split(" "):
        pieces = [word[at : at + width] for at in range(0, len(word), width)] or [""]
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines += pieces
        else:
            lines[-1] += f" {pieces[0]}" if lines[-1] else pieces[0]
            lines += pieces[1:]
    return lines


def _escaped(text: str) -> str:
    """Escape a text for XML; characters that XML cannot hold become U+FFFD."""
    return escape(re.sub(r"[^\t\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text))


def identifiers(names: Mapping[str, object] | list[str]) -> dict[str, str]:
    """Return an identifier for each name, all of them different."""
    made: dict[str, str] = {}
    for name in names:
        word = re.sub(r"\W", "_", name, flags=re.ASCII) or "_"
        word = f"_{word}" if word[0].isdigit() or word.lower() in _KEYWORDS else word
        while word in made.values():
            word += "_"
        made[name] = word
    return made


_KEYWORDS = {
    *("node", "edge", "graph", "digraph", "subgraph", "strict", "start"),
    *("state", "note", "end", "class", "classdef", "direction", "default", "style", "as", "click"),
}
