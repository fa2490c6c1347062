"""HEAT beside what it is measured against, in one run.

usage: run.py [--only a,b,c,d,e] [--quick]

HEAT is measured as installed: copied into an environment of its own in a temporary folder,
where nothing else is. What is compared takes turns in short slices, so that a noisy machine
disturbs all alike; a ratio is the median of the ratios of the slices. A whole run, neither
quick nor of some sections only, is written to RESULTS.md as well.
"""

import argparse
import array
import compileall
import contextlib
import datetime as dt
import importlib.util
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PACKAGES = ("docopt", "transitions", "six")
YARDSTICKS = ("spawn", "react", "target")
CHECKS = ("tiny", "stamp", "fail")
IN_FLIGHT = "4"

Command = Sequence[str]
T = TypeVar("T")


class Bench(NamedTuple):
    """Where the measured programs are; without a C compiler ``has_c`` is false."""

    folder: str
    python: str
    heat: str
    has_c: bool
    quick: bool

    def built(self, name: str) -> str:
        """A program of this folder, compiled."""
        return os.path.join(self.folder, name)

    @property
    def check(self) -> str:
        """The smallest check there is."""
        return self.built("tiny") if self.has_c else "/bin/true"

    def slices(self, full: int) -> int:
        """How many turns to take."""
        return max(3, full // 4) if self.quick else full


class Figure(NamedTuple):
    """One line of the result; a goal is a text, and whether it is reached."""

    what: str
    heat: str
    beside: str = ""
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None


# The setting


def set_up(folder: str, *, quick: bool) -> Bench:
    home = os.path.join(folder, "venv")
    venv.create(home, symlinks=True)
    site = sysconfig.get_path("purelib", "venv", {"base": home})
    for package in PACKAGES:
        _copy_package(package, site)
    for package in ("heat", "states"):
        shutil.copytree(os.path.join(ROOT, package), os.path.join(site, package), ignore=_CACHES)
    compileall.compile_dir(site, quiet=1)
    python = os.path.join(home, "bin", "python")
    heat = os.path.join(home, "bin", "heat")
    with open(heat, "w", encoding="utf-8") as script:  # as pip writes it
        script.write(f"#!{python}\nimport sys\nfrom heat.cli import main\nsys.exit(main())\n")
    os.chmod(heat, 0o700)
    return Bench(folder, python, heat, _compiled(folder), quick)


_CACHES = shutil.ignore_patterns("__pycache__")


def _copy_package(name: str, site: str) -> None:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        sys.exit(f"{name} is not installed here")
    if found.submodule_search_locations is None:
        shutil.copy(found.origin, site)
    else:
        folder = os.path.dirname(found.origin)
        shutil.copytree(folder, os.path.join(site, name), ignore=_CACHES)


def _compiled(folder: str) -> bool:
    cc = shutil.which("cc")
    if cc is None:
        print("no cc: what needs C is skipped")
        return False
    for name in YARDSTICKS + CHECKS:
        static = ["-static"] if name in CHECKS else []
        source = os.path.join(HERE, f"{name}.c")
        out = os.path.join(folder, name)
        subprocess.run([cc, "-O2", "-Wall", *static, "-o", out, source], check=True)
    return True


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


# Measuring


def printed(command: Command) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), check=True, text=True)
    return done.stdout


