"""heat and heatctl as their texts of --help describe them: commands, options, kinds of values.

Completions and man pages are made from this, and so cannot disagree with --help.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from heat.app import cli as heat_cli
from heat.config import usage
from heat.config.usage import Switch
from heat.ctl import main as heatctl_cli

FILES, FOLDERS, MONITORS, PROGRAMS, NOTHING = "files", "folders", "monitors", "programs", ""
_FIT = {
    "SCRIPT": FILES,
    "FILE": FILES,
    "PATH": FILES,
    "DIR": FOLDERS,
    "NAME": MONITORS,
    "COMMAND": PROGRAMS,
}
"""The word for a value, and what can stand in its place."""
_SIGNALS = ("HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "STOP", "CONT", "KILL", "none")


class Command(NamedTuple):
    """A command of heatctl."""

    name: str
    about: str
    text: str
    """Its docopt text."""

    @property
    def switches(self) -> Sequence[Switch]:
        """Its options, with those of 'heat' where its text says so."""
        own = usage.switches(self.text) if self.text else []
        if "The options are those of 'heat'" not in self.text:
            return own
        names = {switch.name for switch in own}
        of_heat = usage.switches(heat_cli.USAGE)
        return [*own, *(each for each in of_heat if each.name not in names | {"--version"})]

    @property
    def operand(self) -> str:
        """The word for what follows it; empty if nothing does."""
        return self._operand.strip("[].")

    @property
    def many(self) -> bool:
        """True if it takes more than one of them."""
        return "..." in self._operand

    @property
    def _operand(self) -> str:
        return next(iter(usage.operands(self.text)), "") if self.text else ""


class Program(NamedTuple):
    """heatctl, or heat, which has no commands."""

    name: str
    text: str
    commands: Mapping[str, Command]

    @property
    def switches(self) -> Sequence[Switch]:
        """Its options; with heatctl, those in front of the command."""
        return usage.switches(self.text)


def heat() -> Program:
    """Return the program that watches."""
    return Program("heat", heat_cli.USAGE, {})


def heatctl() -> Program:
    """Return the program that looks and steers."""
    about = {
        entry.head.split()[0]: entry.text
        for block in usage.blocks(heatctl_cli.USAGE)
        for entry in block.entries
    }
    commands = {name: Command(name, about[name], text_of(name)) for name in heatctl_cli.commands()}
    return Program("heatctl", heatctl_cli.USAGE, commands)


def text_of(command: str) -> str:
    """Return the docopt text of a command."""
    module = f"heat.ctl.commands.{command}"
    return str(import_module(module).USAGE) if find_spec(module) else ""


def words_for(switch: Switch) -> Sequence[str]:
    """Return the words that an option takes as its value; empty where it takes any."""
    if switch.value == "SIG":
        return _SIGNALS
    if switch.value in {"POLICY", "FORMAT", "STATE", "PART"}:
        listed = re.split(r";| \(", switch.text)[0].rpartition(": ")[2]
        return re.findall(r"'([a-z]+)'", switch.text) or re.split(", | or ", listed)
    return ()


def names_of(switches: Sequence[Switch]) -> list[str]:
    """Return the short and long names of options."""
    return [name for switch in switches for name in (switch.short, switch.name) if name]


def fit(value: str) -> str:
    """Return what can stand in place of this word of a text: files, monitors, ..."""
    return _FIT.get(value, NOTHING)


def summary(text: str) -> str:
    """Return the beginning of an option's text, short enough for a line of completions."""
    first = re.sub(r" \([^)]*\)", "", text).split(";")[0].strip()
    return first if len(first) <= _LONGEST else f"{first[: first.rindex(' ', 0, _LONGEST)]} ..."


_LONGEST = 72
