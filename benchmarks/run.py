"""HEAT beside what it is measured against, in one run.

usage: run.py [--only a,b,c,d,e] [--quick] [--root CHECKOUT]

What each figure is, and of what: in the functions below. How it is measured: in ``bench.py``.
A whole run, neither quick nor of some sections only, is written to RESULTS.md as well.
"""

import array
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from bench import (
    HERE,
    IN_FLIGHT,
    Bench,
    Command,
    Figure,
    Section,
    arguments,
    chosen,
    environment,
    in_turns,
    machine,
    measured,
    ms,
    percentile,
    prepared,
    printed,
    processor,
    ratio,
    running,
    sizes,
    sleep_until,
    write_results,
)


def watching(bench: Bench, *words: str) -> list[str]:
    return [bench.heat, "--log-dir", bench.folder, *words]


# a. Checks per second of the process layer


def throughput(bench: Bench) -> list[Figure]:
    figures: list[Figure] = []
    kinds = [("a tiny static check", bench.check, 1500, 0.70)] if bench.has_c else []
    kinds.append(("/bin/true", "/bin/true", 800, 0.90))
    for name, path, checks, goal in kinds:
        words = [path, str(checks), IN_FLIGHT]
        commands = {
            "HEAT": [bench.python, os.path.join(HERE, "layer.py"), *words],
            "subprocess.run": [bench.python, os.path.join(HERE, "plain.py"), *words],
        }
        if bench.has_c:
            commands["C"] = [bench.built("spawn"), *words]
        runs = {who: _rate_of(command) for who, command in commands.items()}
        rates = in_turns(runs, bench.slices(20))
        for who in ("C", "subprocess.run"):
            if who in rates:
                is_goal = who == "C"
                share = ratio(rates["HEAT"], rates[who])
                figures.append(
                    Figure(
                        f"checks a second, {name}, {IN_FLIGHT} in flight",
                        f"{statistics.median(rates['HEAT']):.0f}",
                        f"{who} {statistics.median(rates[who]):.0f}",
                        f"{share:.2f}",
                        f">= {goal:.2f}" if is_goal else "",
                        share >= goal if is_goal else None,
                    )
                )
    return figures


def _rate_of(command: Command) -> Callable[[], float]:
    return lambda: float(printed(command).split()[0])


# b. From a failing check's exit to the signal's arrival


def reaction(bench: Bench) -> list[Figure]:
    checks, interval = "50", "0.02"
    cell = os.path.join(bench.folder, "moment")
    with open(cell, "wb") as file:
        file.write(bytes(8))
    check = [bench.built("fail"), cell]

    def heat(pid: str) -> list[str]:
        return watching(bench, "-i", interval, "--count", checks, "--pid", pid, *check)

    def c(pid: str) -> list[str]:
        return [bench.built("react"), interval, checks, pid, *check]

    def slice_of(command: Callable[[str], list[str]]) -> Callable[[], list[float]]:
        return lambda: _reactions(bench, cell, command)

    taken = in_turns({"HEAT": slice_of(heat), "C": slice_of(c)}, bench.slices(20))
    times = ratio(*([statistics.median(spans) for spans in taken[who]] for who in ("HEAT", "C")))
    pooled = {who: [span for spans in taken[who] for span in spans] for who in taken}
    late = {who: percentile(spans, 0.99) for who, spans in pooled.items()}
    median = {who: statistics.median(spans) for who, spans in pooled.items()}
    what = "exit of a failing check to signal in the target"
    return [
        Figure(
            f"{what}, median",
            ms(median["HEAT"]),
            f"C {ms(median['C'])}",
            f"{times:.2f}",
            "<= 1.3",
            times <= 1.3,
        ),
        Figure(
            f"{what}, p99 of {len(pooled['HEAT'])}",
            ms(late["HEAT"]),
            f"C {ms(late['C'])}",
            f"{late['HEAT'] / late['C']:.2f}",
            "<= 1 ms",
            late["HEAT"] <= 1e-3,
        ),
    ]


