"""Texts as roff, in the macros of man(7)."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from heat import __version__
from heat.config.usage import Block, Entry

_GLYPHS = str.maketrans(
    {
        "\\": "\\e",
        "-": "\\-",
        "'": "\\(aq",
        "`": "\\(ga",
        "^": "\\(ha",
        "~": "\\(ti",
    }
)


_WIDTH = 78


def plain(text: str) -> str:
    """Text that means itself."""
    return plain_start(text.translate(_GLYPHS))


def plain_start(line: str) -> str:
    """The line, which is no request whatever it begins with."""
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line


def title(name: str, number: int) -> list[str]:
    """The head of a page."""
    return [
        ".\\\" Made by 'python -m tools.manual' from the texts of --help.",
        f'.TH {plain(name.upper())} {number} "" "HEAT {__version__}" "HEAT"',
        ".nh",
        ".ad l",
    ]


def page(lines: Iterable[str]) -> str:
    """The text of a page; no paragraph begins behind a heading, no line is longer than need be."""
    found: list[str] = []
    as_they_are = False
    for line in lines:
        as_they_are = line == ".nf" or (as_they_are and line != ".fi")
        if line == ".PP" and found[-1].startswith((".SH", ".SS")):
            continue
        if as_they_are or line.startswith("."):
            found.append(line)
        else:
            found += (
                plain_start(part)
                for part in textwrap.wrap(
                    line, _WIDTH, break_long_words=False, break_on_hyphens=False
                )
            )
    return "".join(f"{line}\n" for line in found)


def section(heading: str) -> str:
    """A section's heading."""
    return f".SH {plain(heading.upper())}"


def subsection(heading: str) -> str:
    """A smaller one."""
    return f'.SS "{plain(heading)}"'


def paragraph(lines: Iterable[str]) -> list[str]:
    """A paragraph; a blank line of roff is none."""
    return [".PP", *(plain(line.strip()) for line in lines)]


def example(lines: Sequence[str]) -> list[str]:
    """Lines that stay as they are."""
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return [".PP", ".RS 4", ".nf", *(plain(line[margin:]) for line in lines), ".fi", ".RE"]


def is_example(block: Block) -> bool:
    """Tell if its lines are to stay as they are."""
    return not block.heading and all(line.startswith("  ") for line in block.lines if line)


def entries(found: Iterable[Entry]) -> Iterator[str]:
    """A list: each head in bold, its values in italics."""
    for entry in found:
        yield ".TP"
        yield head(entry.head)
        yield plain(entry.text or "see below")


def head(text: str) -> str:
    """Words in bold, those that stand for a value in italics."""
    words = re.split(r"(\b[A-Z]+\b)", text)
    parts = (f"\\fI{plain(w)}\\fP" if w.isupper() else f"\\fB{plain(w)}\\fP" for w in words if w)
    return "".join(parts)
