"""Map each line of heat/ to the tests that run it, in whatever process, by coverage."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import coverage

from .copy import Copy

_START = "import coverage; coverage.process_startup()\n"
_CONFIG = """\
[run]
branch = false
parallel = true
source = heat
data_file = {folder}/.coverage
context = ${{PYTEST_CURRENT_TEST-none}}
"""
_PLUGIN = '''\
"""Tell coverage which test runs, and write down how long each one takes."""

import json
from pathlib import Path

import coverage
import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    current = coverage.Coverage.current()
    if current is not None:
        current.switch_context(item.nodeid)
    return (yield)


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        with (Path(__file__).parent.parent / "times").open("a") as file:
            file.write(json.dumps([report.nodeid, report.duration, report.outcome]) + "\\n")
'''


class Reach(NamedTuple):
    """The tests by file and line, and the seconds that each test takes."""

    tests: Mapping[str, Mapping[int, tuple[str, ...]]]
    seconds: Mapping[str, float]

    def of(self, module: str, lines: range) -> list[str]:
        """Return the tests that run any of these lines, the likeliest to fail first.

        Those of the module's own file come first, then those of its wing, each by duration.
        """
        by_line = self.tests.get(module, {})
        names = {test for line in lines for test in by_line.get(line, ())}
        return sorted(names, key=lambda name: (_distance(module, name), self.seconds[name]))


def _distance(module: str, test: str) -> int:
    own = f"tests/{module.removeprefix('heat/')}"
    folder, _, stem = own.rpartition("/")
    if test.startswith(f"{folder}/test_{stem.removesuffix('.py')}"):
        return 0
    return 1 if test.startswith(f"{folder}/") else 2


def measure(folder: Path, words: list[str]) -> Reach:
    """Run the suite under coverage in a copy. Raises RuntimeError if it does not run."""
    copy = Copy.make(folder)
    config = folder / "reach.cfg"
    config.write_text(_CONFIG.format(folder=folder))
    [library] = (folder / ".venv/lib").glob("python*/site-packages")
    (library / "start.pth").write_text(_START)
    (folder / "tests/reach_plugin.py").write_text(_PLUGIN)
    times = folder / "times"
    env = {"COVERAGE_PROCESS_START": str(config)}
    copy.pytest(["-q", "-p", "reach_plugin", "-p", "no:cacheprovider", *words], 3600, env)
    if not times.exists():
        raise RuntimeError((folder / "pytest.log").read_text())
    passed = [json.loads(line) for line in times.read_text().splitlines()]
    seconds = {name: float(taken) for name, taken, outcome in passed if outcome == "passed"}
    return Reach(_lines(config, folder, seconds), seconds)


def _lines(
    config: Path, folder: Path, seconds: Mapping[str, float]
) -> dict[str, dict[int, tuple[str, ...]]]:
    measured: Any = coverage.Coverage(config_file=str(config))
    measured.combine(keep=True)
    data = measured.get_data()
    reached: dict[str, dict[int, tuple[str, ...]]] = {}
    for path in data.measured_files():
        lines: dict[int, set[str]] = defaultdict(set)
        for line, contexts in data.contexts_by_lineno(path).items():
            # Of a process that a test starts, "TEST (call)"; of pytest's own, "none|TEST".
            names = {each.removeprefix("none|") for each in contexts}
            names |= {each.rpartition(" (")[0] for each in names}
            lines[line] = names & seconds.keys()
        name = str(Path(path).relative_to(folder))
        reached[name] = {line: tuple(sorted(names)) for line, names in lines.items()}
    return reached


def save(reach: Reach, path: Path) -> None:
    """Write the map as JSON, each test as a number."""
    names = {name: number for number, name in enumerate(reach.seconds)}
    numbered = {
        file: {line: [names[each] for each in tests] for line, tests in lines.items()}
        for file, lines in reach.tests.items()
    }
    path.write_text(json.dumps([reach.seconds, numbered]))


def load(path: Path) -> Reach:
    """Read what `save` has written."""
    seconds, numbered = json.loads(path.read_text())
    names = [*seconds]
    tests = {
        file: {int(line): tuple(names[each] for each in of) for line, of in lines.items()}
        for file, lines in numbered.items()
    }
    return Reach(tests, seconds)