def _reactions(bench: Bench, cell: str, command: Callable[[str], list[str]]) -> list[float]:
    """Seconds from exit to arrival, of each check that the command runs."""
    target = subprocess.Popen([bench.built("target"), cell], stdout=subprocess.PIPE, text=True)
    with target:
        assert target.stdout is not None  # noqa: S101 - it is a pipe
        target.stdout.readline()
        subprocess.run(
            command(str(target.pid)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            check=False,  # HEAT exits 1 after failed checks
        )
        target.terminate()
        return [int(line) / 1e9 for line in target.stdout]


# c. Drift and jitter


def punctuality(bench: Bench) -> list[Figure]:
    interval, seconds = 0.1, 6 if bench.quick else 30
    checks = str(round(seconds / interval))
    files = {who: os.path.join(bench.folder, f"stamps.{who}") for who in ("heat", "c")}
    heat = watching(bench, "-i", str(interval), "--count", checks, bench.built("stamp"))
    c = [bench.built("react"), str(interval), checks, "0", bench.built("stamp")]
    # At the same time, half an interval apart: they hardly meet.
    with running([*heat, files["heat"]]) as watch:
        while not os.path.exists(files["heat"]):
            time.sleep(0.001)
        time.sleep(interval / 2)
        subprocess.run([*c, files["c"]], env=environment(), check=True)
        watch.wait()
    drift, jitter, late = zip(*(_phases(files[who], interval) for who in files), strict=True)
    what = f"{checks} checks {interval} s apart"
    return [
        Figure(
            f"drift: span of the median phases of the tenths of the run, {what}",
            ms(drift[0]),
            f"C {ms(drift[1])}",
            goal="<= 3 ms",
            reached=drift[0] <= 3e-3,
        ),
        Figure(
            f"jitter: median distance from the grid of the median phase, {what}",
            ms(jitter[0]),
            f"C {ms(jitter[1])}",
            goal="<= 0.5 ms",
            reached=jitter[0] <= 0.5e-3,
        ),
        Figure("jitter, p99", ms(late[0]), f"C {ms(late[1])}"),
    ]


def _phases(path: str, interval: float) -> tuple[float, float, float]:
    """Drift, median and p99 of the jitter, in seconds.

    A phase is how much later a check began than start + k * interval, k whole: a skipped
    tick, which would be missing in the file, shifts no other.
    """
    stamps = array.array("q")
    with open(path, "rb") as file:
        stamps.frombytes(file.read())
    since = [(stamp - stamps[0]) / 1e9 for stamp in stamps]
    phases = [span - round(span / interval) * interval for span in since]
    tenth = max(1, len(phases) // 10)
    medians = [
        statistics.median(phases[k : k + tenth]) for k in range(0, len(phases) - tenth + 1, tenth)
    ]
    grid = statistics.median(phases)
    distances = [abs(phase - grid) for phase in phases]
    return (
        max(medians) - min(medians),
        statistics.median(distances),
        percentile(distances, 0.99),
    )


# d. Start-up


def start_up(bench: Bench) -> list[Figure]:
    stamp = os.path.join(bench.folder, "first")
    heat = watching(bench, "-i", "60", bench.built("stamp"), stamp)

    def to_first_check() -> float:
        began = time.monotonic_ns()
        with running(heat, subprocess.PIPE) as program:
            assert program.stdout is not None  # noqa: S101 - it is a pipe
            program.stdout.readline()
        with open(stamp, "rb") as file:
            first = int.from_bytes(file.read(8), sys.byteorder)
        os.unlink(stamp)
        return (first - began) / 1e9

    def bare() -> float:
        began = time.monotonic_ns()
        subprocess.run([bench.python, "-c", "pass"], env=environment(), check=True)
        return (time.monotonic_ns() - began) / 1e9

    taken = in_turns({"HEAT": to_first_check, "python": bare}, bench.slices(40))
    times = ratio(taken["HEAT"], taken["python"])
    return [
        Figure(
            "from the start of HEAT to the first instruction of the first check",
            ms(statistics.median(taken["HEAT"])),
            f"python -c pass {ms(statistics.median(taken['python']))}",
            f"{times:.2f}",
            "<= 5",
            times <= 5,
        )
    ]


# e. Snapshot and processor


def cost(bench: Bench) -> list[Figure]:
    """Measure an idle HEAT next to the others: it costs only its own time."""
    interval = 10 if bench.quick else 60
    with running(watching(bench, "-i", str(interval), bench.check)) as idle:
        began = time.monotonic()
        figures = _memory(bench) + _per_check(bench)
        sleep_until(began + interval / 2)
        before = processor(idle.pid), time.monotonic()
        sleep_until(began + interval * 1.5)
        after = processor(idle.pid), time.monotonic()
    share = (after[0] - before[0]) / (after[1] - before[1]) * 100
    what = f"share of a core at an interval of {interval} s, its one check included"
    return [*figures, Figure(what, f"{share:.4f} %", goal="<= 0.01 %", reached=share <= 0.01)]


def _memory(bench: Bench) -> list[Figure]:
    bare = [bench.python, os.path.join(HERE, "bare.py"), "0.1", bench.check]
    with running(watching(bench, "-i", "0.1", bench.check)) as heat, running(bare) as loop:
        time.sleep(2 if bench.quick else 5)
        taken = sizes(heat.pid), sizes(loop.pid)
    return [
        Figure(
            f"memory of HEAT with one monitor, {kind.upper()}",
            f"{taken[0][kind] / 1024:.1f} MiB",
            f"bare Python loop {taken[1][kind] / 1024:.1f} MiB",
            f"{taken[0][kind] / taken[1][kind]:.2f}",
            "<= 1.7",
            taken[0][kind] <= 1.7 * taken[1][kind],
        )
        for kind in ("rss", "pss")
    ]


def _per_check(bench: Bench) -> list[Figure]:
    """HEAT prints to a file, whose lines are counted."""
    out = os.path.join(bench.folder, "out")
    interval = 0.004
    spans: list[float] = []
    with open(out, "wb") as file:
        heat = watching(bench, "-i", str(interval), bench.check)
        with running(heat, file.fileno()) as program:
            time.sleep(1)
            for _ in range(bench.slices(12)):
                lines, spent = _lines(out), processor(program.pid)
                time.sleep(1)
                spans.append((processor(program.pid) - spent) / (_lines(out) - lines))
    typical = statistics.median(spans)
    beside = f"C {_per_check_of_c(bench, interval) * 1e6:.0f} us" if bench.has_c else ""
    what = f"processor time of HEAT a check, all told, at {1 / interval:.0f} checks a second"
    text = f"{typical * 1e6:.0f} us"
    return [Figure(what, text, beside, goal="<= 150 us", reached=typical <= 150e-6)]


def _per_check_of_c(bench: Bench, interval: float) -> float:
    with running([bench.built("react"), str(interval), "1000000", "0", bench.check]) as program:
        time.sleep(0.2)
        spent = processor(program.pid)
        time.sleep(2)
        return (processor(program.pid) - spent) / (2 / interval)


def _lines(path: str) -> int:
    with open(path, "rb") as file:
        return file.read().count(b"\n")


SECTIONS = {
    "a": Section("Throughput of the process layer", throughput, needs_c=False),
    "b": Section("Reaction", reaction),
    "c": Section("Punctuality", punctuality),
    "d": Section("Start-up", start_up),
    "e": Section("Snapshot and processor", cost, needs_c=False),
}


def main() -> int:
    parser = arguments("HEAT beside what it is measured against")
    asked = parser.parse_args()
    keys = chosen(parser, asked.only, list(SECTIONS))
    about = machine()
    print(about)
    with prepared(asked) as bench:
        parts = measured(bench, {key: SECTIONS[key] for key in keys})
    if not asked.quick and set(keys) == set(SECTIONS):
        write_results(os.path.join(HERE, "RESULTS.md"), about, parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