def in_turns(runs: dict[str, Callable[[], T]], slices: int) -> dict[str, list[T]]:
    """Run each of them once a slice, every slice beginning with another."""
    taken: dict[str, list[T]] = {name: [] for name in runs}
    names = list(runs)
    for _ in range(slices):
        for name in names:
            taken[name].append(runs[name]())
        names.append(names.pop(0))
    return taken


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(some, others, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


@contextlib.contextmanager
def running(command: Command, out: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """Run it as long as the block lasts."""
    program = subprocess.Popen(
        command, stdout=out, stderr=subprocess.DEVNULL, env=environment(), text=True
    )
    try:
        yield program
    finally:
        program.terminate()
        program.wait()
        if program.stdout is not None:
            program.stdout.close()


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
    return lambda: float(printed(command))


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


# e. Memory and processor


def cost(bench: Bench) -> list[Figure]:
    """The idle one runs beside the others: what it costs is its own time, and no more."""
    interval = 10 if bench.quick else 60
    with running(watching(bench, "-i", str(interval), bench.check)) as idle:
        began = time.monotonic()
        figures = _memory(bench) + _per_check(bench)
        _sleep_until(began + interval / 2)
        before = _processor(idle.pid), time.monotonic()
        _sleep_until(began + interval * 1.5)
        after = _processor(idle.pid), time.monotonic()
    share = (after[0] - before[0]) / (after[1] - before[1]) * 100
    what = f"share of a core at an interval of {interval} s, its one check included"
    return [*figures, Figure(what, f"{share:.4f} %", goal="<= 0.01 %", reached=share <= 0.01)]


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _memory(bench: Bench) -> list[Figure]:
    bare = [bench.python, os.path.join(HERE, "bare.py"), "0.1", bench.check]
    with running(watching(bench, "-i", "0.1", bench.check)) as heat, running(bare) as loop:
        time.sleep(2 if bench.quick else 5)
        sizes = _sizes(heat.pid), _sizes(loop.pid)
    return [
        Figure(
            f"memory of HEAT with one monitor, {kind.upper()}",
            f"{sizes[0][kind] / 1024:.1f} MiB",
            f"bare Python loop {sizes[1][kind] / 1024:.1f} MiB",
            f"{sizes[0][kind] / sizes[1][kind]:.2f}",
            "<= 1.7",
            sizes[0][kind] <= 1.7 * sizes[1][kind],
        )
        for kind in ("rss", "pss")
    ]


def _sizes(pid: int) -> dict[str, int]:
    """KiB."""
    sizes: dict[str, int] = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            key, _, value = line.partition(":")
            if key in ("Rss", "Pss"):
                sizes[key.lower()] = int(value.split()[0])
    return sizes


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
                lines, spent = _lines(out), _processor(program.pid)
                time.sleep(1)
                spans.append((_processor(program.pid) - spent) / (_lines(out) - lines))
    typical = statistics.median(spans)
    beside = f"C {_per_check_of_c(bench, interval) * 1e6:.0f} us" if bench.has_c else ""
    what = f"processor time of HEAT a check, all told, at {1 / interval:.0f} checks a second"
    text = f"{typical * 1e6:.0f} us"
    return [Figure(what, text, beside, goal="<= 150 us", reached=typical <= 150e-6)]


def _per_check_of_c(bench: Bench, interval: float) -> float:
    with running([bench.built("react"), str(interval), "1000000", "0", bench.check]) as program:
        time.sleep(0.2)
        spent = _processor(program.pid)
        time.sleep(2)
        return (_processor(program.pid) - spent) / (2 / interval)


def _lines(path: str) -> int:
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def _processor(pid: int) -> float:
    """Seconds that it has spent on a processor, its children not counted."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


# The result


SECTIONS: dict[str, tuple[str, Callable[[Bench], list[Figure]], bool]] = {
    "a": ("Throughput of the process layer", throughput, False),
    "b": ("Reaction", reaction, True),
    "c": ("Punctuality", punctuality, True),
    "d": ("Start-up", start_up, True),
    "e": ("Memory and processor", cost, False),
}
"""Title, function, and whether it cannot do without a C compiler."""

COLUMNS = ("what", "HEAT", "beside", "ratio", "goal", "")


def machine() -> str:
    model = "processor unknown"
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
        model = next(names, model)
    return (
        f"{os.cpu_count()} cores ({model}), Linux {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} at the start, "
        f"{dt.datetime.now(dt.UTC).date()}"
    )


def verdict(figure: Figure) -> str:
    return "" if figure.reached is None else "reached" if figure.reached else "MISSED"


def told(figure: Figure) -> str:
    parts = [figure.heat]
    parts += [f"beside {figure.beside}"] if figure.beside else []
    parts += [f"ratio {figure.ratio}"] if figure.ratio else []
    parts += [f"goal {figure.goal}: {verdict(figure)}"] if figure.goal else []
    return f"  {figure.what}: " + ", ".join(parts)


def table(figures: Sequence[Figure]) -> list[str]:
    rows = [COLUMNS, tuple("---" for _ in COLUMNS)]
    rows += [(*figure[:-1], verdict(figure)) for figure in figures]
    return ["| " + " | ".join(row) + " |" for row in rows]


def write_results(about: str, parts: Sequence[tuple[str, Sequence[str]]]) -> None:
    lines = ["# Results of `python benchmarks/run.py`", "", f"{about}.", ""]
    lines += ["A ratio is HEAT to what is beside it: the median of the ratios of slices that took"]
    lines += ["turns in one run. What each line measures is told in `run.py`.", ""]
    for title, body in parts:
        lines += [f"## {title}", "", *body, ""]
    with open(os.path.join(HERE, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="HEAT beside what it is measured against")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, such as a,b")
    parser.add_argument("--quick", action="store_true", help="short, and so less certain")
    asked = parser.parse_args()
    chosen = asked.only.split(",")
    if unknown := [key for key in chosen if key not in SECTIONS]:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    about = machine()
    print(about)
    parts: list[tuple[str, Sequence[str]]] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = set_up(folder, quick=asked.quick)
        for key in chosen:
            title, measure, needs_c = SECTIONS[key]
            title = f"{key}. {title}"
            print(title, flush=True)
            if needs_c and not bench.has_c:
                print("  skipped: no cc")
                parts.append((title, ["Skipped: no cc."]))
                continue
            figures = measure(bench)
            print(*map(told, figures), sep="\n", flush=True)
            parts.append((title, table(figures)))
    if not asked.quick and set(chosen) == set(SECTIONS):
        write_results(about, parts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
