"""The table of options, and the texts that list them."""

import re
import tomllib

import pytest

from heat.app.cli import USAGE
from heat.config.keys import example, read
from heat.config.schema import DEFAULTS, DEFAULTS_IN_FILE, KEYS, KEYS_OF_HEAT, OPTIONS, Option
from heat.config.usage import switches

TEXTS = {switch.name: switch.text for switch in switches(USAGE)}
WITH_TEXT = [
    option for option in OPTIONS if option.default not in (None, ()) and option.parse is not None
]


def stated(option: Option, where: str) -> object:
    """Read the default that the text of --help states."""
    words = re.search(rf"{where}: ([^;)]*)", TEXTS[option.name])

    assert words is not None
    assert option.parse is not None
    return option.parse(words[1])


@pytest.mark.parametrize("option", WITH_TEXT, ids=lambda option: option.name)
def test_the_help_states_the_default(option: Option) -> None:
    assert stated(option, "default") == option.default == DEFAULTS[option.name]


@pytest.mark.parametrize("name", DEFAULTS_IN_FILE)
def test_the_help_states_the_default_in_a_file_where_it_is_another(name: str) -> None:
    option = next(each for each in OPTIONS if each.name == name)

    assert stated(option, "in a file") == DEFAULTS_IN_FILE[name] != option.default


@pytest.mark.parametrize("key", [*KEYS, *KEYS_OF_HEAT])
def test_an_example_can_be_written(key: str) -> None:
    option = {**KEYS, **KEYS_OF_HEAT}[key]
    for text in example(key).split(" or "):
        assert read(key, option, tomllib.loads(f"x = {text}")["x"]) is not None


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_needs_only_options_that_there_are(option: Option) -> None:
    names = {each.name for each in OPTIONS}

    assert all(names.issuperset(need.options) for need in option.needs)
