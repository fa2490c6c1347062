"""The news of one monitor: the lines on stdout and stderr, and the records in the logs.

Made for somebody at three in the morning. The books are kept after the reactions: signals
are sent and scripts started before this is written.
"""

import time
from collections.abc import Sequence

from heat.config.durations import exact, length, written
from heat.config.options import Options
from heat.process import signals
from heat.process.output import together
from heat.process.program import SILENT, Output
from heat.process.run import Run
from heat.records import Pause
from heat.report.console import BLUE, GREEN, RED, YELLOW
from heat.report.reporter import Reporter, Writer
from heat.text import counted, escaped, lines, seconds
from states.engine.named_tuple import NamedTuple
from states.monitor.model import FailRun, Failure, State

COLOURS = {
    State.NORMAL: GREEN,
    State.FAILING: YELLOW,
    State.RECOVERING: BLUE,
    State.ERROR: RED,
}
"""As in the diagram."""


_QUOTE = "'"
_STOPPED = " (stopped: it waited for the terminal)"


class Checked(NamedTuple):
    """One check as it went: passed, failed with ``code``, or ``unknown`` for a reason.

    With ``warning`` it passed, by its code; where it is unknown by its code, both are there.
    """

    started: int
    """Unix second."""
    code: int | None
    pid: int | None = None
    duration: float = 0.0
    killed: int | None = None
    timed_out: bool = False
    unknown: str = ""
    terminal: bool = False
    """It was stopped, waiting for the terminal, until its time was up."""
    text: str = ""
    """The last line that it has printed."""
    warning: bool = False

    @property
    def unknown_by_code(self) -> bool:
        """It was run, and its exit code says nothing about the service."""
        return bool(self.unknown) and self.code is not None

    @property
    def passed(self) -> bool:
        """It says that the service is well."""
        return self.warning or (self.code == 0 and not self.unknown)


class Ran(NamedTuple):
    """A script that has ended: its exit code, how, the last line that it has printed."""

    code: int | None
    how: str
    text: str
    ended: float
    """On the monotonic clock."""


def exit_code(code: int) -> str:
    """An exit code in words."""
    return f"Exit Code {code}"


