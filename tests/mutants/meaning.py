"""Mistakes of meaning in heat/, made by hand: order, leak, bound, wrong branch, missing close."""

from collections.abc import Iterator
from typing import NamedTuple

from .copy import HOME
from .sample import Mistake, statement


class _Change(NamedTuple):
    module: str
    before: str
    after: str


_CHANGES: tuple[_Change, ...] = ()


def mistakes() -> Iterator[Mistake]:
    """Yield them. Raises ValueError for a change whose text the module does not have once."""
    for module, before, after in _CHANGES:
        source = (HOME / module).read_text()
        if source.count(before) != 1:
            raise ValueError(f"{module} has {source.count(before)} times: {before}")
        line = source[: source.index(before)].count("\n") + 1
        lines = statement(source, line)
        last = line + before.count("\n")
        what = f"{module} by hand: {line}: {before.strip()} -> {after.strip()}"
        text = source.replace(before, after)
        yield Mistake(what, module, text, range(min(lines.start, line), max(lines.stop, last + 1)))
