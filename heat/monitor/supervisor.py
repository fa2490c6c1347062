"""The supervisor: the monitors of one HEAT, which it adds, changes and removes as they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from heat.config.options import Options
from heat.config.preflight_warnings import present_target, warnings_of
from heat.monitor.exit_codes import EXIT_ERROR, EXIT_NOT_WELL, EXIT_WELL
from heat.monitor.make_setups import SetupMaker, release
from heat.monitor.monitor import Monitor
from heat.monitor.setup import Setup, World
from heat.process.target import PidFileTarget, PidTarget
from heat.records import Changed, reset
from heat.report.monitor_report import MonitorReport
from heat.report.reporter import Reporter
from heat.runtime.closing import Step, take_each
from heat.runtime.loop import Loop
from heat.runtime.scheduler import phase

if TYPE_CHECKING:
    from heat.process.ports import Target
    from heat.store.monitor_record import MonitorRecord
    from heat.store.repository import Repository, Restored
    from heat.store.snapshot import SavedMachine


class Supervisor:
    """Starts monitors, and calls ``ended`` when all have ended and nothing of them is left.

    ``monitors`` is empty at first; others may look at it.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a HEAT
        self,
        monitors: dict[str, Monitor],
        loop: Loop,
        world: World,
        reporter: Reporter,
        setups: SetupMaker,
        ended: Callable[[], None],
    ) -> None:
        self.monitors = monitors
        self._loop = loop
        self._world = world
        self._reporter = reporter
        self._setups = setups
        self._ended = ended
        self._repository: Repository | None = None
        self._began = world.clock.now()
        self._active = 0
        self._leaving: dict[str, Monitor] = {}
        """Removed monitors that still have something running."""
        self._awaited: dict[str, Setup] = {}
        """Monitors that take the place of one that leaves, once it has left."""
        self._reset: dict[str, Changed] = {}
        """The change to NORMAL of those that begin again because somebody reset them."""
        self._stopped: int | None = None
        """The exit status of HEAT, once somebody stops it."""
        self.stopping = False
        """Somebody stops HEAT; a second stop does not wait."""
        self._monitor_done = self._done
        """One bound method for all."""

    def begin(
        self,
        monitors: Iterable[Options],
        repository: Repository | None = None,
        config: str | None = None,
    ) -> None:
        """Watch these monitors, from where an earlier HEAT left them in the repository.

        Raises HeatError or OSError before it watches any of them.
        """
        self._repository = repository
        setups = self._setups.make(monitors)
        restored: Sequence[Restored | tuple[None, None]] = [(None, None)] * len(setups)
        if repository is not None:
            restored = repository.begin([setup.options.name for setup in setups], config)
            repository.keep(self._records)
        for setup, (record, saved) in zip(setups, restored, strict=True):
            self._add(setup, record, saved)

    def _records(self) -> Iterator[MonitorRecord]:
        for monitor in self.monitors.values():
            if monitor.record is not None:
                yield monitor.record

    def _add(
        self, setup: Setup, record: MonitorRecord | None, saved: SavedMachine | None = None
    ) -> None:
        report = MonitorReport(setup.options, self._reporter)
        first = self._first(setup.options)
        changed = self._reset.pop(setup.options.name, None)
        if record is None:
            monitor = Monitor(setup, self._world, report, self._monitor_done)
            monitor.changed = changed
            self._register(monitor)
            monitor.start(first)
            return
        from heat.monitor.resume import ResumedMonitor

        resumed = ResumedMonitor(setup, self._world, report, self._monitor_done, record)
        self._track_frozen(setup.target, record)
        given_up = saved is not None and saved.snapshot.given_up
        self._register(resumed, active=not given_up)
        resumed.changed = changed
        resumed.go_on(saved, first)

    def _register(self, monitor: Monitor, *, active: bool = True) -> None:
        self.monitors[monitor.setup.options.name] = monitor
        self._watch_target(monitor)
        if active:
            self._active += 1
            self._reporter.moved()
            self._warn(monitor)

    def _new_record(self, name: str) -> MonitorRecord | None:
        return None if self._repository is None else self._repository.new(name)

    def _track_frozen(self, target: Target, record: MonitorRecord | None) -> None:
        if record is not None:
            from heat.store.repository import track_frozen

            track_frozen(target, record)

    def _first(self, options: Options) -> float:
        """Return a monitor's next tick: those of many are spread, each by its name."""
        now = self._world.clock.now()
        if not self._reporter.named:
            return now
        first = self._began + phase(options.name, options.interval)
        passed = max(0.0, now - first) // options.interval
        return first + options.interval * (passed + (first + passed * options.interval < now))

    # Another configuration

    def options(self) -> dict[str, Options]:
        """Return the options of all monitors, those included that wait for another to leave."""
        known = {name: monitor.setup for name, monitor in self.monitors.items()} | self._awaited
        return {name: setup.options for name, setup in known.items()}

    def change(self, monitors: Mapping[str, Options]) -> tuple[int, int, int]:
        """Watch these and no others; return how many it added, changed and removed.

        A monitor that has not changed goes on. Raises HeatError or OSError before it changes any.
        """
        present = self.options()
        removed = [name for name in present if name not in monitors]
        new = {
            setup.options.name: setup
            for setup in self._setups.make(
                options for name, options in monitors.items() if present.get(name) != options
            )
        }
        changed = [name for name in new if name in present]
        # HEAT ends with its last monitor: new ones come before old ones go.
        for name, setup in new.items():
            if name in self._leaving:
                self._forget_awaited(name)
                self._awaited[name] = setup
            elif name not in self.monitors:
                self._add(setup, self._new_record(name))
        for name in changed:
            if name in self.monitors:
                self._change(self.monitors[name], new[name])
        for name in removed:
            self._remove(name)
        return len(new) - len(changed), len(changed), len(removed)

    def _change(self, monitor: Monitor, setup: Setup) -> None:
        before = monitor.setup
        old, new = before.options, setup.options
        if (old.pid, old.pid_file) == (new.pid, new.pid_file):
            release(setup)
            setup = setup._replace(target=before.target)
            monitor.adopt(setup, self._first(new))
        else:
            monitor.adopt(setup, self._first(new))
            self._track_frozen(setup.target, monitor.record)
            self._forget_target(before)
            self._watch_target(monitor)
        self._warn(monitor)

    def _remove(self, name: str) -> None:
        self._reset.pop(name, None)
        if self._forget_awaited(name):
            return
        monitor = self.monitors.pop(name)
        if self._repository is not None:
            self._repository.remove(name)
        if monitor.left:
            self._let_go(monitor)
            return
        self._leaving[name] = monitor
        monitor.stop(EXIT_WELL)

    def _forget_awaited(self, name: str) -> bool:
        setup = self._awaited.pop(name, None)
        if setup is not None:
            release(setup)
        return setup is not None

    def _let_go(self, monitor: Monitor) -> None:
        self._forget_target(monitor.setup)
        if self._world.counters is not None:
            self._world.counters.remove(monitor.row)

    # Orders by hand

    def reset(self, name: str) -> None:
        """Leave ERROR, or clear the counts. Raises HeatError or OSError before it does anything."""
        monitor = self.monitors[name]
        before = monitor.model.state
        if monitor.exit_code != EXIT_ERROR:
            monitor.reset()
            return
        (setup,) = self._setups.make([monitor.setup.options])
        record, saved = monitor.record, None
        if record is not None and self._repository is not None:
            saved = self._repository.reset(record)
        del self.monitors[name]
        self._reset[name] = reset(self._world.clock.unix())
        if monitor.left:
            self._let_go(monitor)
            self._add(setup, record, saved)
        else:
            self._leaving[name] = monitor
            self._awaited[name] = setup
        MonitorReport(setup.options, self._reporter).reset(before)

    # The target of one monitor

    def _watch_target(self, monitor: Monitor) -> None:
        target = monitor.setup.target
        if isinstance(target, PidTarget):

            def ended() -> None:
                self._loop.forget(target.pidfd)
                target.ended = True
                self._loop.heed()  # HEAT may be meant to end with it.
                if monitor.setup.target is target:
                    monitor.target_gone(target.gone_reason())

            self._loop.watch(target.pidfd, ended, monitor, patient=True)

    def _warn(self, monitor: Monitor) -> None:
        target = monitor.setup.target
        if isinstance(target, PidFileTarget) and (doubt := target.doubt()):
            monitor.report.warn(doubt)
        pid = present_target(target)
        options = monitor.setup.options
        for warning in warnings_of(options, pid, in_file=self._reporter.named):
            monitor.report.warn(warning)

    def _forget_target(self, setup: Setup) -> None:
        if isinstance(setup.target, PidTarget) and not setup.target.ended:
            self._loop.forget(setup.target.pidfd)
        release(setup)

    def wakings(self) -> Iterator[Step]:
        """Yield steps that continue what HEAT stopped, for monitors that did not end well."""
        for monitor in self._all():
            yield "continuing what HEAT had stopped", monitor.setup.target.wake

    # The end

    def stop(self, exit_code: int) -> None:
        """Start no more checks, kill what runs; called again, kill at once."""
        again, self.stopping = self.stopping, True
        self._stopped = exit_code if self._stopped is None else self._stopped
        self._awaited.clear()
        self._each(lambda monitor: monitor.stop(exit_code, at_once=again))

    def give_in(self, exit_code: int) -> None:
        """End by a signal of HEAT's own: stop, but let fail scripts report the failure."""
        self._stopped = exit_code
        self._awaited.clear()
        self._each(lambda monitor: monitor.give_in(exit_code))

    def abandon(self) -> None:
        """Kill what runs, and wait for nothing."""
        self._each(lambda monitor: monitor.abandon())

    def _all(self) -> list[Monitor]:
        return [*self.monitors.values(), *self._leaving.values()]

    def _each(self, call: Callable[[Monitor], None]) -> None:
        """Call for each, although a bug may keep one from ending; raise the first error."""
        failed = take_each(("", partial(call, monitor)) for monitor in self._all())
        for _, error in failed[:1]:
            raise error

    def stopped(self, pid: int, signum: int | None) -> None:
        """Note that this signal has stopped a program, or, None, that it continues."""
        from heat.monitor.terminal import program, program_stopped

        for monitor in self._all():
            if program(monitor, pid) is not None:
                self._loop.at(0.0, partial(program_stopped, monitor, pid, signum), monitor)

    def _done(self, monitor: Monitor) -> None:
        name = monitor.setup.options.name
        self._active -= 1
        if self._leaving.get(name) is monitor:
            del self._leaving[name]
            self._let_go(monitor)
            if (setup := self._awaited.pop(name, None)) is not None:
                self._add(setup, self._new_record(name))
        if not self._active:
            self._ended()

    @property
    def told_to_end(self) -> bool:
        """Somebody ends HEAT; it does not end by itself."""
        return self._stopped is not None

    def exit_code(self) -> int:
        """Return the exit status of HEAT."""
        codes = {monitor.exit_code for monitor in self.monitors.values()}
        if codes == {EXIT_ERROR}:
            return EXIT_ERROR
        if self._stopped is not None:
            return self._stopped
        return EXIT_WELL if codes == {EXIT_WELL} else EXIT_NOT_WELL
