"""Named tuples that are quick to load; to a type checker they are ``typing``'s own.

``typing.NamedTuple`` compiles code for each class at each start: 0.7 million instructions and
7 KB a class, and a watching HEAT has forty classes.
"""

from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Self

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Maker(type):
        """Make plain classes: instances of a metaclass are slow in ``match``."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            made = type(name, (_Value,), {"__slots__": (), **body})
            made._fields = made.__match_args__ = fields = tuple(made.__annotations__)
            made._field_defaults = {each: body[each] for each in fields if each in body}
            for place, each in enumerate(fields):
                setattr(made, each, property(itemgetter(place)))
            return made

    class NamedTuple(metaclass=_Maker):
        """Use it as you would ``typing.NamedTuple``: the annotated names are the fields."""

    class _Value(tuple):
        __slots__ = ()

        def __new__(cls, *values: object, **named: object) -> Self:
            """Make a value; all fields by position is the quick way. Raises TypeError."""
            if named or len(values) != len(cls._fields):
                values = cls._filled(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _filled(
            cls, values: tuple[object, ...], named: dict[str, object]
        ) -> tuple[object, ...]:
            rest = cls._fields[len(values) :]
            values_by_name = {**cls._field_defaults, **named}
            if (
                len(values) > len(cls._fields)
                or not named.keys() <= set(rest) <= values_by_name.keys()
            ):
                raise TypeError(f"{cls.__name__} has the fields {', '.join(cls._fields)}")
            return (*values, *(values_by_name[each] for each in rest))

        @classmethod
        def _make(cls, values: Iterable[object]) -> Self:
            return cls(*values)

        def _replace(self, **changes: object) -> Self:
            made = tuple.__new__(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"{type(self).__name__} has no {', '.join(changes)}")
            return made

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            shown = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({shown})"