class MonitorReport(Writer):
    """Writes down one monitor's life."""

    __slots__ = ("options",)

    def __init__(self, options: Options, reporter: Reporter) -> None:
        super().__init__(reporter)
        self.options = options

    @property
    def _prefix(self) -> str:
        """Made when it is needed: ten thousand kept ones are a megabyte."""
        return f"{self.options.name}: " if self._reporter.named else ""

    # Checks

    def checked(self, check: Checked, output: Output, state: State, count: int) -> None:
        """A check has its result; ``state`` and ``count`` are those that followed."""
        self.result(check, state, count)
        self.record(check, output)

    def result(self, check: Checked, state: State, count: int) -> None:
        """Print the line of a check."""
        if check.unknown:
            result, text, colour = "unknown", f"Unknown: {check.unknown}", YELLOW
        elif check.warning:
            result, text, colour = "ok", f"Warning: {self.ending_of(check)}", YELLOW
        elif check.code == 0:
            result, text, colour = "ok", "OK", GREEN
        else:
            details = f"details in {escaped(self._reporter.failures.shown)}"
            result, text, colour = "failed", f"Failed: {self.ending_of(check)}, {details}", RED
        if self._reporter.common.quiet and result == "ok" and not check.warning:
            return
        if not self._reporter.common.json:
            self._reporter.console.result(f"{self._prefix}{text}", colour, check.started)
            return
        import json

        told = {
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
            told["warning"] = True
        self._reporter.console.result(json.dumps(told))

    def record(self, check: Checked, output: Output) -> None:
        """Write down what a check printed, and how it ended where that was no success."""
        if check.unknown:
            how = f"[{check.unknown}]" if check.unknown_by_code else check.unknown
            self._record(check.started, "ERR", self.options.shown, [*_both(output), how])
        elif check.warning:
            said = [*_both(output), f"[{self.ending_of(check)}]"]
            self._record(check.started, "INFO", self.options.shown, said)
        elif check.code != 0:
            self._failed(check, output)
        elif output != SILENT:
            self._record(check.started, "INFO", self.options.shown, _both(output))

    def _failed(self, check: Checked, output: Output) -> None:
        how = ending = self.ending_of(check)
        if not check.timed_out and check.killed is not None:
            ending = f"killed by SIG{signals.name(check.killed)}"
        said = lines(output.stderr.within()) or [f"(nothing on stderr) {how}"]
        before = f"{check.started}: {self._prefix}"
        self._reporter.failures.write("".join(f"{before}{line}\n" for line in said))
        self._record(check.started, "FAIL", self.options.shown, [*_both(output), f"[{ending}]"])

    def late_output(self, run: Run, output: Output) -> None:
        """A check, or what it left behind, has printed more while it was being ended."""
        if output != SILENT:
            after = "its time was up" if run.timed_out else "it had ended, by what it left behind"
            said = [f"(printed after {after})", *_both(output)]
            self._record(run.started_unix, "INFO", self.options.shown, said)

    def check_stopped(self, run: Run, output: Output) -> None:
        """A check was killed because HEAT ends."""
        said = [*_both(output), f"[{_ending(run)}]"]
        self._record(run.started_unix, "INFO", self.options.shown, said)

    def ending_of(self, check: Checked) -> str:
        """How the check went, in a word or two, as lines and records have it."""
        if check.unknown:
            return f"unknown: {check.unknown}" if check.unknown_by_code else "unknown"
        if check.killed is not None and not check.timed_out and self.options.on_killed == "error":
            return f"Killed by SIG{signals.name(check.killed)}"
        how = self._timed_out() if check.timed_out else f"Exit Code {check.code or 0}"
        return how + _STOPPED * check.terminal

    def worded(self, check: Checked) -> str:
        """The same for people who ask: with what the exit code means."""
        ending = self.ending_of(check)
        return ending if check.timed_out else explained(ending, check.code)

    def reason(self, failure: Failure, *, timed_out: bool, terminal: bool = False) -> str:
        """Why a check has failed: how it has ended, and its last line."""
        how = f"Exit Code {signals.worded(failure.code)}"
        if timed_out:
            how = self._timed_out() + _STOPPED * terminal
        return with_line(how, failure.text)

    # States

    def changed(self, before: State, after: State, count: int) -> None:
        """The state is another one."""
        failures = f" ({counted(count, 'failure')})" if count else ""
        self._info(f"{before.value} -> {after.value}{failures}")
        self._reporter.moved()

    def not_counted(self) -> None:
        """A failure in the start period."""
        self._info("a failure in the start period, not counted")

    def entered_recovery(self, attempt: int, count: int, text: str) -> None:
        """A recovery of this outage begins; ``text`` is the last line of the failed check."""
        most = self.options.limits.max_recoveries
        of = "" if most is None else f" of {most}"
        what = f": {self._script(self.options.recovery)}" if self.options.recovery else ""
        after = f"after {counted(count, 'failure')} in a row"
        told = f"RECOVERING {after}, recovery {attempt}{of}{what}"
        self._outage(f"{told}; the check said: {text}" if text else told, State.RECOVERING)

    def window_opens(self, span: float | None) -> None:
        """A recovery window opens; goes without saying where nobody asks what would be."""

    def backs_off(self, span: float, attempt: int) -> None:
        """No further recovery begins for a while."""
        most = self.options.limits.max_recoveries
        of = "" if most is None else f" of {most}"
        then = f"recovery {attempt}{of} begins in {length(span)} at the earliest"
        span_of = written(self.options.limits.recovery_backoff)
        backoff = self.spelled("recovery-backoff", span_of).strip(_QUOTE)
        text = f"recovery {attempt - 1}{of} has not helped so far; {then} ({backoff})"
        self._outage(f"{text}; until then checks go on", State.RECOVERING)

    def spent(self, attempts: int, count: int) -> None:
        """No recovery is left, and checks go on."""
        runs = counted(attempts, "recovery", "recoveries")
        most = self.spelled("max-recoveries", str(attempts)).strip(_QUOTE)
        text = f"{runs} did not help, and none is left ({most}) after {counted(count, 'failure')}"
        self._fault(f"{text}: checks go on, a pass ends the outage, 'heatctl reset' begins again")

    def recovered(self, count: int, span: float, attempts: int) -> None:
        """The check passes again."""
        runs = f" and {counted(attempts, 'recovery', 'recoveries')}" if attempts else ""
        after = f"after {counted(count, 'failure')}{runs}"
        self._outage(f"NORMAL again {after}, {length(span)}", State.NORMAL)

    # Pauses, and what is told by hand

    def paused(self, pause: Pause, before: Pause | None) -> None:
        """No checks and no effects from here on; ``before`` is the pause that this one replaces."""
        why = f" ({escaped(pause.reason)})" if pause.reason else ""
        was = "" if before is None else f", and not {until(before)} any more"
        self._own(f"paused {until(pause)}{why}{was}: no checks, no signals, no scripts meanwhile")
        self._reporter.moved()

    def resumed(self) -> None:
        """The pause is over."""
        self._own("resumed: checks go on")
        self._reporter.moved()

    def reset(self, before: State) -> None:
        """The outage was forgotten."""
        self._own(f"reset by hand: {before.value} and its counts are forgotten")

    # After a restart

    def went_on(self, state: State, count: int) -> None:
        """The knowledge of an earlier HEAT was taken up."""
        self._own(f"goes on where it was: {state.value}, {counted(count, 'failure')} in a row")

    def stays_in_error(self) -> None:
        """An earlier HEAT gave this monitor up, and nobody has reset it since."""
        self._fault(
            "stays in ERROR, as before HEAT was restarted: no checks of it until "
            "'heatctl reset'; 'heatctl why' tells the reason"
        )

    def waits_for(self, role: str, run: Run) -> None:
        """A script of an earlier HEAT runs still."""
        self._own(
            f"{role} script {run.program.shown} (process {run.pid}) still runs from before HEAT "
            "was restarted: it is waited for"
        )

    # Signals

    def sent(self, signum: int, option: str, pid: int) -> None:
        """A signal went out."""
        whom = str(pid) if self.options.has_target else "HEAT itself"
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
        script = self._script(self.options.fail)
        self._info(f"fail script {script} runs for failure {run.failures}, process {pid}")

    def fail_queued(self, run: FailRun) -> None:
        """The fail script will run once more."""
        self._info(
            f"fail script still runs: it is run for failure {run.failures} when it has ended"
        )

    def fail_dropped(self, run: FailRun) -> None:
        """A queued run will not be."""
        self._info(f"fail script is not run for failure {run.failures}: recovery or the end is due")

    def waiting_for_fail(self, waiting: str, left: float) -> None:
        """Recovery, or the end, waits for the fail script."""
        so_long = f"at most {length(left)}" if left else "which is being killed"
        self._detail(f"{waiting} waits for the fail script, {so_long}")

    def end_waits_for_fail(self, left: float) -> None:
        """The end waits for the fail script."""
        self.waiting_for_fail("the end" if self._reporter.named else "HEAT", left)

    def recovery_started(self, pid: int, attempt: int) -> None:
        """The recovery script runs."""
        script = self._script(self.options.recovery)
        self._info(f"recovery script {script} runs, number {attempt}, process {pid}")

    def recovery_delayed(self, why: str) -> None:
        """The recovery script could not be started for want of resources."""
        self._fault(f"{why}; HEAT tries again at the next tick")

    def recovery_slow(self, pid: int, span: float) -> None:
        """The recovery script takes its time, and no check runs meanwhile."""
        script = self._script(self.options.recovery)
        self._fault(
            f"recovery script {script} (process {pid}) has been running for "
            f"{length(span)}; there are no checks until it has ended"
        )

    def waits_for_terminal(self, what: str, run: Run, signum: int) -> None:
        """A program asks a terminal on which nobody answers, and was stopped for that."""
        goes_on = "it has no time limit, and HEAT waits for it"
        if run.limit is not None:
            goes_on = f"it is killed {seconds(round(run.limit, 3))} s after its start"
        self._fault(
            f"{what} {run.program.shown} (process {run.pid}) is stopped: it waits for the terminal "
            f"(SIG{signals.name(signum)}), which is not its own; {goes_on}. Have it ask nothing "
            "(sudo -n, ssh -o BatchMode=yes), or start HEAT without a terminal (setsid)"
        )

    def fail_slow(self, run: Run, *, checking: bool) -> None:
        """The fail script takes its time, and holds up checks, or failures to be told."""
        script = self._script(self.options.fail)
        holds_up = "failures wait to be told" if checking else "there are no checks"
        hint = ""
        if run.limit is None:
            option = self.spelled("script-timeout", "SECS")
            hint = f"; {option} would end one that hangs"
        self._fault(
            f"fail script {script} (process {run.pid}) has been running for "
            f"{seconds(round(run.age))} s; {holds_up} until it has ended{hint}"
        )

    def fail_not_started(self, why: str) -> None:
        """The fail script could not be started."""
        self._fault(f"{why}; HEAT goes on checking")

    def script_ended(self, name: str, run: Run, output: bytes, text: str) -> None:
        """A fail or recovery script has ended; ``name`` is which of the two.

        ``text`` is its last line.
        """
        ending = _ending(run)
        passed = run.status.code == 0 and not run.timed_out
        well = passed or run.stopped
        said = lines(output)
        if not passed:
            said.append(f"[{ending}]")
        if said:
            self._record(run.started_unix, "INFO" if well else "FAIL", run.program.shown, said)
        took = exact(run.duration)
        how = explained(self.ending_of_script(name, run), run.status.code)
        told = f"{name} script {run.program.shown} ended: {how}"
        if well:
            self._detail(f"{told}, after {took}")
        else:
            self._news(with_line(f"{told}, after {took}", text), YELLOW)

    def recovery_not_started(self, why: str, code: int) -> None:
        """The recovery script is gone, or cannot be executed: that is how it has ended."""
        ending = exit_code(code)
        said, script = [why, f"[{ending}]"], self._script(self.options.recovery)
        self._record(int(self._reporter.unix()), "FAIL", script, said)
        self._news(f"{why}; that counts as a recovery that ended with {ending}", YELLOW)

    def ending_of_script(self, name: str, run: Run) -> str:
        """How a script has ended: a recovery that was killed may have ended like any other."""
        ending = _ending(run)
        if name == "recovery" and run.killed and self.options.on_killed == "fail":
            return f"{exit_code(128 + (run.status.signal or 0))} ({ending})"
        return ending

    def ending_of_run(self, run: Run) -> str:
        """How a script has ended, in a word or two."""
        return _ending(run)

    def script_printed(self, shown: str, output: bytes) -> None:
        """A service that a script left behind prints on."""
        self._record(int(self._reporter.unix()), "INFO", shown, lines(output))

    def stuck(self, run: Run) -> None:
        """A program outlives SIGKILL, or HEAT may not send it."""
        what = f"{run.program.shown} (process {run.pid})"
        if run.denied:
            self._fault(
                f"{what} runs as another user and may not be signalled by this one: HEAT cannot "
                "end it, and does not run it again until it has ended by itself; give it a time "
                "limit of its own, as with timeout(1) behind sudo, or run HEAT as root. "
                "This is said once"
            )
        else:
            self._fault(f"{what} does not die of KILL; it is not run again until it has ended")

    def left(self, run: Run, processes: Sequence[str]) -> None:
        """Processes that a program has started are out of reach."""
        what = f"{run.program.shown} (process {run.pid}) has ended, but"
        if processes:
            self._fault(
                f"{what} {', '.join(processes)} of its group lives on and may not be signalled by "
                "this user, or does not die of KILL: HEAT leaves it running; have the program end "
                "what it starts. This is said once"
            )
        else:
            self._fault(
                f"{what} a process that it started has left its process group (as with setsid) "
                "and still holds its output; HEAT cannot find it and leaves it running: have the "
                "check end what it starts. This is said once"
            )

    # The end

    def error(self, reason: str) -> None:
        """HEAT cannot do its work any more for this monitor."""
        then = "no more checks of it" if self._reporter.named else "HEAT stops"
        self._news(f"heat: error: {reason}; {then}", RED)
        self._record(int(self._reporter.unix()), "ERR", "heat", [reason])

    # What else is said

    def warn(self, text: str) -> None:
        """Something at the start that is allowed and may not be meant."""
        self._news(f"heat: warning: {text}", YELLOW)
        self._info(f"warning: {text}")

    def _outage(self, text: str, state: State) -> None:
        self._news(text, COLOURS[state])
        self._info(text)

    def _timed_out(self) -> str:
        return f"Timed out after {seconds(self.options.timeout or 0)} s"

    def _script(self, path: str | None) -> str:
        return escaped(path or "its script")


def until(pause: Pause) -> str:
    """How long a pause lasts, by the clock of this place."""
    if pause.until is None:
        return "until it is resumed"
    return f"until {moment(pause.until)}"


def moment(unix: float) -> str:
    """A time by the clock of this place, with its date."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix))


def explained(ending: str, code: int | None) -> str:
    """How a program has ended, with what that means if it is an exit code."""
    known = code is not None and ending == f"Exit Code {code}"
    return f"Exit Code {signals.worded(code)}" if known and code is not None else ending


def with_line(told: str, text: str) -> str:
    """A text about a program, and the last line of that if there is one."""
    return f"{told}: {text}" if text else told


def _ending(run: Run) -> str:
    if run.stopped:
        return "stopped with HEAT"
    if run.timed_out:
        return f"Timed out after {seconds(round(run.limit or 0, 3))} s" + _STOPPED * run.terminal
    if run.status.signal is not None:
        return f"killed by SIG{signals.name(run.status.signal)}"
    if run.status.code is None:
        return "its exit code is lost"
    return f"Exit Code {run.status.code}"


def _both(output: Output) -> list[str]:
    stdout, stderr = together(output.stdout, output.stderr)
    return lines(stdout) + lines(stderr)
