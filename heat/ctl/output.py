"""The output of heatctl: text and JSON on stdout, with colour only on a terminal."""

import contextlib
import json
import os
import sys
from collections.abc import Generator, Iterable, Sequence
from itertools import chain

from heat.cells import cells
from heat.diagnostics import Diagnostic
from heat.errors import CommandError

COLOURS = {
    "NORMAL": "32",
    "FAILING": "33",
    "RECOVERING": "34",
    "BACKOFF": "34",
    "SPENT": "31",
    "ERROR": "31",
}
"""The states as in the diagram: green, yellow, blue, red; and the kinds of RECOVERING."""
FAINT = "2"
STRONG = "1"


Cell = tuple[str, str]
"""A cell of a table, and its colour on a terminal; empty for none."""


def is_terminal() -> bool:
    """Return whether a person looks on."""
    return sys.stdout.isatty()


def is_coloured() -> bool:
    """Return whether stdout is a terminal that shows colours, and the user wants them."""
    allowed = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return is_terminal() and allowed


def painted(text: str, paint: str) -> str:
    """Return the text in its colour, if it has one."""
    return f"\x1b[{paint}m{text}\x1b[0m" if paint and text else text


def write(text: str) -> None:
    """Write a text to stdout, at once. Raises CommandError."""
    with _explained():
        sys.stdout.write(text)
        sys.stdout.flush()


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout, at once. Raises CommandError."""
    with _explained():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextlib.contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except OSError as error:
        # Python could not write the rest of the buffer at its exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        line = f"Failed: stdout cannot be written: {str(error.strerror).lower()}"
        raise CommandError(Diagnostic(line, "make room, or write it elsewhere")) from None


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    write("".join(f"{line}\n" for line in lines))


def write_objects(objects: Iterable[object]) -> None:
    """Write objects to stdout as JSON, one per line."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    write_lines(map(encode, objects))


def complain(text: str) -> None:
    """Write to stderr what is not the answer itself."""
    sys.stderr.write(f"{text}\n")


def aligned(head: Sequence[str], rows: Sequence[Sequence[Cell]], *, colour: bool) -> list[str]:
    """Return the lines of a table; nothing is cut, and the last column is not padded."""
    texts = [tuple(head), *(tuple([text for text, _ in row]) for row in rows)]
    *widths, _ = (max(map(cells, column)) for column in zip(*texts, strict=True))
    if not colour and all(map(str.isascii, chain.from_iterable(texts))):
        # With ten thousand rows this takes a fifth of the time.
        form = "".join(f"%-{width}s  " for width in widths) + "%s"
        return [(form % row).rstrip() for row in texts]
    whole: list[Sequence[Cell]] = [[(title, "") for title in head], *rows]
    return [
        "".join(
            painted(text, paint if colour else "") + " " * (width + 2 - cells(text))
            for (text, paint), width in zip(row, [*widths, 0], strict=True)
        ).rstrip()
        for row in whole
    ]
