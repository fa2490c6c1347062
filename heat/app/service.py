"""HEAT at work: the parts put together, run, and taken apart."""

from __future__ import annotations

import gc
import os
import signal
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from heat import __version__
from heat.config.options import HISTORY, Common, Options
from heat.durations import exact
from heat.errors import HeatError, StartRefused, reason_of, unforeseen
from heat.monitor.monitor import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_USAGE, EXIT_WELL, World
from heat.monitor.status_line import summary
from heat.monitor.supervisor import Supervisor
from heat.process.launcher import PosixLauncher
from heat.process.signals import ENDING, HANDLED, HARMLESS, STOP_HEAT
from heat.process.signals import name as signal_name
from heat.process.target import NoTarget
from heat.process.working_folder import Folder, here
from heat.report.console import Console, for_journal
from heat.report.logfile import LogFile
from heat.report.reporter import HeatReport, Reporter
from heat.runtime.limiter import Limiter
from heat.runtime.loop import Loop, RealClock
from heat.text import counted
from states.monitor.model import State

if TYPE_CHECKING:
    from heat.app.loader import Found, Reading
    from heat.config.model import Config
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

_LOOK_AGAIN = 1.0
"""Seconds until it is looked again whether a killed reader has ended."""
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
"""Variables of a script, which a HEAT that was started by another's script does not pass on.

Nor what systemd has told HEAT: what HEAT starts is not to speak in its place, and does not get
the sockets that it was given.
"""
_ALWAYS_CAUGHT = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD})
"""Also where HEAT was started with them ignored."""


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
        service = Service(monitors, common, config)
    except (HeatError, OSError) as error:
        # The target has ended, or a folder has gone, since it was looked at.
        told = f"{error}\n"
        if not isinstance(error, StartRefused):
            told = f"Failed: HEAT cannot start: {error}\n"
        told = for_journal(told) if common.journal else told
        os.write(2, told.encode("utf-8", "backslashreplace"))
        return EXIT_USAGE
    try:
        try:
            service.warn(warnings)
            code = service.run()
        finally:
            service.close()
    except (ImportError, MemoryError, OSError, SystemError) as error:
        # Not what startup.py takes for a start that fails: systemd tries no such one again.
        raise HeatError(unforeseen(error)) from error
    if service.fatal is not None:
        signal.signal(service.fatal, signal.SIG_DFL)
        os.kill(os.getpid(), service.fatal)
        return 128 + service.fatal  # Process 1 of a container does not die of its own.
    return code


