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
from heat.monitor.exit_codes import EXIT_ERROR, EXIT_USAGE
from heat.report.console import for_journal

if TYPE_CHECKING:
    from heat.app.parts import Parts
    from heat.config.model import Config

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

    def watch(self, warnings: Sequence[str]) -> int:
        """Watch until it is over, and close; ``warnings`` are of the files that were read."""
        try:
            for text in warnings:
                self._parts.outputs.report.warn(text)
            return self._run()
        finally:
            self._close()

    def _run(self) -> int:
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
        """Load what the first check does not need, while there are still descriptors for it."""
        ground = self._parts.ground
        try:
            from heat.monitor import next_check, terminal
            from heat.process import leftovers
            from heat.runtime import closing

            del closing, leftovers, next_check, terminal
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
