"""Several lives of one HEAT: the moments at which it can be killed, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from heat.process.identity import Held
from heat.records import Pause
from heat.rehearsal.programs import Ends
from heat.store import sql
from heat.store.database import SavedMonitor
from heat.store.sql import Statement


class Killed(BaseException):
    """HEAT is killed with SIGKILL; no handler of its own sees that."""


class Fuse:
    """Kills HEAT at the ``left``-th of the moments that come by; at none, if it is not lit."""

    __slots__ = ("_dies", "dead", "left")

    def __init__(self, dies: Callable[[], None]) -> None:
        self.left = 0
        self.dead = False
        """HEAT is killed: what it unwinds has no effect."""
        self._dies = dies

    def burn(self) -> None:
        """Come one moment closer. Raises Killed."""
        self.left -= 1
        if not self.left:
            self.kill()

    def kill(self) -> None:
        """Kill HEAT now. Raises Killed."""
        self.left = 0
        self.dead = True
        self._dies()
        raise Killed


class Orphan(NamedTuple):
    """A script that has outlived the HEAT which started it."""

    kind: str
    ends: Ends
    env: Mapping[str, str]
    started: float
    over: float
    """Its end, if nobody ends it."""


class VirtualFile:
    """The state file, as the record writes it, and as the next HEAT finds it."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self._memory: str | None = None
        self.pause: Pause | None = None
        self.held: dict[str, Held] = {}
        self.lost = False
        """HEAT was killed before a step of its machine was written down."""
        self._does: dict[str, Callable[..., None]] = {
            sql.MACHINE: self._remember,
            sql.HELD: self._hold,
            sql.RELEASED: self._release,
            sql.PAUSE_BEGAN: self._paused,
            sql.PAUSE_ENDED: self._resumed,
        }

    def write(self, statements: list[Statement]) -> None:
        """Write all or none of them. Raises Killed, before it or after it."""
        if self._fuse.dead:
            return
        self.lost = statements[0][0] == sql.MACHINE
        self._fuse.burn()
        self.lost = False
        for statement, values in statements:
            if (do := self._does.get(statement)) is not None:
                do(*values)
        self._fuse.burn()

    def _remember(self, text: str, _name: str) -> None:
        self._memory = text

    def _hold(self, _name: str, role: str, pid: int, identity: str) -> None:
        self.held[role] = Held(pid, identity)

    def _release(self, _name: str, role: str) -> None:
        self.held.pop(role, None)

    def _paused(self, _name: str, *pause: object) -> None:
        self.pause = Pause(*pause)  # type: ignore[arg-type]

    def _resumed(self, *_when: object) -> None:
        self.pause = None

    def saved(self) -> SavedMonitor:
        """Return what the next HEAT reads."""
        return SavedMonitor(0.0, self._memory, self.pause, dict(self.held))
