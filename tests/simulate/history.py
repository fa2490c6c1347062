"""One history: a watch in a world made of choices, with witnesses of all that happens in it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence

import heat.watch
from heat.books import Books
from heat.errors import TargetError
from heat.journal import Journal
from heat.options import Common, Options
from heat.program import Program, Status
from heat.rehearsal.world import (
    BEGINNING,
    Ends,
    HeatItself,
    Nowhere,
    SilentScripts,
    SimulatedChild,
    SimulatedLauncher,
    SimulatedTarget,
    VirtualTime,
)
from heat.turns import Turns
from heat.watch import EXIT_ERROR, EXIT_WELL, Parts, Watch, World
from heat.world import Owner
from states.effects import Effect
from states.machine import step
from states.model import Event, Limits, Monitor

from .choices import Choices
from .invariants import Violation, Witness

_INTERVALS = (10.0, 1.0, 4.0)
_TARGETS = ("none", "pid", "pid-file")
_USR1, _STOP = int(signal.SIGUSR1), int(signal.SIGSTOP)
_SIGNALS = (None, _USR1, _STOP, _STOP, None, int(signal.SIGKILL))
_TO_ITSELF = (None, _USR1, None, _USR1, int(signal.SIGTERM))
_MOMENT = 1e-7
"""Just before, just after: less than any length of time that is chosen."""
_TO_END = 400.0
"""Seconds that a history is given to end, once it is told to."""


def choose_options(choices: Choices, before: Options | None = None) -> Options:
    """Options that heat would take; ``before`` is what is being read again."""
    interval = choices.of(_INTERVALS) if before is None or choices.pick(2) else before.interval
    target = _TARGETS[choices.pick(3)] if before is None else _target_of(before)
    sent = _TO_ITSELF if target == "none" else _SIGNALS
    recovery = bool(choices.pick(2))
    fault, success = choices.of(sent), choices.of((None, int(signal.SIGCONT), 10))
    in_recovery = recovery or fault is not None or success is not None
    fail = bool(choices.pick(2))
    limits = Limits(
        threshold=choices.of((1, 2, 3, 5)) if in_recovery else None,
        success_threshold=choices.of((1, 2, 3)) if in_recovery else 1,
        max_recoveries=choices.of((None, 1, 2, 3)) if in_recovery else None,
        recovery_timeout=(
            choices.of((None, interval, 2.5 * interval, 0.5 * interval, 3 * interval))
            if in_recovery
            else None
        ),
        start_period=choices.of((0.0, 0.0, interval, 2.5 * interval)),
        checks=choices.of((None, None, None, None, None, 40, 3)),
        fail=fail,
        fail_overlap_skip=fail and bool(choices.pick(2)),
        recovery=recovery,
        signal=choices.of((None, int(signal.SIGHUP), *sent)),
        fault_signal=fault,
        success_signal=success,
    )
    return Options(
        name="simulated",
        interval=interval,
        check=("check",),
        is_script=True,
        timeout=choices.of((0.5 * interval, interval, 2.5 * interval, None)),
        pid=42 if target == "pid" else None,
        pid_file="pid" if target == "pid-file" else None,
        fail="fail" if fail else None,
        recovery="recovery" if recovery else None,
        script_timeout=choices.of((None, interval, 2.0 * interval, 0.5)),
        on_killed=choices.of(("fail", "fail", "fail", "error")),
        limits=limits,
    )


def _target_of(options: Options) -> str:
    if options.pid is not None:
        return "pid"
    return "none" if options.pid_file is None else "pid-file"


def _lengths(options: Options) -> tuple[float | None, ...]:
    """How long programs take: nothing, or what ends together with something else."""
    interval, timeout = options.interval, options.timeout or options.interval
    window = options.limits.recovery_timeout or interval
    return (0.0, 0.0, 0.0, 0.3, interval, timeout, timeout, window, 2 * interval, 3.3 * interval)


def _ends_of_check(options: Options) -> tuple[Ends, ...]:
    """How a check may go; many times what is common."""
    quick = (Ends(), Ends(1)) * 12
    slow = tuple(Ends(code, span) for span in _lengths(options) for code in (0, 1, 1))
    odd = (
        *(Ends(after=None),) * 3,
        Ends(after=None, stubborn=True),
        Ends(7, 0.0, stubborn=True),
        Ends(1, 2 * options.interval, stubborn=True),
        Ends(error="no memory"),
        Ends(error="no memory"),
        Ends(lost=True),
        Ends(killed=9, after=0.5 if options.on_killed == "fail" else 0.0),
    )
    rare = (
        Ends(error="gone", passing=False),
        Ends(after=None, stubborn=True, immortal=True),
        Ends(escapee=True),
    )
    return quick * 6 + slow * 4 + odd * 3 + rare


def _ends_of_script(options: Options, *, fatal: bool) -> tuple[Ends, ...]:
    well = tuple(Ends(code, span) for span in _lengths(options) for code in (0, 1))
    odd = (
        Ends(after=None),
        Ends(after=None, stubborn=True),
        Ends(error="no memory"),
        Ends(lost=True),
    )
    if options.script_timeout is None and not fatal:
        odd = odd[2:]
    killed = Ends(killed=15, after=0.5)
    gone = Ends(error="gone", passing=False)
    return well * 6 + odd * 2 + (gone, killed)


class _Child(SimulatedChild):
    """A program whose end may be seen before or after what is due at the same moment."""

    def __init__(  # noqa: PLR0913, PLR0917 - and who sees it
        self,
        time: VirtualTime,
        pid: int,
        ends: Ends,
        exited: Callable[[], None],
        owner: Owner,
        history: History,
    ) -> None:
        self._history = history
        if ends.after and ends.after > 1:
            ends = ends._replace(after=ends.after + _MOMENT * (history.choices.pick(3) - 1))
        super().__init__(time, pid, ends, exited, owner)

    def _exit(self, status: Status) -> None:
        if self._status is not None:
            return
        if status.signal is None and self._history.choices.pick(4) == 3:
            # It has ended, and is seen to have ended after what else is due now.
            self._status = status
            self._time.at(self._time.now(), self._exited, self._owner)
            return
        super()._exit(status)

    def signal_group(self, signum: int) -> bool:
        self._history.witness.killed(self, signum)
        return super().signal_group(signum)

    def status(self) -> Status:
        if self._status is None:
            raise Violation("the status of a program was asked before it had ended")
        return super().status()

    def reap(self) -> None:
        if self._status is None:
            raise Violation("a program was reaped before it had ended")
        self._history.witness.reaped(self)


class _Launcher(SimulatedLauncher):
    def __init__(self, history: History) -> None:
        super().__init__(history.time, history.ends)
        self._history = history

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> SimulatedChild:
        history = self._history
        history.witness.starting(program.path)
        child = super().start(program, exited, owner)
        history.witness.started(child, program)
        return child

    def _child(
        self, pid: int, ends: Ends, exited: Callable[[], None], owner: Owner
    ) -> SimulatedChild:
        return _Child(self._time, pid, ends, exited, owner, self._history)


class _Target(SimulatedTarget):
    """One that may be missing, and whose signals are witnessed."""

    def __init__(self, history: History, options: Options) -> None:
        of_file = options.pid_file is not None
        super().__init__(42, None if of_file else history.target_gone)
        self._of_file = of_file
        self._history = history

    def send(self, signum: int) -> int:
        history = self._history
        history.witness.signal_due(signum)
        chosen = history.choices.pick(16)
        if chosen == 15:
            raise TargetError("no memory", passing=True)
        if chosen == 14 and self._of_file:
            raise TargetError("--pid-file pid cannot be read: no such file")
        return super().send(signum)


def _nothing(*_what: object) -> None:
    """Nobody reads it."""


def _never() -> float:
    return 0.0


class _Mute(Journal):
    """Writes nothing; a text a check would take longer than the check."""

    def __init__(self, options: Options) -> None:
        nowhere = Nowhere()
        super().__init__(options, Books(nowhere, nowhere, nowhere, _never, Common()))


for _name in vars(Journal):
    if callable(getattr(Journal, _name)) and not _name.startswith("_") and _name != "ending_of":
        setattr(_Mute, _name, staticmethod(_nothing))


class History:
    """One watch from its start to its end, or as many ticks as it is given."""

    def __init__(self, choices: Choices, trace: list[str] | None = None) -> None:
        self.choices = choices
        self.time = VirtualTime()
        self.options = choose_options(choices)
        self.witness = Witness(self.options, self.time)
        self.trace = trace
        self.ended = 0
        self._take_options()
        world = World(
            self.time,
            self.time,
            _Launcher(self),
            Turns(1, (self.time, self.time), _nothing, self),
        )
        self._target: _Target | HeatItself
        if self.options.pid is None and self.options.pid_file is None:
            self._target = HeatItself(self.time, self._own_signal, self)
        else:
            self._target = _Target(self, self.options)
        self.watch = Watch(self._parts(), world, _Mute(self.options), self._done)
        self.witness.watch = self.watch
        self._plan()

    def _take_options(self) -> None:
        self._ends = {
            "check": _ends_of_check(self.options),
            "fail": _ends_of_script(self.options, fatal=False),
            "recovery": _ends_of_script(self.options, fatal=True),
        }

    def _parts(self) -> Parts:
        file = SilentScripts()
        options = self.options
        return Parts(
            options,
            Program("check", "check", ("check",)),
            Program("fail", "fail", ("fail",), file) if options.fail else None,
            Program("recovery", "recovery", ("recovery",), file) if options.recovery else None,
            self._target,
            file,
        )

    def _plan(self) -> None:
        """What comes from outside, at moments at which something else is likely to happen."""
        for _ in range(self.choices.pick(4)):
            when = BEGINNING + self.options.interval * self.choices.pick(120) / 2
            reload = self._reload
            what = self.choices.of((reload, reload, reload, self._end_target, self._stop))
            self.time.at(when, what, self)
        if self.choices.pick(8) == 7:
            when = BEGINNING + self.options.interval * self.choices.pick(60) / 4
            self.time.at(when, self._stall, self)

    def run(self, ticks: int) -> int:
        """Go on until it ends, or has had so many ticks; how many there were. Raises Violation."""
        heat.watch.step = self._step  # type: ignore[attr-defined]
        try:
            self._run(ticks)
        finally:
            heat.watch.step = step  # type: ignore[attr-defined]
        return self.witness.ticks

    def _run(self, ticks: int) -> None:
        self.watch.start(self.time.now())
        agenda, run_next, look = self.time.agenda, self.time.run_next, self.witness.look
        witness = self.witness
        while witness.ticks < ticks and not self.ended:
            when = agenda.next()
            if when is None:
                raise Violation("nothing is due any more, and it has not ended")
            run_next(when)
            look()
        if not self.ended:
            self.say("told to stop")
            self.watch.stop(EXIT_WELL)
        self._end()

    def _end(self) -> None:
        """Nothing may start any more, and all that can end does."""
        end = self.time.elapsed() + _TO_END
        while (when := self.time.next_until(end)) is not None:
            self.time.run_next(when)
        if not self.ended:
            raise Violation(f"it did not end within {_TO_END} s")
        self.witness.at_the_end()
        if isinstance(self._target, _Target) and self._target.frozen:
            raise Violation("the target was left stopped")

    # The machine, and the oracle

    def _step(self, monitor: Monitor, event: Event) -> list[Effect]:
        effects = step(monitor, event)
        if self.trace is not None:
            self.say(f"{_shown(event)} -> {monitor.state.value} {[*map(_shown, effects)]}")
        self.witness.stepped(event, effects, monitor)
        return effects

    def say(self, text: str) -> None:
        """For who reads what has happened."""
        if self.trace is not None:
            self.trace.append(f"{self.time.elapsed():>10.3f} s  {text}")

    # What the world does

    def ends(self, program: Program) -> Ends:
        """How a program goes that is started now."""
        ends = self.choices.of(self._ends[program.path])
        if self.trace is not None:
            odd = {k: v for k, v in ends._asdict().items() if v != Ends._field_defaults[k]}
            self.say(f"{program.path} is started, and goes like this: {odd or 'well'}")
        return ends

    def _reload(self) -> None:
        if self.watch.left:
            return
        before = self.options
        self.options = choose_options(self.choices, before)
        self.say(f"other options: {self.options}")
        self._take_options()
        first = self.time.now() + self.options.interval * self.choices.pick(3) / 2
        self.witness.reloading(self.options, first)
        self.watch.adopt(self._parts(), first)

    def _end_target(self) -> None:
        if isinstance(self._target, _Target) and not self._target.ended:
            self.say("the target ends")
            self._target.end()

    def target_gone(self, reason: str) -> None:
        """As the loop tells it: when what is being done is done."""
        self.time.at(self.time.now(), lambda: self.watch.target_gone(reason), self)

    def _own_signal(self, signum: int) -> None:
        self.say(f"HEAT has sent itself signal {signum}")
        if not self.watch.left:
            self.watch.give_in(EXIT_ERROR)

    def _stop(self) -> None:
        if not self.watch.left:
            at_once = self.choices.pick(3) == 2
            self.say(f"told to stop{' at once' if at_once else ''}")
            self.watch.stop(EXIT_WELL, at_once=at_once)

    def _stall(self) -> None:
        span = self.options.interval * (1 + self.choices.pick(9)) / 2
        self.say(f"nothing is looked at for {span} s")
        self.witness.stalled()
        self.time.stall(span)

    def _done(self, watch: Watch) -> None:
        self.say(f"it has ended, exit code {watch.exit_code}")
        self.ended += 1
        if self.ended > 1:
            raise Violation("it ended twice")

    def crashed(self, error: Exception) -> None:
        """What is not a watch's own."""
        raise error


def _shown(value: object) -> str:
    return repr(value).replace("signal=", "").replace("failure=", "")


def run(choices: Choices, ticks: int) -> int:
    """One history; how many ticks it had. Raises Violation."""
    return History(choices).run(ticks)


def told(record: Sequence[int], ticks: int) -> list[str]:
    """What happens in a history, line by line, up to where an invariant is broken."""
    trace: list[str] = []
    history = History(Choices(record=record), trace)
    trace.insert(0, str(history.options))
    try:
        history.run(ticks)
    except Violation as violation:
        trace.append(f"VIOLATION: {violation}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        trace.append(f"{type(error).__name__}: {error}")
    return trace
