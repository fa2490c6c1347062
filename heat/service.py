"""HEAT at work: the parts put together, run, and taken apart."""

import gc
import os
import signal
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from heat.books import Books, HeatJournal
from heat.console import Console
from heat.errors import HeatError
from heat.fleet import Fleet
from heat.log import Log
from heat.loop import Loop, RealClock
from heat.options import Common, Options
from heat.process import PosixLauncher
from heat.signals import HANDLED, HARMLESS
from heat.signals import name as signal_name
from heat.status import summary
from heat.target import NoTarget
from heat.text import counted, seconds
from heat.turns import Turns
from heat.watch import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_USAGE, EXIT_WELL, World

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


def serve(monitors: Sequence[Options], common: Common, config: "Config | None" = None) -> int:
    """Watch until it is over; return HEAT's exit status."""
    # Inherited as ignored, it would hide exits.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        service = Service(monitors, common, config)
    except (HeatError, OSError) as error:
        # The target has ended, or a folder has gone, since it was looked at.
        os.write(2, f"Failed: HEAT cannot start: {error}\n".encode("utf-8", "backslashreplace"))
        return EXIT_USAGE
    try:
        code = service.run()
    finally:
        service.close()
    if service.fatal is not None:
        os.kill(os.getpid(), service.fatal)
    return code


class Service:
    """One HEAT process; ``config`` is the file its monitors are from, None for a single one."""

    def __init__(
        self, monitors: Sequence[Options], common: Common, config: "Config | None"
    ) -> None:
        clock = RealClock()
        self._config = config
        self._common = common
        self._broken = False
        self.fatal: int | None = None
        """The signal that HEAT has sent itself, and that ends it once all is told."""
        self._loop = Loop(clock)
        self._console = Console(clock.unix, self._record)
        failures, verbose = self._logs = [
            self._log(log) for log in ("heat.log", "heat.verbose.log")
        ]
        named = config is not None
        books = Books(self._console, failures, verbose, clock.unix, common, named)
        self._journal = HeatJournal(books)
        environ = {k: v for k, v in os.environb.items() if k not in OWN_VARIABLES}
        # Process 1 of a container inherits orphans; unreaped they would stay as zombies.
        orphans = {signal.SIGCHLD} if os.getpid() == 1 else set[signal.Signals]()
        self._loop.catch(HANDLED | orphans, self._caught, self)
        # What was blocked, here or before, may come now.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._loop.each_turn(self._flush)
        self._launcher = PosixLauncher(self._loop, environ)
        most = 1 if config is None else config.max_running
        self._turns = Turns(most, (clock, self._loop), self._journal.crowd, self)
        world = World(clock, self._loop, self._launcher, self._turns)
        self._fleet = Fleet(self._loop, world, books, NoTarget(self._handle_own), self._loop.stop)
        self._fleet.add(monitors)
        self._fleet.warn()
        self._journal.started(
            f"every {seconds(monitors[0].interval)} s: {monitors[0].shown}"
            if config is None
            else f"{counted(len(monitors), 'monitor')} of {config.shown}"
        )

    def _log(self, name: str) -> Log:
        path, shown = (
            os.path.join(folder, name) for folder in (self._common.log_folder, self._common.log_dir)
        )
        return Log(path, shown, self._console.trouble)

    def _record(self, text: str) -> None:
        self._journal.trouble(text)

    def _flush(self) -> None:
        for log in self._logs:
            log.flush()
        self._console.flush()
        for log in self._logs:
            log.flush()  # What is wrong with the console.

    def run(self) -> int:
        """Watch until it is over."""
        gc.freeze()
        gc.enable()
        try:
            self._loop.run()
        except Exception as error:  # noqa: BLE001 - the loop itself is broken
            self._fleet.abandon()
            self.crashed(error)
        return EXIT_ERROR if self._broken else self._fleet.exit_code()

    def crashed(self, error: Exception) -> None:
        """A bug of HEAT that is no single monitor's: write it down, and stop."""
        self._broken = True
        self._journal.bug("".join(traceback.format_exception(error)))
        self._journal.error(f"a bug of HEAT: {error!r}")
        self._fleet.stop(EXIT_ERROR)

    # Signals

    def _caught(self, signum: int) -> None:
        if signum == signal.SIGCHLD:
            self._launcher.reap_orphans()
            return
        code = EXIT_INTERRUPTED if signum == signal.SIGINT else EXIT_WELL
        self._act(signum, f"SIG{signal_name(signum)} received", code)

    def _handle_own(self, signum: int) -> bool:
        if signum in HANDLED:
            then = f"exit code {EXIT_ERROR}"
        elif signum in HARMLESS or signal.getsignal(signum) != signal.SIG_DFL:
            return False
        else:
            self.fatal = signum
            then = "which ends it"
        self._act(signum, f"SIG{signal_name(signum)} sent by HEAT to itself, {then}", EXIT_ERROR)
        return True

    def _act(self, signum: int, why: str, exit_code: int) -> None:
        if signum == signal.SIGHUP:
            self._read_again()
        elif signum == signal.SIGUSR1:
            for line in summary(self._fleet.watches, self._turns, named=self._config is not None):
                self._journal.status(line)
        else:
            self._journal.ending(f"{why}, {'killing' if self._fleet.stopping else 'stopping'}")
            self._fleet.stop(exit_code)

    def _read_again(self) -> None:
        for log in self._logs:
            log.reopen()
        self._journal.reopened()
        if self._config is None or self._fleet.stopping:
            return
        from heat.config import read

        shown = self._config.shown
        config, mistakes = read(shown, self._config.path)
        if config is None or mistakes:
            self._journal.not_reloaded(shown, [str(mistake) for mistake in mistakes])
            return
        try:
            counts = self._fleet.change(config.monitors)
        except (HeatError, OSError) as error:
            self._journal.not_reloaded(shown, [str(error)])
            return
        self._config = config
        self._turns.allow(config.max_running)
        self._journal.reloaded(shown, *counts)

    def close(self) -> None:
        """Complete the logs, and give everything back."""
        for signum in HANDLED:
            # Python's end restores the default, and a late signal would change the exit status.
            signal.signal(signum, signal.SIG_IGN)
        self._fleet.wake_targets()
        self._flush()
        for log in self._logs:
            log.close()
        self._console.flush()
        self._console.close()
        self._launcher.close()
        self._loop.close()
