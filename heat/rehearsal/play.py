"""A rehearsal: a plot is played on a stage, from the start to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from heat.rehearsal.programs import Ends
from heat.rehearsal.results import MOST
from heat.rehearsal.stage import CHECK, FAIL, Stage
from states.monitor.questions import stands, well

if TYPE_CHECKING:
    from heat.config.options import Options
    from heat.process.program import Program
    from heat.rehearsal.results import Plot
    from heat.rehearsal.timeline import Entry
    from states.monitor.model import State

_MOST_STEPS = 50_000
"""A limit, as ticks that are skipped while a script hangs could go on for ever."""
_HANGS = Ends(after=None)


class Played(NamedTuple):
    """The outcome of a rehearsal."""

    options: Options
    entries: tuple[Entry, ...]
    end: float
    """Seconds from the start until it was over."""
    state: State
    stands: str
    """The state, with what more there is to say of it."""
    well: bool
    outage_at: float | None
    """The start of the outage that was not over at the end; None if there was none."""
    skipped: int
    """Ticks that started no check."""
    exit_code: int | None
    """The exit status of HEAT; None if it would go on."""


def play(options: Options, plot: Plot, *, named: bool = False, others: bool = False) -> Played:
    """Rehearse options; ``named`` if they are the keys of a file, ``others`` as in `Stage`."""
    return _Play(options, plot, named=named, others=others).run()


class _Play:
    def __init__(self, options: Options, plot: Plot, *, named: bool, others: bool) -> None:
        self._plot = plot
        self._results = iter(plot.results)
        self._last: Ends | None = None
        self._checks = self._recoveries = self._steps = 0
        self._stage = Stage(options, self._ends, named=named, others=others)

    def run(self) -> Played:
        """Go from one due time to the next, until it is over."""
        until = float("inf") if self._plot.until is None else self._plot.until
        stage, time = self._stage, self._stage.time
        while (when := time.next_until(until)) is not None:
            if stage.over and when > time.now():
                break
            if self._steps >= _MOST_STEPS:
                self._end_early(f"{_MOST_STEPS} steps")
                break
            self._steps += 1
            stage.step(when)
        cut = stage.over or self._steps >= _MOST_STEPS
        return self._played(time.elapsed() if cut or self._plot.until is None else until)

    def _played(self, end: float) -> Played:
        stage, model = self._stage, self._stage.monitor.model
        return Played(
            stage.monitor.setup.options,
            tuple(stage.timeline.entries),
            end,
            model.state,
            stands(model),
            well(model),
            None if model.first_failure is None else model.outage_at,
            model.skipped,
            stage.exit_code,
        )

    def _end_early(self, limit: str) -> None:
        self._stage.timeline.add("news", f"the rehearsal ends here: after {limit}")

    # What the programs do

    def _ends(self, program: Program) -> Ends:
        if program.path == CHECK:
            return self._check()
        if program.path == FAIL:
            return self._plot.fail
        self._recoveries += 1
        return self._plot.recovery

    def _check(self) -> Ends:
        self._checks += 1
        plot = self._plot
        endless = plot.until is not None
        if self._checks > MOST:
            self._end_early(f"{MOST} checks")
        elif plot.works_after is not None and self._recoveries >= plot.works_after:
            if endless or self._stage.monitor.model.count:
                return Ends()
        elif (ends := next(self._results, None)) is not None:
            self._last = ends
            return ends
        elif self._last is not None and (
            endless or (plot.works_after is not None and self._last != Ends())
        ):
            return self._last
        self._stage.over = True
        return _HANGS
