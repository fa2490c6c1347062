"""The signals to the target of a monitor, and the second look at a pid file that was empty."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from heat.errors import TargetError, UnwrittenError
from heat.process.signals import STOPPING
from states.engine.named_tuple import NamedTuple
from states.monitor.events import TargetGone, TargetMissing

if TYPE_CHECKING:
    from heat.monitor.ports import Host

LOOK_AGAIN = 0.1
"""Seconds after which HEAT reads a pid file again that was empty."""


class Deferred(NamedTuple):
    """A signal that waits for the pid file to be written."""

    signum: int
    option: str
    why: str
    at_tick: bool = False
    """HEAT looks again at the next tick."""


class TargetSignals:
    """Sends signals; one at most is deferred, until something else comes up."""

    __slots__ = ("_deferred", "_host")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._deferred: Deferred | None = None

    def send(self, signum: int, option: str) -> None:
        """Send a signal to the target now."""
        host = self._host
        self.drop()
        try:
            pid = host.setup.target.send(signum)
        except UnwrittenError as error:
            # Its writer truncates the file and then writes: most likely at this moment.
            deferred = self._deferred = Deferred(signum, option, str(error))
            due = host.world.clock.now() + LOOK_AGAIN
            host.world.timers.at(due, partial(self._look_again, deferred), host)
        except TargetError as error:
            self._failed(signum, option, error)
        else:
            host.write(host.report.sent, signum, option, pid)

    def _failed(self, signum: int, option: str, error: TargetError) -> None:
        reason = str(error)
        self._host.write(self._host.report.not_sent, signum, option, reason)
        if not error.passing:
            self._host.feed(TargetGone(reason) if error.gone else TargetMissing(reason))

    def tick(self) -> None:
        """Look at the pid file again, if that is due at a tick."""
        if self._deferred is not None and self._deferred.at_tick:
            self._look_again(self._deferred)

    def _look_again(self, deferred: Deferred) -> None:
        """Look at the pid file again: once soon, once at a tick, while nothing else comes up."""
        if self._deferred is not deferred:
            return
        host, setup = self._host, self._host.setup
        # Later it would hit what the recovery script has started.
        goes_before_recovery = deferred.option == "--fault-signal" and setup.recovery
        if goes_before_recovery and host.script is None:
            self.drop()
            return
        self._deferred = None
        signum, option = deferred.signum, deferred.option
        try:
            pid = setup.target.send(signum)
        except UnwrittenError as error:
            why = str(error)
            if not deferred.at_tick and not goes_before_recovery:
                self._deferred = deferred._replace(at_tick=True)
                why = f"{why}; HEAT looks again at the next tick"
            host.report.not_sent(signum, option, why)
        except TargetError as error:
            self._failed(signum, option, error)
        else:
            host.report.sent(signum, option, pid)

    def drop(self) -> None:
        """Forget a deferred signal: something else has come up."""
        deferred, self._deferred = self._deferred, None
        if deferred is not None and not deferred.at_tick:
            why = deferred.why
            self._host.write(self._host.report.not_sent, deferred.signum, deferred.option, why)


def wake(host: Host) -> None:
    """Continue a target that HEAT stopped, if it did."""
    if (pid := host.setup.target.wake()) is not None:
        host.write(host.report.woke, pid)


def wake_if_free(host: Host) -> None:
    """Continue the target where the options have no use for a stopped one, and no CONT for it."""
    limits = host.setup.options.limits
    if STOPPING.isdisjoint((limits.signal, limits.fault_signal)):
        wake(host)
