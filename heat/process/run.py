"""One program at work, from its start until nothing of it is left.

It ends by itself, or its time is up, or HEAT stops it. Killing is SIGTERM and SIGCONT to
the group, and SIGKILL 2 s later to what is left of it; until then HEAT does not reap the
exited leader, so that its group id stays its own. What a check leaves behind is not part of
its verdict: it ends later, in ``heat.process.leftovers``.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from heat.errors import TIMED_OUT
from heat.process.program import Output, Program, Status
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.process.leftovers import Leftovers
    from heat.process.ports import Child, Starter
    from heat.runtime.ports import Clock, Owner, Timer, Timers

    Report = Callable[["Run"], None]

KILL_AFTER = 2.0
"""Seconds from SIGTERM to SIGKILL."""
LOOK_AGAIN = (0.01, 0.04, 0.16, 0.64)
"""Seconds until each further look at a group that has got a signal: it may be empty by then."""
_UNKNOWN = Status(None)
_LISTEN_AFTER = 0.01
"""Most checks are over by then, with less output than a pipe holds."""


def _nothing(_run: Run) -> None:
    """Do nothing."""


class Callbacks(NamedTuple):
    """The calls of a run: with its verdict, when it is gone, and if it will not die.

    And, of a check, for its leftovers: ``printed`` when all of its output is there that HEAT
    waits for, ``settled`` when nothing is left that HEAT can end, ``left`` when something lives
    on all the same.
    """

    ended: Report
    gone: Report
    stuck: Report
    printed: Report = _nothing
    settled: Report = _nothing
    left: Callable[[Run, Sequence[str]], None] | None = None


class Run:
    """One run of a program. Raises StartError.

    One that exits by itself ends and is gone at once; one that times out ends at that
    moment and is gone when it is dead; one that HEAT stops is gone without having ended.
    """

    __slots__ = (
        "_callbacks",
        "_child",
        "_clock",
        "_deadline",
        "_hard",
        "_killing",
        "_leader_gone",
        "_leftovers",
        "_looks",
        "_lost",
        "_owner",
        "_timer",
        "_timers",
        "denied",
        "duration",
        "outlived",
        "over",
        "pid",
        "program",
        "started",
        "started_unix",
        "status",
        "terminal",
        "timed_out",
    )

    def __init__(
        self,
        world: tuple[Clock, Timers, Starter],
        program: Program,
        timeout: float | None,
        callbacks: Callbacks,
        owner: Owner,
    ) -> None:
        self._clock, self._timers, launcher = world
        self._callbacks = callbacks
        self._owner = owner
        self.program = program
        self.started_unix = int(self._clock.unix() - launcher.age)
        self.started = self._clock.now() - launcher.age
        self.duration = 0.0
        self.status = _UNKNOWN
        self.timed_out = False
        self.terminal = False
        """It is stopped, because it used the terminal."""
        self.outlived = False
        """SIGKILL has not ended it; HEAT can do nothing more."""
        self.over = False
        """It has exited, or is dead: nothing is left to kill."""
        self.denied = False
        """HEAT may not signal it: it runs as another user."""
        self._killing = self._hard = self._leader_gone = False
        self._leftovers: Leftovers | None = None
        self._looks = iter(LOOK_AGAIN)
        self._lost = self._timers.lost
        self._child: Child = launcher.start(program, self._leader_exited, owner)
        self.pid = self._child.pid
        self._deadline = None if timeout is None else self.started + timeout
        listen = self.started + _LISTEN_AFTER
        if program.file is not None or (self._deadline is not None and self._deadline <= listen):
            self._timer = self._due(self._deadline, self._time_up)
        else:
            self._timer = self._timers.at(listen, self._listen, owner)

    def _due(self, when: float | None, call: Callable[[], None]) -> Timer | None:
        return None if when is None else self._timers.at(when, call, self._owner)

    def _rearm(self, when: float | None, call: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._due(when, call)

    def _listen(self) -> None:
        self._child.listen()
        self._rearm(self._deadline, self._time_up)

    def limit_from_now(self, seconds: float) -> None:
        """Give a run that has no time limit this one, from now on."""
        if self._deadline is None and not self._killing and not self.over:
            self._deadline = self._clock.now() + seconds
            self._lost = self._timers.lost
            self._rearm(self._deadline, self._time_up)

    @property
    def limit(self) -> float | None:
        """Seconds from its start to its time limit."""
        return None if self._deadline is None else self._deadline - self.started

    @property
    def time_left(self) -> float:
        """Seconds until its time limit; 0 if that has passed, or if there is none."""
        if self._deadline is None:
            return 0.0
        lost = self._timers.lost - self._lost
        return max(0.0, self._deadline + lost - self._clock.now())

    @property
    def age(self) -> float:
        """Seconds since its start."""
        return self._clock.now() - self.started

    @property
    def stopped(self) -> bool:
        """HEAT has killed it, and not for its time limit."""
        return self._killing and not self.timed_out

    @property
    def killed(self) -> bool:
        """A signal that HEAT did not send has ended it."""
        return self.status.signal is not None and not self.timed_out and not self.stopped

    @property
    def shown(self) -> str:
        """The program as the user gave it."""
        return self.program.shown

    @property
    def code(self) -> int | None:
        """The exit code as timeout(1) and the shell report it; None if it is lost."""
        if self.timed_out:
            return TIMED_OUT
        code, signum = self.status
        return code if signum is None else 128 + signum

    def identity(self) -> str:
        """Return the identity of its leader. Raises OSError."""
        return self._child.identity()

    @property
    def last_line(self) -> str:
        """The last line of the output so far that nobody has taken."""
        return self._child.peek().last_line

    def output(self) -> Output:
        """Return the output since the last call."""
        return self._child.output()

    def drained(self) -> bool:
        """Take what it has printed; return True if nobody can print more."""
        return self._child.drained()

    @property
    def settled(self) -> bool:
        """Nothing is left of its group that HEAT can end."""
        return self._leftovers is None

    def _leader_exited(self) -> None:
        if self._killing:
            self._leader_gone = True
            self._look()
            return
        self.over = True
        self.status = self._child.status()
        self.duration = self._clock.now() - self.started
        try:
            self._callbacks.ended(self)
        finally:
            if self.program.file is not None:
                self._leave()  # What a script leaves is a service.
            elif self._child.drained():
                self._child.signal_group(signal.SIGTERM)
                self._leave()
            else:
                self._leave_behind().wait()
                self._callbacks.gone(self)

    def _time_up(self) -> None:
        if self.time_left > 0:  # HEAT did not run for a while; nor, most likely, did the program.
            self._rearm(self._clock.now() + self.time_left, self._time_up)
            return
        if self._child.exited():
            return  # In time; HEAT just did not see it yet.
        self.timed_out = True
        self.duration = self._clock.now() - self.started
        self.stop()
        self._callbacks.ended(self)

    def stop(self) -> None:
        """Begin to kill it, or what it has left behind."""
        if self._leftovers is not None:
            self._leftovers.stop()
        elif not self._killing and not self.over:
            self._killing = True
            self.denied = not self._child.may_signal()
            self._child.signal_group(signal.SIGTERM)
            self._child.signal_group(signal.SIGCONT)
            if self.denied:
                self._rearm(self._clock.now(), self._outlived)
            else:
                self._rearm(self._clock.now() + KILL_AFTER, self.stop_hard)

    def stop_hard(self) -> None:
        """Kill what is left of it."""
        if self._leftovers is not None:
            self._leftovers.stop_hard()
        if self._hard or self.over:
            return
        self._killing = self._hard = True
        self._child.signal_group(signal.SIGKILL)
        self._rearm(self._clock.now() + KILL_AFTER, self._outlived)
        self._look()

    def _outlived(self) -> None:
        self._timer = None
        if not self._hard:
            self._rearm(self._clock.now() + KILL_AFTER, self.stop_hard)
        if not self.outlived:
            self.outlived = True
            self._callbacks.stuck(self)

    def _look(self) -> None:
        """Once the leader is dead, reap it: after the SIGKILL, or when its group is empty."""
        if not self._leader_gone:
            return
        if self._hard or self._child.alone():
            self.over = True
            self.status = self._child.status()
            if self.stopped:
                self.duration = self._clock.now() - self.started
            self._leave()
        elif (again := next(self._looks, None)) is not None:
            self._timers.at(self._clock.now() + again, self._look_again, self._owner)

    def _look_again(self) -> None:
        if not self.over:
            self._look()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._child.reap()
        rest = (self._killing or self.program.file is None) and self._child.signal_left(0)
        leftovers = self._leave_behind() if rest or not self._child.drained() else None
        self._callbacks.gone(self)
        if leftovers is None:
            self._child.close()
        else:
            leftovers.end_reaped()

    def _leave_behind(self) -> Leftovers:
        from heat.process.leftovers import Leftovers

        if self._timer is not None:
            self._timer.cancel()
        callbacks = self._callbacks
        self._leftovers = Leftovers(
            (self._clock, self._timers, self._owner),
            self._child,
            lambda: callbacks.printed(self),
            lambda lines: None if callbacks.left is None else callbacks.left(self, lines),
            self._settle,
        )
        return self._leftovers

    def _settle(self) -> None:
        self._leftovers = None
        self._callbacks.settled(self)
        self._child.close()
