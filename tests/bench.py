"""A bench for tests of the process layer: one program after another, on a real loop."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from processes import Nobody

from heat.process.launcher import PosixLauncher
from heat.process.program import Output, Program
from heat.process.run import Callbacks, Run
from heat.runtime.loop import Loop, RealClock


class Bench(Nobody):
    """A loop with a launcher, which runs one program after another to its end."""

    def __init__(self, script_output: Path) -> None:
        self.clock = RealClock()
        self.loop = Loop(self.clock)
        self.script_output = script_output
        self.launcher = PosixLauncher(self.loop, os.environb)
        self.verdicts: list[str] = []
        self.outputs: list[Output] = []
        self.stuck: list[Run] = []
        self.left: list[tuple[Run, list[str]]] = []
        self.late: list[Output] = []
        self.printed: Callable[[], None] | None = None
        self.last_line = ""

    def open(self) -> int:
        return os.open(self.script_output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def start(
        self,
        *argv: str,
        timeout: float | None = 30.0,
        script: bool = False,
        path: str = "",
        **env: str,
    ) -> Run:
        program = Program(argv[0], path or argv[0], argv, self if script else None, env)
        callbacks = Callbacks(
            *(self._ended, self._gone, self.stuck.append),
            *(self._printed, self._settled, self._left),
        )
        return Run((self.clock, self.loop, self.launcher), program, timeout, callbacks, self)

    def take(self) -> bytes:
        return self.script_output.read_bytes()

    def _ended(self, run: Run) -> None:
        self.verdicts.append("timed out" if run.timed_out else "ended")
        self.outputs.append(run.output())

    def _gone(self, run: Run) -> None:
        self.verdicts.append("gone")
        self.outputs.append(run.output())
        if run.settled:
            self.loop.stop()

    def _printed(self, run: Run) -> None:
        self.late.append(run.output())

    def _settled(self, _run: Run) -> None:
        self.loop.stop()

    def _left(self, run: Run, processes: Sequence[str]) -> None:
        self.left.append((run, [*processes]))

    def run(self, *argv: str, timeout: float | None = 30.0, script: bool = False) -> Run:
        run = self.start(*argv, timeout=timeout, script=script)
        self.loop.run()
        return run

    def sh(self, line: str, timeout: float | None = 30.0) -> Run:
        return self.run("/bin/sh", "-c", line, timeout=timeout)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "out")
    before = descriptors()
    yield made
    assert descriptors() <= before
    made.launcher.close()
    made.loop.close()


def inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
