"""The timeline: a journal that keeps what it is told as entries, each with its virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, cast

from heat.checks.outcome import Outcome
from heat.config.options import Common, Options
from heat.process import signals
from heat.process.program import NO_ENV, Output
from heat.process.run import Run
from heat.rehearsal.world import Nowhere, VirtualTime
from heat.report.monitor_report import MonitorReport
from heat.report.reporter import Reporter
from heat.text import counted, escaped, seconds
from states.monitor.model import FailRun, State

Kind = Literal[
    "check", "skip", "state", "signal", "fail", "recovery", "window", "recovered", "news", "end"
]
NOTHING: Mapping[str, object] = MappingProxyType({})


class Entry(NamedTuple):
    """An event ``at`` this second, and the state that it left."""

    at: float
    state: State
    kind: Kind
    text: str
    about: Mapping[str, object] = NOTHING
    """The same for programs."""
    began: float | None = None
    """When the run began of which this is the end; None where no run ends."""
    env: Mapping[str, str] = NO_ENV
    """The variables of a script that begins."""


class Timeline(MonitorReport):
    """Keeps ``entries``; asks ``env`` for the environment of the script started last."""

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
        """Keep what happens now."""
        began = None if began is None else round(began, 6)
        self.entries.append(Entry(self._time.elapsed(), self.state, kind, text, about, began))

    def skipped(self, why: str) -> None:
        """A tick starts no check; many of them in a row are one entry."""
        before = self.entries[-1] if self.entries else None
        if before is None or before.about.get("why") != why:
            self.add("skip", f"tick skipped: {why}", why=why, ticks=1)
            return
        ticks = 1 + cast("int", before.about["ticks"])
        text = f"{ticks} ticks skipped, to {seconds(self._time.elapsed())} s: {why}"
        self.entries[-1] = before._replace(text=text, about={"why": why, "ticks": ticks})

    # What the watch says

    def checked(self, check: Outcome, output: Output, state: State, count: int) -> None:
        """A check has its result."""
        del output
        self.state = state
        self.checks += 1
        result = "ok" if check.passed else "failed"
        said = "OK"
        if check.unknown:
            result, said = "unknown", f"Unknown: {check.unknown}"
        elif check.warning:
            said = f"Warning: {self.ending_of(check)}"
        elif check.timed_out:
            result, said = "timed out", f"Failed: {self.ending_of(check)}"
        elif check.killed is not None:
            result, said = "killed", f"Killed by SIG{signals.name(check.killed)}"
        elif check.code:
            said = f"Failed: {self.ending_of(check)}"
        if check.duration and not check.timed_out:
            said += f", after {seconds(round(check.duration, 3))} s"
        if result in {"failed", "timed out", "killed"} and count:
            said += f" ({counted(count, 'failure')} in a row)"
        began = self._time.elapsed() - check.duration
        about = {"result": result, "code": check.code, "pid": check.pid, "count": count}
        if check.warning:
            about["warning"] = True
        self.add("check", f"check {self.checks}: {said}", began, **about)

    def changed(self, before: State, after: State, count: int) -> None:
        """The state is another one."""
        self.state = after
        self.add("state", f"{before.value} -> {after.value}", before=before.value, count=count)

    def not_counted(self) -> None:
        """A failure in the start period."""
        self.add("news", "that failure does not count: the start period is not over")

    def entered_recovery(self, attempt: int, count: int, text: str) -> None:
        """A recovery of this outage begins."""
        del text
        most = self.options.limits.max_recoveries
        of = "" if most is None else f" of {most}"
        self.add("state", f"recovery {attempt}{of} begins", attempt=attempt, count=count)

    def window_opens(self, span: float | None) -> None:
        """Checks run, and show if the recovery has helped."""
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
        """The check passes again."""
        runs = f" and {counted(attempts, 'recovery', 'recoveries')}" if attempts else ""
        text = f"well again after {counted(count, 'failure')}{runs}, {seconds(round(span, 3))} s"
        began = self._time.elapsed() - span
        self.add("recovered", text, began, failures=count, recoveries=attempts)

    def sent(self, signum: int, option: str, pid: int) -> None:
        """A signal would go out."""
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
        """A process that HEAT would have stopped would go on."""
        self.add("signal", f"sent CONT to {pid}, which HEAT had stopped", signal="CONT", option="")

    def fail_started(self, pid: int, run: FailRun) -> None:
        """The fail script would run."""
        text = f"fail script {self._script(self.options.fail)} runs, for failure {run.failures}"
        self._script_starts("fail", text, pid)

    def recovery_started(self, pid: int, attempt: int) -> None:
        """The recovery script would run."""
        del attempt  # It was told when the recovery began.
        text = f"recovery script {self._script(self.options.recovery)} runs"
        self._script_starts("recovery", text, pid)

    def _script_starts(self, kind: Kind, text: str, pid: int) -> None:
        env = self._env()
        self.add(kind, text, pid=pid, env=dict(env))
        self.entries[-1] = self.entries[-1]._replace(env=env)

    def script_ended(self, name: str, run: Run, output: bytes, text: str) -> None:
        """A fail or recovery script has ended."""
        del output, text
        kind: Kind = "fail" if name == "fail" else "recovery"
        if run.timed_out:
            result, said = "timed out", f"Timed out after {seconds(round(run.limit or 0, 3))} s"
        elif run.stopped:
            result, said = "stopped", "stopped with HEAT"
        elif run.status.signal is not None:
            result, said = "killed", self.ending_of_script(name, run)
        else:
            result = "failed" if run.status.code else "ok"
            said = f"Exit Code {run.status.code}"
        span = self._time.now() - run.started
        if span:
            said += f", after {seconds(round(span, 3))} s"
        about = {"result": result, "code": run.status.code, "pid": run.pid}
        self.add(kind, f"{name} script ended: {said}", self._time.elapsed() - span, **about)

    def fail_queued(self, run: FailRun) -> None:
        """The fail script will run once more."""
        self.add("fail", f"fail script still runs: failure {run.failures} has to wait for it")

    def fail_dropped(self, run: FailRun) -> None:
        """A queued run will not be."""
        self.add("fail", f"fail script is not run for failure {run.failures}")

    # What is told in other words, or not at all

    def _news(self, text: str, colour: str = "") -> None:
        del colour
        self.add("news", text.removeprefix(self._prefix))

    def _record(self, time: int, kind: str, field: str, said: list[str]) -> None:
        """There are no logs."""
