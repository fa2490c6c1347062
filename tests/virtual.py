"""A monitor, or several, in the simulated world of a rehearsal; what happened is remembered."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from heat.checks.command import Command
from heat.config.options import Common, Options, build, common
from heat.control import views
from heat.errors import GONE, StartError, TargetError
from heat.monitor.resume import ResumedMonitor
from heat.monitor.setup import Setup, World
from heat.process.identity import Held
from heat.process.program import Program, SilentScripts, Status
from heat.rehearsal.clock import VirtualTime
from heat.rehearsal.programs import Ends, SimulatedChild
from heat.report.monitor_report import MonitorReport
from heat.report.reporter import Reporter
from heat.runtime.limiter import Crowd, Limiter
from heat.runtime.ports import Owner
from heat.store.snapshot import SavedMachine, decode, encode
from states.monitor.snapshot import save

UNIX = 1_671_306_479
"""The unix second in which each virtual world begins."""


class VirtualChild(SimulatedChild):
    """A child that insists on calls which a real one could answer."""

    def __init__(
        self, world: "VirtualWorld", pid: int, ends: Ends, exited: Callable[[], None]
    ) -> None:
        self._world = world
        self._reaped = False
        world.living.append(pid)
        super().__init__(world.time, pid, ends, exited, world)

    def signal_group(self, signum: int) -> None:
        assert not self._reaped, "a reaped process is signalled"
        super().signal_group(signum)

    def status(self) -> Status:
        assert self.exited(), "asked before it exited"
        assert not self._reaped, "asked when it was reaped"
        return super().status()

    def reap(self) -> None:
        assert self.exited(), "reaped before it exited"
        assert not self._reaped, "reaped twice"
        self._reaped = True
        self._world.living.remove(self.pid)


class VirtualWorld:
    """One monitor with all it needs; ``events`` lists what it did, with the time of each.

    Each run consumes one of ``checks``, ``fails`` or ``recoveries``; the last one stays. With
    ``killed`` it goes on where HEAT was killed in that world just after a script began, which
    ends after ten seconds more. It was ``away`` for this long by the wall clock; None: the ends
    by that clock were not written down.
    """

    def __init__(  # noqa: PLR0913 - all by name
        self,
        *words: str,
        checks: Iterable[Ends] = (Ends(),),
        fails: Iterable[Ends] = (Ends(),),
        recoveries: Iterable[Ends] = (Ends(),),
        after: float = 0.0,
        fleet: "VirtualFleet | None" = None,
        killed: "VirtualWorld | None" = None,
        away: float | None = 0.0,
    ) -> None:
        self.time = VirtualTime(UNIX) if fleet is None else fleet.time
        self.options, whole = given_as(*words)
        self.events: list[tuple[float, str]] = []
        self.programs: list[Program] = []
        self.printed: list[str] = []
        self.records: dict[str, str] = {"heat.log": "", "heat.verbose.log": ""}
        self.target_error: TargetError | None = None
        self.done = False
        self._supervisor = fleet
        self.living: list[int] = []
        """Started and not reaped yet."""
        self._pid = 47000
        self._ends = {"check": deque(checks), "fail": deque(fails), "recovery": deque(recoveries)}
        logs = _Log(self, "heat.log"), _Log(self, "heat.verbose.log")
        reporter = Reporter(self, *logs, self.time.unix, whole)
        self.journal = MonitorReport(self.options, reporter)
        self.crowds: list[Crowd] = []
        limiter = Limiter(1, (self.time, self.time), self.crowds.append, self)
        if fleet is not None:
            limiter = fleet.limiter
        world = World(self.time, self.time, self, limiter)
        self.monitor = ResumedMonitor(self.setup(self.options), world, self.journal, self._finish)
        self._orphan = None if killed is None else killed.programs[-1]
        if killed is None:
            self.monitor.start(self.time.now() + after)
        else:
            memory = save(killed.monitor.model)
            began = None if memory.well else self.time.unix()
            until = None
            if memory.backoff is not None and away is not None:
                until = self.time.unix() + memory.backoff - away
            machine = SavedMachine(memory, killed.monitor.changed, began, until)
            saved = decode(encode(machine))
            self.monitor.go_on(saved, self.time.now() + after)

    def setup(self, options: Options) -> Setup:
        file = SilentScripts()
        return Setup(
            options,
            Command("check", "check", ("check",)),
            Program("fail", "fail", ("fail",), file) if options.fail else None,
            Program("recovery", "recovery", ("recovery",), file) if options.recovery else None,
            self,
            file,
        )

    def crashed(self, error: Exception) -> None:
        raise error

    def _finish(self, _watch: object) -> None:
        self.note("done")
        self.done = True

    def note(self, what: str) -> None:
        self.events.append((self.time.elapsed(), what))

    def run_until(self, end: float) -> "VirtualWorld":
        self.time.run_until(end)
        return self

    def checks_give(self, ends: Ends) -> None:
        """Let all checks from now on end like this."""
        self._ends["check"] = deque([ends])

    def times(self, what: str) -> list[float]:
        """Return the moments at which this happened."""
        return [when for when, it in self.events if it == what]

    # The launcher

    age = 0.0

    def take_up(self, held: Held) -> "_Orphanage":
        return _Orphanage(self, held.pid)

    def find(self, environment: Mapping[str, str]) -> Held | None:
        orphan = self._orphan
        same = orphan is not None and environment.items() <= orphan.env.items()
        return Held(46999, "from before") if same else None

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> VirtualChild:
        del owner
        if self._supervisor is not None and program.shown == "check":
            self._supervisor.tried.append(self._supervisor.worlds.index(self))
            assert not self.living, "two checks at once"
        queue = self._ends[program.shown]
        ends = queue.popleft() if len(queue) > 1 else queue[0]
        if ends.error:
            raise StartError(ends.error, passing=ends.passing, code=ends.code or GONE)
        self._pid += 1
        self.note(program.shown)
        self.programs.append(program)
        return VirtualChild(self, self._pid, ends, exited)

    # The target

    def send(self, signum: int) -> int:
        if self.target_error is not None:
            raise self.target_error
        self.note(signal.Signals(signum).name.removeprefix("SIG"))
        return 42

    def owes(self) -> int | None:
        return None

    def wake(self) -> int | None:
        return None

    # The printer

    def result(self, text: str, colour: str = "", at: int | None = None) -> None:
        del colour
        self.printed.append(text if at is None else f"{at}: {text}")

    def news(self, text: str, colour: str = "") -> None:
        del colour
        self.printed.append(f"({text})")

    def trouble(self, text: str) -> None:
        self.news(f"heat: {text}")


class _Orphanage:
    """Has a script that an earlier HEAT started."""

    age = 0.0

    def __init__(self, world: VirtualWorld, pid: int) -> None:
        self._world = world
        self._pid = pid

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> VirtualChild:
        del program, owner
        self._world.note("waits")
        return VirtualChild(self._world, self._pid, Ends(after=10, lost=True), exited)


class _SeenSlots(Limiter):
    """Remembers who came for a slot, and when."""

    def __init__(self, most: int, time: VirtualTime, crowds: list[Crowd], owner: Owner) -> None:
        super().__init__(most, (time, time), crowds.append, owner)
        self._time = time
        self.acquired: list[tuple[float, Owner]] = []

    def acquire(self, start: Callable[[], None], owner: Owner) -> None:
        self.acquired.append((self._time.elapsed(), owner))
        super().acquire(start, owner)


class VirtualFleet:
    """Several monitors on one clock, with at most ``most`` checks at once."""

    def __init__(self, most: int) -> None:
        self.time = VirtualTime(UNIX)
        self.crowds: list[Crowd] = []
        self.limiter = _SeenSlots(most, self.time, self.crowds, self)
        self.worlds: list[VirtualWorld] = []
        self.tried: list[int] = []
        """The number of each monitor whose check started, or could not."""

    def add(self, *words: str, checks: Iterable[Ends], after: float = 0.0) -> VirtualWorld:
        """Add a monitor whose first check is ``after`` seconds from now."""
        world = VirtualWorld(*words, checks=checks, after=after, fleet=self)
        self.worlds.append(world)
        return world

    def crashed(self, error: Exception) -> None:
        raise error

    def running(self) -> int:
        """Count the checks that run, or are dying."""
        return sum(len(world.living) for world in self.worlds)


class _Log:
    def __init__(self, world: VirtualWorld, path: str) -> None:
        self._world = world
        self.shown = path

    def write(self, record: str) -> None:
        self._world.records[self.shown] += record


def why_of(world: VirtualWorld) -> Any:
    """Return everything that the screen of heatctl why shows."""
    return views.why(world.monitor, world.time.unix())


def options(*words: str) -> Options:
    """Return the options of one monitor, from words as `given_as` takes them."""
    return given_as(*words)[0]


def given_as(*words: str) -> tuple[Options, Common]:
    """Return options of words like ``--name=value`` or a flag; the check is ``check``."""
    values: dict[str, str] = {"--interval": "10"}
    flags: set[str] = set()
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            values[name] = value
        else:
            flags.add(name)
    built, diagnostics = build(values, ["check"])
    assert built is not None, [str(diagnostic) for diagnostic in diagnostics]
    return built, common(values, flags)
