"""A real program, run to its end by the code with which HEAT runs it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Self

from heat.errors import StartError
from heat.process.launcher import PosixLauncher
from heat.process.output import LIMIT
from heat.process.program import Program
from heat.process.run import Callbacks, Run
from heat.rehearsal.programs import Ends
from heat.runtime.loop import Loop, RealClock


def run_for_real(program: Program, limit: float) -> Ends:
    """Run a program, and return how it went; one that takes longer than ``limit`` hangs."""
    with _ScriptFile() as file:
        if program.file is not None:
            program = program._replace(file=file)
        try:
            ends = _Bench().run(program, limit)
        except StartError as error:
            return Ends(error=str(error), passing=error.passing, code=error.code)
        return ends if program.file is None else ends._replace(stdout=file.take())


class _Bench:
    """A loop and a launcher, for one run."""

    def __init__(self) -> None:
        self._clock = RealClock()
        self._loop = Loop(self._clock)
        self._launcher = PosixLauncher(self._loop, os.environb)
        self._stdout = self._stderr = b""

    def run(self, program: Program, limit: float) -> Ends:
        """Run it. Raises StartError."""
        callbacks = Callbacks(
            self._take, self._gone, self._end, printed=self._take, settled=self._end
        )
        try:
            world = self._clock, self._loop, self._launcher
            run = Run(world, program, limit, callbacks, self)
            self._loop.run()
        finally:
            self._launcher.close()
            self._loop.close()
        return self._ends(run)

    def _ends(self, run: Run) -> Ends:
        ends = Ends(stdout=self._stdout, stderr=self._stderr)
        if run.timed_out:
            return ends._replace(after=None)
        if run.status.code is None:
            return ends._replace(killed=run.status.signal, lost=run.status.signal is None)
        return ends._replace(code=run.status.code)

    def _take(self, run: Run) -> None:
        output = run.output()
        self._stdout += output.stdout.within()
        self._stderr += output.stderr.within()

    def _gone(self, run: Run) -> None:
        self._take(run)
        if run.settled:
            self._loop.stop()

    def _end(self, run: Run) -> None:
        self._take(run)
        self._loop.stop()

    def crashed(self, error: Exception) -> None:
        """Raise an error of a callback: it is a bug of HEAT."""
        raise error


class _ScriptFile:
    """The output of one script; a service that it leaves behind may print to it, too."""

    printed: Callable[[], None] | None = None
    last_line = ""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def open(self) -> int:
        """Return a descriptor for the script."""
        return os.dup(self._file.fileno())

    def take(self) -> bytes:
        """Return the beginning of the output."""
        return os.pread(self._file.fileno(), LIMIT, 0)
