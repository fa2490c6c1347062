"""What the benchmarks share: HEAT as installed, the compiled yardsticks, turns, tables.

HEAT is measured as installed: copied into an environment of its own in a temporary folder,
where nothing else is. What is compared takes turns in short slices, so that a noisy machine
disturbs all alike; a ratio is the median of the ratios of the slices.
"""

import argparse
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("docopt", "transitions", "six")
YARDSTICKS = ("spawn", "react", "target", "reacts", "busy")
CHECKS = ("tiny", "stamp", "fail", "tick", "first")
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
        """Return the path of a compiled program of this folder."""
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


class Section(NamedTuple):
    """Figures that are measured together."""

    title: str
    measure: Callable[[Bench], list[Figure]]
    needs_c: bool = True


# The setting


def set_up(folder: str, root: str, *, quick: bool) -> Bench:
    """HEAT of the checkout ``root``, and the yardsticks of this folder."""
    home = os.path.join(folder, "venv")
    venv.create(home, symlinks=True)
    site = sysconfig.get_path("purelib", "venv", {"base": home})
    for package in PACKAGES:
        _copy_package(package, site)
    for package in ("heat", "states"):
        shutil.copytree(os.path.join(root, package), os.path.join(site, package), ignore=_CACHES)
    compileall.compile_dir(site, quiet=1)
    python = os.path.join(home, "bin", "python")
    heat = os.path.join(home, "bin", "heat")
    with open(heat, "w", encoding="utf-8") as script:  # as pip writes it
        script.write(f"#!{python}\nimport sys\nfrom heat.app.cli import main\nsys.exit(main())\n")
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


def in_turns(runs: Mapping[str, Callable[[], T]], slices: int) -> dict[str, list[T]]:
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
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


@contextlib.contextmanager
def running(
    command: Command, out: int = subprocess.DEVNULL, err: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """Run it as long as the block lasts."""
    program = subprocess.Popen(command, stdout=out, stderr=err, env=environment(), text=True)
    try:
        yield program
    finally:
        program.terminate()
        program.wait()
        if program.stdout is not None:
            program.stdout.close()


def sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def sizes(pid: int) -> dict[str, int]:
    """Its memory, KiB."""
    found: dict[str, int] = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            key, _, value = line.partition(":")
            if key in ("Rss", "Pss"):
                found[key.lower()] = int(value.split()[0])
    return found


def processor(pid: int) -> float:
    """Seconds that it has spent on a processor, all its threads but not its children."""
    spent = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            spent += int(file.read().split()[0])
    return spent / 1e9


# The result


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


Parts = Sequence[tuple[str, Sequence[str]]]


def write_results(path: str, about: str, parts: Parts) -> None:
    script = os.path.basename(sys.argv[0])
    lines = [f"# Results of `python benchmarks/{script}`", "", f"{about}.", ""]
    lines += ["A ratio is HEAT to what is beside it: the median of the ratios of slices that took"]
    lines += [f"turns in one run. What each line measures is told in `{script}`.", ""]
    for title, body in parts:
        lines += [f"## {title}", "", *body, ""]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")


# The command line


def arguments(about: str) -> argparse.ArgumentParser:
    """Return the parser of the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--only", help="sections, separated by commas")
    parser.add_argument("--quick", action="store_true", help="short, and so less certain")
    parser.add_argument("--root", default=os.path.dirname(HERE), help="the checkout measured")
    return parser


def chosen(parser: argparse.ArgumentParser, only: str | None, known: Sequence[str]) -> list[str]:
    keys = list(known) if only is None else only.split(",")
    if unknown := [key for key in keys if key not in known]:
        parser.error(f"no section {unknown[0]}; there are {', '.join(known)}")
    return keys


@contextlib.contextmanager
def prepared(asked: argparse.Namespace) -> Iterator[Bench]:
    """All that is measured, in a folder that goes at the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder:
        yield set_up(folder, asked.root, quick=asked.quick)


def measured(bench: Bench, sections: Mapping[str, Section]) -> Parts:
    """Measure these sections, saying what comes out."""
    parts: list[tuple[str, Sequence[str]]] = []
    for key, section in sections.items():
        title = f"{key}. {section.title}"
        print(title, flush=True)
        if section.needs_c and not bench.has_c:
            print("  skipped: no cc")
            parts.append((title, ["Skipped: no cc."]))
            continue
        figures = section.measure(bench)
        print(*map(told, figures), sep="\n", flush=True)
        parts.append((title, table(figures)))
    return parts
