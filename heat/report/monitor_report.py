"""The report of a monitor: lines on stdout and stderr, and records in the logs.

Made for somebody at three in the morning. HEAT sends signals and starts scripts first, and writes
this afterwards.
"""

from heat.config.durations import length, written
from heat.process import signals
from heat.process.run import Run
from heat.records import Pause
from heat.report.check_report import CheckReport
from heat.report.console import RED, YELLOW
from heat.report.script_report import ScriptReport
from heat.report.wording import COLOURS, until
from heat.text import counted, escaped
from states.monitor.model import State

_QUOTE = "'"


class MonitorReport(CheckReport, ScriptReport):
    """Reports on one monitor."""

    __slots__ = ()

    # States

    def changed(self, before: State, after: State, count: int) -> None:
        """Report a change of state."""
        failures = f" ({counted(count, 'failure')})" if count else ""
        self._info(f"{before.value} -> {after.value}{failures}")
        self._reporter.moved()

    def not_counted(self) -> None:
        """Report a failure in the start period."""
        self._info("a failure in the start period, not counted")

    def entered_recovery(self, attempt: int, count: int, text: str) -> None:
        """Report a recovery of this outage; ``text`` is the last line of the failed check."""
        most = self.options.limits.max_recoveries
        of = "" if most is None else f" of {most}"
        what = f": {self._script(self.options.recovery)}" if self.options.recovery else ""
        after = f"after {counted(count, 'failure')} in a row"
        line = f"RECOVERING {after}, recovery {attempt}{of}{what}"
        self._outage(f"{line}; the check said: {text}" if text else line, State.RECOVERING)

    def window_opens(self, span: float | None) -> None:
        """Report that a recovery window opens: only a rehearsal does."""

    def backs_off(self, span: float, attempt: int) -> None:
        """Report that no further recovery begins for a while."""
        most = self.options.limits.max_recoveries
        of = "" if most is None else f" of {most}"
        then = f"recovery {attempt}{of} begins in {length(span)} at the earliest"
        span_of = written(self.options.limits.recovery_backoff)
        backoff = self.spelled("recovery-backoff", span_of).strip(_QUOTE)
        text = f"recovery {attempt - 1}{of} has not helped so far; {then} ({backoff})"
        self._outage(f"{text}; until then checks go on", State.RECOVERING)

    def spent(self, attempts: int, count: int) -> None:
        """Report that no recovery is left, and that checks go on."""
        runs = counted(attempts, "recovery", "recoveries")
        most = self.spelled("max-recoveries", str(attempts)).strip(_QUOTE)
        text = f"{runs} did not help, and none is left ({most}) after {counted(count, 'failure')}"
        self._fault(f"{text}: checks go on, a pass ends the outage, 'heatctl reset' begins again")

    def recovered(self, count: int, span: float, attempts: int) -> None:
        """Report the end of an outage."""
        runs = f" and {counted(attempts, 'recovery', 'recoveries')}" if attempts else ""
        after = f"after {counted(count, 'failure')}{runs}"
        self._outage(f"NORMAL again {after}, {length(span)}", State.NORMAL)

    # Orders by hand

    def paused(self, pause: Pause, before: Pause | None) -> None:
        """Report a pause; ``before`` is the pause that it replaces."""
        why = f" ({escaped(pause.reason)})" if pause.reason else ""
        was = "" if before is None else f", and not {until(before)} any more"
        self._own(f"paused {until(pause)}{why}{was}: no checks, no signals, no scripts")
        self._reporter.moved()

    def resumed(self) -> None:
        """Report the end of the pause."""
        self._own("resumed: checks go on")
        self._reporter.moved()

    def reset(self, before: State) -> None:
        """Report that the outage is forgotten."""
        self._own(f"reset by hand: {before.value} and its counts are forgotten")

    # After a restart

    def went_on(self, state: State, count: int) -> None:
        """Report the state that an earlier HEAT left."""
        self._own(f"goes on where it was: {state.value}, {counted(count, 'failure')} in a row")

    def stays_in_error(self) -> None:
        """Report a monitor that an earlier HEAT gave up, and that nobody has reset since."""
        self._fault(
            "stays in ERROR, as before HEAT was restarted: no checks of it until "
            "'heatctl reset'; 'heatctl why' tells the reason"
        )

    def waits_for(self, role: str, run: Run) -> None:
        """Report a script of an earlier HEAT that still runs."""
        self._own(
            f"{role} script {run.shown} (process {run.pid}) still runs from before HEAT "
            "was restarted: HEAT waits for it"
        )

    # Signals

    def sent(self, signum: int, option: str, pid: int) -> None:
        """Report a signal that HEAT sent."""
        whom = str(pid) if self.options.has_target else "HEAT itself"
        self._detail(f"sent {signals.name(signum)} to {whom} ({option})")

    def not_sent(self, signum: int, option: str, why: str) -> None:
        """Report a signal that HEAT could not send."""
        self._fault(f"{signals.name(signum)} was not sent ({option}): {why}")

    def woke(self, pid: int) -> None:
        """Report a process that HEAT had stopped and continues."""
        self._detail(f"sent CONT to {pid}, which HEAT had stopped")

    # The end

    def error(self, reason: str) -> None:
        """Report that HEAT gives this monitor up."""
        then = "no more checks of it" if self._reporter.named else "HEAT stops"
        self._news(f"heat: error: {reason}; {then}", RED)
        self._record(int(self._reporter.unix()), "ERR", "heat", [reason])

    # Warnings

    def warn(self, text: str) -> None:
        """Report an option that is valid and may be a mistake."""
        self._news(f"heat: warning: {text}", YELLOW)
        self._info(f"warning: {text}")

    def _outage(self, text: str, state: State) -> None:
        self._news(text, COLOURS[state])
        self._info(text)
