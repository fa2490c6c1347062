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
    """Escape a text, so that roff prints it as it is."""
    return plain_start(text.translate(_GLYPHS))


def plain_start(line: str) -> str:
    """Escape the start of a line, so that roff does not take it for a request."""
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line


def title(name: str, number: int) -> list[str]:
    """Return the head of a page."""
    return [
        ".\\\" Made by 'python -m tools.manual' from the texts of --help.",
        f'.TH {plain(name.upper())} {number} "" "HEAT {__version__}" "HEAT"',
        ".nh",
        ".ad l",
    ]


def page(lines: Iterable[str]) -> str:
    """Join the lines of a page, wrapped, and without a paragraph mark right after a heading."""
    text: list[str] = []
    as_they_are = False
    for line in lines:
        as_they_are = line == ".nf" or (as_they_are and line != ".fi")
        if line == ".PP" and text[-1].startswith((".SH", ".SS")):
            continue
        if as_they_are or line.startswith("."):
            text.append(line)
        else:
            text += (
                plain_start(part)
                for part in textwrap.wrap(
                    line, _WIDTH, break_long_words=False, break_on_hyphens=False
                )
            )
    return "".join(f"{line}\n" for line in text)


def section(heading: str) -> str:
    """Return the heading of a section."""
    return f".SH {plain(heading.upper())}"


def subsection(heading: str) -> str:
    """Return the heading of a subsection."""
    return f'.SS "{plain(heading)}"'


def paragraph(lines: Iterable[str]) -> list[str]:
    """Return a paragraph; roff needs more than a blank line for it."""
    return [".PP", *(plain(line.strip()) for line in lines)]


def example(lines: Sequence[str]) -> list[str]:
    """Return lines that roff does not fill."""
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return [".PP", ".RS 4", ".nf", *(plain(line[margin:]) for line in lines), ".fi", ".RE"]


def is_example(block: Block) -> bool:
    """Return whether roff must not fill the lines of a block."""
    return not block.heading and all(line.startswith("  ") for line in block.lines if line)


def entries(listed: Iterable[Entry]) -> Iterator[str]:
    """Yield a list, each head in bold and its values in italics."""
    for entry in listed:
        yield ".TP"
        yield head(entry.head)
        yield plain(entry.text or "see below")


def head(text: str) -> str:
    """Return words in bold, and those that stand for a value in italics."""
    words = re.split(r"(\b[A-Z]+\b)", text)
    parts = (f"\\fI{plain(w)}\\fP" if w.isupper() else f"\\fB{plain(w)}\\fP" for w in words if w)
    return "".join(parts)
