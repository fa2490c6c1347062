"""The report on the fail and recovery scripts of a monitor."""

from heat.checks.outcome import exit_code
from heat.config.durations import exact, length
from heat.process.run import Run
from heat.report.console import YELLOW
from heat.report.program_report import ProgramReport
from heat.report.wording import ending, explained, with_line
from heat.text import escaped, lines, seconds
from states.monitor.model import FailRun


class ScriptReport(ProgramReport):
    """Reports on the fail and recovery scripts of one monitor."""

    __slots__ = ()

    def fail_started(self, pid: int, run: FailRun) -> None:
        """Report that the fail script runs."""
        script = self._script(self.options.fail)
        self._info(f"fail script {script} runs for failure {run.failures}, process {pid}")

    def fail_queued(self, run: FailRun) -> None:
        """Report that the fail script will run once more."""
        self._info(
            f"fail script still runs: it runs again, for failure {run.failures}, when it has ended"
        )

    def fail_dropped(self, run: FailRun) -> None:
        """Report that a queued run does not take place."""
        self._info(f"fail script is not run for failure {run.failures}: recovery or the end is due")

    def waiting_for_fail(self, waiting: str, left: float) -> None:
        """Report that recovery, or the end, waits for the fail script."""
        limit = f"at most {length(left)}" if left else "which is being killed"
        self._detail(f"{waiting} waits for the fail script, {limit}")

    def end_waits_for_fail(self, left: float) -> None:
        """Report that the end waits for the fail script."""
        self.waiting_for_fail("the end" if self._reporter.named else "HEAT", left)

    def recovery_started(self, pid: int, attempt: int) -> None:
        """Report that the recovery script runs."""
        script = self._script(self.options.recovery)
        self._info(f"recovery script {script} runs, number {attempt}, process {pid}")

    def recovery_delayed(self, why: str) -> None:
        """Report that HEAT is out of resources to start the recovery script."""
        self._fault(f"{why}; HEAT tries again at the next tick")

    def recovery_slow(self, pid: int, span: float) -> None:
        """Report a slow recovery script, during which no check runs."""
        script = self._script(self.options.recovery)
        self._fault(
            f"recovery script {script} (process {pid}) has been running for "
            f"{length(span)}; there are no checks until it has ended"
        )

    def fail_slow(self, run: Run, *, checking: bool) -> None:
        """Report a slow fail script that holds up checks, or the next failure."""
        script = self._script(self.options.fail)
        holds_up = "failures wait to be reported" if checking else "there are no checks"
        hint = ""
        if run.limit is None:
            option = self.spelled("script-timeout", "SECS")
            hint = f"; {option} would end one that hangs"
        self._fault(
            f"fail script {script} (process {run.pid}) has been running for "
            f"{seconds(round(run.age))} s; {holds_up} until it has ended{hint}"
        )

    def fail_not_started(self, why: str) -> None:
        """Report that HEAT could not start the fail script."""
        self._fault(f"{why}; HEAT goes on checking")

    def script_ended(self, name: str, run: Run, output: bytes, text: str) -> None:
        """Report the end of the fail or recovery script; ``text`` is its last line."""
        how = ending(run)
        passed = run.status.code == 0 and not run.timed_out
        well = passed or run.stopped
        printed = lines(output)
        if not passed:
            printed.append(f"[{how}]")
        if printed:
            self._record(run.started_unix, "INFO" if well else "FAIL", run.shown, printed)
        took = exact(run.duration)
        how = explained(self.ending_of_script(name, run), run.status.code)
        line = f"{name} script {run.shown} ended: {how}"
        if well:
            self._detail(f"{line}, after {took}")
        else:
            self._news(with_line(f"{line}, after {took}", text), YELLOW)

    def recovery_not_started(self, why: str, code: int) -> None:
        """Report a recovery script that is gone or cannot be executed: that is how it ended."""
        how = exit_code(code)
        text, script = [why, f"[{how}]"], self._script(self.options.recovery)
        self._record(int(self._reporter.unix()), "FAIL", script, text)
        self._news(f"{why}; that counts as a recovery that ended with {how}", YELLOW)

    def ending_of_script(self, name: str, run: Run) -> str:
        """Tell how a script ended: a recovery that was killed may have ended like any other."""
        how = ending(run)
        if name == "recovery" and run.killed and self.options.on_killed == "fail":
            return f"{exit_code(128 + (run.status.signal or 0))} ({how})"
        return how

    def script_printed(self, shown: str, output: bytes) -> None:
        """Record what a service prints that a script left behind."""
        self._record(int(self._reporter.unix()), "INFO", shown, lines(output))

    def _script(self, path: str | None) -> str:
        return escaped(path or "its script")
