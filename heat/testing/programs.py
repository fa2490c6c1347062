"""The programs of a `World`: doubles that go as a test says, or the real ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from heat.process.program import Program
from heat.rehearsal.programs import Ends
from heat.rehearsal.results import results as parse
from heat.testing.real import run_for_real


class Run(NamedTuple):
    """One run of a program."""

    at: float
    """The second of its start, counted from the start of the world."""
    env: Mapping[str, str]
    """The variables that HEAT added to its own."""
    code: int | None
    """The exit code; None if it is killed, hangs, or cannot be started."""
    output: str
    """The text that it prints."""


class ProgramDouble:
    """Stands in for the check, the fail script or the recovery script; by default it exits 0."""

    def __init__(self, real: Program | None, option: str) -> None:
        self.argv: Sequence[str] = () if real is None else real.argv
        """The command of the real program; empty if the options name none."""
        self.runs: list[Run] = []
        """All runs up to now."""
        self._real = real
        self._option = option
        self._results: deque[Ends] = deque([Ends()])
        self._start: Callable[[Program], Ends] = self._next

    def gives(self, *results: int | str, prints: str = "") -> None:
        """Go like this from now on: a result a run, and the last one again and again.

        A result is an exit code, 'timeout', 'killed' or 'unknown' (it cannot be started);
        '1x5' is five times 1, and '1@3s' is 1 after three virtual seconds. Each run prints
        ``prints`` on stderr. Raises ValueError.
        """
        self._program()
        ends = parse(",".join(map(str, results)))
        self._results = deque(each._replace(stderr=prints.encode()) for each in ends)
        self._start = self._next

    def runs_for_real(self, limit: float = 10.0) -> None:
        """Run the real program from now on, as HEAT does, in the folder that the test is in.

        It takes no virtual time, and it counts as one that hangs if it takes longer than
        ``limit`` real seconds. As in production, a script may leave a service behind, and a check
        leaves nothing. Raises ValueError.
        """
        real = self._program()
        self._start = lambda program: run_for_real(real._replace(env=program.env), limit)

    def _program(self) -> Program:
        if self._real is None:
            raise ValueError(f"the options name no such program: add {self._option}")
        return self._real

    def _next(self, _program: Program) -> Ends:
        return self._results.popleft() if len(self._results) > 1 else self._results[0]

    def start(self, program: Program, at: float) -> Ends:
        """Start a run, for the world."""
        ends = self._start(program)
        exits = ends.after is not None and ends.killed is None and not ends.error
        output = (ends.stdout + ends.stderr).decode(errors="replace")
        self.runs.append(Run(at, program.env, ends.code if exits else None, output))
        return ends
