"""What HEAT says of what it saw: the lines on stdout and stderr, and the records in the logs.

All texts of a running HEAT are made here, for somebody at three in the morning. The books
are kept after the reactions: signals are sent and scripts started before this is written.
"""

from collections.abc import Callable
from typing import NamedTuple

from heat import signals
from heat.capture import together
from heat.console import BLUE, GREEN, RED, YELLOW
from heat.options import Common, Options
from heat.run import Run
from heat.text import counted, escaped, lines, seconds
from heat.world import Output, Printer, Records
from states.model import FailRun, State

COLOURS = {
    State.NORMAL: GREEN,
    State.FAILING: YELLOW,
    State.RECOVERING: BLUE,
    State.ERROR: RED,
}
"""As in the diagram."""


class Checked(NamedTuple):
    """One check as it went: passed, failed with ``code``, or ``unknown`` for a reason."""

    started: int
    """Unix second."""
    code: int | None
    pid: int | None = None
    duration: float = 0.0
    killed: int | None = None
    timed_out: bool = False
    unknown: str = ""


class Journal:
    """Writes down one monitor's life."""

    def __init__(
        self,
        options: Options,
        common: Common,
        console: Printer,
        logs: tuple[Records, Records],
        unix: Callable[[], float],
    ) -> None:
        self._options = options
        self._common = common
        self._console = console
        self._failures, self._verbose = logs
        self._unix = unix
        self._shown = options.shown
        self._fail = escaped(options.fail or "")
        self._recovery = escaped(options.recovery or "")
        limit = options.timeout
        self._timed_out = "" if limit is None else f"Timed out after {seconds(limit)} s"
        self._details = f"details in {escaped(self._failures.path)}"

    # Checks

    def checked(self, check: Checked, output: Output, state: State, count: int) -> None:
        """A check has its result; ``state`` and ``count`` are those that followed."""
        after = (state, count)
        if check.unknown:
            self._result(check, after, "unknown", (f"Unknown: {check.unknown}", YELLOW))
            self._record(check.started, "ERR", self._shown, [check.unknown])
        elif check.code == 0:
            self._result(check, after, "ok", ("OK", GREEN))
            if output.stdout or output.stderr:
                self._record(check.started, "INFO", self._shown, _both(output))
        else:
            self._failed(check, output, after)

    def _failed(self, check: Checked, output: Output, after: tuple[State, int]) -> None:
        how = ending = f"Exit Code {check.code}"
        if check.timed_out:
            how = ending = self._timed_out
        elif check.killed is not None:
            ending = f"killed by SIG{signals.name(check.killed)}"
            how = f"K{ending[1:]}" if self._options.on_killed == "error" else how
        self._result(check, after, "failed", (f"Failed: {how}, {self._details}", RED))
        said = lines(output.stderr) or [f"(nothing on stderr) {how}"]
        self._failures.write("".join(f"{check.started}: {line}\n" for line in said))
        self._record(check.started, "FAIL", self._shown, [*_both(output), f"[{ending}]"])

    def _result(
        self, check: Checked, after: tuple[State, int], result: str, shown: tuple[str, str]
    ) -> None:
        if self._common.quiet and result == "ok":
            return
        if not self._common.json:
            text, colour = shown
            self._console.result(f"{check.started}: {text}", colour)
            return
        import json

        state, count = after
        told = {
            "time": check.started,
            "monitor": self._options.name,
            "result": result,
            "code": check.code,
            "pid": check.pid,
            "duration": round(check.duration, 6),
            "state": state.value,
            "count": count,
        }
        self._console.result(json.dumps(told))

    def late_output(self, run: Run, output: Output) -> None:
        """What a check printed while it was being killed."""
        if output.stdout or output.stderr:
            said = ["(printed after its time was up)", *_both(output)]
            self._record(run.started_unix, "INFO", self._shown, said)

    def check_stopped(self, run: Run, output: Output) -> None:
        """A check was killed because HEAT ends."""
        said = [*_both(output), f"[{_ending(run)}]"]
        self._record(run.started_unix, "INFO", self._shown, said)

    def ending_of(self, check: Checked) -> str:
        """How the check went, in a word or two."""
        if check.unknown:
            return "unknown"
        return self._timed_out if check.timed_out else f"Exit Code {check.code}"

    # States

    def changed(self, before: State, after: State, count: int) -> None:
        """The state is another one."""
        failures = f" ({counted(count, 'failure')})" if count else ""
        self._info(f"{before.value} -> {after.value}{failures}")

    def not_counted(self) -> None:
        """A failure in the start period."""
        self._info("a failure in the start period, not counted")

    def entered_recovery(self, attempt: int, count: int) -> None:
        """A recovery of this outage begins."""
        most = self._options.limits.max_recoveries
        of = "" if most is None else f" of {most}"
        what = f": {self._recovery}" if self._options.recovery else ""
        after = f"after {counted(count, 'failure')} in a row"
        self._outage(f"RECOVERING {after}, recovery {attempt}{of}{what}", State.RECOVERING)

    def recovered(self, count: int, span: float, attempts: int) -> None:
        """The check passes again."""
        runs = f" and {counted(attempts, 'recovery', 'recoveries')}" if attempts else ""
        after = f"after {counted(count, 'failure')}{runs}"
        self._outage(f"NORMAL again {after}, {seconds(round(span, 1))} s", State.NORMAL)

    # Signals

    def sent(self, signum: int, option: str, pid: int) -> None:
        """A signal went out."""
        whom = str(pid) if self._options.has_target else "HEAT itself"
        self._detail(f"sent {signals.name(signum)} to {whom} ({option})")

    def not_sent(self, signum: int, option: str, why: str) -> None:
        """A signal could not be sent."""
        self._fault(f"{signals.name(signum)} was not sent ({option}): {why}")

    def woke(self, pid: int) -> None:
        """A process that HEAT had stopped goes on."""
        self._detail(f"sent CONT to {pid}, which HEAT had stopped")

    # Scripts

    def fail_started(self, pid: int, run: FailRun) -> None:
        """The fail script runs."""
        self._info(f"fail script {self._fail} runs for failure {run.failures}, process {pid}")

    def fail_queued(self, run: FailRun) -> None:
        """The fail script will run once more."""
        self._info(
            f"fail script still runs: it is run for failure {run.failures} when it has ended"
        )

    def fail_dropped(self, run: FailRun) -> None:
        """A queued run will not be."""
        self._info(f"fail script is not run for failure {run.failures}: recovery or the end is due")

    def waiting_for_fail(self, waiting: str, left: float) -> None:
        """Recovery, or HEAT's end, waits for the fail script."""
        left = round(left, 1)
        self._detail(f"{waiting} waits for the fail script, at most {seconds(left)} s")

    def recovery_started(self, pid: int, attempt: int) -> None:
        """The recovery script runs."""
        self._info(f"recovery script {self._recovery} runs, number {attempt}, process {pid}")

    def recovery_delayed(self, why: str) -> None:
        """The recovery script could not be started for want of resources."""
        self._fault(f"{why}; HEAT tries again at the next tick")

    def recovery_slow(self, pid: int, span: float) -> None:
        """The recovery script takes its time, and no check runs meanwhile."""
        self._fault(
            f"recovery script {self._recovery} (process {pid}) has been running for "
            f"{seconds(round(span))} s; there are no checks until it has ended"
        )

    def fail_not_started(self, why: str) -> None:
        """The fail script could not be started."""
        self._fault(f"{why}; HEAT goes on checking")

    def script_ended(self, name: str, run: Run, output: bytes) -> None:
        """A fail or recovery script has ended; ``name`` is which of the two."""
        ending = _ending(run)
        passed = run.status.code == 0 and not run.timed_out
        well = passed or run.stopped
        said = lines(output)
        if not passed:
            said.append(f"[{ending}]")
        if said:
            self._record(run.started_unix, "INFO" if well else "FAIL", run.program.shown, said)
        took = seconds(round(run.duration, 3))
        text = f"{name} script {run.program.shown} ended: {ending}, after {took} s"
        if well:
            self._detail(text)
        else:
            self._console.news(text, YELLOW)

    def script_printed(self, shown: str, output: bytes) -> None:
        """A service that a script left behind prints on."""
        if output:
            self._record(int(self._unix()), "INFO", shown, lines(output))

    def stuck(self, what: str, pid: int) -> None:
        """A program outlives SIGKILL."""
        self._fault(
            f"{what} (process {pid}) does not die of KILL; it is not run again until it has ended"
        )

    # HEAT

    def warn(self, text: str) -> None:
        """Something at the start that is allowed and may not be meant."""
        self._console.news(f"heat: warning: {text}", YELLOW)
        self._info(f"warning: {text}")

    def started(self) -> None:
        """HEAT begins to watch."""
        self._info(f"watching every {seconds(self._options.interval)} s: {self._shown}")

    def reopened(self) -> None:
        """The logs were opened anew, as SIGHUP asks."""
        self._info("logs opened anew")

    def ending(self, why: str) -> None:
        """HEAT begins to end."""
        if not self._common.quiet:
            self._console.news(f"heat: {why}")
        self._info(why)

    def error(self, reason: str) -> None:
        """HEAT cannot do its work any more."""
        self._console.news(f"heat: error: {reason}; HEAT stops", RED)
        self._record(int(self._unix()), "ERR", "heat", [reason])

    def bug(self, told: str) -> None:
        """A traceback, for the log alone."""
        self._record(int(self._unix()), "ERR", "heat", told.splitlines())

    def status(self, text: str) -> None:
        """What SIGUSR1 asked for."""
        self._console.news(f"heat: {self._shown}: {text}")

    def trouble(self, text: str) -> None:
        """A fault of HEAT's surroundings that stderr has been told."""
        self._record(int(self._unix()), "ERR", "heat", [text])

    def _info(self, text: str) -> None:
        self._record(int(self._unix()), "INFO", "heat", [text])

    def _detail(self, text: str) -> None:
        if not self._common.quiet:
            self._console.news(text)
        self._info(text)

    def _outage(self, text: str, state: State) -> None:
        self._console.news(text, COLOURS[state])
        self._info(text)

    def _fault(self, text: str) -> None:
        self._console.news(text, YELLOW)
        self.trouble(text)

    def _record(self, time: int, kind: str, field: str, said: list[str]) -> None:
        body = "".join(f"> {line}\n" for line in said)
        self._verbose.write(f"{time} : {kind} : {field} :\n{body}")


def _ending(run: Run) -> str:
    if run.stopped:
        return "stopped with HEAT"
    if run.timed_out:
        return f"Timed out after {seconds(round(run.limit or 0, 3))} s"
    if run.status.signal is not None:
        return f"killed by SIG{signals.name(run.status.signal)}"
    if run.status.code is None:
        return "its exit code is lost"
    return f"Exit Code {run.status.code}"


def _both(output: Output) -> list[str]:
    stdout, stderr = together(output.stdout, output.stderr)
    return lines(stdout) + lines(stderr)
