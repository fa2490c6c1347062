"""A module that is loaded on first use."""

import sys

import pytest

from states.engine.late import load_late

NAME = "colorsys"
"""A small module that nothing here needs."""


@pytest.fixture(autouse=True)
def _unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, NAME, raising=False)


def test_it_is_loaded_when_an_attribute_is_read() -> None:
    load_late(NAME)
    module = sys.modules[NAME]
    before = object.__getattribute__(module, "__dict__").keys() & {"rgb_to_hsv"}

    assert not before
    assert module.rgb_to_hsv(1.0, 1.0, 1.0) == (0.0, 0.0, 1.0)


def test_one_that_is_loaded_stays_as_it_is() -> None:
    module = __import__(NAME)
    load_late(NAME)

    assert sys.modules[NAME] is module


def test_one_that_does_not_exist_is_left_to_its_import() -> None:
    load_late("no_such_module_of_heat")

    assert "no_such_module_of_heat" not in sys.modules
