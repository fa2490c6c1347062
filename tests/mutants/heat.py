"""Mistakes in heat/, each tried by the tests that run its line; the run can be taken up again."""

import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from . import meaning, reach, sample
from .copy import HOME, Copy
from .reach import Reach
from .sample import Mistake

_FOLDER = HOME / ".mutants"
_MOST = 120.0
"""Seconds of tests that one mistake is tried with: beyond that, it counts as alive."""
_OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout=60")


class Result(NamedTuple):
    """One mistake's end: ``how`` is found, slow, alive, or without tests."""

    what: str
    how: str


def run(size: int, seed: int, jobs: int, only: str = "") -> int:
    """Try the mistakes that have no result yet; return how many of all live on."""
    place = _FOLDER / _digest()
    place.mkdir(parents=True, exist_ok=True)
    reached = _reach(place / "reach.json", jobs)
    path = place / f"results-{seed}.jsonl"
    results = {each.what: each for each in _results(path)}
    mistakes = [each for each in _mistakes(size, seed) if only in each.what]
    left = [each for each in mistakes if each.what not in results]
    print(f"{len(mistakes)} mistakes, {len(left)} left to try", file=sys.stderr, flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as folder,
        path.open("a") as file,
    ):
        for result in _tried(left, reached, Path(folder), jobs):
            results[result.what] = result
            file.write(json.dumps(result) + "\n")
            file.flush()
            print(f"{result.how}: {result.what}", flush=True)
    ends = [results[each.what] for each in mistakes]
    alive = [each for each in ends if each.how in {"alive", "without tests"}]
    print(f"heat: {len(ends) - len(alive)} of {len(ends)} mistakes were found", flush=True)
    return len(alive)


def _mistakes(size: int, seed: int) -> list[Mistake]:
    return [*meaning.mistakes(), *sample.draw(size, seed)]


def _digest() -> str:
    """Return a digest of the code and its tests: a map and results hold for these only."""
    digest = sha256()
    for top in ("heat", "states", "tests"):
        for path in sorted((HOME / top).rglob("*.py")):
            digest.update(f"{path}\0{path.read_text()}".encode())
    return digest.hexdigest()[:16]


def _results(path: Path) -> list[Result]:
    return [Result(*json.loads(line)) for line in path.open()] if path.exists() else []


def _reach(path: Path, jobs: int) -> Reach:
    if not path.exists():
        print("mapping the lines of heat/ to the tests", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="reach-") as folder:
            reach.save(reach.measure(Path(folder), ["-n", str(jobs)]), path)
    return reach.load(path)


def _tried(mistakes: list[Mistake], reached: Reach, folder: Path, jobs: int) -> Iterator[Result]:
    copies: SimpleQueue[Copy] = SimpleQueue()
    for number in range(jobs):
        place = folder / str(number)
        place.mkdir()
        copies.put(Copy.make(place))

    def attempt(mistake: Mistake) -> Result:
        copy = copies.get()
        try:
            return _try(mistake, reached, copy)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(attempt, mistakes)


def _try(mistake: Mistake, reached: Reach, copy: Copy) -> Result:
    tests: list[str] = []
    budget = _MOST
    for name in reached.of(mistake.module, mistake.lines):
        budget -= reached.seconds[name]
        if budget < 0:
            break
        tests.append(name)
    if not tests:
        return Result(mistake.what, "without tests")
    copy.write(mistake.module, mistake.text)
    try:
        code = copy.pytest([*_OPTIONS, *tests], 4 * _MOST)
    finally:
        copy.restore(mistake.module)
    return Result(mistake.what, {0: "alive", None: "slow"}.get(code, "found"))
