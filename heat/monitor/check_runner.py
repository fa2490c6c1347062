"""The checks of a monitor: each waits for its turn, runs, and becomes an event."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from heat.checks.outcome import Outcome, exit_code
from heat.errors import StartError
from heat.monitor.last_check import Packed, pack, unpack
from heat.process.program import SILENT, Output, on_stderr
from heat.process.run import Callbacks
from states.monitor.events import (
    CheckFailed,
    CheckGone,
    CheckImpossible,
    CheckKilled,
    CheckPassed,
    CheckUnknown,
    Event,
)
from states.monitor.model import Failure, State

if TYPE_CHECKING:
    from heat.checks.ports import Attempt
    from heat.monitor.ports import Host

_PASSED, _UNKNOWN, _GONE = CheckPassed(), CheckUnknown(), CheckGone()


class CheckRunner:
    """Runs one check at a time."""

    __slots__ = (
        "_again",
        "_has_turn",
        "_host",
        "_last",
        "_late",
        "attempt",
        "due",
        "unknown_since",
    )

    def __init__(self, host: Host) -> None:
        self._host = host
        self.attempt: Attempt | None = None
        """The check that runs."""
        self.due = 0.0
        """The moment at which the check that starts next became due."""
        self.unknown_since: float | None = None
        """The unix second since which no check has told how the service is."""
        self._again = self._has_turn = False
        self._last: Packed | None = None
        self._late: dict[Attempt, Outcome | None] | None = None
        """Checks that are gone and left something behind, with what is still to record."""

    # Its turn, its start

    def run(self) -> None:
        """Start a check, now or when it has its turn."""
        if self.attempt is not None:  # It has ended, and is about to be reaped.
            self._again = True
        elif self._host.exit_code is None:
            self._host.world.limiter.acquire(self._start, self._host)

    def end_turn(self) -> None:
        """Let the next check start, of whichever monitor."""
        if self._has_turn:
            self._has_turn = False
            self._host.world.limiter.release()

    def _start(self) -> None:
        host, world = self._host, self._host.world
        self._has_turn = True
        if host.exit_code is not None or host.model.paused:
            self.end_turn()
            host.feed(_UNKNOWN)
            return
        if world.counters is not None:
            now = world.clock.now()
            world.counters.late(host.row, now - self.due, now)
        callbacks = Callbacks(
            self._ended, self._gone, self._stuck, self._printed, self._settled, host.report.on_left
        )
        ports, timeout = (world.clock, world.timers, world.launcher), host.setup.options.timeout
        try:
            self.attempt = host.setup.check.start(ports, timeout, callbacks, host)
        except StartError as error:
            self.end_turn()
            self._not_started(error)

    def _not_started(self, error: StartError) -> None:
        host, why, now = self._host, str(error), int(self._host.world.clock.unix())
        if error.passing:
            outcome = Outcome(now, None, unknown=why)
            host.feed(_UNKNOWN, partial(self._write, outcome, SILENT))
        elif host.setup.options.limits.spent_watch:
            failed = CheckFailed(Failure(error.code, None, now, why), host.age)
            outcome = Outcome(now, error.code, text=why)
            host.feed(failed, partial(self._write, outcome, on_stderr(why)))
        else:
            host.feed(CheckImpossible(why))

    # Its end

    def _ended(self, attempt: Attempt) -> None:
        self._host.feed(self._verdict(attempt), partial(self._write_end, attempt))

    def _verdict(self, attempt: Attempt) -> Event:
        code, options = attempt.code, self._host.setup.options
        if code == 0:
            return _PASSED
        if code is None:
            return _UNKNOWN
        if attempt.killed and options.on_killed == "error":
            text = self._host.report.killed("check", attempt, "takes that for a failure")
            return CheckKilled(text)
        if self._is_among(attempt, options.warn_codes):
            return _PASSED
        if self._is_among(attempt, options.unknown_codes):
            return _UNKNOWN
        unix = int(self._host.world.clock.unix())
        failure = Failure(code, attempt.pid, unix, attempt.last_line)
        return CheckFailed(failure, self._host.age, attempt.timed_out)

    def _is_among(self, attempt: Attempt, codes: Sequence[int]) -> bool:
        """Tell if its exit code is one of these; a check that timed out has none of its own."""
        if not codes or attempt.timed_out:
            return False
        killed = attempt.killed and self._host.setup.options.on_killed == "error"
        return not killed and attempt.code in codes

    def _outcome(self, attempt: Attempt) -> Outcome:
        code, options = attempt.code, self._host.setup.options
        unknown = "the check's exit code is lost" if code is None else ""
        if code is not None and self._is_among(attempt, options.unknown_codes):
            unknown = exit_code(code)
        return Outcome(
            attempt.started_unix,
            code,
            attempt.pid,
            attempt.duration,
            attempt.status.signal,
            attempt.timed_out,
            unknown,
            attempt.timed_out and attempt.terminal,
            attempt.last_line,
            self._is_among(attempt, options.warn_codes),
        )

    def _write_end(self, attempt: Attempt, state: State, count: int) -> None:
        outcome = self._outcome(attempt)
        if attempt.timed_out or attempt.drained():
            self._write(outcome, attempt.output(), state, count)
        else:
            self._keep(outcome)
            self._host.report.result(outcome, state, count)
            self._settle_later(attempt, outcome)

    def _write(self, outcome: Outcome, output: Output, state: State, count: int) -> None:
        self._keep(outcome)
        self._host.report.checked(outcome, output, state, count)

    def _keep(self, outcome: Outcome) -> None:
        host, now = self._host, self._host.world.clock.now()
        self._last = pack(outcome, now)
        self._correct_record(outcome)
        if not outcome.unknown:
            self.unknown_since = None
        elif self.unknown_since is None:
            self.unknown_since = host.world.clock.unix()
        if host.world.counters is not None:
            host.world.counters.checked(host.row, outcome, now)

    def _gone(self, attempt: Attempt) -> None:
        host, self.attempt = self._host, None
        self.end_turn()
        if self._again:
            self._again = False
            self.run()
        if attempt.timed_out:
            host.report.late_output(attempt, attempt.output())
            host.feed(_GONE)
        elif attempt.stopped:
            host.report.check_stopped(attempt, attempt.output())
        if not attempt.settled:
            self._settle_later(attempt, None)
        elif self._late and attempt in self._late:
            self._settled(attempt)  # Its output ended between the verdict and now.
        host.leave_if_ended()

    def _stuck(self, attempt: Attempt) -> None:
        self.end_turn()
        self._host.report.stuck(attempt)
        self._host.end_if_done()
        self._host.leave_if_ended()

    # What it leaves behind

    def _settle_later(self, attempt: Attempt, outcome: Outcome | None) -> None:
        if self._late is None:
            self._late = {}
        self._late.setdefault(attempt, outcome)

    def _printed(self, attempt: Attempt) -> None:
        """Record the output, once all of it is there that HEAT waits for."""
        if self._late and (outcome := self._late.get(attempt)) is not None:
            self._late[attempt] = None
            output = attempt.output()
            self._correct_text(outcome, output.last_line)
            self._host.report.record(outcome, output)

    def _correct_text(self, outcome: Outcome, text: str) -> None:
        """Keep a last line that came after the verdict, for those who ask later."""
        if self._last is None or text in {"", outcome.text}:
            return
        last, ended = unpack(self._last)
        if last == outcome:
            corrected = outcome._replace(text=text)
            self._last = pack(corrected, ended)
            self._correct_record(corrected)

    def _correct_record(self, outcome: Outcome) -> None:
        """Keep it in the history as well."""
        record, failure = self._host.record, self._host.model.last_failure
        if record is None or failure is None or failure.pid != outcome.pid:
            return
        if outcome.text != failure.text:
            record.printed(outcome.text)

    def _settled(self, attempt: Attempt) -> None:
        self._printed(attempt)
        self._host.report.late_output(attempt, attempt.output())
        if self._late is not None:
            self._late.pop(attempt, None)
            self._late = self._late or None
        self._host.leave_if_ended()

    @property
    def last(self) -> tuple[Outcome, float] | None:
        """The last check, and when it ended on the monotonic clock; None before the first one."""
        return None if self._last is None else unpack(self._last)

    @property
    def attempts(self) -> list[Attempt]:
        """All checks that may have left something."""
        return [each for each in (self.attempt, *(self._late or ())) if each is not None]
