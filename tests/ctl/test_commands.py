"""The commands of heatctl: one module each, of the same shape."""

from importlib import import_module
from pathlib import Path

import pytest

from heat.ctl.main import USAGE, commands

FOLDER = Path(__file__).parents[2] / "heat/ctl/commands"


def test_each_command_is_a_module_and_is_listed() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "base"}

    assert modules == set(commands())


@pytest.mark.parametrize("command", commands())
def test_the_help_of_a_command_names_it_and_fits_a_terminal(command: str) -> None:
    text: str = import_module(f"heat.ctl.commands.{command}").USAGE

    assert text.startswith(f"heatctl {command}: ")
    assert f"\nUsage:\n  heatctl {command} " in text
    assert "\nExit status: " in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_help_of_heatctl_fits_a_terminal() -> None:
    assert max(map(len, USAGE.splitlines())) <= 80
