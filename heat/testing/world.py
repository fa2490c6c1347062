"""A world in which one monitor runs on a virtual clock: hours pass in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from heat.config.durations import duration
from heat.process.executable import on_path
from heat.process.program import Program, SilentScripts
from heat.rehearsal.render_text import entry_lines
from heat.rehearsal.stage import CHECK, FAIL, RECOVERY, Stage
from heat.rehearsal.target import SimulatedTarget
from heat.testing.options import choose
from heat.testing.programs import ProgramDouble

if TYPE_CHECKING:
    from heat.config.options import Options
    from heat.rehearsal.programs import Ends
    from heat.rehearsal.timeline import Entry
    from states.monitor.model import State


class Signal(NamedTuple):
    """A signal that HEAT sent to the target."""

    at: float
    """The second, counted from the start of the world."""
    name: str
    """``USR1``, for example."""
    option: str
    """The option that asked for it; empty for the CONT that HEAT owed a stopped target."""


class World:
    """One monitor of HEAT, with a virtual clock, doubles of its programs, and a virtual target.

    ``words`` is a command line of heat, without the word ``heat``. With ``--config FILE``,
    ``monitor`` names one of the file. The monitor and its machine are those of a running HEAT;
    no file has to exist, and nothing is sent to a real process. Raises CommandError.
    """

    def __init__(self, words: str | Sequence[str], monitor: str | None = None) -> None:
        options, named, others = choose(words, monitor)
        self.check = ProgramDouble(_check(options), "COMMAND")
        self.fail = ProgramDouble(_script(options.fail), "--fail")
        self.recovery = ProgramDouble(_script(options.recovery), "--recovery")
        self._programs = {CHECK: self.check, FAIL: self.fail, RECOVERY: self.recovery}
        self._stage = Stage(options, self._ends, named=named, others=others)
        self._end = 0.0

    def _ends(self, program: Program) -> Ends:
        return self._programs[program.path].start(program, self._stage.time.elapsed())

    def run(self, span: float | str) -> None:
        """Let time pass: seconds, or a duration such as '10m'. Raises ValueError.

        What happens is printed, which pytest shows when the test fails.
        """
        before = len(self.events)
        self._end += duration(span) if isinstance(span, str) else span
        self._stage.run_until(self._end)
        for line in entry_lines(self.events[before:]):
            print(line)

    @property
    def now(self) -> float:
        """The seconds that have passed."""
        return self._end

    @property
    def state(self) -> State:
        """NORMAL, FAILING, RECOVERING or ERROR; equal to these words."""
        return self._stage.monitor.model.state

    @property
    def exit_code(self) -> int | None:
        """The exit status of HEAT; None as long as it runs."""
        return self._stage.exit_code if self._stage.over else None

    @property
    def events(self) -> Sequence[Entry]:
        """All events up to now, as `heatctl rehearse --json` has them."""
        return tuple(self._stage.timeline.entries)

    @property
    def signals(self) -> list[Signal]:
        """All signals up to now."""
        return [
            Signal(event.at, str(event.about["signal"]), str(event.about["option"]))
            for event in self.events
            if event.kind == "signal" and "signal" in event.about
        ]

    @property
    def lines(self) -> list[str]:
        """All events up to now in words, as `heatctl rehearse` prints them."""
        return list(entry_lines(self.events))

    def end_target(self) -> None:
        """End the process of --pid now. Raises ValueError if there is none."""
        target = self._stage.target
        if not isinstance(target, SimulatedTarget):
            raise ValueError("the options name no target: add --pid")  # noqa: TRY004
        target.end()


def _check(options: Options) -> Program:
    name = options.check[0]
    return Program(name, name if options.is_script else on_path(name) or name, options.check)


def _script(path: str | None) -> Program | None:
    return None if path is None else Program(path, path, (path,), SilentScripts())
