"""HEAT beside Monit, where that is installed: the same monitors, the same checks.

A Monit of its own, in the foreground, with its files in a folder of its own and no web server.
Its cycle (``set daemon``) is what the interval is to HEAT; it has none below a second. Both run
in turns, but at rest at the same time.
"""

import contextlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import NamedTuple

from bench import Bench, Figure, in_turns, ms, percentile, processor, ratio, running, sizes
from many import NUMBER, Config, fresh, records, watching

Spans = list[float]
Start = Callable[[Bench, Config], AbstractContextManager[int]]


def text(config: Config, folder: str) -> str:
    lines = [f"set daemon {config.interval:.0f}"]
    lines += [
        f"set {kind} {os.path.join(folder, kind)}"
        for kind in ("logfile", "pidfile", "idfile", "statefile")
    ]
    then = f'exec "{config.fail}" repeat every 1 cycles' if config.fail else "alert"
    for number in range(config.monitors):
        command = " ".join(config.command(number))
        lines += [f'check program m{number} with path "{command}"', f"  if status != 0 then {then}"]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def by_monit(bench: Bench, config: Config) -> Iterator[int]:
    """Monit's pid, as long as the block lasts."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        path = os.path.join(folder, "monitrc")
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text(config, folder))
        with running(["monit", "-I", "-c", path]) as program:
            yield program.pid


@contextlib.contextmanager
def by_heat(bench: Bench, config: Config) -> Iterator[int]:
    """HEAT's pid, as long as the block lasts."""
    with watching(bench, config) as heat:
        heat.wait_for(1)
        yield heat.pid
        heat.must_run()


BOTH: dict[str, Start] = {"HEAT": by_heat, "Monit": by_monit}


def beside_monit(bench: Bench) -> list[Figure]:
    if shutil.which("monit") is None:
        return [Figure("monit is not installed", "not measured")]
    return [*_throughput(bench), *_spacing(bench), *_reaction(bench), *_at_rest(bench)]


def _starts(bench: Bench, start: Start, monitors: int) -> list[tuple[int, int]]:
    """Numbers and moments of the starts in some seconds, with checks each second."""
    with fresh(bench, "stamps") as stamps:
        config = Config(monitors, 1.0, (bench.built("tick"), stamps, NUMBER))
        with start(bench, config):
            time.sleep(2)
            place = os.stat(stamps).st_size
            time.sleep(_seconds(bench))
            return records(stamps, place)


def _seconds(bench: Bench) -> float:
    return 6.0 if bench.quick else 20.0


def _throughput(bench: Bench) -> list[Figure]:
    def rate_of(start: Start) -> float:
        return len(_starts(bench, start, 1000)) / _seconds(bench)

    rates = in_turns({who: partial(rate_of, start) for who, start in BOTH.items()}, 3)
    return [
        Figure(
            "checks a second, of 1000 monitors at 1 s",
            f"{statistics.median(rates['HEAT']):.0f}",
            f"Monit {statistics.median(rates['Monit']):.0f}",
            f"{ratio(rates['HEAT'], rates['Monit']):.2f}",
        )
    ]


def _spacing(bench: Bench) -> list[Figure]:
    def spacing_of(start: Start) -> Spans:
        last: dict[int, int] = {}
        spans: Spans = []
        for number, moment in _starts(bench, start, 100):
            if number in last:
                spans.append((moment - last[number]) / 1e9)
            last[number] = moment
        return spans

    taken = in_turns({who: partial(spacing_of, start) for who, start in BOTH.items()}, 3)
    pooled = {who: [span for spans in taken[who] for span in spans] for who in taken}
    mean = {who: statistics.fmean(spans) for who, spans in pooled.items()}
    off = {who: [abs(span - 1) for span in spans] for who, spans in pooled.items()}
    far = {who: percentile(spans, 0.99) for who, spans in off.items()}
    return [
        Figure(
            "100 monitors at 1 s: mean time from one check to the next",
            f"{mean['HEAT']:.4f} s",
            f"Monit {mean['Monit']:.4f} s",
        ),
        _times(
            "its distance from the second asked for, median",
            {who: statistics.median(spans) for who, spans in off.items()},
        ),
        _times("its distance from the second asked for, p99", far),
    ]


