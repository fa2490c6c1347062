"""Row 21: hundreds of programs exit at once."""

import os
import resource
import signal
from functools import partial

import pytest
from place import Place
from processes import Nobody

from heat.errors import StartError
from heat.process.launcher import PosixLauncher
from heat.process.program import Program
from heat.process.run import Callbacks, Run
from heat.runtime.loop import Loop, RealClock


def test_of_five_hundred_exits_at_once_each_status_is_right(place: Place) -> None:
    count = 500
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 3 * count + 100:
        pytest.skip(f"needs {3 * count + 100} descriptors, and {most} are allowed")
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    if processes != resource.RLIM_INFINITY and processes < count + 500:
        pytest.skip(f"needs {count} processes, and {processes} are allowed")
    gate = place.gate("gate")
    script = place.script("waits", f": < {gate.path}\necho $1 >&2\nexit $1")
    loop = Loop(RealClock())
    launcher = PosixLauncher(loop, os.environb)
    ended: dict[int, list[tuple[int | None, int | None]]] = {}
    gone: list[Run] = []

    def note_ended(number: int, run: Run) -> None:
        ended.setdefault(number, []).append((run.status.code, run.status.signal))
        assert run.output().stderr.data == f"{number % 256}\n".encode()

    def note_gone(run: Run) -> None:
        gone.append(run)
        if len(gone) == count:
            loop.stop()

    def unkilled(run: Run) -> None:
        raise AssertionError(run.pid)

    def start(number: int) -> Run:
        words = (script, str(number % 256))
        program = Program(script, str(place.folder / "waits"), words)
        callbacks = Callbacks(partial(note_ended, number), note_gone, unkilled)
        return Run((RealClock(), loop, launcher), program, None, callbacks, Nobody())

    resource.setrlimit(resource.RLIMIT_NOFILE, (min(3 * count + 500, most), most))
    runs: list[Run] = []
    try:
        try:
            runs.extend(start(number) for number in range(count))
        except StartError as error:
            for run in runs:
                os.kill(run.pid, signal.SIGKILL)
            pytest.skip(f"this machine does not let {count} programs run at once: {error}")
        gate.open()
        opened = os.open(gate.path, os.O_RDWR)
        loop.run()
        os.close(opened)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
        launcher.close()
        loop.close()

    assert ended == {number: [(number % 256, None)] for number in range(count)}
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, runs[0].pid, os.WEXITED)