class Service:
    """One HEAT process; ``config`` is the file its monitors are from, None for a single one."""

    _keeper: Keeper | None = None
    _has_scripts = _has_begun = False

    def __init__(self, monitors: Sequence[Options], common: Common, config: Config | None) -> None:
        clock = RealClock()
        self._config = config
        if config is not None:
            from heat.app import loader  # Now, while there are descriptors to load it with.

            self._look = loader.look
        self._common = common
        self._broken = False
        self._reading: Reading | None = None
        self._time_up: Timer | None = None
        """When that has taken too long."""
        self._outdated = False
        """The file is to be read once more: it may have changed since that began."""
        self.fatal: int | None = None
        """The signal that ends HEAT once all is told: it has come, or HEAT has sent it."""
        self._told_of_reading: list[Later] = []
        """The clients that wait to be told what came of reading the file again."""
        self._clock = clock
        self._began = clock.unix()
        self._loop = Loop(clock)
        self._console = Console(clock.unix, self._record, self._loop.soon, journal=common.journal)
        failures, verbose = self._logs = [
            self._log(log) for log in ("heat.log", "heat.verbose.log")
        ]
        named = config is not None
        reporter = Reporter(self._console, failures, verbose, clock.unix, common, named)
        self._journal = HeatReport(reporter)
        if os.environ.get("NOTIFY_SOCKET"):
            from heat.app.systemd import with_systemd

            reporter, self._journal = with_systemd(
                reporter, (clock, self._loop), lambda: self._supervisor.monitors, self
            )
        environ = {k: v for k, v in os.environb.items() if k not in OWN_VARIABLES}
        self._hear()
        folder = here() if config is None else os.path.dirname(config.path)
        self._folder = Folder(folder, self._journal.folder)
        self._read_in = self._folder.identity
        """The folder whose files were looked at when the configuration was read."""
        self._launcher = PosixLauncher(self._loop, environ, self._folder)
        self._children_due = True
        most = 1 if config is None else config.max_running
        self._limiter = Limiter(most, (clock, self._loop), self._journal.crowd, self)
        tallies = None
        if common.control or config is not None:
            from heat.monitor.counters import Tallies

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
        gc.freeze()
        gc.enable()
        try:
            self._loop.end_turn()  # What was said so far is written before anything is run.
            # The first check of one is due before, that of many may be a minute away.
            self._loop.at(self._clock.now(), self._after_first_check, self)
            self._loop.run()
        except Exception as error:  # noqa: BLE001 - the loop itself is broken
            from heat.runtime.closing import take_each

            crashed = partial(self.crashed, error)
            self._tell_failed(take_each([("", self._supervisor.abandon), ("", crashed)]))
        code = EXIT_ERROR if self._broken else self._supervisor.exit_code()
        if self._config is not None and code == EXIT_ERROR and not self._supervisor.told_to_end:
            self._journal.error("all monitors are in ERROR")
        return code

    def _after_first_check(self) -> None:
        """Load what the first check does not need: later there may be no descriptors for that."""
        try:
            from heat.monitor import ahead
            from heat.process import leftovers
            from heat.runtime import closing

            del ahead, closing, leftovers
            if self._has_scripts:
                from heat.process import keeper

                del keeper
            self._has_begun = True
            self._mind_children()  # Those that were dead before HEAT was there.
        except (ImportError, MemoryError, OSError, SystemError):  # For want of them, or of memory.
            self._loop.at(self._clock.now() + _LOOK_AGAIN, self._after_first_check, self)

    def crashed(self, error: Exception) -> None:
        """A bug of HEAT that is no single monitor's: write it down, and stop."""
        self._broken = True
        self._journal.bug("".join(traceback.format_exception(error)))
        self._journal.error(unforeseen(error))
        self._supervisor.stop(EXIT_ERROR)

    # Signals

    def _caught(self, signum: int) -> None:
        if signum == signal.SIGCHLD:
            if not self._children_due:
                # When those are reaped that are HEAT's own: mostly that leaves nothing to do.
                self._children_due = True
                self._loop.soon(self._mind_children)
        elif signum == signal.SIGHUP:
            self._read_again()
        elif signum == signal.SIGUSR1:
            named = self._config is not None
            for line in summary(self._supervisor.monitors, self._limiter, named=named):
                self._journal.status(line)
        else:
            doing = "killing" if self._supervisor.stopping else "stopping"
            self._journal.ending(f"SIG{signal_name(signum)} received, {doing}")
            if signum in ENDING:
                self.fatal = signum
            self._supervisor.stop(EXIT_INTERRUPTED if signum == signal.SIGINT else EXIT_WELL)

    def _mind_children(self) -> None:
        from heat.process import reaper

        self._children_due = False
        if not reaper.reap_strangers(self._launcher.own):
            self._loop.at(0.0, self._mind_children, self)
        for pid, signum in reaper.stops(self._launcher.own):
            self._supervisor.stopped(pid, signum)

    def _handle_own(self, signum: int) -> bool:
        """Take a signal that HEAT sends to itself, when all it goes with has been done."""
        take = self._caught
        if signum in STOP_HEAT:
            take = partial(self._give_in, f"exit code {EXIT_ERROR}")
        elif signum not in HANDLED:
            if signum in HARMLESS or signal.getsignal(signum) == signal.SIG_IGN:
                return False
            self.fatal = signum
            take = partial(self._give_in, "which ends it")
        self._loop.at(0.0, partial(take, signum), self)
        return True

    def _give_in(self, then: str, signum: int) -> None:
        self._journal.ending(f"SIG{signal_name(signum)} sent by HEAT to itself, {then}, stopping")
        self._supervisor.give_in(EXIT_ERROR)

    def _read_again(self) -> None:
        self._folder.follow()
        for log in self._logs:
            log.reopen()
        self._journal.reopened()
        if self._control is not None:
            self._control.look()
        if self._supervisor.told_to_end:
            self._refuse_reading("HEAT is ending")
            return
        if self._config is None:
            told = "this HEAT has no configuration file; its logs were opened anew"
            self._refuse_reading(told)
            return
        if self._reading is not None:
            self._outdated = True
            return
        self._outdated = False
        from heat.app.loader import LIMIT, Reading, unread

        where = self._folder.identity
        # In another folder are other files, though their names are the same.
        present = self._supervisor.options() if where == self._read_in else {}
        self._read_in = where
        work = partial(self._look, self._config.shown, self._config.path, self._common, present)
        try:
            self._reading = Reading(work)
        except OSError as error:
            self._not_reloaded([str(unread(reason_of(error)))])
            return
        self._launcher.adopt(self._reading.pid)
        self._loop.watch(self._reading.fd, self._take_reading, self, patient=True)
        give_up = partial(self._give_up, self._reading)
        self._time_up = self._loop.at(self._clock.now() + LIMIT, give_up, self)

    def _give_up(self, reading: Reading) -> None:
        from heat.app.loader import late

        self._loop.forget(reading.fd)
        reading.stop()
        self._reap(reading)
        self._taken(late())

    def _reap(self, reading: Reading) -> None:
        if reading.reap():
            self._launcher.release(reading.pid)
        else:
            self._loop.at(self._clock.now() + _LOOK_AGAIN, partial(self._reap, reading), self)

    def _take_reading(self) -> None:
        reading = self._reading
        if reading is None or (found := reading.take()) is None:
            return
        if self._time_up is not None:
            self._time_up.cancel()
        self._loop.forget(reading.fd)
        reading.end()
        self._launcher.release(reading.pid)
        self._taken(found)

    def _taken(self, found: Found) -> None:
        self._reading = None
        if self._outdated:
            self._read_again()
        elif self._supervisor.told_to_end:
            self._refuse_reading("HEAT is ending")
        else:
            self.warn(found.warnings)
            self._change(found.config, [str(diagnostic) for diagnostic in found.diagnostics])

    def _change(self, config: Config, diagnostics: list[str]) -> None:
        if diagnostics:
            self._not_reloaded(diagnostics)
            return
        try:
            counts = self._supervisor.change(config.monitors)
        except (HeatError, OSError) as error:
            self._not_reloaded([reason_of(error) if isinstance(error, OSError) else str(error)])
            return
        settings = [] if self._config is None else config.settings(self._config)
        self._config = config
        self._let_go(config)
        self._limiter.allow(config.max_running)
        self._journal.reloaded(config.shown, *counts, settings)
        told = dict(zip(("added", "changed", "removed"), counts, strict=True))
        self._tell_of_reading({"ok": True, **told, "settings": settings})

    @staticmethod
    def _let_go(config: Config | None) -> None:
        """The fleet has its monitors now: they are not listed twice."""
        if config is not None:
            config.monitors.clear()

    def close(self) -> None:
        """Complete the logs, and give everything back; each step whatever the others did."""
        from heat.runtime.closing import take_each

        failed = take_each(
            [
                *self._supervisor.wakings(),
                ("its signals", self._hear_no_more),
                ("reading its configuration", self._stop_reading),
                ("its control socket", self._close_control),
                ("its state file", self._close_store),
            ]
        )
        self._tell_failed(failed)
        failed = take_each(
            [
                ("what was to be written", self._loop.end_turn),
                ("what systemd is told", self._journal.over),
                *((log.shown, log.close) for log in self._logs),
                ("its output", self._console.close),
                ("its keeper", self._close_keeper),
                ("its programs", self._launcher.close),
                ("its loop", self._loop.close),
            ]
        )
        for about, error in failed:  # Nowhere else to say it.
            line = f"heat: {about} could not be closed: {error!r}\n"
            with suppress(OSError):
                os.write(2, line.encode("utf-8", "backslashreplace"))

    def _tell_failed(self, failed: Sequence[tuple[str, Exception]]) -> None:
        """Say what went wrong as HEAT ends, where that is still possible."""
        from heat.runtime.closing import take_each

        for about, error in failed:
            what = f"{about} could not be ended well" if about else "a bug of HEAT at its end"
            told = "".join(traceback.format_exception(error))
            take_each(
                [
                    ("", partial(self._console.trouble, f"{what}: {error!r}")),
                    ("", partial(self._journal.bug, told)),
                ]
            )

    def _hear_no_more(self) -> None:
        # Python's end restores the default, and a late signal would change the exit status.
        for signum in self._catches - {signal.SIGCHLD}:
            signal.signal(signum, signal.SIG_IGN)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.stop()

    def _close_control(self) -> None:
        if self._control is not None:
            self._control.close()

    def _close_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.close()

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
