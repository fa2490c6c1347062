"""A text of --help taken apart, for messages, completions and man pages: they cannot disagree."""

import re
from collections.abc import Iterator, Sequence

from states.engine.named_tuple import NamedTuple

_USAGE = "Usage"
_OPTION = re.compile(r"  (?:(-\w), )?(--[\w-]+)(?: ([A-Z][A-Z:,]*))?(?:  +(\S.*))?")
_ENTRY = re.compile(r"  (\S+(?: \S+)*?)(?:  +(\S.*))?")


class Switch(NamedTuple):
    """An option: its names, the word for its value if it takes one, and what it does."""

    short: str
    name: str
    value: str
    text: str


class Entry(NamedTuple):
    """A line of a list, with those that continue it."""

    head: str
    text: str


class Block(NamedTuple):
    """A part of a text: a heading and its entries, a paragraph, or lines shown as they are."""

    heading: str
    entries: Sequence[Entry]
    lines: Sequence[str]


def blocks(text: str) -> list[Block]:
    """Return the parts of a text; the first is its opening sentence."""
    parts: list[Block] = []
    for paragraph in re.split(r"\n{2,}", text.strip("\n")):
        lines = paragraph.split("\n")
        heading = ""
        if lines[0].endswith(":") and len(lines) > 1 and lines[1].startswith("  "):
            heading = lines.pop(0)[:-1]
        entries = _entries(lines) if heading and heading != _USAGE else ()
        parts.append(Block(heading, tuple(entries), lines))
    return parts


def _entries(lines: Sequence[str]) -> Iterator[Entry]:
    head, text = "", ""
    for line in lines:
        begun = _ENTRY.fullmatch(line) if not line.startswith("   ") else None
        if begun is None:
            text = f"{text} {line.strip()}".strip()
            continue
        if head:
            yield Entry(head, text)
        head, text = begun[1], begun[2] or ""
    if head:
        yield Entry(head, text)


def switches(text: str) -> list[Switch]:
    """Return the options that a text lists."""
    heads = ((entry, _OPTION.fullmatch(f"  {entry.head}")) for entry in _all_entries(text))
    return [Switch(at[1] or "", at[2], at[3] or "", entry.text) for entry, at in heads if at]


def _all_entries(text: str) -> Iterator[Entry]:
    for block in blocks(text):
        yield from block.entries


def usage(text: str) -> list[str]:
    """Return the lines under "Usage", each one a way to write the command."""
    lines = text.partition(f"{_USAGE}:\n")[2].partition("\n\n")[0]
    return re.sub(r"\n   +", " ", lines.strip()).split("\n  ")


def operands(text: str) -> list[str]:
    """Return the operands of the first way to write a command: ``NAME``, ``[NAME]``."""
    words = re.sub(r"\[-[^\]]*\]|-\w [A-Z]+", "", usage(text)[0]).split()
    return [word for word in words if word.strip("[].").isupper()]
