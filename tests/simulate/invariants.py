"""Invariants: they hold after each step of a history, whatever has happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.config.options import Options
from heat.monitor.exit_codes import EXIT_ERROR
from heat.process.program import Program
from heat.rehearsal.clock import BEGINNING, VirtualTime
from heat.rehearsal.programs import SimulatedChild
from states.monitor import effects as do
from states.monitor.effects import Effect
from states.monitor.events import (
    CheckFailed,
    CheckImpossible,
    CheckKilled,
    CheckPassed,
    CheckUnknown,
    Event,
    LimitsChanged,
    Resumed,
    Tick,
)
from states.monitor.limits import Limits
from states.monitor.model import Check, Stage, State
from states.monitor.model import Monitor as Model

from .deeds import Deeds, Violation, pid_text
from .lives import Orphan
from .oracle import Oracle
from .recoveries import Recoveries
from .ticks import ALIKE, Ticks

if TYPE_CHECKING:
    from heat.monitor.monitor import Monitor

    from .world import Child

_FAULT = "--fault-signal"
_AFTER_FAULT = (do.RunRecovery, do.OpenWindow, do.Pace)
_VERDICTS = (CheckPassed, CheckFailed, CheckUnknown, CheckKilled, CheckImpossible)
# In Python 3.11 a member takes ten times as long to find as a name of the module.
_NORMAL, _FAILING, _RECOVERING, _ERROR = State
_IN_FLIGHT = (Check.SCHEDULED, Check.AT_ONCE)
_PENDING = (*_IN_FLIGHT, Check.DUE)
_OPEN, _BACKOFF, _SPENT = Stage.OPEN, Stage.BACKOFF, Stage.SPENT
_BEGUN = (_OPEN, _BACKOFF, _SPENT)
_NO_CHECK = (Stage.WAITING, Stage.REPAIRING, Stage.OWED)
_OVER = (do.EnterRecovery, do.StartBackoff, do.Spent)
"""Effects after a window in which the outage has not ended."""


class Witness:
    """Sees what happens, keeps its own counts, and compares."""

    __slots__ = (
        "_alive",
        "_count",
        "_exact",
        "_first",
        "_last_code",
        "_last_text",
        "_leftovers",
        "_limits",
        "_lives",
        "_options",
        "_oracle",
        "_orphans",
        "_paused",
        "_ran",
        "_reads",
        "_recovered_at",
        "_recoveries",
        "_runs",
        "_still",
        "_ticks",
        "_time",
        "_untold",
        "_was",
        "_window",
        "deeds",
        "monitor",
        "ticks",
    )

    def __init__(self, options: Options, time: VirtualTime) -> None:
        self.monitor: Monitor
        self.ticks = 0
        self._options = options
        self._limits = options.limits
        self._time = time
        self._oracle = Oracle(options.limits)
        self.deeds = Deeds(time, options)
        self._alive: dict[int, tuple[str, SimulatedChild]] = {}
        self._leftovers: set[int] = set()
        self._count = 0
        """Failures since the last NORMAL."""
        self._first = 0
        """The unix second of the first of them."""
        self._last_code = 0
        self._last_text = ""
        self._runs = 0
        """Recovery runs in this outage."""
        self._recovered_at = float("-inf")
        """The start of the last of them."""
        self._recoveries = Recoveries()
        self._ticks = Ticks(time.now(), options.interval)
        self._exact = True
        """Ticks come when they are due."""
        self._window: float | None = None
        """The end of the open window."""
        self._reads = 0
        """The number of reloads."""
        self._was = State.NORMAL
        """The state before the step."""
        self._paused = False
        """There was a pause before it."""
        self._untold: str | None = None
        """The check that failed last, until the fail script reports it."""
        self._ran = True
        """The recovery script was started since RECOVERING was entered."""
        self._still: float | None = None
        """The end of the pause, if there is one."""
        self._lives = 1
        self._orphans: dict[int, Orphan] = {}
        """Scripts of earlier lives."""

    # The machine

    def stepped(self, event: Event, effects: list[Effect], model: Model) -> None:
        """Compare a step with the oracle, and check the order of its effects."""
        self.deeds.settled()
        self.deeds.fed(event)
        self._compare(event, effects, model)
        if isinstance(event, Tick):
            self._ticked(event)
        elif isinstance(event, CheckFailed):
            if not effects or type(effects[0]) is not do.NotCounted:
                self._failed(event)
        elif isinstance(event, LimitsChanged):
            self._take_limits(event.limits)
        elif isinstance(event, Resumed) and self._paused:
            self._recoveries.resumed(self._time.now())
        if effects:
            self._look_at(effects, model)
        if model.state is _NORMAL:
            self._count = self._runs = 0
            if model.state is not self._was:
                self._recoveries = Recoveries()
        self._was, self._paused = model.state, model.paused
        if model.count != self._count:
            raise Violation(f"the count is {model.count}, and {self._count} checks have failed")

    def _compare(self, event: Event, effects: list[Effect], model: Model) -> None:
        oracle = self._oracle
        if oracle.slot not in _IN_FLIGHT and isinstance(event, _VERDICTS):
            raise Violation(f"{event} comes, and no check runs")
        expected = oracle.hear(event)
        # As tuples, effects of several kinds are equal.
        if effects != expected or (expected and [*map(type, effects)] != [*map(type, expected)]):
            there = f"the machine says {effects}\n  the oracle says {expected}"
            raise Violation(f"at {event}\n  {there}")
        self.deeds.expect(expected)
        here = (
            model.stage,
            model.count,
            model.skipped,
            model.checks,
            model.unknowns,
            model.check,
            model.fail_run,
            model.fail_queued,
            model.attempts,
            model.overdue,
            model.passed_once,
            model.last_check_failed,
            model.backoff,
            model.paused,
        )
        there = (
            oracle.stage,
            oracle.count,
            oracle.skipped,
            oracle.checks,
            oracle.unknowns,
            oracle.slot,
            oracle.fail_runs,
            oracle.fail_waits,
            oracle.recoveries,
            oracle.time_is_up,
            oracle.ever_passed,
            oracle.last_failed,
            oracle.backoff,
            oracle.paused,
        )
        if here != there:
            raise Violation(f"at {event}: state and counts are {here}, and should be {there}")

    def _ticked(self, tick: Tick) -> None:
        self.ticks += 1 + tick.missed
        self._ticks.came(self._time.now(), tick.missed, exact=self._exact)

    def _take_limits(self, limits: Limits) -> None:
        self._limits = limits
        if not limits.fail:
            self._untold = None

    def _failed(self, event: CheckFailed) -> None:
        if self.monitor.model.paused:
            return
        self._count += 1
        if self._limits.fail and self._was is not _RECOVERING and self._to_be_told():
            self._untold = pid_text(event.failure)
        self._last_code = event.failure.code
        self._last_text = event.failure.text
        if self._count == 1:
            self._first = event.failure.time

    def _to_be_told(self) -> bool:
        """The fail script reports the failure; without recovery, only from the threshold on."""
        limits = self._limits
        return limits.recovers or self._count >= (limits.threshold or 1)

    def _look_at(self, effects: list[Effect], model: Model) -> None:
        after_fault = False
        for effect in effects:
            if after_fault and not isinstance(effect, _AFTER_FAULT):
                raise Violation(f"the fault signal is followed by {effect}")
            after_fault = False
            if isinstance(effect, do.RunCheck):
                self._checks_left(model)
            elif isinstance(effect, do.SendSignal):
                after_fault = effect.option == _FAULT
            elif isinstance(effect, do.OpenWindow):
                self._window_opens(effect)
            elif isinstance(effect, do.CloseWindow):
                self._window_closes(effects, model)
            else:
                self._note(effect)
        if after_fault:
            raise Violation("the fault signal is followed by nothing")
        if model.state is _ERROR and not isinstance(effects[-1], do.GiveUp):
            raise Violation(f"the last effect of an error is {effects[-1]}")

    def _note(self, effect: Effect) -> None:
        now = self._time.now()
        if isinstance(effect, do.RestartTicks):
            self._ticks.restart(now)
        elif isinstance(effect, do.Pace):
            self._ticks.change_pace(effect.seconds, now)
        elif isinstance(effect, do.EnterRecovery):
            self._ran = False
            self._recoveries.enter(now)
        elif isinstance(effect, do.Spent):
            self._recoveries.spend()
        elif isinstance(effect, do.DropFail):
            self._untold = None

    def _window_opens(self, effect: do.OpenWindow) -> None:
        self._window = None if effect.seconds is None else self._time.now() + effect.seconds
        if self._limits.recovery and not self._ran and not self._reads:
            raise Violation("a window opens, and the recovery script has not run")

    def _window_closes(self, effects: list[Effect], model: Model) -> None:
        again = any(isinstance(each, _OVER) for each in effects)
        due, self._window = self._window, None
        if again:
            self._recoveries.back_off(self._limits, self._time.now())
        if again and due is not None and self._time.now() < due - ALIKE:
            raise Violation(f"a window closes {due - self._time.now()} s too early")
        if again and model.passes:
            raise Violation("a window closes after a pass")

    def said_spent(self) -> None:
        """Note the report that no recovery is left."""
        self._recoveries.reported()

    def _checks_left(self, model: Model) -> None:
        most = self._limits.checks
        if most is not None and model.checks > most:
            raise Violation(f"check {model.checks} is run, of {most}")

    # The programs

    def starting(self, program: Program) -> None:
        """Check a program that is about to start. Raises Violation."""
        kind, model = program.path, self.monitor.model
        if kind == "recovery":
            self._recoveries.begin(self._time.now())
        self.deeds.starting(program)
        if self.monitor.exit_code is not None:
            raise Violation(f"{kind} is started after the end")
        self._begins(kind)
        if kind == "check":
            if model.stage in _NO_CHECK:
                raise Violation("a check is started before the recovery script has ended")
        elif kind == "fail":
            begun = model.stage in _BEGUN and self._limits.recovery and not self._reads
            if begun or model.stage in (Stage.REPAIRING, Stage.OWED):
                raise Violation("the fail script is started in recovery")
        self._is_alone(kind)

    def _is_alone(self, kind: str) -> None:
        others = ("check",) if kind == "check" else ("fail", "recovery")
        for other, _ in self._alive.values():
            if other in others:
                raise Violation(f"{kind} is started while {other} runs")
        for orphan in self._orphans.values():
            if orphan.over > self._time.now() and (kind != "check" or orphan.kind == "recovery"):
                raise Violation(f"{kind} is started while {orphan.kind} of an earlier life runs")

    def _begins(self, what: str) -> None:
        still = self._still
        if still is not None and self._time.now() < still - ALIKE:
            raise Violation(f"{what} in a pause")

    def started(self, child: Child, program: Program) -> None:
        """Check a program that has started. Raises Violation."""
        kind, env = program.path, program.env
        self.deeds.started(kind, child)
        self._alive[child.pid] = kind, child
        if kind == "check":
            return
        expected = {"HEAT_NAME": "simulated"}
        if kind == "fail":
            self.fail_told(program)
        else:
            self._recovery_started()
            expected |= {
                "HEAT_FAIL_CNT": str(self._count),
                "HEAT_FAIL_CODE": str(self._last_code),
                "HEAT_FAIL_TIME": str(self._first),
                "HEAT_FAIL_TEXT": self._last_text,
                "HEAT_STATE": "RECOVERING",
            }
        for name, text in expected.items():
            if env[name] != text:
                raise Violation(f"{kind} has {name}={env[name]}, and not {text}")

    def fail_told(self, program: Program) -> None:
        """Note that the fail script starts, or cannot, which is on record."""
        if program.env["HEAT_FAIL_PID"] == self._untold:
            self._untold = None

    def recovery_is_gone(self) -> None:
        """Note that the recovery script cannot start any more, which is its end."""
        self._ran = True

    def _recovery_started(self) -> None:
        now, limits = self._time.now(), self._limits
        self._runs += 1
        self._ran = True
        most = limits.max_recoveries
        if most is not None and self._runs >= max(most, self.monitor.model.attempts) + self._lives:
            raise Violation(f"recovery run {self._runs}, of {most}")
        if limits.recovery_timeout is None and self._exact:
            apart = now - self._recovered_at
            if apart < self._options.interval - ALIKE and not self._reads and self._runs > 1:
                raise Violation(f"two recovery runs are {apart} s apart")
        self._recovered_at = now

    def killed(self, child: SimulatedChild, signum: int) -> None:
        """Check a signal to a program. Raises Violation."""
        if child.pid not in self._alive and child.pid not in self._leftovers:
            raise Violation(f"signal {signum} is sent to a program that is gone")

    def has_leftovers(self, child: SimulatedChild) -> None:
        """Note a program that has ended, and whose group lives on."""
        if self._alive.pop(child.pid, None) is None:
            raise Violation("a program that is gone has left something behind")
        self._leftovers.add(child.pid)

    def reaped(self, child: SimulatedChild) -> None:
        """Note that nothing is left of a program."""
        if child.pid in self._leftovers:
            self._leftovers.remove(child.pid)
        elif self._alive.pop(child.pid, None) is None:
            raise Violation("a program is reaped twice")

    def signal_due(self, signum: int) -> None:
        """Check a signal that is about to go to the target. Raises Violation."""
        if self.monitor.exit_code is not None and self.monitor.model.state is not _ERROR:
            raise Violation(f"signal {signum} is sent after the end")
        self._begins(f"signal {signum} is sent")
        limits = self._limits
        if signum == limits.fault_signal and signum not in {limits.signal, limits.success_signal}:
            self._recoveries.begin(self._time.now())
        self.deeds.sending(signum)

    # From outside

    def reloading(self, options: Options, first: float) -> None:
        """Note a reload."""
        self._reads += 1
        if options.interval != self._options.interval:
            self._ticks.change_interval(options.interval, first)
        self._options = self.deeds.options = options

    def stalled(self) -> None:
        """Note that HEAT is about to stand still."""
        self._exact = False

    # After each step

    def look(self) -> None:
        """Check what holds between the steps. Raises Violation."""
        self.deeds.settled()
        self._recoveries.settled()
        model = self.monitor.model
        stage = model.stage
        if len(self._alive) > 2:
            raise Violation(f"there are {len(self._alive)} programs")
        if self.monitor.exit_code is not None:
            return
        if self._still is not None:
            self._look_at_pause(self._still)
        if model.state is _ERROR:
            raise Violation("an error did not end it")
        if stage is Stage.REPAIRING and model.check in _IN_FLIGHT:
            raise Violation("a check runs during the recovery script")
        if model.state is _NORMAL and model.count:
            raise Violation("all is well, and there are failures")
        if self._untold is not None and not model.paused:
            self._look_for_fail()
        if self._exact and model.check not in _PENDING and not model.passes:
            self._look_for_an_end(model)

    def _look_for_an_end(self, model: Model) -> None:
        """Check that no window or backoff lasts too long. Raises Violation."""
        now, due, until = self._time.now(), self._window, self._recoveries.until
        timed = self._limits.recovery_timeout is not None
        if model.stage is _OPEN and timed and due is not None and now > due + ALIKE:
            raise Violation("a window is open beyond its time")
        resting = model.stage is _BACKOFF and not model.paused
        if resting and until is not None and now > until + ALIKE:
            raise Violation("a backoff goes on beyond its time")

    def _look_at_pause(self, still: float) -> None:
        over = self._time.now() - still
        paused = self.monitor.paused is not None
        if paused is not self.monitor.model.paused:
            raise Violation("the machine and its monitor differ about the pause")
        if not paused and over < -ALIKE:
            raise Violation("a pause ends too early")
        if paused and over > ALIKE and self._exact:
            raise Violation("a pause goes on beyond its end")

    def _look_for_fail(self) -> None:
        if not any(kind == "fail" for kind, _ in self._alive.values()):
            raise Violation(f"the failure of check {self._untold} goes untold")

    def at_the_end(self) -> None:
        """Check that nothing is left, except what nothing can kill. Raises Violation."""
        for kind, child in self._alive.values():
            if not child.immortal:
                raise Violation(f"{kind} lives on")
        if self._leftovers:
            raise Violation("the end does not wait for what a check has left behind")
        if (self.monitor.model.state is _ERROR) and self.monitor.exit_code is None:
            raise Violation(f"an error does not end with {EXIT_ERROR}")
        if self._time.now() < BEGINNING:
            raise Violation("time ran backwards")
