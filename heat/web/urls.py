"""The target of a request taken apart: which page, which monitor, which parameters. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

NAMED = "/api/why/"
"""The pages below this path are named after monitors."""
NAME = "{name}"
"""Stands for the name in the path of such a page."""

_AS_GIVEN = "surrogateescape"
"""Bytes that are not UTF-8 stay apart from every name."""


class Url(NamedTuple):
    """A page by its path, the name in that path, decoded, and the parameters."""

    path: str
    name: str
    query: Mapping[str, Sequence[str]]


def parse(target: str) -> Url:
    """Take apart what a client has written behind the method.

    By hand, for a library's router has its own idea of which letters a name may have.
    """
    path, _, query = target.partition("?")
    name = path.removeprefix(NAMED) if path.startswith(NAMED) else ""
    if name and "/" not in name:
        path = NAMED + NAME
    parameters = parse_qs(query, keep_blank_values=True, errors=_AS_GIVEN)
    return Url(path, unquote(name, errors=_AS_GIVEN), parameters)
