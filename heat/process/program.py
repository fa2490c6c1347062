"""Programs as values: what is to be run, how it ended, what it printed."""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from heat.process.output import Printed
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.process.ports import ScriptFile

NO_ENV: Mapping[str, str] = MappingProxyType({})


class Status(NamedTuple):
    """How a program ended: by exit with ``code``, by ``signal``, or neither is known."""

    code: int | None
    signal: int | None = None


class Output(NamedTuple):
    """The output of a program, each stream bounded."""

    stdout: Printed = Printed()
    stderr: Printed = Printed()

    @property
    def last_line(self) -> str:
        """The last line of stderr, else of stdout; empty if there is none."""
        return "" if self is SILENT else self.stderr.last_line or self.stdout.last_line


SILENT = Output()
"""Most checks print nothing."""


def encoded(value: str) -> bytes:
    """As a variable of a program: in the encoding of this place, or in UTF-8 if that has no such.

    A name in a file and what a check has printed are UTF-8 in any place.
    """
    try:
        return os.fsencode(value)
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace")


def on_stderr(text: str) -> Output:
    """Output that consists of this text."""
    data = text.encode("utf-8", "surrogateescape")
    return Output(stderr=Printed(data, len(data)))


class SilentScripts:
    """The file of scripts that print nothing, or to where nobody looks."""

    printed: Callable[[], None] | None = None
    last_line = ""

    def open(self) -> int | None:
        """No descriptor."""
        return None

    def take(self) -> bytes:
        """Nothing was printed."""
        return b""


class Program(NamedTuple):
    """A program to be run.

    ``shown`` is the script or command as the user gave it, ``path`` the file that is
    executed, ``env`` comes on top of HEAT's own. A script (fail, recovery) prints to its
    ``file`` and may leave a service behind; a check prints to pipes and leaves nothing.
    """

    shown: str
    path: str
    argv: tuple[str, ...]
    file: "ScriptFile | None" = None
    env: Mapping[str, str] = NO_ENV
