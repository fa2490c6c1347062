"""The output of heatctl: text and JSON on stdout, with colour on a terminal alone."""

import contextlib
import json
import os
import sys
from collections.abc import Generator, Iterable, Sequence
from itertools import chain

from heat.cells import cells
from heat.ctl.errors import CtlError
from heat.diagnostics import Diagnostic

COLOURS = {
    "NORMAL": "32",
    "FAILING": "33",
    "RECOVERING": "34",
    "BACKOFF": "34",
    "SPENT": "31",
    "ERROR": "31",
}
"""The states as in the diagram: green, yellow, blue, red; what says more of RECOVERING."""
FAINT = "2"
STRONG = "1"


Cell = tuple[str, str]
"""A word of a table, and how it is painted on a terminal; empty: as it is."""


def is_terminal() -> bool:
    """Tell if somebody looks on."""
    return sys.stdout.isatty()


def is_coloured() -> bool:
    """Tell if that is a terminal that has colours, and they are wanted."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return is_terminal() and wanted


def painted(text: str, paint: str) -> str:
    """The text with its colour, if there is one."""
    return f"\x1b[{paint}m{text}\x1b[0m" if paint and text else text


def write(text: str) -> None:
    """Put a text on stdout, at once. Raises CtlError."""
    with _explained():
        sys.stdout.write(text)
        sys.stdout.flush()


def write_bytes(data: bytes) -> None:
    """Put bytes on stdout, at once. Raises CtlError."""
    with _explained():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextlib.contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except OSError as error:
        # What is left in the buffer could not be written at Python's end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        told = f"Failed: stdout cannot be written: {str(error.strerror).lower()}"
        raise CtlError(Diagnostic(told, "make room, or write it elsewhere")) from None


def write_lines(lines: Iterable[str]) -> None:
    """Put lines on stdout."""
    write("".join(f"{line}\n" for line in lines))


def write_objects(objects: Iterable[object]) -> None:
    """Put them on stdout as JSON, one a line."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    write_lines(map(encode, objects))


def complain(text: str) -> None:
    """Say on stderr what is not the answer itself."""
    sys.stderr.write(f"{text}\n")


def aligned(head: Sequence[str], rows: Sequence[Sequence[Cell]], *, colour: bool) -> list[str]:
    """Rows under their heads; the last column is as long as it is, nothing is cut."""
    texts = [tuple(head), *(tuple([text for text, _ in row]) for row in rows)]
    *widths, _ = (max(map(cells, column)) for column in zip(*texts, strict=True))
    if not colour and all(map(str.isascii, chain.from_iterable(texts))):
        # Ten thousand rows take a fifth of the time so.
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
