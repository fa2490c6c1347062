"""heat and heatctl as their texts tell them: commands, options, and what fits as a value.

Completions and pages are made of this, and so cannot disagree with --help.
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
"""By the word for a value: what of this machine fits."""
_SIGNALS = ("HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "STOP", "CONT", "KILL", "none")
SHELLS = ("bash", "zsh", "fish")
WORDS_OF_COMPLETION = (*SHELLS, "names")


class Command(NamedTuple):
    """A command of heatctl."""

    name: str
    about: str
    text: str
    """Its docopt text."""

    @property
    def switches(self) -> Sequence[Switch]:
        """Its options, those of 'heat' among them where its text says so."""
        own = usage.switches(self.text) if self.text else []
        if "The options are those of 'heat'" not in self.text:
            return own
        there = {switch.name for switch in own}
        of_heat = usage.switches(heat_cli.USAGE)
        return [*own, *(each for each in of_heat if each.name not in there | {"--version"})]

    @property
    def operand(self) -> str:
        """The word for what stands behind it, empty if nothing does."""
        return self._operand.strip("[].")

    @property
    def many(self) -> bool:
        """More than one such word may stand there."""
        return "..." in self._operand

    @property
    def _operand(self) -> str:
        return next(iter(usage.operands(self.text)), "") if self.text else ""


class Program(NamedTuple):
    """heat, which has no commands, or heatctl."""

    name: str
    text: str
    commands: Mapping[str, Command]

    @property
    def switches(self) -> Sequence[Switch]:
        """Its options; those of heatctl stand before the command."""
        return usage.switches(self.text)


def heat() -> Program:
    """The program that watches."""
    return Program("heat", heat_cli.USAGE, {})


def heatctl() -> Program:
    """The program that looks and steers."""
    about = {
        entry.head.split()[0]: entry.text
        for block in usage.blocks(heatctl_cli.USAGE)
        for entry in block.entries
    }
    commands = {name: Command(name, about[name], text_of(name)) for name in heatctl_cli.commands()}
    return Program("heatctl", heatctl_cli.USAGE, commands)


def text_of(command: str) -> str:
    """The docopt text of a command."""
    module = f"heat.ctl.commands.{command}"
    return str(import_module(module).USAGE) if find_spec(module) else ""


def words_for(switch: Switch) -> Sequence[str]:
    """The words that fit as an option's value, where they can be told."""
    if switch.value == "SIG":
        return _SIGNALS
    if switch.value in {"POLICY", "FORMAT", "STATE", "PART"}:
        listed = re.split(r";| \(", switch.text)[0].rpartition(": ")[2]
        return re.findall(r"'([a-z]+)'", switch.text) or re.split(", | or ", listed)
    return ()


def fit(value: str) -> str:
    """The things of this machine that fit where a text has this word: files, monitors, ..."""
    return _FIT.get(value, NOTHING)


def summary(text: str) -> str:
    """The beginning of an option's text, as long as a line of completions may be."""
    first = re.sub(r" \([^)]*\)", "", text).split(";")[0].strip()
    return first if len(first) <= _LONGEST else f"{first[: first.rindex(' ', 0, _LONGEST)]} ..."


_LONGEST = 72
