"""HEAT at work: its parts built, run, and taken apart."""

from __future__ import annotations

import gc
import os
import signal
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, assert_never

from heat.app.build import build
from heat.app.inbox import AllEnded, Crashed, News, ReloadRequested, SignalToSelf
from heat.app.reload import Reload
from heat.app.signals import Signals
from heat.config.options import Common, Options
from heat.errors import HeatError, StartRefused, unforeseen
from heat.monitor.monitor import EXIT_ERROR, EXIT_USAGE
from heat.report.console import for_journal

if TYPE_CHECKING:
    from heat.app.parts import Parts
    from heat.config.model import Config
<<<<<<< HEAD
    from heat.control.answers import About
    from heat.control.handlers import Later
    from heat.control.protocol import Answer
    from heat.control.server import Control
    from heat.monitor.counters import Tallies
    from heat.process.keeper import Keeper
    from heat.process.script_output import ScriptOutput
    from heat.runtime.ports import Timer
    from heat.store.repository import Repository
    from heat.store.state_file import StateFile
=======
>>>>>>> main

_LOAD_AGAIN = 1.0
"""Seconds until modules are loaded that could not be."""


def serve(
    monitors: Sequence[Options],
    common: Common,
    config: Config | None = None,
    warnings: Sequence[str] = (),
) -> int:
    """Watch until it is over; return HEAT's exit status."""
    # Inherited as ignored, it would hide exits.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        parts = build(monitors, common, config)
    except (HeatError, OSError) as error:
        # The target has ended, or a folder has gone, since preflight looked at it.
        return _refuse(error, journal=common.journal)
    service = Service(parts)
    try:
        code = service.watch(warnings)
    except (ImportError, MemoryError, OSError, SystemError) as error:
        # Not what startup.py takes for a start that fails: systemd would not try again.
        raise HeatError(unforeseen(error)) from error
    if service.fatal is not None:
        signal.signal(service.fatal, signal.SIG_DFL)
        os.kill(os.getpid(), service.fatal)
        return 128 + service.fatal  # Process 1 of a container survives its own signal.
    return code


def _refuse(error: Exception, *, journal: bool) -> int:
    text = f"{error}\n"
    if not isinstance(error, StartRefused):
        text = f"Failed: HEAT cannot start: {error}\n"
    text = for_journal(text) if journal else text
    os.write(2, text.encode("utf-8", "backslashreplace"))
    return EXIT_USAGE


