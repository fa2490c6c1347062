"""JSON Schemas, derived from the types of the protocol. Pure."""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, is_typeddict

from heat.web.redaction import public_keys

Part = dict[str, Any]

_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


class Schemas:
    """The schemas of types; each TypedDict is a component of its own."""

    def __init__(self, *, public: bool) -> None:
        self.components: dict[str, Part] = {}
        self._public = public
        """Leave out what needs the token."""

    def of(self, kind: Any) -> Part:  # noqa: ANN401 - a type
        """Return the schema of a type."""
        origin, parts = get_origin(kind), get_args(kind)
        if origin in {Annotated, NotRequired}:  # The keys of a mapping stand behind it.
            return self.of(next(filter(is_typeddict, parts), parts[0]))
        if origin in {Union, UnionType}:
            return _union([self.of(part) for part in parts])
        if is_typeddict(kind):
            return self._component(kind)
        if origin is Literal:
            return {"type": "string", "enum": list(parts)}
        if origin in {list, Sequence}:
            return {"type": "array", "items": self.of(parts[0])}
        return {"type": "object" if origin is Mapping else _NAMES[kind]}

    def _component(self, kind: Any) -> Part:  # noqa: ANN401 - a TypedDict
        name = kind.__name__.removeprefix("_")
        if name not in self.components:
            keys = dict(public_keys(kind)) if self._public else kind.__annotations__
            self.components[name] = {
                "type": "object",
                "properties": {key: self.of(hint) for key, hint in keys.items()},
                "required": [key for key in keys if key in kind.__required_keys__],
            }
        return {"$ref": f"#/components/schemas/{name}"}


def _union(parts: list[Part]) -> Part:
    if all(part.keys() == {"type"} for part in parts):
        return {"type": [part["type"] for part in parts]}
    return {"anyOf": parts}
