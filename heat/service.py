"""HEAT at work: the parts put together for one monitor, run, and taken apart."""

import gc
import os
import signal
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from heat import preflight
from heat.console import Console
from heat.errors import HeatError
from heat.files import on_path
from heat.journal import Journal
from heat.log import Log
from heat.loop import Loop, RealClock
from heat.options import Common, Options
from heat.process import PosixLauncher
from heat.scripts import ScriptOutput
from heat.signals import HANDLED
from heat.target import NoTarget, PidFileTarget, PidTarget
from heat.text import escaped
from heat.watch import (
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    EXIT_WELL,
    Programs,
    Watch,
    World,
)
from heat.world import Program

if TYPE_CHECKING:
    from heat.config import Config

OWN_VARIABLES = (
    b"HEAT_FAIL_CODE",
    b"HEAT_FAIL_TIME",
    b"HEAT_FAIL_TIME_LAST",
    b"HEAT_FAIL_INTERVAL",
    b"HEAT_FAIL_PID",
    b"HEAT_FAIL_CNT",
    b"HEAT_NAME",
    b"HEAT_STATE",
)
"""What a script is told; a HEAT that a script of another HEAT has started does not pass it on."""


def serve_config(config: "Config", common: Common) -> int:
    """Watch all monitors of a file until it is over; return HEAT's exit status."""
    raise NotImplementedError  # STUB


def serve(options: Options, common: Common) -> int:
    """Watch until it is over; return HEAT's exit status."""
    # Inherited as ignored or blocked, these would hide exits and keep signals from children.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        service = Service(options, common)
    except (HeatError, OSError) as error:
        # The target has ended, or a folder has gone, since it was looked at.
        os.write(2, f"Failed: HEAT cannot start: {error}\n".encode("utf-8", "backslashreplace"))
        return EXIT_USAGE
    try:
        return service.run()
    finally:
        service.close()


class Service:
    """One HEAT process with one monitor."""

    def __init__(self, options: Options, common: Common) -> None:
        clock = RealClock()
        self._loop = Loop(clock)
        self._console = Console(clock.unix, self._record)
        failures, verbose, printed = preflight.log_paths(common, options.name)
        self._logs = Log(failures, self._console.trouble), Log(verbose, self._console.trouble)
        self._journal = Journal(options, common, self._console, self._logs, clock.unix)
        script_file = ScriptOutput(printed, self._console.trouble)
        environ = {k: v for k, v in os.environb.items() if k not in OWN_VARIABLES}
        self._target = _target(options, self._handle_own)
        # Process 1 of a container inherits orphans; unreaped they would stay as zombies.
        orphans = {signal.SIGCHLD} if os.getpid() == 1 else set[signal.Signals]()
        self._loop.catch(HANDLED | orphans, self._caught)
        self._launcher = PosixLauncher(self._loop, environ, script_file.open)
        world = World(clock, self._loop, self._launcher, self._target, self._journal, script_file)
        self._watch = Watch(options, _programs(options), world, self._loop.stop)
        for warning in preflight.warnings(options, preflight.present_target(self._target)):
            self._journal.warn(warning)

    def _record(self, text: str) -> None:
        self._journal.trouble(text)

    def run(self) -> int:
        """Watch until it is over."""
        if isinstance(self._target, PidTarget):
            self._loop.watch(self._target.pidfd, self._target_ended)
        self._journal.started()
        self._guarded(self._watch.start)
        gc.freeze()
        gc.enable()
        self._guarded(self._loop.run)
        return EXIT_ERROR if self._watch.exit_code is None else self._watch.exit_code

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a bug must not leave programs behind
            told = "".join(traceback.format_exception(error))
            self._watch.crash(f"a bug of HEAT: {error!r}", told)
            try:
                self._loop.run()
            except Exception:  # noqa: BLE001 - the loop itself is broken
                self._watch.abandon()

    def _target_ended(self) -> None:
        if isinstance(self._target, PidTarget):
            self._loop.forget(self._target.pidfd)
            self._watch.target_gone(self._target.gone_reason())

    def _caught(self, signum: int) -> None:
        if signum == signal.SIGCHLD:
            self._launcher.reap_orphans()
            return
        name = signal.Signals(signum).name
        code = EXIT_INTERRUPTED if signum == signal.SIGINT else EXIT_WELL
        self._act(signum, f"{name} received", code)

    def _handle_own(self, signum: int) -> bool:
        if signum in HANDLED:
            name = signal.Signals(signum).name
            self._act(signum, f"{name} sent by HEAT to itself, exit code {EXIT_ERROR}", EXIT_ERROR)
        return signum in HANDLED

    def _act(self, signum: int, why: str, exit_code: int) -> None:
        if signum == signal.SIGHUP:
            for log in self._logs:
                log.reopen()
            self._journal.reopened()
        elif signum == signal.SIGUSR1:
            self._journal.status(self._watch.describe())
        else:
            self._watch.stop(why, exit_code)

    def close(self) -> None:
        """Complete the logs, and give everything back."""
        for signum in HANDLED:
            # Python's end restores the default, and a late signal would change the exit status.
            signal.signal(signum, signal.SIG_IGN)
        self._target.wake()
        for log in self._logs:
            log.close()
        self._launcher.close()
        self._loop.close()


def _target(
    options: Options, handled: Callable[[int], bool]
) -> NoTarget | PidTarget | PidFileTarget:
    if options.pid is not None:
        return PidTarget(options.pid)
    if options.pid_file is not None:
        return PidFileTarget(options.pid_file, NoTarget(handled))
    return NoTarget(handled)


def _programs(options: Options) -> Programs:
    name = options.check[0]
    path = name if options.is_script else on_path(name) or name
    check = Program(options.shown, path, options.check)
    return Programs(check, _script(options.fail), _script(options.recovery))


def _script(path: str | None) -> Program | None:
    return None if path is None else Program(escaped(path), path, (path,), script=True)
