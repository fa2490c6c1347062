"""Deeds in the world, counted where they happen: at the launcher, and at the target.

Each effect that the oracle expects happens once, and nothing else does. Each event that the monitor
feeds to its machine is what the programs have really done.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING

from heat.config.options import Options
from heat.errors import StartError
from heat.process.program import Program, Status
from heat.rehearsal.clock import VirtualTime
from states.monitor import effects as do
from states.monitor.effects import Effect
from states.monitor.events import (
    CheckFailed,
    CheckImpossible,
    CheckKilled,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    RecoveryDelayed,
    RecoveryEnded,
    RecoveryImpossible,
    RecoveryKilled,
)
from states.monitor.model import Failure

if TYPE_CHECKING:
    from .world import Child

_TIMED_OUT = 124
_CLOSE = 1e-6
_VERDICTS = (CheckPassed, CheckFailed, CheckUnknown, CheckKilled, CheckImpossible)
_OF_RECOVERY = (RecoveryEnded, RecoveryKilled, RecoveryDelayed, RecoveryImpossible)
_CONT = int(signal.SIGCONT)


class Violation(AssertionError):  # noqa: N818 - that is what it is
    """An invariant does not hold."""


def pid_text(failure: Failure) -> str:
    """Return the value of HEAT_FAIL_PID."""
    return "" if failure.pid is None else str(failure.pid)


class Deeds:
    """Deeds that are due, and deeds that the machine has not heard of yet."""

    __slots__ = (
        "_check",
        "_check_due",
        "_deadline",
        "_in_flight",
        "_script",
        "_script_due",
        "_signals",
        "_time",
        "options",
    )

    def __init__(self, time: VirtualTime, options: Options) -> None:
        self._time = time
        self.options = options
        self.forget()

    def forget(self) -> None:
        """Forget everything that is due: HEAT is killed."""
        self._signals: list[int] = []
        self._in_flight: int | None = None
        """The signal on its way."""
        self._check_due = False
        self._check: Child | StartError | None = None
        """The check whose verdict is due, or the error that kept it from starting."""
        self._deadline: float | None = None
        self._script_due: tuple[str, str] | None = None
        """The script that is due, and the process id of the check that it reports."""
        self._script: Child | StartError | None = None

    # Effects

    def expect(self, effects: Iterable[Effect]) -> None:
        """Expect each of these effects to happen once."""
        for effect in effects:
            if isinstance(effect, do.SendSignal):
                self._signals.append(effect.signal)
            elif isinstance(effect, do.RunCheck):
                self._check_due = True
            elif isinstance(effect, do.RunFail):
                self._script_due = "fail", pid_text(effect.run.failure)
            elif isinstance(effect, do.RunRecovery):
                self._script_due = "recovery", pid_text(effect.last)

    def settled(self) -> None:
        """Check that nothing is due; a check may still wait for its turn. Raises Violation."""
        if self._signals:
            raise Violation(f"signal {self._signals[0]} was never sent")
        if self._in_flight is not None:
            raise Violation(f"signal {self._in_flight} never reached the target")
        if self._script_due is not None:
            kind, _ = self._script_due
            if self._program(kind):
                raise Violation(f"{kind} was never started")

    def _program(self, kind: str) -> str | None:
        return self.options.fail if kind == "fail" else self.options.recovery

    # The target

    def sending(self, signum: int) -> None:
        """Note that the monitor sends this signal. Raises Violation."""
        if not self._signals or self._signals.pop(0) != signum:
            raise Violation(f"signal {signum} is sent, and the machine does not want it")
        self._in_flight = signum

    def not_sent(self) -> None:
        """Note that it cannot be sent."""
        self._in_flight = None

    def received(self, signum: int) -> None:
        """Note that a process gets this signal. CONT may come twice. Raises Violation."""
        if signum == self._in_flight:
            self._in_flight = None
        elif signum != _CONT:
            raise Violation(f"signal {signum} comes, and the machine does not want it")

    # The programs

    def starting(self, program: Program) -> None:
        """Note that the monitor starts this program. Raises Violation."""
        kind = program.path
        if kind == "check":
            due, self._check_due = self._check_due, False
        else:
            due = self._script_due == (kind, program.env["HEAT_FAIL_PID"])
            self._script_due = None
        if not due:
            raise Violation(f"{kind} is started, and the machine does not want it")

    def started(self, kind: str, child: Child | StartError) -> None:
        """Note that it runs, or cannot start."""
        if kind != "check":
            self._script = child
            return
        self._check = child
        timeout = self.options.timeout
        self._deadline = None if timeout is None else self._time.now() + timeout

    # Events

    def fed(self, event: Event) -> None:
        """Compare an event for the machine with the truth. Raises Violation."""
        if isinstance(event, _VERDICTS):
            self._compare(event, self._verdict())
            self._check, self._check_due = None, False
        elif isinstance(event, _OF_RECOVERY):
            self._compare(event, self._end_of("recovery"))
        elif isinstance(event, FailEnded):
            self._compare(event, self._end_of("fail"))

    def _compare(self, event: Event, true: Event) -> None:
        alike = type(event) is type(true)
        if isinstance(event, CheckFailed) and isinstance(true, CheckFailed):
            alike = (event.failure, event.dying) == (true.failure, true.dying)
        if not alike:
            raise Violation(f"the machine gets {event}, and it was {true}")

    def _verdict(self) -> Event:
        """Return the true verdict."""
        check = self._check
        if check is None:
            return CheckUnknown()
        if isinstance(check, StartError):
            return CheckUnknown() if check.passing else self._gone(check)
        return (
            self._timed_out(check) if check.own_end is None else self._ended(check, check.own_end)
        )

    def _ended(self, check: Child, status: Status) -> Event:
        code, signum = status
        if signum is not None:
            if self.options.on_killed == "error":
                return CheckKilled("")
            code = 128 + signum
        if code is None or code in self.options.unknown_codes:
            return CheckUnknown()
        warns = code in self.options.warn_codes
        return CheckPassed() if code == 0 or warns else self._failed(check, code)

    def _gone(self, error: StartError) -> Event:
        """Return the event of a check that is gone."""
        if not self.options.limits.spent_watch:
            return CheckImpossible("")
        return CheckFailed(Failure(error.code, None, int(self._time.unix()), str(error)))

    def _timed_out(self, check: Child) -> Event:
        if self._deadline is None or self._time.now() < self._deadline - _CLOSE:
            raise Violation("a check is given up before its time")
        return self._failed(check, _TIMED_OUT, dying=True)

    def _failed(self, check: Child, code: int, *, dying: bool = False) -> Event:
        failure = Failure(code, check.pid, int(self._time.unix()), check.said)
        return CheckFailed(failure, 0.0, dying)

    def _end_of(self, kind: str) -> Event:
        """Return the true end of a script; none runs if that of an earlier life has ended."""
        script, self._script = self._script, None
        recovery = kind == "recovery"
        if self._script_due is not None and not self._program(kind):
            self._script_due = None
        if isinstance(script, StartError):
            if not recovery:
                return FailEnded()
            if script.passing:
                return RecoveryDelayed()
            ends = self.options.limits.spent_watch
            return RecoveryEnded() if ends else RecoveryImpossible("")
        if script is not None and not script.exited():
            raise Violation(f"the machine hears that {kind} has ended, and it runs")
        if recovery and script is not None:
            status = script.own_end
            killed = status is not None and status.signal is not None
            if killed and self.options.on_killed == "error":
                return RecoveryKilled("")
        return RecoveryEnded() if recovery else FailEnded()
