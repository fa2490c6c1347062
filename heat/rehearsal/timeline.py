"""The timeline: a report that keeps each event as an entry, with its virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, cast

from heat.checks.outcome import Outcome
from heat.config.options import Common, Options
from heat.process import signals
from heat.process.program import NO_ENV, Output
from heat.process.run import Run
from heat.rehearsal.clock import VirtualTime
from heat.report.monitor_report import MonitorReport
from heat.report.reporter import Reporter
from heat.text import counted, escaped, seconds
from states.monitor.model import FailRun, State

Kind = Literal[
    "check", "skip", "state", "signal", "fail", "recovery", "window", "recovered", "news", "end"
]
NOTHING: Mapping[str, object] = MappingProxyType({})


class Entry(NamedTuple):
    """An event ``at`` this second, and the state after it."""

    at: float
    state: State
    kind: Kind
    text: str
    about: Mapping[str, object] = NOTHING
    """The same for programs."""
    began: float | None = None
    """The second in which a run began that has ended with this event."""
    env: Mapping[str, str] = NO_ENV
    """The variables of a script that begins."""


class Nowhere:
    """A console, and logs, that discard everything."""

    shown = ""

    def result(self, text: str, colour: str = "", at: int | None = None) -> None:
        """Discard a result."""

    def news(self, text: str, colour: str = "") -> None:
        """Discard news."""

    def trouble(self, text: str) -> None:
        """Discard a complaint."""

    def write(self, record: str) -> None:
        """Discard a record."""


class Timeline(MonitorReport):
    """Keeps ``entries``; ``env`` returns the environment of the script that started last."""

    __slots__ = ("_env", "_time", "checks", "entries", "state")

    def __init__(
        self,
        options: Options,
        time: VirtualTime,
        env: Callable[[], Mapping[str, str]],
        *,
        named: bool,
    ) -> None:
        nowhere = Nowhere()
        reporter = Reporter(nowhere, nowhere, nowhere, time.unix, Common(), named=named)
        super().__init__(options, reporter)
        self.entries: list[Entry] = []
        self.state = State.NORMAL
        self.checks = 0
        self._time = time
        self._env = env

    def add(self, kind: Kind, text: str, began: float | None = None, **about: object) -> None:
        """Add an event that happens now."""
        began = None if began is None else round(began, 6)
        self.entries.append(Entry(self._time.elapsed(), self.state, kind, text, about, began))

    def skipped(self, why: str) -> None:
        """Add a tick that started no check; many of them in a row are one entry."""
        before = self.entries[-1] if self.entries else None
        if before is None or before.about.get("why") != why:
            self.add("skip", f"tick skipped: {why}", why=why, ticks=1)
            return
        ticks = 1 + cast("int", before.about["ticks"])
        text = f"{ticks} ticks skipped, to {seconds(self._time.elapsed())} s: {why}"
        self.entries[-1] = before._replace(text=text, about={"why": why, "ticks": ticks})

    # What the monitor reports

    def checked(self, check: Outcome, output: Output, state: State, count: int) -> None:
        """Add the result of a check."""
        del output
        self.state = state
        self.checks += 1
        result = "ok" if check.passed else "failed"
        text = "OK"
        if check.unknown:
            result, text = "unknown", f"Unknown: {check.unknown}"
        elif check.warning:
            text = f"Warning: {self.ending_of(check)}"
        elif check.timed_out:
            result, text = "timed out", f"Failed: {self.ending_of(check)}"
        elif check.killed is not None:
            result, text = "killed", f"Killed by SIG{signals.name(check.killed)}"
        elif check.code:
            text = f"Failed: {self.ending_of(check)}"
        if check.duration and not check.timed_out:
            text += f", after {seconds(round(check.duration, 3))} s"
        if result in {"failed", "timed out", "killed"} and count:
            text += f" ({counted(count, 'failure')} in a row)"
        began = self._time.elapsed() - check.duration
        about = {"result": result, "code": check.code, "pid": check.pid, "count": count}
        if check.warning:
            about["warning"] = True
        self.add("check", f"check {self.checks}: {text}", began, **about)

    def changed(self, before: State, after: State, count: int) -> None:
        """Add a change of state."""
        self.state = after
        self.add("state", f"{before.value} -> {after.value}", before=before.value, count=count)

    def not_counted(self) -> None:
        """Add that a failure is in the start period."""
        self.add("news", "that failure does not count: the start period is not over")

    def entered_recovery(self, attempt: int, count: int, text: str) -> None:
        """Add the begin of a recovery."""
        del text
        most = self.options.limits.max_recoveries
        of = "" if most is None else f" of {most}"
        self.add("state", f"recovery {attempt}{of} begins", attempt=attempt, count=count)

    def window_opens(self, span: float | None) -> None:
        """Add that checks run again, and show if the recovery helped."""
        limits = self.options.limits
        text = f"the window opens, until {limits.threshold} checks in it have failed"
        if limits.threshold == 1:
            text = "the window opens, until a check in it after the one at once has failed"
        if span is not None:
            close = seconds(round(self._time.elapsed() + span, 3))
            text = f"the window opens for {seconds(span)} s, until {close} s"
            if limits.recovery_timeout is None:
                text = f"the window opens, until a check fails at {close} s or later"
        self.add("window", text, seconds=span)

    def recovered(self, count: int, span: float, attempts: int) -> None:
        """Add that the check passes again."""
        runs = f" and {counted(attempts, 'recovery', 'recoveries')}" if attempts else ""
        text = f"well again after {counted(count, 'failure')}{runs}, {seconds(round(span, 3))} s"
        began = self._time.elapsed() - span
        self.add("recovered", text, began, failures=count, recoveries=attempts)

    def sent(self, signum: int, option: str, pid: int) -> None:
        """Add a signal to the target."""
        options = self.options
        whom = f"process {pid}"
        if options.pid_file is not None:
            whom = f"the process of {escaped(options.pid_file)}"
        elif options.pid is None:
            whom = "HEAT itself"
        name = signals.name(signum)
        spelled = option.removeprefix("--") if self._reporter.named else option
        self.add("signal", f"signal {name} to {whom} ({spelled})", signal=name, option=option)

    def woke(self, pid: int) -> None:
        """Add that HEAT continues the target that it stopped."""
        self.add("signal", f"sent CONT to {pid}, which HEAT had stopped", signal="CONT", option="")

    def fail_started(self, pid: int, run: FailRun) -> None:
        """Add the start of the fail script."""
        text = f"fail script {self._script(self.options.fail)} runs, for failure {run.failures}"
        self._script_starts("fail", text, pid)

    def recovery_started(self, pid: int, attempt: int) -> None:
        """Add the start of the recovery script."""
        del attempt  # The entry for the begin of the recovery has it.
        text = f"recovery script {self._script(self.options.recovery)} runs"
        self._script_starts("recovery", text, pid)

    def _script_starts(self, kind: Kind, text: str, pid: int) -> None:
        env = self._env()
        self.add(kind, text, pid=pid, env=dict(env))
        self.entries[-1] = self.entries[-1]._replace(env=env)

    def script_ended(self, name: str, run: Run, output: bytes, text: str) -> None:
        """Add the end of a fail or recovery script."""
        del output, text
        kind: Kind = "fail" if name == "fail" else "recovery"
        if run.timed_out:
            result, end = "timed out", f"Timed out after {seconds(round(run.limit or 0, 3))} s"
        elif run.stopped:
            result, end = "stopped", "stopped with HEAT"
        elif run.status.signal is not None:
            result, end = "killed", self.ending_of_script(name, run)
        else:
            result = "failed" if run.status.code else "ok"
            end = f"Exit Code {run.status.code}"
        span = self._time.now() - run.started
        if span:
            end += f", after {seconds(round(span, 3))} s"
        about = {"result": result, "code": run.status.code, "pid": run.pid}
        self.add(kind, f"{name} script ended: {end}", self._time.elapsed() - span, **about)

    def fail_queued(self, run: FailRun) -> None:
        """Add that the fail script will run once more."""
        self.add("fail", f"fail script still runs: failure {run.failures} has to wait for it")

    def fail_dropped(self, run: FailRun) -> None:
        """Add that a queued run of the fail script will not come."""
        self.add("fail", f"fail script is not run for failure {run.failures}")

    # What MonitorReport reports in words of its own

    def _news(self, text: str, colour: str = "") -> None:
        del colour
        self.add("news", text.removeprefix(self._prefix))

    def _record(self, time: int, kind: str, field: str, lines: list[str]) -> None:
        """Do nothing: there are no logs."""
