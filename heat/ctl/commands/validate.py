"""The command ``heatctl validate``."""

USAGE = """heatctl validate: all mistakes in a configuration file.

Usage:
  heatctl validate [--json] FILE

Options:
  --json          print mistakes, warnings and advice as one JSON object
  -h, --help      print this

FILE is the file of 'heat --config'. heatctl reads it as HEAT does, and looks at
what it names: scripts, commands, processes. It needs no running HEAT and
changes nothing. Run it as the user that HEAT runs as, since another user may
see other files.

A warning says what may go wrong, advice says which options may not do what
their author meant; neither keeps HEAT from starting.

Exit status: 0 no mistakes; 2 there are some.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from heat.app import loader
from heat.config import preflight
from heat.config.model import Config
from heat.config.options import Options
from heat.config.preflight_warnings import warnings_of
from heat.config.toml_file import sound_part
from heat.ctl import output
from heat.ctl.errors import EXIT_WELL
from heat.ctl.parser import parse
from heat.diagnostics import Diagnostic
from heat.errors import CommandError, TargetError
from heat.process.target import NoTarget, PidFileTarget
from heat.rehearsal.advice import advice
from heat.text import counted, escaped
from heat.trust import Trust


def main(words: Sequence[str]) -> int:
    """Print all mistakes; return the exit status."""
    request = parse(USAGE, words)
    if request is None:
        return EXIT_WELL
    config, diagnostics, remarks = look(request.operands[0])
    remarks = [] if diagnostics else [*remarks, *warnings(config)]
    advices = [] if diagnostics else advised(config)
    shown, number = escaped(config.shown), counted(len(config.monitors), "monitor")
    if request.json:
        output.write_objects([_as_object(config, diagnostics, remarks, advices)])
        return CommandError.status if diagnostics else EXIT_WELL
    if diagnostics:
        raise CommandError(*diagnostics)
    for text in remarks:
        output.complain(f"Warning: {text}")
    for each in advices:
        output.complain(f"Advice: {each}")
    output.write(f"{shown}: {number}, no mistakes\n")
    return EXIT_WELL


def look(shown: str) -> tuple[Config, list[Diagnostic], list[str]]:
    """Read a file and look at what it names; return its content, mistakes and warnings."""
    try:
        path = os.path.abspath(shown)
    except FileNotFoundError:
        line = "Error: the folder that heatctl was started in is gone"
        return Config("", shown, 0, 0.0, {}), [Diagnostic(line, "start it in another one")], []
    result = loader.read(partial(_look, shown, path))
    return result.config._replace(path=path, shown=shown), result.diagnostics, result.warnings


def _look(shown: str, path: str) -> loader.Findings:
    """Do the same in a process of its own, which is ended if it takes too long."""
    # Paths in a file are relative to its folder; without the folder there is no file either.
    with contextlib.suppress(OSError):
        os.chdir(os.path.dirname(path))
    trust = Trust()
    config, diagnostics = sound_part(shown, path, trust)
    looked_at = config._replace(monitors={**config.monitors, **config.unsound})
    diagnostics += preflight.look_at_monitors(looked_at, trust)
    return loader.Findings(config._replace(unsound={}), diagnostics, list(trust.warnings))


def warnings(config: Config) -> Iterator[str]:
    """Yield warnings about what is allowed but may be a mistake."""
    for name, options in config.monitors.items():
        pid = _target(options, os.path.dirname(config.path))
        for text in warnings_of(options, pid, in_file=True):
            yield f"{config.place(name)}: {text}"


def advised(config: Config) -> list[Diagnostic]:
    """Return advice on options; the same advice for several monitors comes only once."""
    names_by_advice: dict[Diagnostic, list[str]] = {}
    for name, options in config.monitors.items():
        for each in advice(options):
            names_by_advice.setdefault(each, []).append(name)
    shown: list[Diagnostic] = []
    for each, names in names_by_advice.items():
        here = each.at(config.place(names[0]))
        if len(names) > 1:
            others = counted(len(names) - 1, "other monitor")
            here = here._replace(message=f"{here.message} (so in {others})")
        shown.append(here)
    return shown


def _target(options: Options, folder: str) -> int | None:
    """Return the process to which a signal would go now."""
    if options.pid_file is None:
        return options.pid
    path = os.path.join(folder, options.pid_file)
    try:
        return PidFileTarget(path, NoTarget(lambda _signum: False)).read()
    except TargetError:
        return None


def _as_object(
    config: Config,
    diagnostics: Sequence[Diagnostic],
    remarks: Sequence[str],
    advices: Sequence[Diagnostic],
) -> Mapping[str, object]:
    return {
        "file": config.shown,
        "monitors": len(config.monitors),
        "mistakes": [{"line": each.message, "fix": each.hint} for each in diagnostics],
        "warnings": remarks,
        "advice": [{"line": each.message, "fix": each.hint} for each in advices],
    }
