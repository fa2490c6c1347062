"""The composition root: from options to the parts of a HEAT that is ready to run.

Each step takes what the steps before it returned, so that the types hold the order, and no part
waits to be completed. What leads back, a crash or a request, goes by way of the inbox.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from heat.app import signals
from heat.app.inbox import Inbox
from heat.app.parts import Fleet, Ground, InForce, Outputs, Parts, Programs
from heat.app.scripts import Scripts
from heat.config.durations import exact
from heat.config.options import Common, Options
from heat.errors import StartRefused
from heat.monitor.make_setups import SetupMaker
from heat.monitor.setup import World
from heat.monitor.supervisor import Supervisor
from heat.process.launcher import PosixLauncher
from heat.process.target import NoTarget
from heat.process.working_folder import Folder, here
from heat.report.console import Console
from heat.report.logfile import LogFile
from heat.report.reporter import HeatReport, Reporter
from heat.runtime.limiter import Limiter
from heat.runtime.loop import Loop, RealClock
from heat.text import counted

if TYPE_CHECKING:
    from heat.config.model import Config
    from heat.control.server import Control
    from heat.store.repository import Repository

OWN_VARIABLES = (
    b"HEAT_FAIL_CODE",
    b"HEAT_FAIL_TIME",
    b"HEAT_FAIL_TIME_LAST",
    b"HEAT_FAIL_INTERVAL",
    b"HEAT_FAIL_PID",
    b"HEAT_FAIL_CNT",
    b"HEAT_FAIL_TEXT",
    b"HEAT_NAME",
    b"HEAT_STATE",
    b"NOTIFY_SOCKET",
    b"WATCHDOG_PID",
    b"WATCHDOG_USEC",
    b"LISTEN_FDS",
    b"LISTEN_FDNAMES",
    b"LISTEN_PID",
    b"LISTEN_PIDFDID",
)
"""Variables that HEAT does not pass on: those of a script, if one has started this HEAT.

Nor those of systemd: what HEAT starts must not speak in its place, nor take its sockets.
"""


def build(monitors: Sequence[Options], common: Common, config: Config | None) -> Parts:
    """Return all parts; the monitors begin with the loop. Raises HeatError or OSError."""
    ground = _ground(common, config)
    outputs = _outputs(ground)
    signals.hold()
    programs = _programs(ground, outputs)
    repository = _repository(ground, outputs, programs) if common.state else None
    fleet = _fleet(ground, outputs, programs, len(monitors))
    control = _control(ground, outputs, repository, fleet)
    fleet.supervisor.begin(monitors, repository, None if config is None else config.path)
    outputs.report.started(_summary(monitors, config))
    if config is not None:
        config.monitors.clear()  # The supervisor has them.
    return Parts(ground, outputs, programs, repository, fleet, control)


def _ground(common: Common, config: Config | None) -> Ground:
    if config is not None:
        from heat.app import loader  # Now, while there are descriptors to load it with.

        del loader
    clock = RealClock()
    loop = Loop(clock)
    return Ground(clock, loop, Inbox(loop), common, InForce(config), {})


def _outputs(ground: Ground) -> Outputs:
    unix, common = ground.clock.unix, ground.common

    def record(text: str) -> None:
        """Record the console's troubles, once there is a report."""
        report.trouble(text)

    console = Console(unix, record, ground.loop.soon, journal=common.journal)
    logs = _log(ground, console, "heat.log"), _log(ground, console, "heat.verbose.log")
    named = ground.in_force.config is not None
    reporter = Reporter(console, *logs, unix, common, named)
    report = HeatReport(reporter)
    if os.environ.get("NOTIFY_SOCKET"):
        from heat.app.systemd import with_systemd

        world = ground.clock, ground.loop
        reporter, report = with_systemd(reporter, world, ground.monitors, ground.inbox)
    return Outputs(console, logs, reporter, report)


def _log(ground: Ground, console: Console, name: str) -> LogFile:
    path = os.path.join(ground.common.log_folder, name)
    shown = os.path.join(ground.common.log_dir, name)
    return LogFile(path, shown, console.trouble, ground.loop.soon)


def _programs(ground: Ground, outputs: Outputs) -> Programs:
    config = ground.in_force.config
    folder = Folder(
        here() if config is None else os.path.dirname(config.path), outputs.report.folder
    )
    environ = {key: value for key, value in os.environb.items() if key not in OWN_VARIABLES}
    launcher = PosixLauncher(ground.loop, environ, folder)
    return Programs(folder, launcher, Scripts(ground, launcher, outputs.console.trouble))


def _repository(ground: Ground, outputs: Outputs, programs: Programs) -> Repository:
    from heat.store.prune import Prune
    from heat.store.repository import Repository
    from heat.store.state_file import StateFile

    world, path = (ground.clock, ground.loop), ground.common.state
    launched = (*world, programs.launcher)
    prune = Prune(launched, os.path.abspath(path), ground.in_force.history, ground.inbox)
    store = StateFile(path, world, outputs.console.trouble, prune.begin, ground.inbox)
    return Repository(store, ground.clock.unix, outputs.report)


def _fleet(ground: Ground, outputs: Outputs, programs: Programs, count: int) -> Fleet:
    clock, loop, inbox, common, in_force, watched = ground
    most = 1 if in_force.config is None else in_force.config.max_running
    limiter = Limiter(most, (clock, loop), outputs.report.crowd, inbox)
    counters = None
    if common.control or in_force.config is not None:
        from heat.monitor.counters import Counters

        counters = Counters(count)
    world = World(clock, loop, programs.launcher, limiter, counters)
    myself = NoTarget(inbox.signal_self)
    setups = SetupMaker(watched, outputs.reporter, myself, programs.scripts.output)
    supervisor = Supervisor(watched, loop, world, outputs.reporter, setups, inbox.all_ended)
    return Fleet(limiter, counters, supervisor)


def _control(
    ground: Ground, outputs: Outputs, repository: Repository | None, fleet: Fleet
) -> Control | None:
    """Return the control socket; None where nobody could ask, and where there can be none."""
    if fleet.counters is None:
        return None
    from heat.app.overview import Overview
    from heat.control.handlers import Handlers
    from heat.control.listener import ControlError
    from heat.control.paths import default_control, make_folder
    from heat.control.server import Control

    path = ground.common.control or default_control()
    if path is None:
        outputs.report.controlled(
            "no control socket: XDG_RUNTIME_DIR is not set; for heatctl, give --control PATH"
        )
        return None
    if not ground.common.control:
        make_folder(path)
    store = None if repository is None else repository.store
    overview = Overview(ground, outputs, fleet.limiter, store)
    handlers = Handlers(overview, fleet.supervisor, fleet.counters, ground.clock)
    try:
        return Control(path, (ground.clock, ground.loop), handlers, outputs.report)
    except ControlError as error:
        if ground.common.control:
            if store is not None:
                store.close()
            raise StartRefused(f"Error: --control {error}\n  {error.hint}") from None
        outputs.report.controlled(f"no control socket: {error}; for heatctl, {error.hint}")
        return None


def _summary(monitors: Sequence[Options], config: Config | None) -> str:
    if config is None:
        return f"every {exact(monitors[0].interval)}: {monitors[0].shown}"
    return f"{counted(len(monitors), 'monitor')} of {config.shown}"
