"""A desk for tests of script output: a loop with a keeper, and the output of one monitor."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Nobody, until

from heat.process.keeper import Keeper
from heat.process.launcher import PosixLauncher
from heat.process.script_output import ScriptOutput
from heat.runtime.loop import Loop, RealClock


class Desk(Nobody):
    """A loop with a keeper, and the script output of one monitor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reports: list[str] = []
        self.loop = Loop(RealClock())
        self.launcher = PosixLauncher(self.loop, {})
        self.keeper = Keeper(self.loop, self.launcher.own, self.reports.append, self)
        self.output = self.another()

    def another(self) -> ScriptOutput:
        """Return another one for the same file, as after a restart."""
        world = self.loop, self
        return ScriptOutput(str(self.path), self.reports.append, world, lambda: self.keeper)

    def open(self) -> int:
        fd = self.output.open()
        assert fd is not None
        return fd

    def keeper_pid(self) -> int:
        """Return the process id of the keeper; 0 if there is none."""
        return next(iter(self.launcher.own), 0)


def process_name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "heat.web.out")
    before = len(os.listdir("/proc/self/fd"))
    yield made
    until(lambda: not (made.output.take() or made.output.held), "the end of the scripts")
    made.keeper.close()
    assert len(os.listdir("/proc/self/fd")) == before
    made.launcher.close()
    made.loop.close()
