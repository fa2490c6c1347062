"""The report on the checks of a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.checks.outcome import Outcome
from heat.process import signals
from heat.process.program import SILENT, Output
from heat.report.console import GREEN, RED, YELLOW
from heat.report.program_report import ProgramReport
from heat.report.wording import STOPPED, ending, explained, lines_of, with_line
from heat.text import escaped, lines, seconds
from states.monitor.model import Failure, State

if TYPE_CHECKING:
    from heat.checks.ports import Attempt


class CheckReport(ProgramReport):
    """Reports on the checks of one monitor."""

    __slots__ = ()

    def checked(self, check: Outcome, output: Output, state: State, count: int) -> None:
        """Report a check that has ended; ``state`` and ``count`` are those that followed."""
        self.result(check, state, count)
        self.record(check, output)

    def result(self, check: Outcome, state: State, count: int) -> None:
        """Print the line of a check."""
        if check.unknown:
            result, line, colour = "unknown", f"Unknown: {check.unknown}", YELLOW
        elif check.warning:
            result, line, colour = "ok", f"Warning: {self.ending_of(check)}", YELLOW
        elif check.code == 0:
            result, line, colour = "ok", "OK", GREEN
        else:
            details = f"details in {escaped(self._reporter.failures.shown)}"
            result, line, colour = "failed", f"Failed: {self.ending_of(check)}, {details}", RED
        if self._reporter.common.quiet and result == "ok" and not check.warning:
            return
        if not self._reporter.common.json:
            self._reporter.console.result(f"{self._prefix}{line}", colour, check.started)
            return
        import json

        fields = {
            "time": check.started,
            "monitor": self.options.name,
            "result": result,
            "code": check.code,
            "pid": check.pid,
            "duration": round(check.duration, 6),
            "state": state.value,
            "count": count,
            "message": check.text or None,
        }
        if check.warning:
            fields["warning"] = True
        self._reporter.console.result(json.dumps(fields))

    def record(self, check: Outcome, output: Output) -> None:
        """Record what a check printed, and how it ended unless it passed."""
        if check.unknown:
            how = f"[{check.unknown}]" if check.unknown_by_code else check.unknown
            self._record(check.started, "ERR", self.options.shown, [*lines_of(output), how])
        elif check.warning:
            text = [*lines_of(output), f"[{self.ending_of(check)}]"]
            self._record(check.started, "INFO", self.options.shown, text)
        elif check.code != 0:
            self._failed(check, output)
        elif output != SILENT:
            self._record(check.started, "INFO", self.options.shown, lines_of(output))

    def _failed(self, check: Outcome, output: Output) -> None:
        how = end = self.ending_of(check)
        if not check.timed_out and check.killed is not None:
            end = f"killed by SIG{signals.name(check.killed)}"
        text = lines(output.stderr.within()) or [f"(nothing on stderr) {how}"]
        before = f"{check.started}: {self._prefix}"
        self._reporter.failures.write("".join(f"{before}{line}\n" for line in text))
        self._record(check.started, "FAIL", self.options.shown, [*lines_of(output), f"[{end}]"])

    def check_stopped(self, run: Attempt, output: Output) -> None:
        """Record a check that HEAT killed because it ends."""
        text = [*lines_of(output), f"[{ending(run)}]"]
        self._record(run.started_unix, "INFO", self.options.shown, text)

    def ending_of(self, check: Outcome) -> str:
        """Tell how the check went, in a word or two, for lines and records."""
        if check.unknown:
            return f"unknown: {check.unknown}" if check.unknown_by_code else "unknown"
        if check.killed is not None and not check.timed_out and self.options.on_killed == "error":
            return f"Killed by SIG{signals.name(check.killed)}"
        how = self._timed_out() if check.timed_out else f"Exit Code {check.code or 0}"
        return how + STOPPED * check.terminal

    def worded(self, check: Outcome) -> str:
        """Tell the same to people who ask: with the meaning of the exit code."""
        how = self.ending_of(check)
        return how if check.timed_out else explained(how, check.code)

    def reason(self, failure: Failure, *, timed_out: bool, terminal: bool = False) -> str:
        """Tell why a check failed: how it ended, and its last line."""
        how = f"Exit Code {signals.worded(failure.code)}"
        if timed_out:
            how = self._timed_out() + STOPPED * terminal
        return with_line(how, failure.text)

    def _timed_out(self) -> str:
        return f"Timed out after {seconds(self.options.timeout or 0)} s"
