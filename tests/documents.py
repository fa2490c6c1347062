"""The documents taken apart: headings, links, blocks of code, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).parent.parent
README = HOME / "README.md"
KOREAN = HOME / "docs/README.ko.md"
PAGES = (README, *sorted((HOME / "docs").rglob("*.md")))

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
_ENDS = {"|", "&", "&&", ">", "<", ";"}
"""The words of a shell that end a command."""


def blocks(path: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [text for _, name, text in _FENCE.findall(path.read_text()) if name == language]


def outputs(path: Path) -> list[str]:
    """Return the blocks of output, which are indented by four blanks, without these."""
    text = _FENCE.sub("", path.read_text())
    indented = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", text, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in indented]


def prose(path: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^    .*$", "", _FENCE.sub("", path.read_text()), flags=re.MULTILINE)


def links(path: Path) -> list[str]:
    """Return the targets of all links and pictures."""
    return _LINK.findall(prose(path))


def headings(path: Path) -> list[tuple[int, str]]:
    """Return the level and the text of each heading."""
    return [(len(marks), text) for marks, text in _HEADING.findall(prose(path))]


def anchors(path: Path) -> set[str]:
    """Return the fragments by which GitHub links to the headings of a page."""
    return {anchor(text) for _, text in headings(path)}


def anchor(heading: str) -> str:
    """Return what GitHub makes of a heading: small letters, no punctuation, hyphens for blanks."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def commands(path: Path, program: str) -> Iterator[list[str]]:
    """Yield the words behind a program's name, of each of its commands in blocks of sh."""
    start = re.compile(rf"(?:^|exec |&& )(?:\.venv/bin/)?{program} (.*)$", re.MULTILINE)
    for block in blocks(path, "sh"):
        for line in start.findall(block.replace("\\\n", " ")):
            yield words(line)


def mentions(path: Path, program: str) -> Iterator[list[str]]:
    """Yield the same of commands in prose, within backticks; they may lack what they need."""
    for text in re.findall(r"`([^`]+)`", prose(path)):
        first, *rest = text.split() or [""]
        if first == program:
            yield [word.strip("[]") for word in rest]


def words(line: str) -> list[str]:
    """Split a line as a shell does, up to the end of its first command."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&<>;")
    lexer.whitespace_split = True
    command: list[str] = []
    for word in lexer:
        if word in _ENDS:
            break
        command.append(word)
    return command
