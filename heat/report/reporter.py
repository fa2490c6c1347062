"""The reporter: the console and the logs that all texts of HEAT go to, and their form."""

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
    """Do nothing: nobody listens."""


class Reporter(NamedTuple):
    """Console and logs of one HEAT; ``named`` if lines carry the names of monitors."""

    console: Printer
    failures: Records
    verbose: Records
    unix: Callable[[], float]
    common: Common
    named: bool = False
    moved: Callable[[], None] = _nothing
    """Called when the state of a monitor changes, and when there is another monitor."""


class Writer:
    """Writes lines and records, with a prefix in front of the text."""

    __slots__ = ("_reporter",)

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    @property
    def _prefix(self) -> str:
        return ""

    def _info(self, text: str) -> None:
        """Write a record only."""
        self._record(int(self._reporter.unix()), "INFO", "heat", [text])

    def _detail(self, text: str) -> None:
        """Write a record, and a line unless --quiet."""
        if not self._reporter.common.quiet:
            self._news(text)
        self._info(text)

    def _own(self, text: str) -> None:
        """Report a detail about HEAT itself."""
        if not self._reporter.common.quiet:
            self._news(f"heat: {text}")
        self._info(text)

    def _fault(self, text: str) -> None:
        """Report a fault with which HEAT goes on."""
        self._news(text, YELLOW)
        self.trouble(text)

    def trouble(self, text: str) -> None:
        """Record a fault that is on stderr already."""
        self._record(int(self._reporter.unix()), "ERR", "heat", [text])

    def bug(self, trace: str) -> None:
        """Record a traceback."""
        self._record(int(self._reporter.unix()), "ERR", "heat", trace.splitlines())

    def ending(self, why: str) -> None:
        """Report why HEAT, or this monitor, ends."""
        self._own(why)

    def spelled(self, option: str, value: str) -> str:
        """Return an option as it is written on a command line, or in a file."""
        in_file = value if value.isdigit() else f'"{value}"'
        return f"{option} = {in_file}" if self._reporter.named else f"'--{option} {value}'"

    def _news(self, text: str, colour: str = "") -> None:
        self._reporter.console.news(f"{self._prefix}{text}", colour)

    def _record(self, time: int, kind: str, field: str, lines: list[str]) -> None:
        head = f"{time} : {kind} : {self._prefix}{field} :\n"
        # In one go: a flood makes this a megabyte, and a copy another one.
        self._reporter.verbose.write("".join([head, *(f"> {line}\n" for line in lines)]))


class HeatReport(Writer):
    """Reports on HEAT as a whole."""

    __slots__ = ()

    def warn(self, text: str) -> None:
        """Report an option that is valid and may be a mistake."""
        self._news(f"heat: warning: {text}", YELLOW)
        self._info(f"warning: {text}")

    def started(self, what: str) -> None:
        """Record the start of HEAT."""
        self._info(f"watching {what}")

    def reopened(self) -> None:
        """Record that HEAT reopened the logs on SIGHUP."""
        self._info("logs reopened")

    def reloaded(
        self, path: str, added: int, changed: int, removed: int, settings: Sequence[str]
    ) -> None:
        """Report a reload, and which ``settings`` of [heat] have changed."""
        monitors = f"{counted(added, 'monitor')} added, {changed} changed, {removed} removed"
        self._own("; ".join([f"{path} was read again: {monitors}", *settings]))

    def not_reloaded(self, path: str, diagnostics: list[str]) -> None:
        """Report a reload of a configuration with mistakes."""
        for diagnostic in diagnostics:
            for line in diagnostic.splitlines():
                self._news(f"heat: {line.strip()}", RED)
        result = f"{path} was read again and is not taken: what was in force before stays in force"
        self._news(f"heat: {result}", RED)
        lines = [line for diagnostic in diagnostics for line in diagnostic.splitlines()]
        self._record(int(self._reporter.unix()), "ERR", "heat", [*lines, result])

    def all_begin_again(self) -> None:
        """Report that an earlier HEAT ended with all monitors in ERROR."""
        self._own("all monitors were in ERROR when HEAT ended: they begin again")

    def not_readable(self, shown: str, count: int) -> None:
        """Report entries of the state file that no HEAT has written."""
        what = counted(count, "monitor")
        self._fault(f"heat: {shown}: what it knows of {what} cannot be read: they begin again")

    def woke(self, pid: int) -> None:
        """Report a process that HEAT continues: the monitor for which it was stopped is gone."""
        self._own(f"sent CONT to {pid}, which an earlier HEAT had stopped")

    def folder(self, text: str) -> None:
        """Report that the working folder of programs has changed, or is gone."""
        self._fault(f"heat: {text}")

    def controlled(self, text: str) -> None:
        """Report a control socket that HEAT does not have, or has lost."""
        self._fault(f"heat: {text}")

    def crowd(self, crowd: Crowd) -> None:
        """Report that checks wait for their turn, or no longer do."""
        if crowd.waits is None:
            text = f"max-running ({crowd.most}) is reached: what is due beyond it waits its turn"
        else:
            text = (
                f"checks start on time again: {counted(crowd.waits, 'check')} had to wait, "
                f"the longest {length(crowd.longest)}"
            )
        self._fault(f"heat: {text}")

    def error(self, reason: str) -> None:
        """Report an error that ends HEAT."""
        self._news(f"heat: error: {reason}; HEAT stops", RED)
        self.trouble(reason)

    def status(self, text: str) -> None:
        """Print the lines that SIGUSR1 asked for."""
        self._news(f"heat: {text}")

    def over(self) -> None:
        """Report nothing from here on."""
