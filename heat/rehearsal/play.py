"""A rehearsal: the real watch and the real table in a simulated world, from start to end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from heat.checks.command import Command
from heat.config.options import Options
from heat.monitor.exit_codes import EXIT_ERROR
from heat.monitor.monitor import Monitor
from heat.monitor.setup import Setup, World
from heat.process import signals
from heat.process.program import NO_ENV, Program, SilentScripts
from heat.rehearsal.results import MOST, Plot
from heat.rehearsal.timeline import Entry, Timeline
from heat.rehearsal.world import (
    Ends,
    HeatItself,
    SimulatedLauncher,
    SimulatedTarget,
    VirtualTime,
)
from heat.runtime.limiter import Crowd, Limiter
from heat.text import escaped
from states.monitor.events import Tick
from states.monitor.model import State
from states.monitor.outlook import refusal
from states.monitor.questions import stands, well

_MOST_STEPS = 50_000
"""Where a script takes for ever, so does the skipping of ticks."""
_TICK = Tick()
_HANGS = Ends(after=None)
_PID_OF_FILE = 1001


class Played(NamedTuple):
    """The outcome of a rehearsal."""

    options: Options
    entries: tuple[Entry, ...]
    end: float
    """Seconds from the start until it was over."""
    state: State
    stands: str
    """The same, with what more there is to say of it."""
    well: bool
    outage_at: float | None
    """When the outage began that was not over at the end; None if there was none."""
    skipped: int
    """Ticks that started no check."""
    exit_code: int | None
    """The exit status that HEAT would have had; None if it would have gone on."""


def play(options: Options, plot: Plot, *, named: bool = False, others: bool = False) -> Played:
    """Rehearse; ``named`` if the options are from a file, and are told of as its keys.

    ``others`` if HEAT has more monitors, and does not end with this one.
    """
    return _Play(options, plot, named=named, others=others).run()


class _Play:
    def __init__(self, options: Options, plot: Plot, *, named: bool, others: bool) -> None:
        self._plot = plot
        self._others = others
        self._results = iter(plot.results)
        self._last: Ends | None = None
        self._over = False
        self._checks = self._recoveries = self._steps = 0
        self._time = VirtualTime()
        self._launcher = SimulatedLauncher(self._time, self._ends)
        self._timeline = Timeline(options, self._time, self._env, named=named)
        world = World(
            self._time,
            self._time,
            self._launcher,
            Limiter(1, (self._time, self._time), self._crowded, self),
        )
        self._monitor = Monitor(self._parts(options), world, self._timeline, self._left)

    def _parts(self, options: Options) -> Setup:
        file = SilentScripts()
        target: SimulatedTarget | HeatItself
        if options.pid is not None:
            target = SimulatedTarget(options.pid, self._target_gone)
        elif options.pid_file is not None:
            target = SimulatedTarget(_PID_OF_FILE)
        else:
            target = HeatItself(self._time, self._own_signal, self)
        return Setup(
            options,
            Command(options.shown, "check", options.check),
            _script("fail", options.fail, file),
            _script("recovery", options.recovery, file),
            target,
            file,
        )

    def run(self) -> Played:
        """Go from one due time to the next, until it is over."""
        until = float("inf") if self._plot.until is None else self._plot.until
        self._monitor.start(self._time.now())
        while (when := self._time.next_until(until)) is not None:
            if self._over and when > self._time.now():
                break
            if self._steps >= _MOST_STEPS:
                self._timeline.add("news", f"the rehearsal ends here: after {_MOST_STEPS} steps")
                break
            self._steps += 1
            self._do(when)
        model = self._monitor.model
        cut = self._over or self._steps >= _MOST_STEPS
        end = self._time.elapsed() if cut or self._plot.until is None else until
        return Played(
            self._monitor.setup.options,
            tuple(self._timeline.entries),
            end,
            model.state,
            stands(model),
            well(model),
            None if model.first_failure is None else model.outage_at,
            model.skipped,
            None if self._others else self._monitor.exit_code,
        )

    def _do(self, when: float) -> None:
        """Do what is due next, and look at what no journal is told of."""
        model = self._monitor.model
        skipped = model.skipped
        self._time.run_next(when)
        if model.skipped > skipped and not self._over:
            self._timeline.skipped(refusal(model, _TICK))

    # What the programs do

    def _ends(self, program: Program) -> Ends:
        if program.path == "check":
            return self._check()
        if program.path == "fail":
            return self._plot.fail
        self._recoveries += 1
        return self._plot.recovery

    def _check(self) -> Ends:
        self._checks += 1
        plot = self._plot
        endless = plot.until is not None
        if self._checks > MOST:
            self._timeline.add("news", f"the rehearsal ends here: after {MOST} checks")
        elif plot.works_after is not None and self._recoveries >= plot.works_after:
            if endless or self._monitor.model.count:
                return Ends()
        elif (ends := next(self._results, None)) is not None:
            self._last = ends
            return ends
        elif self._last is not None and (
            endless or (plot.works_after is not None and self._last != Ends())
        ):
            return self._last
        self._over = True
        return _HANGS

    def _env(self) -> Mapping[str, str]:
        last = self._launcher.last
        return NO_ENV if last is None else last.env

    # What the world tells

    def _target_gone(self, reason: str) -> None:
        tell = partial(self._monitor.target_gone, reason)
        self._time.at(self._time.now(), tell, self._monitor)

    def _own_signal(self, signum: int) -> None:
        sent = f"SIG{signals.name(signum)} sent by HEAT to itself"
        self._timeline.ending(f"{sent}, exit code {EXIT_ERROR}, stopping")
        self._others = False  # All of HEAT ends.
        self._monitor.give_in(EXIT_ERROR)

    def _left(self, monitor: Monitor) -> None:
        self._over = True
        name, code = escaped(monitor.setup.options.name), monitor.exit_code
        text = f"HEAT ends, exit status {code}"
        if self._others:
            text, code = f"no more checks of {name}: HEAT goes on with the others", None
        self._timeline.add("end", text, code=code)

    def _crowded(self, crowd: Crowd) -> None:
        raise AssertionError(crowd)

    def crashed(self, error: Exception) -> None:
        """Nothing that would have to be survived."""
        raise error


def _script(kind: str, path: str | None, file: SilentScripts) -> Program | None:
    return None if path is None else Program(escaped(path), kind, (path,), file)
