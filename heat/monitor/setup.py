"""The setup of a monitor: the world that all share, and its own programs and target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.config.options import Options
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.checks.ports import Check
    from heat.monitor.counters import Counters
    from heat.process.ports import Launcher, ScriptFile, Target
    from heat.process.program import Program
    from heat.runtime.ports import Clock, Limiter, Timers


class World:
    """The things that all monitors of a HEAT act on.

    ``counters`` is None where nobody can ask for numbers.
    """

    __slots__ = ("clock", "counters", "launcher", "limiter", "timers")

    def __init__(
        self,
        clock: Clock,
        timers: Timers,
        launcher: Launcher,
        limiter: Limiter,
        counters: Counters | None = None,
    ) -> None:
        self.clock = clock
        self.timers = timers
        self.launcher = launcher
        self.limiter = limiter
        self.counters = counters


class Setup(NamedTuple):
    """The options of one monitor, its programs, and its own target and script file."""

    options: Options
    check: Check
    fail: Program | None
    recovery: Program | None
    target: Target
    script_file: ScriptFile | None
    """The output of the fail and recovery scripts; None where there are none."""
