"""One history: a monitor in a world made of choices, with witnesses of all that happens in it."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import heat.monitor.pump
from heat.checks.command import Command
from heat.config.options import Common, Options
from heat.monitor.exit_codes import EXIT_ERROR, EXIT_WELL
from heat.monitor.monitor import Monitor
from heat.monitor.resume import ResumedMonitor
from heat.monitor.setup import Setup, World
from heat.process.program import Program, SilentScripts
from heat.records import RESET, Changed
from heat.rehearsal.clock import BEGINNING, VirtualTime
from heat.rehearsal.programs import Ends
from heat.rehearsal.timeline import Nowhere
from heat.report.monitor_report import MonitorReport
from heat.report.reporter import Reporter
from heat.runtime.limiter import Limiter
from heat.runtime.scheduler import DueCall, Scheduler
from heat.store.monitor_record import FROZEN, MonitorRecord
from heat.store.snapshot import SavedMachine
from heat.store.state_file import StateFile
from states.monitor.effects import Effect
from states.monitor.events import Event
from states.monitor.machine import step
from states.monitor.model import Monitor as Model
from states.monitor.model import State

from .afterlife import LastingWitness
from .choices import Choices
from .chosen import choose_options, ends_of_check, ends_of_script
from .deeds import Violation
from .lives import Fuse, Killed, VirtualFile
from .target import Itself, Kernel, Target
from .world import MOMENT, Child, Launcher

_APART = (0.0, 0.0, 0.15, MOMENT, -MOMENT)
"""Seconds from a moment at which something else is likely to happen."""
_TO_END = 400.0
"""Seconds in which a history must end, once somebody stops it."""


def _nothing(*_what: object, **_named: object) -> None:
    """Write nothing: nobody reads it."""


def _never() -> float:
    return 0.0


_WORDING = {"ending_of", "ending_of_run", "killed", "spelled", "spent"}
"""Methods that make words, or that the witness counts."""


class _Mute(MonitorReport):
    """Writes nothing: the text of a check takes longer than the check."""

    def __init__(self, options: Options, witness: LastingWitness) -> None:
        nowhere = Nowhere()
        super().__init__(options, Reporter(nowhere, nowhere, nowhere, _never, Common()))
        self._witness = witness

    def spent(self, attempts: int, count: int) -> None:
        """Let the witness count the reports."""
        del attempts, count
        self._witness.said_spent()


for _name in dir(MonitorReport):
    if (
        callable(getattr(MonitorReport, _name))
        and not _name.startswith("_")
        and _name not in _WORDING
    ):
        setattr(_Mute, _name, staticmethod(_nothing))


class History:
    """One monitor from its start to its end, or as many ticks as it is given."""

    def __init__(self, choices: Choices, trace: list[str] | None = None) -> None:
        self.choices = choices
        self.time = VirtualTime()
        self.options = choose_options(choices)
        self.witness = LastingWitness(self.options, self.time)
        self.trace = trace
        self.ended = 0
        self.fuse = Fuse(self._dies)
        self._kept = VirtualFile(self.fuse) if choices.pick(5) > 2 else None
        """The state file, where there is one."""
        self.envs: dict[int, Mapping[str, str]] = {}
        """The environments of the scripts, by their process ids."""
        self._launcher = Launcher(self)
        self._outside: list[tuple[float, int, Callable[[], None]]] = []
        """Events that are still to come from outside."""
        self._next: DueCall | None = None
        self._take_options()
        self.kernel = Kernel(self)
        self._target: Target | Itself
        if self.options.pid is None and self.options.pid_file is None:
            self._target = Itself(self, self._own_signal)
        else:
            self._target = Target(self, self.options)
        self.monitor: ResumedMonitor
        self._plan()

    def _take_options(self) -> None:
        self._ends = {
            "check": ends_of_check(self.options),
            "fail": ends_of_script(self.options, fatal=False),
            "recovery": ends_of_script(self.options, fatal=True),
        }

    def _parts(self) -> Setup:
        options = self.options
        file = SilentScripts() if options.fail or options.recovery else None
        return Setup(
            options,
            Command("check", "check", ("check",)),
            Program("fail", "fail", ("fail",), file) if options.fail else None,
            Program("recovery", "recovery", ("recovery",), file) if options.recovery else None,
            self._target,
            file,
        )

    def _plan(self) -> None:
        """Plan events from outside, at moments at which something else is likely to happen."""
        choices, interval = self.choices, self.options.interval
        whats = (self._reload, self._pause, self._ask, self._reset, self._crowd, self._resume)
        whats = (*whats * 3, self._end_target, self._replace_target, self._stop)
        if self._kept is not None:
            whats = (*whats, *(self._kill,) * 6)
        for _ in range(choices.pick(8)):
            when = interval * choices.pick(120) / 2 + choices.of(_APART)
            self._expect(BEGINNING + when, choices.of(whats))
        if choices.pick(8) == 7:
            self._expect(BEGINNING + interval * choices.pick(60) / 4, self._stall)

    def _expect(self, when: float, what: Callable[[], None]) -> None:
        """Expect an event from outside at this moment, whether HEAT lives then or not."""
        insort(self._outside, (when, len(self.choices.taken), what))
        self._await_outside()

    def _expect_kill(self, span: float, among: int) -> None:
        """Kill HEAT, in one of ``among`` cases, while something lasts, to see what it leaves."""
        if self._kept is not None and self.choices.pick(among) == among - 1:
            self._expect(self.time.now() + span * self.choices.pick(3) / 2, self._kill)

    def _await_outside(self) -> None:
        if self._next is not None:
            self._next.cancel()
        if self._outside:
            self._next = self.time.at(self._outside[0][0], self._come, self)

    def _come(self) -> None:
        *_, what = self._outside.pop(0)
        self._next = None
        self._await_outside()
        what()

    def run(self, ticks: int) -> int:
        """Run until it ends, or for this many ticks; return their number. Raises Violation."""
        heat.monitor.pump.step = self._step  # type: ignore[attr-defined]
        try:
            with self.kernel.put():
                return self._run(ticks)
        finally:
            heat.monitor.pump.step = step  # type: ignore[attr-defined]

    def _run(self, ticks: int) -> int:
        begin = self._begin
        while True:
            try:
                begin()
                self._go_on(ticks)
                self._end()
            except Killed:
                begin = self._begin_again
            else:
                return self.witness.ticks

    def _go_on(self, ticks: int) -> None:
        agenda, run_next, look = self.time.agenda, self.time.run_next, self.witness.look
        witness = self.witness
        while witness.ticks < ticks and not self.ended:
            when = agenda.next()
            if when is None:
                raise Violation("nothing is due any more, and it has not ended")
            run_next(when)
            look()
        if not self.ended:
            self.say("stopped after its ticks")
            self.monitor.stop(EXIT_WELL)

    def _end(self) -> None:
        """Nothing may start any more, and all that can end does."""
        end = self.time.elapsed() + _TO_END
        while (when := self.time.next_until(end)) is not None:
            self.time.run_next(when)
        if not self.ended:
            raise Violation(f"it did not end within {_TO_END} s")
        self.witness.at_the_end()
        if self.kernel.stopped():
            raise Violation("the target was left stopped")
        if self.kernel.descriptors:
            raise Violation("descriptors were left open")
        held = None if self._kept is None else self._kept.held.get(FROZEN)
        if held is not None and self.kernel.processes[held.pid].alive:
            raise Violation("a target that goes on is written down as stopped")

    # Lives

    def _begin(self) -> None:
        record = None
        if self._kept is not None:
            record = MonitorRecord(cast("StateFile", self._kept), "simulated")
            if isinstance(self._target, Target):
                self._target.remembered_by(record)
        self._make_monitor(record)
        self.monitor.start(self.time.now())

    def _make_monitor(self, record: MonitorRecord | None) -> None:
        time = self.time
        self._limiter = Limiter(1, (time, time), _nothing, self)
        world = World(time, time, self._launcher, self._limiter)
        self.monitor = ResumedMonitor(
            self._parts(), world, _Mute(self.options, self.witness), self._done, record
        )
        self.witness.monitor = self.monitor

    def _dies(self) -> None:
        """Let HEAT do nothing from here on: what it unwinds has no effect."""
        self.say("HEAT is killed")
        self.monitor.left = True
        if self.monitor.exit_code is None:
            self.monitor.exit_code = EXIT_WELL

    def _begin_again(self) -> None:
        """Start HEAT again after a kill; it goes on where it was."""
        choices, time, file, target = self.choices, self.time, self._kept, self._target
        assert file is not None
        self.witness.killed_with(file, self.kernel.stopped())
        for pid, kind, child in self.witness.left_behind():
            if kind != "check" and isinstance(child, Child):
                orphan = child.orphan(kind, self.envs[pid])
                if orphan is not None:
                    self.witness.orphans()[pid] = orphan
        time.agenda = Scheduler()
        time.at = time.agenda.add
        self._next = None
        time.stall(choices.of((0.0, 1.0, 2.5 * self.options.interval, 10 * self.options.interval)))
        if isinstance(target, Target) and choices.pick(16) == 15:
            self.say("the target ended without HEAT")
            target.end_unseen()
        if choices.pick(4) == 3:
            self.options = choose_options(choices, self.options)
            self.say(f"other options: {self.options}")
            self._take_options()
        self.fuse.dead = False
        self.kernel.descriptors.clear()
        self.fuse.left = choices.of((0, 0, 0, 1, 2, 3, 4, 5, 6, 8))
        record = MonitorRecord(cast("StateFile", file), "simulated")
        saved = record.restore(file.saved())
        self.say(f"HEAT is started again, and finds {saved}, {record.held}, {record.pause}")
        self.witness.restarting(saved, record.pause, self.options)
        if isinstance(target, Target):
            if target.ended and self.options.pid is not None:
                self.say("there is no target")
                self.ended += 1
                return
            target.remembered_by(record)
        self._take_up(record, saved)

    def _take_up(self, record: MonitorRecord, saved: SavedMachine | None) -> None:
        """Resume as the supervisor does."""
        time, choices = self.time, self.choices
        waits = any(
            orphan.kind == "fail" and orphan.over > time.now()
            for orphan in self.witness.orphans().values()
        )
        if saved is not None and saved.snapshot.given_up and choices.pick(2) and not waits:
            changed = Changed(State.ERROR, State.NORMAL, time.unix(), 0, RESET)
            # tests/store/test_state_file.py has a reset while a fail script runs.
            record.reset(changed, time.unix(), fail_runs=False)
            self.witness.begin_again()
            saved = None
        first = time.now() + self.options.interval * choices.pick(3) / 2
        self.witness.begins(first)
        self._make_monitor(record)
        if saved is not None and saved.snapshot.given_up:
            self.monitor.go_on(saved, first)
            self.ended += 1
            return
        self._await_outside()
        self.monitor.go_on(saved, first)
        self.witness.gone_on()

    # The machine, and the oracle

    def _step(self, model: Model, event: Event) -> list[Effect]:
        if self.fuse.left > 0:
            self.witness.remember()
        effects = step(model, event)
        if self.trace is not None:
            self.say(f"{_shown(event)} -> {model.state.value} {[*map(_shown, effects)]}")
        self.witness.stepped(event, effects, model)
        return effects

    def say(self, text: str) -> None:
        """Add a line to the trace."""
        if self.trace is not None:
            self.trace.append(f"{self.time.elapsed():>10.3f} s  {text}")

    # What the world does

    def ends(self, program: Program) -> Ends:
        """Choose the end of a program that starts now."""
        ends = self.choices.of(self._ends[program.path])
        if program.path != "check" and ends.after != 0.0:
            self._expect_kill(ends.after or self.options.interval, 6)
        if self.trace is not None:
            odd = {k: v for k, v in ends._asdict().items() if v != Ends._field_defaults[k]}
            self.say(f"{program.path} is started, and goes like this: {odd or 'well'}")
        return ends

    def _reload(self) -> None:
        if self.monitor.left:
            return
        before = self.options
        self.options = choose_options(self.choices, before)
        self.say(f"other options: {self.options}")
        self._take_options()
        first = self.time.now() + self.options.interval * self.choices.pick(3) / 2
        self.witness.reloading(self.options, first)
        self.monitor.adopt(self._parts(), first)

    def _pause(self) -> None:
        if self.monitor.exit_code is not None:
            return
        interval, choices = self.options.interval, self.choices
        span = choices.of((None, 0.1, 0.5 * interval, interval, 2.5 * interval, 10 * interval))
        self.say(f"a pause of {span} s")
        if span is None:
            span_by_hand = interval * choices.pick(20) / 2 + choices.of(_APART)
            self._expect(self.time.now() + span_by_hand, self._resume)
        self._expect_kill(span or self.options.interval, 4)
        until = None if span is None else self.time.unix() + span
        self.witness.pausing(None if span is None else self.time.now() + span)
        self.monitor.pause(until, "")
        self.witness.settled()

    def _resume(self) -> None:
        if self.monitor.paused is not None and self.monitor.exit_code is None:
            self.say("resumed by hand")
            self.witness.resuming()
            self.monitor.resume()
            self.witness.settled()

    def _ask(self) -> None:
        if self.monitor.exit_code is None:
            self.say("somebody asks for a check")
            self.monitor.ask()

    def _reset(self) -> None:
        if self.monitor.exit_code is None:
            self.say("somebody asks for a reset")
            self.monitor.reset()

    def _crowd(self) -> None:
        """Let another monitor's check take the only turn, or wait for it."""
        span = self.options.interval * (1 + self.choices.pick(9)) / 2 + self.choices.of(_APART)
        limiter = self._limiter

        def begins() -> None:
            self.say(f"another monitor's check has the turn, for {span} s")
            self.time.at(self.time.now() + span, limiter.release, self)

        limiter.acquire(begins, self)

    def _kill(self) -> None:
        """Kill HEAT now, or in the middle of what it does next."""
        if not self.ended:
            moment = self.choices.of((0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 7, 9))
            if not moment:
                self.fuse.kill()
            self.fuse.left = moment

    def _end_target(self) -> None:
        if isinstance(self._target, Target) and not self._target.ended:
            self.say("the target ends")
            self._target.end()

    def _replace_target(self) -> None:
        if isinstance(self._target, Target):
            self.say("another process takes the target's place in the file")
            self._target.replace()

    def target_gone(self, reason: str) -> None:
        """Tell the monitor as the loop does: at the end of the turn."""
        self.time.at(self.time.now(), lambda: self.monitor.target_gone(reason), self)

    def _own_signal(self, signum: int) -> None:
        self.say(f"HEAT has sent itself signal {signum}")
        if not self.monitor.left:
            self.monitor.give_in(EXIT_ERROR)

    def _stop(self) -> None:
        if not self.monitor.left:
            at_once = self.choices.pick(3) == 2
            self.say(f"stopped by hand{', at once' if at_once else ''}")
            self.monitor.stop(EXIT_WELL, at_once=at_once)

    def _stall(self) -> None:
        span = self.options.interval * (1 + self.choices.pick(9)) / 2
        self.say(f"HEAT stands still for {span} s")
        self.witness.stalled()
        self.time.stall(span)

    def _done(self, monitor: Monitor) -> None:
        self.say(f"it has ended, exit code {monitor.exit_code}")
        self.ended += 1
        if self.ended > 1:
            raise Violation("it ended twice")

    def crashed(self, error: Exception) -> None:
        """Raise an error that does not belong to a monitor."""
        raise error


def _shown(value: object) -> str:
    return repr(value).replace("signal=", "").replace("failure=", "")


def run(choices: Choices, ticks: int) -> int:
    """Run one history; return its number of ticks. Raises Violation."""
    return History(choices).run(ticks)


def trace_of(record: Sequence[int], ticks: int) -> list[str]:
    """Return what happens in a history, line by line, up to a violation."""
    trace: list[str] = []
    history = History(Choices(record=record), trace)
    trace.insert(0, str(history.options))
    try:
        history.run(ticks)
    except Violation as violation:
        trace.append(f"VIOLATION: {violation}")
    except Exception as error:  # noqa: BLE001 - any error is a find
        trace.append(f"{type(error).__name__}: {error}")
    return trace
