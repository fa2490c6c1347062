"""One monitor of production on a virtual clock, and the timeline of what it does.

A stage hands the monitor a clock, programs and a target that are simulated; the monitor and its
machine are the real ones. Nothing sleeps, and nothing is started, signalled or written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from heat.checks.command import Command
from heat.monitor.exit_codes import EXIT_ERROR
from heat.monitor.monitor import Monitor
from heat.monitor.setup import Setup, World
from heat.process import signals
from heat.process.program import NO_ENV, Program, SilentScripts
from heat.rehearsal.clock import VirtualTime
from heat.rehearsal.programs import Ends, SimulatedLauncher
from heat.rehearsal.target import HeatItself, SimulatedTarget
from heat.rehearsal.timeline import Timeline
from heat.runtime.limiter import Crowd, Limiter
from heat.text import escaped
from states.monitor.events import Tick
from states.monitor.outlook import refusal

if TYPE_CHECKING:
    from heat.config.options import Options

CHECK, FAIL, RECOVERY = "check", "fail", "recovery"
"""The kinds of programs: the paths that a stage has instead of real ones."""
_TICK = Tick()
_PID_OF_FILE = 1001


class Stage:
    """A monitor that runs as far as `step` or `run_until` take it.

    ``ends`` says how a program goes that the monitor starts. ``others`` if HEAT has more monitors,
    and does not end with this one; ``named`` if the options are keys of a file.
    """

    def __init__(
        self,
        options: Options,
        ends: Callable[[Program], Ends],
        *,
        named: bool = False,
        others: bool = False,
    ) -> None:
        self.others = others
        self.over = False
        """HEAT has ended, or checks this no more."""
        self.time = VirtualTime()
        self.target = self._target(options)
        self._launcher = SimulatedLauncher(self.time, ends)
        self.timeline = Timeline(options, self.time, self._env, named=named)
        limiter = Limiter(1, (self.time, self.time), self._crowded, self)
        world = World(self.time, self.time, self._launcher, limiter)
        self.monitor = Monitor(self._setup(options), world, self.timeline, self._left)
        self.monitor.start(self.time.now())

    def _target(self, options: Options) -> SimulatedTarget | HeatItself:
        if options.pid is not None:
            return SimulatedTarget(options.pid, self._target_gone)
        if options.pid_file is not None:
            return SimulatedTarget(_PID_OF_FILE)
        return HeatItself(self.time, self._own_signal, self)

    def _setup(self, options: Options) -> Setup:
        file = SilentScripts()
        return Setup(
            options,
            Command(options.shown, CHECK, options.check),
            _script(FAIL, options.fail, file),
            _script(RECOVERY, options.recovery, file),
            self.target,
            file,
        )

    @property
    def exit_code(self) -> int | None:
        """The exit status of HEAT; None if it goes on."""
        return None if self.others else self.monitor.exit_code

    def step(self, when: float) -> None:
        """Make the next call; add a skipped tick, which no report mentions, to the timeline."""
        model = self.monitor.model
        skipped = model.skipped
        self.time.run_next(when)
        if model.skipped > skipped and not self.over:
            self.timeline.skipped(refusal(model, _TICK))

    def run_until(self, end: float) -> None:
        """Run up to ``end`` seconds after the start, or until it is over."""
        while not self.over and (when := self.time.next_until(end)) is not None:
            self.step(when)
        self.time.pass_until(end)

    def _env(self) -> Mapping[str, str]:
        last = self._launcher.last
        return NO_ENV if last is None else last.env

    # What the monitor and its target report

    def _target_gone(self, reason: str) -> None:
        report = partial(self.monitor.target_gone, reason)
        self.time.at(self.time.now(), report, self.monitor)

    def _own_signal(self, signum: int) -> None:
        sent = f"SIG{signals.name(signum)} sent by HEAT to itself"
        self.timeline.ending(f"{sent}, exit code {EXIT_ERROR}, stopping")
        self.others = False  # All of HEAT ends.
        self.monitor.give_in(EXIT_ERROR)

    def _left(self, monitor: Monitor) -> None:
        self.over = True
        name, code = escaped(monitor.setup.options.name), monitor.exit_code
        text = f"HEAT ends, exit status {code}"
        if self.others:
            text, code = f"no more checks of {name}: HEAT goes on with the others", None
        self.timeline.add("end", text, code=code)

    def _crowded(self, crowd: Crowd) -> None:
        raise AssertionError(crowd)

    def crashed(self, error: Exception) -> None:
        """Raise an error of a callback: nobody has to survive it."""
        raise error


def _script(kind: str, path: str | None, file: SilentScripts) -> Program | None:
    return None if path is None else Program(escaped(path), kind, (path,), file)
