"""Lines and texts of a picture in Graphviz' SVG, and where they are in each other's way."""

import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import NamedTuple
from xml.etree import ElementTree as ET

Point = tuple[float, float]
_SVG = "{http://www.w3.org/2000/svg}"
_PARTS = 24
"""Straight pieces that stand for one curve."""
_ADVANCE = 0.45
"""Width of a character on average, in its font's size: less than that of any font in use."""


class Text(NamedTuple):
    """A text and its box."""

    text: str
    left: float
    right: float
    top: float
    bottom: float


def crossings(svg: str) -> list[str]:
    """Tell which lines cross one another, and which pass through a text."""
    root = ET.fromstring(svg)  # noqa: S314 - drawn here
    lines = dict(_lines(root))
    texts = list(_texts(root))
    crossed = [
        f"{one} x {other}"
        for one, other in combinations(lines, 2)
        if any(_cross(*p, *q) for p in pairwise(lines[one]) for q in pairwise(lines[other]))
    ]
    return crossed + [
        f"{name} through '{text.text}'"
        for name, points in lines.items()
        for text in texts
        if any(_within(point, text) for point in points)
    ]


def _lines(root: ET.Element) -> Iterator[tuple[str, list[Point]]]:
    for group in root.iter(f"{_SVG}g"):
        if group.get("class") == "edge":
            title, path = group.find(f"{_SVG}title"), group.find(f"{_SVG}path")
            assert title is not None
            assert path is not None
            yield f"{title.text}", list(_points(path.get("d", "")))


def _points(path: str) -> Iterator[Point]:
    """Walk along a path of cubic curves."""
    numbers = [float(each) for each in re.findall(r"-?[\d.]+", path)]
    there = list(zip(numbers[::2], numbers[1::2], strict=True))
    for start in range(0, len(there) - 3, 3):
        a, b, c, d = there[start : start + 4]
        for step in range(_PARTS + 1):
            t = step / _PARTS
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            yield (
                sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
                sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
            )


def _texts(root: ET.Element) -> Iterator[Text]:
    for text in root.iter(f"{_SVG}text"):
        content, size = text.text or "", float(text.get("font-size", "10"))
        x, y = float(text.get("x", "0")), float(text.get("y", "0"))
        width = len(content.strip()) * size * _ADVANCE
        left = x - width / 2 if text.get("text-anchor") == "middle" else x
        yield Text(content, left, left + width, y - size * 0.7, y)


def _within(point: Point, text: Text) -> bool:
    return text.left < point[0] < text.right and text.top < point[1] < text.bottom


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Tell if two pieces cross, and do not only touch."""
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
