"""Setups of monitors: the options become programs, a target and a script file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from heat.checks.command import Command
from heat.config.options import Options
from heat.config.preflight import log_paths
from heat.errors import HeatError
from heat.monitor.setup import Setup
from heat.process.executable import on_path
from heat.process.program import Program
from heat.process.target import NoTarget, PidFileTarget, PidTarget
from heat.text import escaped

if TYPE_CHECKING:
    from heat.checks.ports import Check
    from heat.monitor.monitor import Monitor
    from heat.process.ports import ScriptFile
    from heat.report.reporter import Reporter


class SetupMaker:
    """Makes setups; a monitor that has a script file keeps it.

    ``script_output`` makes a script file, with the path where HEAT keeps its output.
    """

    def __init__(
        self,
        monitors: Mapping[str, Monitor],
        reporter: Reporter,
        myself: NoTarget,
        script_output: Callable[[str], ScriptFile],
    ) -> None:
        self._monitors = monitors
        self._reporter = reporter
        self._myself = myself
        self._script_output = script_output

    def make(self, monitors: Iterable[Options]) -> list[Setup]:
        """Make a setup for each monitor, or for none. Raises HeatError or OSError."""
        setups: list[Setup] = []
        find = cache(on_path)
        try:
            for options in monitors:
                check = _check(options, find, setups[-1] if setups else None)
                setups.append(self._setup(options, check))
        except (HeatError, OSError):
            for setup in setups:
                release(setup)
            raise
        return setups

    def _setup(self, options: Options, check: Check) -> Setup:
        file = self._script_file(options)
        fail, recovery = _script(options.fail, file), _script(options.recovery, file)
        return Setup(options, check, fail, recovery, self._target(options), file)

    def _script_file(self, options: Options) -> ScriptFile | None:
        if options.fail is None and options.recovery is None:
            return None
        monitor = self._monitors.get(options.name)
        if monitor is not None and monitor.setup.script_file is not None:
            return monitor.setup.script_file
        *_, path = log_paths(self._reporter.common, options.name)
        return self._script_output(path)

    def _target(self, options: Options) -> NoTarget | PidTarget | PidFileTarget:
        if options.pid is not None:
            return PidTarget(options.pid)
        if options.pid_file is not None:
            return PidFileTarget(options.pid_file, self._myself)
        return self._myself


def release(setup: Setup) -> None:
    """Close what a setup holds open."""
    if isinstance(setup.target, PidTarget):
        os.close(setup.target.pidfd)


def _check(options: Options, find: Callable[[str], str | None], before: Setup | None) -> Check:
    """Return the check; the same value as that of the setup ``before``, if it is the same."""
    name, check, script = options.check[0], options.check, options.is_script
    if before is not None and (before.options.check, before.options.is_script) == (check, script):
        return before.check
    return Command(options.shown, name if script else find(name) or name, check)


def _script(path: str | None, file: ScriptFile | None) -> Program | None:
    return None if path is None else Program(escaped(path), path, (path,), file)
