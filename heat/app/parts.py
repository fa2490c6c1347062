"""The parts of one HEAT, in the order in which ``heat.app.build`` makes them.

Each is made from those above it, and complete once it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.config.schema import HISTORY
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.app.inbox import Inbox
    from heat.app.scripts import Scripts
    from heat.config.model import Config
    from heat.config.options import Common
    from heat.control.server import Control
    from heat.monitor.counters import Counters
    from heat.monitor.monitor import Monitor
    from heat.monitor.supervisor import Supervisor
    from heat.process.launcher import PosixLauncher
    from heat.process.working_folder import Folder
    from heat.report.console import Console
    from heat.report.logfile import LogFile
    from heat.report.reporter import HeatReport, Reporter
    from heat.runtime.limiter import Limiter
    from heat.runtime.loop import Loop, RealClock
    from heat.store.repository import Repository


class InForce:
    """The configuration in force, which a reload replaces; None where there is no file."""

    __slots__ = ("config",)

    def __init__(self, config: Config | None) -> None:
        self.config = config

    def history(self) -> float:
        """Return the seconds for which history is kept."""
        return HISTORY if self.config is None else self.config.history


class Ground(NamedTuple):
    """The ground on which all other parts stand."""

    clock: RealClock
    loop: Loop
    inbox: Inbox
    common: Common
    in_force: InForce
    monitors: dict[str, Monitor]
    """The monitors by name; the supervisor adds and removes them."""


class Outputs(NamedTuple):
    """The console and the logs, and what writes to them."""

    console: Console
    logs: tuple[LogFile, LogFile]
    reporter: Reporter
    report: HeatReport


class Programs(NamedTuple):
    """The parts that start programs."""

    folder: Folder
    launcher: PosixLauncher
    scripts: Scripts


class Fleet(NamedTuple):
    """All monitors, and what they share."""

    limiter: Limiter
    counters: Counters | None
    """None where no client can ask for them."""
    supervisor: Supervisor


class Parts(NamedTuple):
    """All parts that a running HEAT has."""

    ground: Ground
    outputs: Outputs
    programs: Programs
    repository: Repository | None
    fleet: Fleet
    control: Control | None
