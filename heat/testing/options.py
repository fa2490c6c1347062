"""The options of a `World`, read from a command line of heat by heat's own parser."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from heat.app.cli import USAGE
from heat.app.parser import parse
from heat.config.options import Options
from heat.config.toml_file import sound_part
from heat.diagnostics import Diagnostic
from heat.errors import CommandError


class Chosen(NamedTuple):
    """The options of one monitor."""

    options: Options
    named: bool = False
    """They are keys of a file."""
    others: bool = False
    """The file has more monitors."""


def choose(words: str | Sequence[str], monitor: str | None) -> Chosen:
    """Return the options of a command line, or of one monitor in its file. Raises CommandError."""
    request = parse(USAGE, shlex.split(words) if isinstance(words, str) else words)
    if request.diagnostics:
        raise CommandError(*request.diagnostics)
    if request.file:
        return _of_file(request.file, monitor)
    if request.options is None:
        hint = "write the options and the command, as in '-i 30 ./check'"
        raise CommandError(Diagnostic(f"Error: --{request.action} starts no monitor", hint))
    return Chosen(request.options)


def _of_file(path: str, monitor: str | None) -> Chosen:
    config, diagnostics = sound_part(path, path)
    if diagnostics:
        raise CommandError(*diagnostics)
    names = list(config.monitors)
    if monitor is None and len(names) == 1:
        monitor = names[0]
    if monitor not in config.monitors:
        line = f"Error: {path} has no monitor {monitor}"
        if monitor is None:
            line = f"Error: {path} has {len(names)} monitors"
        raise CommandError(Diagnostic(line, f"give the name of one: {', '.join(names)}"))
    return Chosen(config.monitors[monitor], named=True, others=len(names) > 1)
