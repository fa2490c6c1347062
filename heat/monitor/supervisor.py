"""All monitors of one HEAT: each a watch of its own, added, changed and removed as they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from heat.config import preflight
from heat.config.options import Options
from heat.errors import HeatError
from heat.monitor.watch import EXIT_ERROR, EXIT_NOT_WELL, EXIT_WELL, Parts, Watch, World
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
    from heat.process.ports import ScriptFile, Target
    from heat.store.monitor_record import MonitorRecord, Remembered
    from heat.store.repository import Repository


class Supervisor:
    """``ended`` is called when all monitors have ended and nothing of them is left.

    ``watches`` is empty at first; others may look at it.

    ``script_output`` makes what scripts print to, with the path where it is kept.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a HEAT
        self,
        watches: dict[str, Watch],
        loop: Loop,
        world: World,
        reporter: Reporter,
        myself: NoTarget,
        ended: Callable[[], None],
        script_output: Callable[[str], ScriptFile],
    ) -> None:
        self.watches = watches
        self._loop = loop
        self._world = world
        self._reporter = reporter
        self._myself = myself
        self._ended = ended
        self._script_output = script_output
        self._keeping: Repository | None = None
        self._began = world.clock.now()
        self._active = 0
        self._leaving: dict[str, Watch] = {}
        """Removed ones, of which something still runs."""
        self._awaited: dict[str, Parts] = {}
        """Monitors that take the place of one that is leaving, once it has left."""
        self._reset: dict[str, Changed] = {}
        """How those came to NORMAL that begin anew, as somebody has reset them."""
        self._stopped: int | None = None
        """The exit status of HEAT, once it was told to end."""
        self.stopping = False
        """It was told so from outside; told again, it does not wait."""
        self._watch_done = self._done
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
        taken: Sequence[tuple[MonitorRecord | None, Remembered | None]] = [(None, None)] * len(made)
        if keeping is not None:
            taken = keeping.begin([parts.options.name for parts in made], config)
            keeping.keep(self._ledgers)
        for parts, (ledger, found) in zip(made, taken, strict=True):
            self._add(parts, ledger, found)

    def _ledgers(self) -> Iterator[MonitorRecord]:
        for watch in self.watches.values():
            if watch.ledger is not None:
                yield watch.ledger

    def _all_parts(self, monitors: Iterable[Options]) -> list[Parts]:
        made: list[Parts] = []
        find = cache(on_path)
        try:
            for options in monitors:
                check = _check(options, find, made[-1] if made else None)
                made.append(self._parts(options, check))
        except (HeatError, OSError):
            for parts in made:
                self._release(parts)
            raise
        return made

    def _add(
        self, parts: Parts, ledger: MonitorRecord | None, found: Remembered | None = None
    ) -> None:
        journal = MonitorReport(parts.options, self._reporter)
        first = self._first(parts.options)
        changed = self._reset.pop(parts.options.name, None)
        if ledger is None:
            watch = Watch(parts, self._world, journal, self._watch_done)
            watch.changed = changed
            self._take_in(watch)
            watch.start(first)
            return
        from heat.monitor.resume import Restored

        restored = Restored(parts, self._world, journal, self._watch_done, ledger)
        self._mind_frozen(parts.target, ledger)
        given_up = found is not None and found.memory.given_up
        self._take_in(restored, active=not given_up)
        restored.changed = changed
        restored.go_on(found, first)

    def _take_in(self, watch: Watch, *, active: bool = True) -> None:
        self.watches[watch.parts.options.name] = watch
        self._mind_target(watch)
        if active:
            self._active += 1
            self._reporter.moved()
            self._warn(watch)

    def _new_ledger(self, name: str) -> MonitorRecord | None:
        return None if self._keeping is None else self._keeping.new(name)

    def _mind_frozen(self, target: Target, ledger: MonitorRecord | None) -> None:
        if ledger is not None:
            from heat.store.repository import mind_frozen

            mind_frozen(target, ledger)

    def _first(self, options: Options) -> float:
        """When a monitor's next tick is: those of many are spread, each by its name."""
        now = self._world.clock.now()
        if not self._reporter.named:
            return now
        first = self._began + phase(options.name, options.interval)
        passed = max(0.0, now - first) // options.interval
        return first + options.interval * (passed + (first + passed * options.interval < now))

    # Another configuration

    def monitors(self) -> dict[str, Options]:
        """The monitors that are watched now, or will be once what they replace has left."""
        known = {name: watch.parts for name, watch in self.watches.items()} | self._awaited
        return {name: parts.options for name, parts in known.items()}

    def change(self, monitors: Mapping[str, Options]) -> tuple[int, int, int]:
        """Watch these and no others; how many were added, changed and removed.

        What has not changed is not touched. Raises HeatError or OSError before anything is.
        """
        present = self.monitors()
        removed = [name for name in present if name not in monitors]
        new = {
            parts.options.name: parts
            for parts in self._all_parts(
                options for name, options in monitors.items() if present.get(name) != options
            )
        }
        changed = [name for name in new if name in present]
        # HEAT ends with the last one: who comes is there before another ends.
        for name, parts in new.items():
            if name in self._leaving:
                self._forget_awaited(name)
                self._awaited[name] = parts
            elif name not in self.watches:
                self._add(parts, self._new_ledger(name))
        for name in changed:
            if name in self.watches:
                self._change(self.watches[name], new[name])
        for name in removed:
            self._remove(name)
        return len(new) - len(changed), len(changed), len(removed)

    def _change(self, watch: Watch, parts: Parts) -> None:
        before = watch.parts
        old, new = before.options, parts.options
        if (old.pid, old.pid_file) == (new.pid, new.pid_file):
            self._release(parts)
            parts = parts._replace(target=before.target)
            watch.adopt(parts, self._first(new))
        else:
            watch.adopt(parts, self._first(new))
            self._mind_frozen(parts.target, watch.ledger)
            self._forget_target(before)
            self._mind_target(watch)
        self._warn(watch)

    def _remove(self, name: str) -> None:
        self._reset.pop(name, None)
        if self._forget_awaited(name):
            return
        watch = self.watches.pop(name)
        if self._keeping is not None:
            self._keeping.remove(name)
        if watch.left:
            self._let_go(watch)
            return
        self._leaving[name] = watch
        watch.stop(EXIT_WELL)

    def _forget_awaited(self, name: str) -> bool:
        parts = self._awaited.pop(name, None)
        if parts is not None:
            self._release(parts)
        return parts is not None

    def _let_go(self, watch: Watch) -> None:
        self._forget_target(watch.parts)
        if self._world.tallies is not None:
            self._world.tallies.remove(watch.row)

    # What is told by hand

    def reset(self, name: str) -> None:
        """Out of ERROR, or counts back to 0. Raises HeatError or OSError, and nothing is done."""
        watch = self.watches[name]
        before = watch.monitor.state
        if watch.exit_code != EXIT_ERROR:
            watch.reset()
            return
        (parts,) = self._all_parts([watch.parts.options])
        ledger, found = watch.ledger, None
        if ledger is not None and self._keeping is not None:
            found = self._keeping.forget(ledger)
        del self.watches[name]
        self._reset[name] = reset(self._world.clock.unix())
        if watch.left:
            self._let_go(watch)
            self._add(parts, ledger, found)
        else:
            self._leaving[name] = watch
            self._awaited[name] = parts
        MonitorReport(parts.options, self._reporter).reset(before)

    # The parts of one

    def _parts(self, options: Options, check: Program) -> Parts:
        file = self._script_file(options)
        return Parts(
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
        watch = self.watches.get(options.name)
        if watch is not None and watch.parts.script_file is not None:
            return watch.parts.script_file
        *_, path = preflight.log_paths(self._reporter.common, options.name)
        return self._script_output(path)

    def _target(self, options: Options) -> NoTarget | PidTarget | PidFileTarget:
        if options.pid is not None:
            return PidTarget(options.pid)
        if options.pid_file is not None:
            return PidFileTarget(options.pid_file, self._myself)
        return self._myself

    def _mind_target(self, watch: Watch) -> None:
        target = watch.parts.target
        if isinstance(target, PidTarget):

            def ended() -> None:
                self._loop.forget(target.pidfd)
                target.ended = True
                self._loop.heed()  # HEAT may be meant to end with it.
                if watch.parts.target is target:
                    watch.target_gone(target.gone_reason())

            self._loop.watch(target.pidfd, ended, watch, patient=True)

    def _warn(self, watch: Watch) -> None:
        target = watch.parts.target
        if isinstance(target, PidFileTarget) and (doubt := target.doubt()):
            watch.warn(doubt)
        pid = preflight.present_target(target)
        options = watch.parts.options
        for warning in preflight.warnings(options, pid, in_file=self._reporter.named):
            watch.warn(warning)

    def _forget_target(self, parts: Parts) -> None:
        if isinstance(parts.target, PidTarget) and not parts.target.ended:
            self._loop.forget(parts.target.pidfd)
        self._release(parts)

    def wakings(self) -> Iterator[Step]:
        """Steps that continue what was stopped and never continued, if a watch did not end well."""
        for watch in self._all():
            yield "continuing what HEAT had stopped", watch.parts.target.wake

    def _release(self, parts: Parts) -> None:
        if isinstance(parts.target, PidTarget):
            os.close(parts.target.pidfd)

    # The end

    def stop(self, exit_code: int) -> None:
        """Start no more checks, kill what runs; called again, kill at once."""
        again, self.stopping = self.stopping, True
        self._stopped = exit_code if self._stopped is None else self._stopped
        self._awaited.clear()
        self._each(lambda watch: watch.stop(exit_code, at_once=again))

    def give_in(self, exit_code: int) -> None:
        """End by a signal of HEAT's own: stop, but let fail scripts tell of the failure."""
        self._stopped = exit_code
        self._awaited.clear()
        self._each(lambda watch: watch.give_in(exit_code))

    def abandon(self) -> None:
        """Kill what runs, and wait for nothing."""
        self._each(lambda watch: watch.abandon())

    def _all(self) -> list[Watch]:
        return [*self.watches.values(), *self._leaving.values()]

    def _each(self, call: Callable[[Watch], None]) -> None:
        """Call for each, though a bug keeps one from ending; raises the first one's error."""
        failed = take_each(("", partial(call, watch)) for watch in self._all())
        for _, error in failed[:1]:
            raise error

    def stopped(self, pid: int, signum: int | None) -> None:
        """A program was stopped by this signal, or, None, goes on."""
        for watch in self._all():
            if watch.runs(pid):
                self._loop.at(0.0, partial(watch.program_stopped, pid, signum), watch)

    def _done(self, watch: Watch) -> None:
        name = watch.parts.options.name
        self._active -= 1
        if self._leaving.get(name) is watch:
            del self._leaving[name]
            self._let_go(watch)
            if (parts := self._awaited.pop(name, None)) is not None:
                self._add(parts, self._new_ledger(name))
        if not self._active:
            self._ended()

    @property
    def told_to_end(self) -> bool:
        """HEAT ends because it was told to, and not by itself."""
        return self._stopped is not None

    def exit_code(self) -> int:
        """The exit status of HEAT."""
        codes = {watch.exit_code for watch in self.watches.values()}
        if codes == {EXIT_ERROR}:
            return EXIT_ERROR
        if self._stopped is not None:
            return self._stopped
        return EXIT_WELL if codes == {EXIT_WELL} else EXIT_NOT_WELL


def _check(options: Options, find: Callable[[str], str | None], before: Parts | None) -> Program:
    """The program, as a value shared with the monitor ``before``, if that has the same."""
    name, check, script = options.check[0], options.check, options.is_script
    if before is not None and (before.check.argv, before.options.is_script) == (check, script):
        return before.check
    return Program(options.shown, name if script else find(name) or name, check)


def _script(path: str | None, file: ScriptFile | None) -> Program | None:
    return None if path is None else Program(escaped(path), path, (path,), file)
