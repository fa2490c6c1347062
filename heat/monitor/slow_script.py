"""The alarm for a script that is slow: said again each time its age has doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from states.monitor.questions import fail_holds_up

if TYPE_CHECKING:
    from heat.monitor.ports import Host
    from heat.process.run import Run
    from heat.runtime.ports import Timer

SLOW = 10.0
"""Seconds before which HEAT calls no script slow."""


class SlowAlarm:
    """Reports that a script is slow; a fail script, only while it holds things up."""

    __slots__ = ("_base", "_host", "_run", "_timer")

    def __init__(self, host: Host, run: Run, *, fails: bool) -> None:
        self._host = host
        self._run = run
        self._base = max(host.setup.options.interval, SLOW)
        self._timer: Timer
        if fails:
            self._look_at_fail(run.started + self._base)
        else:
            self._await_recovery(self._base)

    def cancel(self) -> None:
        """Report no more."""
        self._timer.cancel()

    def _await_recovery(self, span: float) -> None:
        def slow() -> None:
            self._host.report.recovery_slow(self._run.pid, span)
            self._await_recovery(2 * span)

        self._timer = self._host.world.timers.at(self._run.started + span, slow, self._host)

    def _look_at_fail(self, when: float) -> None:
        def slow() -> None:
            again, model = self._base, self._host.model
            if fail_holds_up(model):
                self._host.report.fail_slow(self._run, checking=not model.limits.fail_overlap_skip)
                again = max(self._base, self._run.age)
            self._look_at_fail(when + again)

        self._timer = self._host.world.timers.at(when, slow, self._host)
