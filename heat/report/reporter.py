"""Where everything is written down, and how: the manner in which all texts of HEAT go out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from heat.config.durations import length
from heat.config.options import Common
from heat.report.console import RED, YELLOW
from heat.text import counted
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.report.ports import Printer, Records
    from heat.runtime.limiter import Crowd


def _nothing() -> None:
    """Nobody wants to know."""


class Reporter(NamedTuple):
    """Console and logs of one HEAT; ``named`` if lines carry the names of monitors."""

    console: Printer
    failures: Records
    verbose: Records
    unix: Callable[[], float]
    common: Common
    named: bool = False
    moved: Callable[[], None] = _nothing
    """Told that a monitor's state is another one, or that there is another monitor."""


class Writer:
    """Writes lines and records, with a prefix in front of what they say."""

    __slots__ = ("_reporter",)

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    @property
    def _prefix(self) -> str:
        return ""

    def _info(self, text: str) -> None:
        """On record alone."""
        self._record(int(self._reporter.unix()), "INFO", "heat", [text])

    def _detail(self, text: str) -> None:
        """On record, and for those who read along."""
        if not self._reporter.common.quiet:
            self._news(text)
        self._info(text)

    def _own(self, text: str) -> None:
        """A detail about HEAT itself."""
        if not self._reporter.common.quiet:
            self._news(f"heat: {text}")
        self._info(text)

    def _fault(self, text: str) -> None:
        """Something is wrong, and HEAT goes on."""
        self._news(text, YELLOW)
        self.trouble(text)

    def trouble(self, text: str) -> None:
        """A fault that stderr has been told of."""
        self._record(int(self._reporter.unix()), "ERR", "heat", [text])

    def bug(self, told: str) -> None:
        """A traceback, for the log alone."""
        self._record(int(self._reporter.unix()), "ERR", "heat", told.splitlines())

    def ending(self, why: str) -> None:
        """HEAT, or this monitor, begins to end."""
        self._own(why)

    def spelled(self, option: str, value: str) -> str:
        """An option as it is written where this monitor's stand."""
        in_file = value if value.isdigit() else f'"{value}"'
        return f"{option} = {in_file}" if self._reporter.named else f"'--{option} {value}'"

    def _news(self, text: str, colour: str = "") -> None:
        self._reporter.console.news(f"{self._prefix}{text}", colour)

    def _record(self, time: int, kind: str, field: str, text: list[str]) -> None:
        head = f"{time} : {kind} : {self._prefix}{field} :\n"
        # At once: a flood makes this a megabyte, and a copy another one.
        self._reporter.verbose.write("".join([head, *(f"> {line}\n" for line in text)]))


class HeatReport(Writer):
    """The journal of HEAT as a whole."""

    __slots__ = ()

    def warn(self, text: str) -> None:
        """Write down what is allowed and may not be meant."""
        self._news(f"heat: warning: {text}", YELLOW)
        self._info(f"warning: {text}")

    def started(self, what: str) -> None:
        """HEAT begins to watch."""
        self._info(f"watching {what}")

    def reopened(self) -> None:
        """The logs were reopened, as SIGHUP asks."""
        self._info("logs reopened")

    def reloaded(
        self, path: str, added: int, changed: int, removed: int, settings: Sequence[str]
    ) -> None:
        """The configuration was read again; ``settings`` of [heat] are others."""
        monitors = f"{counted(added, 'monitor')} added, {changed} changed, {removed} removed"
        self._own("; ".join([f"{path} was read again: {monitors}", *settings]))

    def not_reloaded(self, path: str, diagnostics: list[str]) -> None:
        """The configuration was read again, and is wrong."""
        for diagnostic in diagnostics:
            for line in diagnostic.splitlines():
                self._news(f"heat: {line.strip()}", RED)
        told = f"{path} was read again and is not taken: what was in force before stays in force"
        self._news(f"heat: {told}", RED)
        lines = [line for diagnostic in diagnostics for line in diagnostic.splitlines()]
        self._record(int(self._reporter.unix()), "ERR", "heat", [*lines, told])

    def all_anew(self) -> None:
        """An earlier HEAT has ended with all monitors in ERROR."""
        self._own("all monitors were in ERROR when HEAT ended: they begin anew")

    def not_readable(self, shown: str, count: int) -> None:
        """The state file holds what no HEAT has written."""
        what = counted(count, "monitor")
        self._fault(f"heat: {shown}: what it knows of {what} cannot be read: they begin anew")

    def woke(self, pid: int) -> None:
        """A process goes on that an earlier HEAT has stopped for a monitor that is no more."""
        self._own(f"sent CONT to {pid}, which an earlier HEAT had stopped")

    def folder(self, text: str) -> None:
        """The folder that programs run in is another one, or gone."""
        self._fault(f"heat: {text}")

    def controlled(self, text: str) -> None:
        """There is no control socket, or no longer."""
        self._fault(f"heat: {text}")

    def crowd(self, crowd: Crowd) -> None:
        """Checks wait for their turn, or do so no longer."""
        if crowd.waits is None:
            text = f"max-running ({crowd.most}) is reached: what is due beyond it waits its turn"
        else:
            text = (
                f"checks start on time again: {counted(crowd.waits, 'check')} had to wait, "
                f"the longest {length(crowd.longest)}"
            )
        self._fault(f"heat: {text}")

    def error(self, reason: str) -> None:
        """HEAT cannot do its work any more."""
        self._news(f"heat: error: {reason}; HEAT stops", RED)
        self.trouble(reason)

    def status(self, text: str) -> None:
        """Print the lines that SIGUSR1 asked for."""
        self._news(f"heat: {text}")

    def over(self) -> None:
        """Nothing is said from here on."""
