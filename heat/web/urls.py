"""The target of a request, and its parameters. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qs, unquote

from heat.config.durations import duration_back
from heat.config.readers import monitor_name
from heat.diagnostics import BadValueError
from heat.text import escaped
from heat.web.access import Refused

NAMED = "/api/why/"
"""The pages below this path are named after monitors."""
NAME = "{name}"
"""Stands for the name in the path of such a page."""

_AS_SENT = "surrogateescape"
"""Bytes that are not UTF-8 stay apart from every name."""
T = TypeVar("T")


class Url(NamedTuple):
    """The path of a page, the decoded name in that path, and the parameters."""

    path: str
    name: str
    query: Mapping[str, Sequence[str]]

    def allow(self, *keys: str) -> None:
        """Refuse parameters that the page does not know."""
        for key in self.query:
            if key not in keys:
                hint = f"known: {', '.join(keys)}" if keys else "it takes none"
                raise Refused(400, f"{escaped(key)} is not a parameter of this page", hint)

    def names(self) -> list[str]:
        """Return all names."""
        return [monitor(text) for text in self.query.get("name", ())]

    def since(self) -> float | None:
        """Return the seconds to look back."""
        text = self._one("since")
        return None if text is None else _parsed("since", text, duration_back)

    def one_name(self) -> str | None:
        """Return the name, if there is one."""
        text = self._one("name")
        return None if text is None else monitor(text)

    def _one(self, key: str) -> str | None:
        values = self.query.get(key, ())
        if len(values) > 1:
            raise Refused(400, f"{key} is given twice", "leave one of them out")
        return values[0] if values else None


def parse(target: str) -> Url:
    """Take apart what a client has written behind the method.

    By hand: a library's router has its own idea of the letters that a name may have.
    """
    path, _, query = target.partition("?")
    name = path.removeprefix(NAMED) if path.startswith(NAMED) else ""
    if name and "/" not in name:
        path = NAMED + NAME
    parameters = parse_qs(query, keep_blank_values=True, errors=_AS_SENT)
    return Url(path, unquote(name, errors=_AS_SENT), parameters)


def monitor(text: str) -> str:
    """Return the valid name of a monitor, whether it exists or not."""
    return _parsed("name", text, monitor_name)


def _parsed(key: str, text: str, parser: Callable[[str], T]) -> T:
    try:
        return parser(text)
    except BadValueError as error:
        message = f"{key} '{escaped(text)}' {error.complaint}"
        raise Refused(400, message, error.hint) from None
