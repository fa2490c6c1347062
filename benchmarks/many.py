"""HEAT with many monitors: its configuration, run, watched, and what its checks have left."""

import array
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

from bench import IN_FLIGHT, Bench, percentile, printed, processor, running

PATIENCE = 60.0
"""Seconds; a HEAT that has not printed what is waited for by then has failed."""


NUMBER = "%d"


class Config(NamedTuple):
    """Monitors m0, m1, ... that run the same words, each with its number for NUMBER.

    /bin/true takes longer with an argument than without one.
    """

    monitors: int
    interval: float
    words: tuple[str, ...]
    fail: str = ""
    max_running: int = 256

    def command(self, number: int) -> list[str]:
        """Return the command that the monitor runs."""
        return [str(number) if word == NUMBER else word for word in self.words]

    def text(self) -> str:
        """Return the configuration file of HEAT."""
        lines = ["[heat]", f"max-running = {self.max_running}", "[defaults]"]
        lines += [f'interval = "{self.interval:.6f}s"']
        lines += [f"fail = {json.dumps(self.fail)}"] if self.fail else []
        for number in range(self.monitors):
            command = json.dumps(self.command(number))
            lines += [f"[monitor.m{number}]", f"command = {command}"]
        return "\n".join(lines) + "\n"


class Speed(NamedTuple):
    """Checks a second, and the seconds of processor time that each cost."""

    rate: float
    cost: float


class Watched:
    """A HEAT that runs, and prints to a file, whose lines are counted when it is over."""

    def __init__(self, folder: str, program: subprocess.Popen[str], began: float) -> None:
        self.folder = folder
        self.program = program
        self.pid = program.pid
        self.began = began

    def path(self, name: str) -> str:
        """Return the path of a file in its folder: out, err, heat.log, ..."""
        return os.path.join(self.folder, name)

    def printed(self, start: int = 0, end: int | None = None) -> bytes:
        """Its lines on stdout, between these places."""
        with open(self.path("out"), "rb") as file:
            file.seek(start)
            return file.read() if end is None else file.read(end - start)

    def place(self) -> int:
        """How far it has printed."""
        return os.stat(self.path("out")).st_size

    def wait_for(self, lines: int) -> None:
        """Wait until it has printed so many."""
        patience = time.monotonic() + PATIENCE
        while self.printed().count(b"\n") < lines:
            self.must_run()
            if time.monotonic() > patience:
                self.give_up(f"{lines} lines did not come within {PATIENCE:.0f} s")
            time.sleep(0.05)

    def must_run(self) -> None:
        """End the whole run if it has ended."""
        if self.program.poll() is not None:
            self.give_up(f"it ended with {self.program.returncode}")

    def stop(self) -> None:
        """Let it end, and complete its logs."""
        self.must_run()
        self.program.terminate()
        self.program.wait()

    def give_up(self, why: str) -> None:
        """End the whole run, with this HEAT's own words."""
        with open(self.path("err"), encoding="utf-8", errors="replace") as file:
            said = "".join(file.readlines()[:20])
        sys.exit(f"heat --config cannot be measured: {why}; what it said:\n{said}")

    def speed(self, seconds: float) -> Speed:
        """How fast its checks go, by what it prints and spends in the seconds from now."""
        began, place, spent = time.monotonic(), self.place(), processor(self.pid)
        time.sleep(seconds)
        span, end, cost = time.monotonic() - began, self.place(), processor(self.pid) - spent
        self.must_run()
        checks = self.printed(place, end).count(b"OK\n")
        return Speed(checks / span, cost / max(1, checks))


@contextlib.contextmanager
def watching(bench: Bench, config: Config) -> Iterator[Watched]:
    """``heat --config`` as long as the block lasts, with logs and lines in a folder."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        path = os.path.join(folder, "heat.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.text())
        control = os.path.join(folder, "heat.sock")
        command = [bench.heat, "--config", path, "--log-dir", folder, "--control", control]
        began = time.monotonic()
        with (
            open(os.path.join(folder, "out"), "wb") as out,
            open(os.path.join(folder, "err"), "wb") as err,
            running(command, out.fileno(), err.fileno()) as program,
        ):
            yield Watched(folder, program, began)


def must_take_configs(bench: Bench) -> None:
    """End here, with its own words, if this HEAT does not run a small configuration."""
    with watching(bench, Config(2, 0.1, (bench.check,))) as heat:
        heat.wait_for(2)


# As fast as it goes

SATURATING = 1000
"""Monitors; together they are due twice as often as they can be run."""


def saturated(bench: Bench, program: str, capacity: float, seconds: float) -> Speed:
    """HEAT at full speed; ``capacity`` is how many checks a second C can run."""
    interval = SATURATING / (2 * capacity)
    config = Config(SATURATING, interval, (program,), max_running=int(IN_FLIGHT))
    with watching(bench, config) as heat:
        heat.wait_for(SATURATING)
        return heat.speed(seconds)


def capacity_of(bench: Bench, program: str) -> float:
    return float(printed([bench.built("spawn"), program, "1000", IN_FLIGHT]).split()[0])


def affordable(bench: Bench, wanted: float) -> float:
    """Return the starts a second that keep this machine below 60 % busy, at most ``wanted``."""
    full = saturated(bench, bench.check, capacity_of(bench, bench.check), 2).rate
    return min(wanted, max(10, 0.6 * full // 10 * 10))


# What checks and reactions leave in files


def records(path: str, skip: int = 0) -> list[tuple[int, int]]:
    """Pairs of 64-bit words: a monitor's number, and nanoseconds."""
    words = array.array("q")
    with open(path, "rb") as file:
        file.seek(skip)
        words.frombytes(file.read())
    return list(zip(words[::2], words[1::2], strict=True))


class Lateness(NamedTuple):
    """Of starts on their grids; seconds."""

    checks: int
    median: float
    p99: float
    lost: int


GRACE = 1.0
"""Seconds that a run goes on after the last due time that counts."""


def lateness(stamps: list[tuple[int, int]], monitors: int, interval: float, end: float) -> Lateness:
    """How late each start was, and how many are missing of those due until ``end``.

    A monitor's grid is start + k * interval, k whole, where the start is such that the
    earliest of its checks was not late at all.
    """
    starts_of: dict[int, list[float]] = {number: [] for number in range(monitors)}
    for number, stamp in stamps:
        starts_of[number].append(stamp / 1e9)
    began = min(stamp for _, stamp in stamps) / 1e9
    late: list[float] = []
    lost = 0
    for starts in starts_of.values():
        first = starts[0] if starts else end
        ticks = [round((start - first) / interval) for start in starts]
        phases = [start - k * interval for start, k in zip(starts, ticks, strict=True)]
        grid = min(phases, default=end)
        late += [phase - grid for phase in phases]
        due = int((end - grid) / interval) + 1 if starts else 0
        lost += due - len({k for k in ticks if k < due})
        lost += max(0, int((first - began - GRACE) / interval))
    return Lateness(len(late), statistics.median(late), percentile(late, 0.99), lost)


@contextlib.contextmanager
def fresh(bench: Bench, name: str, size: int = 0) -> Iterator[str]:
    """Make an empty file that checks or reactions write to, as long as the block lasts."""
    path = bench.built(name)
    with open(path, "wb") as file:
        file.truncate(size)
    try:
        yield path
    finally:
        os.unlink(path)
