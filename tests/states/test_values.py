"""The classes of the machine's values behave as ``typing.NamedTuple`` does."""

import copy
import pickle
import typing
from typing import Any

import pytest

from states.engine import named_tuple as values


class Ours(values.NamedTuple):
    """A value."""

    code: int
    pid: int | None = None
    name: str = "web"


class Theirs(typing.NamedTuple):
    """The same."""

    code: int
    pid: int | None = None
    name: str = "web"


class Nothing(values.NamedTuple):
    """One whose name says all."""


class Heir(Ours):
    """Another name for the same fields."""

    __slots__ = ()


KINDS: tuple[Any, ...] = (Ours, Theirs)

both = pytest.mark.parametrize("kind", KINDS)


@both
def test_fields_are_given_by_place_or_by_name_and_have_defaults(kind: Any) -> None:
    for value in (kind(7, None, "db"), kind(7, name="db"), kind(name="db", code=7)):
        assert tuple(value) == (7, None, "db")
        assert (value.code, value.pid, value.name) == (7, None, "db")


@both
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        ((), {"pid": 1}),
        ((1, 2, "3", 4), {}),
        ((1,), {"code": 1}),
        ((1, 2, "3"), {"code": 1}),
        ((1,), {"colour": 1}),
    ],
)
def test_what_is_missing_too_much_or_of_no_field_is_refused(
    kind: Any, values: tuple[object, ...], named: dict[str, object]
) -> None:
    with pytest.raises(TypeError):
        kind(*values, **named)


@both
def test_a_value_does_not_change(kind: Any) -> None:
    value = kind(1)
    for name in ("code", "colour"):
        with pytest.raises(AttributeError):
            setattr(value, name, 2)
    assert not hasattr(value, "__dict__")


@both
def test_another_is_made_of_one(kind: Any) -> None:
    assert kind(1)._replace(pid=2, name="db") == kind(1, 2, "db")
    with pytest.raises((TypeError, ValueError)):
        kind(1)._replace(colour=2)


@both
def test_it_is_made_of_what_it_was_taken_apart_into(kind: Any) -> None:
    value = kind(1, 2)
    assert kind._make(iter(value)) == value == kind(**value._asdict())
    assert list(value._asdict()) == list(kind._fields) == ["code", "pid", "name"]
    assert kind._field_defaults == {"pid": None, "name": "web"}


@both
def test_equal_values_are_one(kind: Any) -> None:
    assert len({kind(1), kind(1, None, "web"), kind(2)}) == 2
    assert kind(1) < kind(2)


def _sent(value: object) -> object:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


@both
def test_it_is_copied_and_sent_elsewhere(kind: Any) -> None:
    value = kind(1, 2)
    for other in (copy.copy(value), copy.deepcopy(value), _sent(value)):
        assert other == value
        assert type(other) is kind


@pytest.mark.parametrize(("code", "expected"), [(1, (2, "web")), (3, "three")])
def test_it_is_matched(code: int, expected: object) -> None:
    match Ours(code, 2):
        case Ours(3):
            assert expected == "three"
        case Ours(1, pid, name=name):
            assert expected == (pid, name)
        case _:
            raise AssertionError


def test_it_is_shown_as_it_is_written() -> None:
    assert repr(Ours(1, name="db")) == "Ours(code=1, pid=None, name='db')"
    assert repr(Ours(1)).removeprefix("Ours") == repr(Theirs(1)).removeprefix("Theirs")


def test_one_without_fields_and_one_with_those_of_another() -> None:
    assert not Nothing()
    assert repr(Nothing()) == "Nothing()"
    heir = Heir(1)
    assert heir.name == "web"
    assert repr(heir) == "Heir(code=1, pid=None, name='web')"
    assert not hasattr(heir, "__dict__")
