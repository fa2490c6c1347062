"""The signals that HEAT gets, and what each asks for."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

from heat.monitor.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_WELL
from heat.monitor.status_line import summary
from heat.process.signals import ENDING, HANDLED, STOP_HEAT
from heat.process.signals import name as signal_name

if TYPE_CHECKING:
    from heat.app.parts import Parts
    from heat.app.reload import Reload

_ALWAYS_CAUGHT = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD})
"""Also where HEAT was started with them ignored."""


def caught() -> set[int]:
    """Return the signals to catch: not those that HEAT was started with ignored."""
    return {
        signum
        for signum in HANDLED | ENDING | {signal.SIGCHLD}
        if signum in _ALWAYS_CAUGHT or signal.getsignal(signum) != signal.SIG_IGN
    }


def hold() -> None:
    """Keep signals waiting while HEAT is built: what has begun then ends in order."""
    signal.pthread_sigmask(signal.SIG_BLOCK, caught())


class Signals:
    """Take signals from here on, those that have waited as well."""

    __slots__ = ("_caught", "_children_due", "_parts", "_reload", "fatal")

    def __init__(self, parts: Parts, reload: Reload) -> None:
        self._parts = parts
        self._reload = reload
        self.fatal: int | None = None
        """The signal that ends HEAT once everything is written: received, or sent to itself."""
        self._children_due = True
        self._caught = caught()
        parts.ground.loop.catch(self._caught, self._take, parts.ground.inbox)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _take(self, signum: int) -> None:
        if signum == signal.SIGCHLD:
            if not self._children_due:
                # At the end of the turn HEAT's own are reaped: mostly nothing is left to do then.
                self._children_due = True
                self._parts.ground.loop.soon(self.mind_children)
        elif signum == signal.SIGHUP:
            self._reload.begin()
        elif signum == signal.SIGUSR1:
            self._print_status()
        else:
            self._stop(signum)

    def _print_status(self) -> None:
        ground, outputs = self._parts.ground, self._parts.outputs
        named = outputs.reporter.named
        for line in summary(ground.monitors, self._parts.fleet.limiter, named=named):
            outputs.report.status(line)

    def _stop(self, signum: int) -> None:
        supervisor = self._parts.fleet.supervisor
        doing = "killing" if supervisor.stopping else "stopping"
        self._parts.outputs.report.ending(f"SIG{signal_name(signum)} received, {doing}")
        if signum in ENDING:
            self.fatal = signum
        supervisor.stop(EXIT_INTERRUPTED if signum == signal.SIGINT else EXIT_WELL)

    def take_own(self, signum: int) -> None:
        """Take a signal that HEAT sent to itself, when all that goes with it is done."""
        if signum in STOP_HEAT:
            self._give_in(signum, f"exit code {EXIT_ERROR}")
        elif signum not in HANDLED:
            self.fatal = signum
            self._give_in(signum, "which ends it")
        else:
            ground = self._parts.ground
            ground.loop.at(0.0, partial(self._take, signum), ground.inbox)

    def _give_in(self, signum: int, then: str) -> None:
        report, supervisor = self._parts.outputs.report, self._parts.fleet.supervisor
        report.ending(f"SIG{signal_name(signum)} sent by HEAT to itself, {then}, stopping")
        supervisor.give_in(EXIT_ERROR)

    def mind_children(self) -> None:
        """Reap children that HEAT did not start, and pass on which of its own are stopped."""
        from heat.process import reaper

        ground, own = self._parts.ground, self._parts.programs.launcher.own
        self._children_due = False
        if not reaper.reap_strangers(own):
            ground.loop.at(0.0, self.mind_children, ground.inbox)
        for pid, signum in reaper.stops(own):
            self._parts.fleet.supervisor.stopped(pid, signum)

    def ignore(self) -> None:
        """Ignore them: at its end Python restores the default, and a late one would kill HEAT."""
        for signum in self._caught - {signal.SIGCHLD}:
            signal.signal(signum, signal.SIG_IGN)
