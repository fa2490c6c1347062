"""The world of a history: programs with a given end, which outlive HEAT."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from heat.errors import StartError
from heat.process.identity import Held
from heat.process.program import Program, Status
from heat.rehearsal.clock import VirtualTime
from heat.rehearsal.programs import Ends, SimulatedChild, SimulatedLauncher
from heat.runtime.ports import Owner

from .deeds import Violation
from .lives import Orphan

if TYPE_CHECKING:
    from .history import History

MOMENT = 1e-7
"""Just before, just after: less than any length of time that is chosen."""
_TERM, _KILL = int(signal.SIGTERM), int(signal.SIGKILL)


class Child(SimulatedChild):
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
            after = ends.after + MOMENT * (history.choices.pick(3) - 1)
            ends = Ends(ends.code, after, *ends[2:])  # Quicker than to replace it.
        self._started = time.now()
        self._doomed = False
        """It is just dying of a signal."""
        self._signalled = False
        self.own_end: Status | None = None
        """Its own end, before any signal from HEAT."""
        super().__init__(time, pid, ends, exited, owner)

    @property
    def said(self) -> str:
        """All that it prints, which is a line."""
        return self._ends.stderr.decode()

    def orphan(self, kind: str, env: Mapping[str, str]) -> Orphan | None:
        """Return the orphan that is left without its HEAT; None if it has ended."""
        if self._status is not None or self._doomed:
            return None
        after, started = self._ends.after, self._started
        return Orphan(
            kind, self._ends, env, started, float("inf") if after is None else started + after
        )

    def _exit(self, status: Status) -> None:
        if self._status is not None:
            return
        if not self._signalled:
            self.own_end = status
        if status.signal is None and self._history.choices.pick(4) == 3:
            # It has ended, and is seen to have ended after what else is due now.
            self._status = status
            self._time.at(self._time.now(), self._exited, self._owner)
            return
        super()._exit(status)

    def signal_group(self, signum: int) -> None:
        self._history.witness.killed(self, signum)
        if self._status is not None:
            return
        self._signalled = True
        if signum == _KILL or (signum == _TERM and not self._ends.stubborn):
            self._doomed = not self._ends.immortal
        super().signal_group(signum)

    def await_end(self, ended: Callable[[], None]) -> None:
        super().await_end(ended)
        self._history.witness.has_leftovers(self)

    def status(self) -> Status:
        if self._status is None:
            raise Violation("HEAT asks for the status of a program that runs")
        return super().status()

    def reap(self) -> None:
        if self._status is None:
            raise Violation("a program was reaped before it had ended")
        self._history.witness.reaped(self)


class Adopted(Child):
    """A script of an earlier HEAT: that it has ended is all that can be known of its end."""

    _over = False

    def __init__(
        self, pid: int, orphan: Orphan, call: Callable[[], None], owner: Owner, history: History
    ) -> None:
        time = history.time
        self._call = call
        ends = orphan.ends._replace(
            after=None if orphan.ends.after is None else orphan.over - time.now(), killed=None
        )
        super().__init__(time, pid, ends, self._told, owner, history)
        self._started = orphan.started

    def _told(self) -> None:
        self._over = True
        self._call()

    def exited(self) -> bool:
        return self._over

    def status(self) -> Status:
        super().status()
        return Status(None)


class Adopting:
    """Has a script that runs already."""

    def __init__(self, pid: int, orphan: Orphan, history: History) -> None:
        self.age = history.time.now() - orphan.started
        self._pid = pid
        self._orphan = orphan
        self._history = history

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> Adopted:
        del program
        history = self._history
        history.say(f"process {self._pid} runs still, {self.age} s old: {self._orphan}")
        child = Adopted(self._pid, self._orphan, exited, owner, history)
        history.envs[self._pid] = self._orphan.env
        history.witness.adopted(self._pid, child)
        return child


class Launcher(SimulatedLauncher):
    def __init__(self, history: History) -> None:
        super().__init__(history.time, history.ends)
        self._history = history

    def start(self, program: Program, exited: Callable[[], None], owner: Owner) -> Child:
        history = self._history
        history.fuse.burn()
        history.witness.starting(program)
        try:
            child = cast("Child", super().start(program, exited, owner))
        except StartError as error:
            history.witness.deeds.started(program.path, error)
            if program.path == "fail":
                history.witness.fail_told(program)
            elif program.path == "recovery" and not error.passing:
                history.witness.recovery_is_gone()
            raise
        history.witness.started(child, program)
        if program.path != "check":
            history.envs[child.pid] = program.env
            history.fuse.burn()
        return child

    def take_up(self, held: Held) -> Adopting | None:
        """Have a script of an earlier HEAT; None if it has ended."""
        history = self._history
        orphan = history.witness.orphans().get(held.pid)
        if orphan is None or orphan.over <= self._time.now():
            return None
        return Adopting(held.pid, orphan, history)

    def find(self, environment: Mapping[str, str]) -> Held | None:
        """Find the script of an earlier HEAT that got these variables and still runs."""
        for pid, orphan in self._history.witness.orphans().items():
            if orphan.over > self._time.now() and environment.items() <= orphan.env.items():
                return Held(pid, f"process {pid}")
        return None

    def _child(
        self, pid: int, ends: Ends, exited: Callable[[], None], owner: Owner
    ) -> SimulatedChild:
        return Child(self._time, pid, ends, exited, owner, self._history)
