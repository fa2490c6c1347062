"""The keys that clients may read without a token: no command line, no output of a check. Pure.

The control socket is closed to other users; HTTP on this machine is open to each of them. The
types of the protocol mark what is public, and not what is secret: a new key is kept back until
somebody has looked at it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, Union, cast, get_args, get_origin, is_typeddict

from heat.control.answers import PUBLIC, Monitor, Why
from heat.control.history import History

Shape = Mapping[str, Union["Shape", None]]
"""Public keys; None for a single value, a shape for an object or a list of them."""


def public_keys(kind: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a TypedDict
    """Yield the public keys of a type, with their own types."""
    for key, hint in kind.__annotations__.items():
        if PUBLIC in _marks(hint):
            yield key, hint


def shape(kind: object) -> Shape:
    """Return the public keys of a type."""
    return {key: _inner(hint) for key, hint in public_keys(kind)}


def _marks(hint: object) -> tuple[object, ...]:
    kind = get_args(hint)[0] if get_origin(hint) is NotRequired else hint
    return getattr(kind, "__metadata__", ())


def _inner(hint: object) -> Shape | None:
    """Return the shape of the object in a type, or of those in a list."""
    if is_typeddict(hint):
        return shape(hint)
    inner = (_inner(part) for part in get_args(hint))
    return next((each for each in inner if each is not None), None)


MONITOR, WHY, HISTORY = shape(Monitor), shape(Why), shape(History)


def redacted(value: object, shape: Shape) -> Any:  # noqa: ANN401 - values of all kinds
    """Keep only what is public of an object, or of each in a list."""
    if isinstance(value, list):
        return [redacted(each, shape) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return None
    facts = cast("dict[str, object]", value)
    return {key: _value(each, shape[key]) for key, each in facts.items() if key in shape}


def _value(value: object, shape: Shape | None) -> object:
    if shape is not None:
        return redacted(value, shape)
    return None if isinstance(value, dict | list) else value