def _times(what: str, spans: dict[str, float]) -> Figure:
    own, other = spans["HEAT"], spans["Monit"]
    return Figure(what, ms(own), f"Monit {ms(other)}", f"{own / other:.4f}")


def _reaction(bench: Bench) -> list[Figure]:
    monitors = 10
    with fresh(bench, "cells", 8 * monitors) as cells, fresh(bench, "spans") as spans:
        config = Config(monitors, 1.0, (bench.built("fail"), cells, NUMBER), bench.built("first"))

        def reactions(start: Start) -> Spans:
            with start(bench, config):
                time.sleep(2)
                place = os.stat(spans).st_size
                time.sleep(_seconds(bench))
                return [span / 1e9 for _, span in records(spans, place)]

        taken = in_turns({who: partial(reactions, start) for who, start in BOTH.items()}, 3)
    pooled = {who: [span for some in taken[who] for span in some] for who in taken}
    what = "exit of a failing check to the first instruction of its script, 10 monitors at 1 s"
    return [
        _times(f"{what}, {name}", {who: percentile(pooled[who], share) for who in pooled})
        for name, share in (("median", 0.5), ("p99", 0.99))
    ]


class Cost(NamedTuple):
    """Of a program at rest: MB, the share of a core in percent, and checks a second."""

    memory: float
    share: float
    rate: float

    @property
    def each(self) -> float:
        """Seconds of processor time a check."""
        return self.share / 100 / self.rate if self.rate else float("inf")


def _at_rest(bench: Bench) -> list[Figure]:
    interval = 10.0 if bench.quick else 60.0
    kinds = [(monitors, who) for monitors in (100, 1000) for who in BOTH]
    with ExitStack() as stack:
        pids: list[int] = []
        stamps: list[str] = []
        for monitors, who in kinds:
            stamps.append(stack.enter_context(fresh(bench, f"stamps.{who}.{monitors}")))
            config = Config(monitors, interval, (bench.built("tick"), stamps[-1], NUMBER))
            pids.append(stack.enter_context(BOTH[who](bench, config)))
        time.sleep(interval * 1.1)
        costs = _costs(pids, stamps, interval * 2)
    cost = dict(zip(kinds, costs, strict=True))
    return [
        figure
        for monitors in (100, 1000)
        for figure in _cost_figures(
            f"{monitors} monitors at {interval:.0f} s",
            cost[monitors, "HEAT"],
            cost[monitors, "Monit"],
        )
    ]


def _costs(pids: list[int], stamps: list[str], seconds: float) -> list[Cost]:
    before = [processor(pid) for pid in pids]
    places = [os.stat(path).st_size for path in stamps]
    time.sleep(seconds)
    return [
        Cost(
            sizes(pid)["rss"] * 1024 / 1e6,
            (processor(pid) - spent) / seconds * 100,
            len(records(path, place)) / seconds,
        )
        for pid, spent, path, place in zip(pids, before, stamps, places, strict=True)
    ]


def _cost_figures(what: str, own: Cost, other: Cost) -> list[Figure]:
    shares = [f"{cost.share:.3f} % at {cost.rate:.1f} checks a second" for cost in (own, other)]
    return [
        Figure(
            f"{what}: memory, RSS",
            f"{own.memory:.1f} MB",
            f"Monit {other.memory:.1f} MB",
            f"{own.memory / other.memory:.2f}",
        ),
        Figure(
            f"{what}: share of a core",
            shares[0],
            f"Monit {shares[1]}",
        ),
        Figure(
            f"{what}: processor time a check",
            f"{own.each * 1e6:.0f} us",
            f"Monit {other.each * 1e6:.0f} us",
            f"{own.each / other.each:.2f}",
        ),
    ]
