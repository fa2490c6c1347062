"""All monitors of one HEAT: each a monitor of its own, added, changed and removed as they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from heat.checks.command import Command
from heat.config.options import Options
from heat.config.preflight import log_paths
from heat.config.preflight_warnings import present_target, warnings_of
from heat.errors import HeatError
from heat.monitor.exit_codes import EXIT_ERROR, EXIT_NOT_WELL, EXIT_WELL
from heat.monitor.monitor import Monitor
from heat.monitor.setup import Setup, World
from heat.process.executable import on_path
from heat.process.program import Program
from heat.process.target import NoTarget, PidFileTarget, PidTarget
from heat.records import Changed, reset
from heat.report.monitor_report import MonitorReport
from heat.report.reporter import Reporter
from heat.runtime.closing import Step, take_each
from heat.runtime.loop import Loop
from heat.runtime.scheduler import phase
from heat.text import escaped

if TYPE_CHECKING:
    from heat.checks.ports import Check
    from heat.process.ports import ScriptFile, Target
    from heat.store.monitor_record import MonitorRecord
    from heat.store.repository import Repository, Restored
    from heat.store.snapshot import SavedMachine


class Supervisor:
    """``ended`` is called when all monitors have ended and nothing of them is left.

    ``monitors`` is empty at first; others may look at it.

    ``script_output`` makes what scripts print to, with the path where it is kept.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a HEAT
        self,
        monitors: dict[str, Monitor],
        loop: Loop,
        world: World,
        reporter: Reporter,
        myself: NoTarget,
        ended: Callable[[], None],
        script_output: Callable[[str], ScriptFile],
    ) -> None:
        self.monitors = monitors
        self._loop = loop
        self._world = world
        self._reporter = reporter
        self._myself = myself
        self._ended = ended
        self._script_output = script_output
        self._keeping: Repository | None = None
        self._began = world.clock.now()
        self._active = 0
        self._leaving: dict[str, Monitor] = {}
        """Removed ones, of which something still runs."""
        self._awaited: dict[str, Setup] = {}
        """Monitors that take the place of one that is leaving, once it has left."""
        self._reset: dict[str, Changed] = {}
        """How those came to NORMAL that begin anew, as somebody has reset them."""
        self._stopped: int | None = None
        """The exit status of HEAT, once it was told to end."""
        self.stopping = False
        """It was told so from outside; told again, it does not wait."""
        self._monitor_done = self._done
        """One bound method for all."""

    def begin(
        self,
        monitors: Iterable[Options],
        keeping: Repository | None = None,
        config: str | None = None,
    ) -> None:
        """Watch these; what is ``keeping`` knows where an earlier HEAT has left them.

        Raises HeatError or OSError before any of them is watched.
        """
        self._keeping = keeping
        made = self._all_parts(monitors)
        taken: Sequence[Restored | tuple[None, None]] = [(None, None)] * len(made)
        if keeping is not None:
            taken = keeping.begin([setup.options.name for setup in made], config)
            keeping.keep(self._records)
        for setup, (record, found) in zip(made, taken, strict=True):
            self._add(setup, record, found)

    def _records(self) -> Iterator[MonitorRecord]:
        for monitor in self.monitors.values():
            if monitor.record is not None:
                yield monitor.record

    def _all_parts(self, monitors: Iterable[Options]) -> list[Setup]:
        made: list[Setup] = []
        find = cache(on_path)
        try:
            for options in monitors:
                check = _check(options, find, made[-1] if made else None)
                made.append(self._parts(options, check))
        except (HeatError, OSError):
            for setup in made:
                self._release(setup)
            raise
        return made

    def _add(
        self, setup: Setup, record: MonitorRecord | None, found: SavedMachine | None = None
    ) -> None:
        report = MonitorReport(setup.options, self._reporter)
        first = self._first(setup.options)
        changed = self._reset.pop(setup.options.name, None)
        if record is None:
            monitor = Monitor(setup, self._world, report, self._monitor_done)
            monitor.changed = changed
            self._take_in(monitor)
            monitor.start(first)
            return
        from heat.monitor.resume import ResumedMonitor

        restored = ResumedMonitor(setup, self._world, report, self._monitor_done, record)
        self._mind_frozen(setup.target, record)
        given_up = found is not None and found.snapshot.given_up
        self._take_in(restored, active=not given_up)
        restored.changed = changed
        restored.go_on(found, first)

    def _take_in(self, monitor: Monitor, *, active: bool = True) -> None:
        self.monitors[monitor.setup.options.name] = monitor
        self._mind_target(monitor)
        if active:
            self._active += 1
            self._reporter.moved()
            self._warn(monitor)

    def _new_record(self, name: str) -> MonitorRecord | None:
        return None if self._keeping is None else self._keeping.new(name)

    def _mind_frozen(self, target: Target, record: MonitorRecord | None) -> None:
        if record is not None:
            from heat.store.repository import track_frozen

            track_frozen(target, record)

    def _first(self, options: Options) -> float:
        """When a monitor's next tick is: those of many are spread, each by its name."""
        now = self._world.clock.now()
        if not self._reporter.named:
            return now
        first = self._began + phase(options.name, options.interval)
        passed = max(0.0, now - first) // options.interval
        return first + options.interval * (passed + (first + passed * options.interval < now))

    # Another configuration

    def options(self) -> dict[str, Options]:
        """The monitors that are watched now, or will be once what they replace has left."""
        known = {name: monitor.setup for name, monitor in self.monitors.items()} | self._awaited
        return {name: setup.options for name, setup in known.items()}

    def change(self, monitors: Mapping[str, Options]) -> tuple[int, int, int]:
        """Watch these and no others; how many were added, changed and removed.

        What has not changed is not touched. Raises HeatError or OSError before anything is.
        """
        present = self.options()
        removed = [name for name in present if name not in monitors]
        new = {
            setup.options.name: setup
            for setup in self._all_parts(
                options for name, options in monitors.items() if present.get(name) != options
            )
        }
        changed = [name for name in new if name in present]
        # HEAT ends with the last one: who comes is there before another ends.
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
            self._release(setup)
            setup = setup._replace(target=before.target)
            monitor.adopt(setup, self._first(new))
        else:
            monitor.adopt(setup, self._first(new))
            self._mind_frozen(setup.target, monitor.record)
            self._forget_target(before)
            self._mind_target(monitor)
        self._warn(monitor)

    def _remove(self, name: str) -> None:
        self._reset.pop(name, None)
        if self._forget_awaited(name):
            return
        monitor = self.monitors.pop(name)
        if self._keeping is not None:
            self._keeping.remove(name)
        if monitor.left:
            self._let_go(monitor)
            return
        self._leaving[name] = monitor
        monitor.stop(EXIT_WELL)

    def _forget_awaited(self, name: str) -> bool:
        setup = self._awaited.pop(name, None)
        if setup is not None:
            self._release(setup)
        return setup is not None

    def _let_go(self, monitor: Monitor) -> None:
        self._forget_target(monitor.setup)
        if self._world.counters is not None:
            self._world.counters.remove(monitor.row)

    # What is told by hand

    def reset(self, name: str) -> None:
        """Out of ERROR, or counts back to 0. Raises HeatError or OSError, and nothing is done."""
        monitor = self.monitors[name]
        before = monitor.model.state
        if monitor.exit_code != EXIT_ERROR:
            monitor.reset()
            return
        (setup,) = self._all_parts([monitor.setup.options])
        record, found = monitor.record, None
        if record is not None and self._keeping is not None:
            found = self._keeping.reset(record)
        del self.monitors[name]
        self._reset[name] = reset(self._world.clock.unix())
        if monitor.left:
            self._let_go(monitor)
            self._add(setup, record, found)
        else:
            self._leaving[name] = monitor
            self._awaited[name] = setup
        MonitorReport(setup.options, self._reporter).reset(before)

    # The setup of one monitor

    def _parts(self, options: Options, check: Check) -> Setup:
        file = self._script_file(options)
        return Setup(
            options,
            check,
            _script(options.fail, file),
            _script(options.recovery, file),
            self._target(options),
            file,
        )

    def _script_file(self, options: Options) -> ScriptFile | None:
        if options.fail is None and options.recovery is None:
            return None
        monitor = self.monitors.get(options.name)
        if monitor is not None and monitor.setup.script_file is not None:
            return monitor.setup.script_file
        *_, path = log_paths(self._reporter.common, options.name)
        return self._script_output(path)

    def _target(self, options: Options) -> NoTarget | PidTarget | PidFileTarget:
        if options.pid is not None:
            return PidTarget(options.pid)
        if options.pid_file is not None:
            return PidFileTarget(options.pid_file, self._myself)
        return self._myself

    def _mind_target(self, monitor: Monitor) -> None:
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
        self._release(setup)

    def wakings(self) -> Iterator[Step]:
        """Yield steps that continue what HEAT stopped, for monitors that did not end well."""
        for monitor in self._all():
            yield "continuing what HEAT had stopped", monitor.setup.target.wake

    def _release(self, setup: Setup) -> None:
        if isinstance(setup.target, PidTarget):
            os.close(setup.target.pidfd)

    # The end

    def stop(self, exit_code: int) -> None:
        """Start no more checks, kill what runs; called again, kill at once."""
        again, self.stopping = self.stopping, True
        self._stopped = exit_code if self._stopped is None else self._stopped
        self._awaited.clear()
        self._each(lambda monitor: monitor.stop(exit_code, at_once=again))

    def give_in(self, exit_code: int) -> None:
        """End by a signal of HEAT's own: stop, but let fail scripts tell of the failure."""
        self._stopped = exit_code
        self._awaited.clear()
        self._each(lambda monitor: monitor.give_in(exit_code))

    def abandon(self) -> None:
        """Kill what runs, and wait for nothing."""
        self._each(lambda monitor: monitor.abandon())

    def _all(self) -> list[Monitor]:
        return [*self.monitors.values(), *self._leaving.values()]

    def _each(self, call: Callable[[Monitor], None]) -> None:
        """Call for each, though a bug keeps one from ending; raises the first one's error."""
        failed = take_each(("", partial(call, monitor)) for monitor in self._all())
        for _, error in failed[:1]:
            raise error

    def stopped(self, pid: int, signum: int | None) -> None:
        """A program was stopped by this signal, or, None, goes on."""
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
        """HEAT ends because it was told to, and not by itself."""
        return self._stopped is not None

    def exit_code(self) -> int:
        """The exit status of HEAT."""
        codes = {monitor.exit_code for monitor in self.monitors.values()}
        if codes == {EXIT_ERROR}:
            return EXIT_ERROR
        if self._stopped is not None:
            return self._stopped
        return EXIT_WELL if codes == {EXIT_WELL} else EXIT_NOT_WELL


def _check(options: Options, find: Callable[[str], str | None], before: Setup | None) -> Check:
    """Return the check; the same value as that of the monitor ``before``, if it is the same."""
    name, check, script = options.check[0], options.check, options.is_script
    if before is not None and (before.options.check, before.options.is_script) == (check, script):
        return before.check
    return Command(options.shown, name if script else find(name) or name, check)


def _script(path: str | None, file: ScriptFile | None) -> Program | None:
    return None if path is None else Program(escaped(path), path, (path,), file)
