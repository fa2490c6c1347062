"""HEAT's process layer alone: IN_FLIGHT checks at a time, as fast as they go.

usage: layer.py PROGRAM CHECKS IN_FLIGHT; prints checks a second.
"""

import gc
import os
import sys
import time

from heat.process.launcher import PosixLauncher
from heat.process.program import Program
from heat.process.run import Callbacks, Run
from heat.runtime.loop import Loop, RealClock

TIMEOUT = 30.0


class Nobody:
    """Whose calls do not crash."""

    def crashed(self, error: Exception) -> None:
        """Raise: this is a fault of the benchmark."""
        raise error


def rate(path: str, checks: int, in_flight: int) -> float:
    clock = RealClock()
    loop = Loop(clock)
    world = (clock, loop, PosixLauncher(loop, os.environb))
    program = Program(path, path, (path,))
    started = gone = 0

    def start() -> None:
        nonlocal started
        started += 1
        Run(world, program, TIMEOUT, told, Nobody())

    def ended(run: Run) -> None:
        run.output()

    def left(_run: Run) -> None:
        nonlocal gone
        gone += 1
        if started < checks:
            start()
        elif gone == checks:
            loop.stop()

    told = Callbacks(ended, left, ended)
    gc.freeze()
    began = time.perf_counter()
    for _ in range(in_flight):
        start()
    loop.run()
    return checks / (time.perf_counter() - began)


if __name__ == "__main__":
    print(rate(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
