"""Programs as values: the command, the status, the output."""

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
    """The end of a program: an exit with ``code``, a ``signal``, or neither if nobody knows."""

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
    """Return the bytes of a variable: in the locale's encoding, or in UTF-8 if that fails.

    Names in a file and the output of a check are UTF-8 in any locale.
    """
    try:
        return os.fsencode(value)
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace")


def on_stderr(text: str) -> Output:
    """Return output that consists of this text, on stderr."""
    data = text.encode("utf-8", "surrogateescape")
    return Output(stderr=Printed(data, len(data)))


class SilentScripts:
    """The output of scripts that print nothing, or that nobody reads."""

    printed: Callable[[], None] | None = None
    last_line = ""

    def open(self) -> int | None:
        """Return None: there is no descriptor."""
        return None

    def take(self) -> bytes:
        """Return nothing: nobody printed."""
        return b""


class Program(NamedTuple):
    """A program to run.

    ``shown`` is the script or command as the user wrote it, ``path`` the file to execute, and
    ``env`` comes on top of HEAT's own. A script (fail, recovery) prints to its ``file`` and may
    leave a service behind; a check prints to pipes and may leave nothing.
    """

    shown: str
    path: str
    argv: tuple[str, ...]
    file: "ScriptFile | None" = None
    env: Mapping[str, str] = NO_ENV
