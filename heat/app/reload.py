"""The configuration read again while HEAT watches, by a process of its own, and put in force."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from heat.errors import HeatError, reason_of

if TYPE_CHECKING:
    from heat.app.loader import Findings, Reading
    from heat.app.parts import Parts
    from heat.config.model import Config
    from heat.config.options import Options
    from heat.control.handlers import Later
    from heat.control.protocol import Answer
    from heat.runtime.ports import Timer

_REAP_AGAIN = 1.0
"""Seconds between two looks whether a killed reader has ended."""


class Reload:
    """Read the file, one reading at a time; monitors change only if all of it is right."""

    __slots__ = ("_outdated", "_parts", "_read_in", "_reading", "_replies", "_time_up")

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reading: Reading | None = None
        self._time_up: Timer | None = None
        """Gives up the reading."""
        self._outdated = False
        """The file may have changed since the reading began: it is read once more."""
        self._read_in = parts.programs.folder.identity
        """The folder in which the configuration in force was read."""
        self._replies: list[Later] = []
        """Those of the clients that wait for the result."""

    def request(self, reply: Later) -> None:
        """Begin for a client; ``reply`` takes the result."""
        self._replies.append(reply)
        self.begin()

    def begin(self) -> None:
        """Do what SIGHUP asks for: reopen the logs, and read the file."""
        self._reopen()
        config = self._parts.ground.in_force.config
        if self._parts.fleet.supervisor.told_to_end:
            self._refuse("HEAT is ending")
        elif config is None:
            self._refuse("this HEAT has no configuration file; it has reopened its logs")
        elif self._reading is not None:
            self._outdated = True
        else:
            self._read(config)

    def _reopen(self) -> None:
        self._parts.programs.folder.follow()
        for log in self._parts.outputs.logs:
            log.reopen()
        self._parts.outputs.report.reopened()
        if self._parts.control is not None:
            self._parts.control.look()

    # The reading

    def _read(self, config: Config) -> None:
        from heat.app.loader import LIMIT, Reading, look, unread

        loop, common = self._parts.ground.loop, self._parts.ground.common
        self._outdated = False
        work = partial(look, config.shown, config.path, common, self._present())
        try:
            reading = self._reading = Reading(work, self._parts.programs.launcher.own)
        except OSError as error:
            self._reject([str(unread(reason_of(error)))])
            return
        loop.watch(reading.fd, partial(self._take, reading), self._parts.ground.inbox, patient=True)
        self._time_up = self._later(LIMIT, partial(self._give_up, reading))

    def _present(self) -> dict[str, Options]:
        """Return the monitors of the last reading; in another folder, none are the same."""
        before, self._read_in = self._read_in, self._parts.programs.folder.identity
        return self._parts.fleet.supervisor.options() if before == self._read_in else {}

    def _later(self, seconds: float, call: partial[None]) -> Timer:
        ground = self._parts.ground
        return ground.loop.at(ground.clock.now() + seconds, call, ground.inbox)

    def _give_up(self, reading: Reading) -> None:
        from heat.app.loader import late

        self._parts.ground.loop.forget(reading.fd)
        reading.stop()
        self._reap(reading)
        self._end(late())

    def _reap(self, reading: Reading) -> None:
        if not reading.reap():
            self._later(_REAP_AGAIN, partial(self._reap, reading))

    def _take(self, reading: Reading) -> None:
        if (findings := reading.take()) is None:
            return
        if self._time_up is not None:
            self._time_up.cancel()
        self._parts.ground.loop.forget(reading.fd)
        reading.end()
        self._end(findings)

    def _end(self, findings: Findings) -> None:
        self._reading = None
        if self._outdated:
            self.begin()
        elif self._parts.fleet.supervisor.told_to_end:
            self._refuse("HEAT is ending")
        else:
            for text in findings.warnings:
                self._parts.outputs.report.warn(text)
            self._change(findings.config, [str(diagnostic) for diagnostic in findings.diagnostics])

    def stop(self) -> None:
        """Kill the reading under way, as HEAT ends."""
        if self._reading is not None:
            self._reading.stop()

    # The result

    def _change(self, config: Config, diagnostics: list[str]) -> None:
        if diagnostics:
            self._reject(diagnostics)
            return
        try:
            counts = self._parts.fleet.supervisor.change(config.monitors)
        except (HeatError, OSError) as error:
            self._reject([reason_of(error) if isinstance(error, OSError) else str(error)])
            return
        self._put_in_force(config, counts)

    def _put_in_force(self, config: Config, counts: tuple[int, int, int]) -> None:
        in_force = self._parts.ground.in_force
        settings = [] if in_force.config is None else config.settings(in_force.config)
        in_force.config = config
        config.monitors.clear()  # The supervisor has them.
        self._parts.fleet.limiter.allow(config.max_running)
        self._parts.outputs.report.reloaded(config.shown, *counts, settings)
        counted = dict(zip(("added", "changed", "removed"), counts, strict=True))
        self._reply({"ok": True, **counted, "settings": settings})

    def _reject(self, diagnostics: list[str]) -> None:
        config = self._parts.ground.in_force.config
        shown = "" if config is None else config.shown
        self._parts.outputs.report.not_reloaded(shown, diagnostics)
        error = f"{shown} is not taken: what was in force before stays in force"
        self._refuse(error, mistakes=diagnostics)

    def _refuse(self, error: str, **more: object) -> None:
        if self._replies:
            from heat.control.protocol import refusal

            self._reply({**refusal(error), **more})

    def _reply(self, result: Answer) -> None:
        waiting, self._replies = self._replies, []
        for reply in waiting:
            reply(result)