class Service:
    """One HEAT process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reload = Reload(parts)
        self._signals = Signals(parts, self._reload)
        self._broken = False
        self._over = False

    @property
    def fatal(self) -> int | None:
        """The signal by which HEAT ends."""
        return self._signals.fatal

<<<<<<< HEAD
            tallies = Tallies(len(monitors))
        world = World(clock, self._loop, self._launcher, self._limiter, tallies)
        self._store: StateFile | None = None
        keeping = self._kept(common.state) if common.state else None
        self._supervisor = Supervisor(
            self._loop,
            world,
            reporter,
            NoTarget(self._handle_own),
            self._loop.stop,
            self._script_output,
        )
        self._control = None if tallies is None else self._listen(tallies)
        self._supervisor.begin(monitors, keeping, None if config is None else config.path)
        self._let_go(config)
        self._journal.started(
            f"every {exact(monitors[0].interval)}: {monitors[0].shown}"
            if config is None
            else f"{counted(len(monitors), 'monitor')} of {config.shown}"
        )

    def _hear(self) -> None:
        """Take signals from here on, those that were blocked until now as well."""
        self._catches = {
            signum
            for signum in HANDLED | ENDING | {signal.SIGCHLD}
            if signum in _ALWAYS_CAUGHT or signal.getsignal(signum) != signal.SIG_IGN
        }
        self._loop.catch(self._catches, self._caught, self)
        # What was blocked, here or before, may come now.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _log(self, name: str) -> LogFile:
        path, shown = (
            os.path.join(folder, name) for folder in (self._common.log_folder, self._common.log_dir)
        )
        return LogFile(path, shown, self._console.trouble, self._loop.soon)

    def _kept(self, path: str) -> Repository:
        from heat.store.prune import Prune
        from heat.store.repository import Repository
        from heat.store.state_file import StateFile

        world = self._clock, self._loop
        self._store = store = StateFile(path, path, world, self._console.trouble, self)
        keeping = Prune((*world, self._launcher), store.path, self._history, self)
        store.tidy = keeping.begin
        return Repository(store, self._clock.unix, self._journal)

    def _script_output(self, path: str) -> ScriptOutput:
        from heat.process.script_output import ScriptOutput

        self._has_scripts = True
        if self._has_begun:
            from heat.process import keeper

            del keeper
        world = self._loop, self
        return ScriptOutput(path, self._console.trouble, world, self._the_keeper)

    def _the_keeper(self) -> Keeper:
        from heat.process.keeper import Keeper

        if self._keeper is None:
            self._keeper = Keeper(self._loop, self._launcher, self._console.trouble, self)
        return self._keeper

    def _history(self) -> float:
        return HISTORY if self._config is None else self._config.history

    def _listen(self, tallies: Tallies) -> Control | None:
        from heat.control.handlers import Handlers
        from heat.control.listener import ControlError
        from heat.control.paths import default_control, make_folder
        from heat.control.server import Control

        path = self._common.control or default_control()
        if path is None:
            self._journal.controlled(
                "no control socket: XDG_RUNTIME_DIR is not set; for heatctl, give --control PATH"
            )
            return None
        if not self._common.control:
            make_folder(path)
        handlers = Handlers(self, self._supervisor, tallies, self._clock)
        try:
            return Control(path, (self._clock, self._loop), handlers, self._journal)
        except ControlError as error:
            if self._common.control:
                if self._store is not None:
                    self._store.close()
                raise StartRefused(f"Error: --control {error}\n  {error.hint}") from None
            self._journal.controlled(f"no control socket: {error}; for heatctl, {error.hint}")
            return None

    def about(self) -> About:
        """The facts of HEAT as a whole."""
        monitors = self._supervisor.monitors.values()
        states = Counter(monitor.model.state for monitor in monitors)
        trouble = [f"{log.shown}: {log.trouble}" for log in self._logs if log.trouble]
        if self._store is not None and self._store.trouble:
            trouble.append(f"{self._store.shown}: {self._store.trouble}")
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started": self._began,
            "now": self._clock.unix(),
            "config": None if self._config is None else self._config.path,
            "state": None if self._store is None else os.path.abspath(self._store.path),
            "log_dir": os.path.abspath(self._common.log_folder),
            "monitors": len(monitors),
            "states": {state.value: states[state] for state in State},
            "paused": sum(monitor.paused is not None for monitor in monitors),
            "running": self._limiter.running,
            "max_running": self._limiter.most,
            "waited": self._limiter.waited,
            "longest_wait": self._limiter.longest,
            "trouble": trouble,
        }

    def reload(self, told: Later) -> None:
        """Do as SIGHUP asks, and tell who has asked what came of it."""
        self._told_of_reading.append(told)
        self._read_again()

    def _tell_of_reading(self, answer: Answer) -> None:
        waiting, self._told_of_reading = self._told_of_reading, []
        for told in waiting:
            told(answer)

    def _not_reloaded(self, diagnostics: list[str]) -> None:
        shown = "" if self._config is None else self._config.shown
        self._journal.not_reloaded(shown, diagnostics)
        what = f"{shown} is not taken: what was in force before stays in force"
        self._refuse_reading(what, mistakes=diagnostics)

    def _refuse_reading(self, error: str, **more: object) -> None:
        if self._told_of_reading:
            from heat.control.protocol import refusal

            self._tell_of_reading({**refusal(error), **more})

    def _record(self, text: str) -> None:
        self._journal.trouble(text)

    def warn(self, warnings: Sequence[str]) -> None:
        """Write down what is doubtful about the files that were looked at."""
        for text in warnings:
            self._journal.warn(text)

    def run(self) -> int:
        """Watch until it is over."""
=======
    def watch(self, warnings: Sequence[str]) -> int:
        """Watch until it is over, and close; ``warnings`` are of the files that were read."""
        try:
            for text in warnings:
                self._parts.outputs.report.warn(text)
            return self._run()
        finally:
            self._close()

    def _run(self) -> int:
>>>>>>> main
        gc.freeze()
        gc.enable()
        ground, supervisor = self._parts.ground, self._parts.fleet.supervisor
        try:
            ground.loop.end_turn()  # What was reported so far is written before a check starts.
            # The first check of one is due before, that of many may be a minute away.
            ground.loop.at(ground.clock.now(), self._after_first_check, ground.inbox)
            while not self._over:
                ground.loop.run()
                for news in ground.inbox.take():
                    self._take(news)
        except Exception as error:  # noqa: BLE001 - the loop itself is broken
            from heat.runtime.closing import take_each

            crashed = partial(self._crashed, error)
            self._report_failed(take_each([("", supervisor.abandon), ("", crashed)]))
        return self._exit_code()

    def _exit_code(self) -> int:
        supervisor = self._parts.fleet.supervisor
        code = EXIT_ERROR if self._broken else supervisor.exit_code()
        named = self._parts.ground.in_force.config is not None
        if named and code == EXIT_ERROR and not supervisor.told_to_end:
            self._parts.outputs.report.error("all monitors are in ERROR")
        return code

    def _take(self, news: News) -> None:
        match news:
            case AllEnded():
                self._over = True
            case Crashed(error):
                self._crashed(error)
            case SignalToSelf(signum):
                self._signals.take_own(signum)
            case ReloadRequested(reply):
                ground = self._parts.ground
                ground.loop.at(0.0, partial(self._reload.request, reply), ground.inbox)
            case _:
                assert_never(news)

    def _crashed(self, error: Exception) -> None:
        """Record a bug that is not a single monitor's, and stop."""
        self._broken = True
        report = self._parts.outputs.report
        report.bug("".join(traceback.format_exception(error)))
        report.error(unforeseen(error))
        self._parts.fleet.supervisor.stop(EXIT_ERROR)

    def _after_first_check(self) -> None:
        """Load what the first check does not need: later there may be no descriptors for that."""
        ground = self._parts.ground
        try:
            from heat.monitor import ahead
            from heat.process import leftovers
            from heat.runtime import closing

            del ahead, closing, leftovers
            self._parts.programs.scripts.load()
            self._signals.mind_children()  # Some may have died before HEAT was there.
        except (ImportError, MemoryError, OSError, SystemError):  # For want of them, or of memory.
            again = ground.clock.now() + _LOAD_AGAIN
            ground.loop.at(again, self._after_first_check, ground.inbox)

    # The end

    def _close(self) -> None:
        """Complete the logs, and give everything back; each step whatever the others did."""
        from heat.runtime.closing import take_each

        ground, outputs, programs, repository, fleet, control = self._parts
        failed = take_each(
            [
                *fleet.supervisor.wakings(),
                ("its signals", self._signals.ignore),
                ("reading its configuration", self._reload.stop),
                *([] if control is None else [("its control socket", control.close)]),
                *([] if repository is None else [("its state file", repository.store.close)]),
            ]
        )
        self._report_failed(failed)
        failed = take_each(
            [
                ("its output of the last turn", ground.loop.end_turn),
                ("its messages to systemd", outputs.report.over),
                *((log.shown, log.close) for log in outputs.logs),
                ("its output", outputs.console.close),
                ("its keeper", programs.scripts.close),
                ("its programs", programs.launcher.close),
                ("its loop", ground.loop.close),
            ]
        )
        for about, error in failed:  # There is no log any more.
            line = f"heat: {about} could not be closed: {error!r}\n"
            with suppress(OSError):
                os.write(2, line.encode("utf-8", "backslashreplace"))

    def _report_failed(self, failed: Sequence[tuple[str, Exception]]) -> None:
        """Report what failed as HEAT ends, where that is still possible."""
        from heat.runtime.closing import take_each

        console, report = self._parts.outputs.console, self._parts.outputs.report
        for about, error in failed:
            what = f"{about} could not be ended well" if about else "a bug of HEAT at its end"
            trace = "".join(traceback.format_exception(error))
            take_each(
                [
                    ("", partial(console.trouble, f"{what}: {error!r}")),
                    ("", partial(report.bug, trace)),
                ]
            )
