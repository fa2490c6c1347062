"""Simulate, as ``python -m tests.simulate``.

Usage:
  simulate [--seed N] [--ticks N] [--processes N]
  simulate --replay RECORD
  simulate -h | --help

Options:
  --seed N          the first seed, each history has the next one; a fresh one
                    where it is not given
  --ticks N         how many ticks, in all histories together [default: 1000000]
  --processes N     how many at once; each takes its share [default: 2]
  --replay RECORD   tell what happens in the history of these choices, as 0,3,1
  -h, --help        print this

A seed that fails is printed, shrunk to the shortest history that still does, and told.
"""

import gc
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from typing import NamedTuple, cast

from docopt import docopt

from .choices import Choices, shrunk
from .history import run, trace_of

_SEEDS = 1_000_000_000
LONGEST = 120
"""Ticks of one history."""


class Failed(NamedTuple):
    """A history in which an invariant is broken."""

    seed: int
    record: list[int]
    why: str


def simulate(seed: int, ticks: int, every: int = 1) -> tuple[int, Failed | None]:
    """Run the histories of ``seed``, ``seed`` + ``every``, ... for this many ticks."""
    done = 0
    while done < ticks:
        choices = Choices(seed)
        try:
            done += max(1, run(choices, LONGEST))
        except Exception as error:  # noqa: BLE001 - any error is a find
            return done, Failed(seed, choices.taken, f"{type(error).__name__}: {error}")
        seed += every
    return done, None


def _collect_rarely() -> None:
    """Collect garbage rarely: a history leaves little, which is soon used again."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def shortest(failed: Failed) -> list[int]:
    """Return the shortest record that fails in the same way."""
    kind = failed.why.split("\n", maxsplit=1)[0][:30]

    def fails(record: Sequence[int]) -> bool:
        try:
            run(Choices(record=record), LONGEST)
        except Exception as error:  # noqa: BLE001 - likewise
            return f"{type(error).__name__}: {error}".startswith(kind)
        return False

    return shrunk(failed.record, fails)


def report(failed: Failed) -> str:
    """Return the seed, and the shortest history that fails in the same way."""
    record = shortest(failed)
    numbers = ",".join(map(str, record)) or "0"
    lines = [
        f"seed {failed.seed} fails: {failed.why}",
        "",
        f"shrunk from {len(failed.record)} choices to {len(record)}:",
        *trace_of(record, LONGEST),
        "",
        f"again: python -m tests.simulate --replay {numbers}",
        f"   or: python -m tests.simulate --seed {failed.seed} --ticks 1",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Simulate, and tell what fails."""
    arguments = cast("Mapping[str, str | None]", docopt(__doc__ or "", argv))
    if (record := arguments["--replay"]) is not None:
        print(*trace_of([int(word) for word in record.split(",")], LONGEST), sep="\n")
        return 0
    ticks, processes = (int(arguments[name] or 0) for name in ("--ticks", "--processes"))
    seed = secrets.randbelow(_SEEDS) if (word := arguments["--seed"]) is None else int(word)
    again = f"--seed {seed} --ticks {ticks} --processes {processes}"
    print(f"seed {seed}; again: python -m tests.simulate {again}", flush=True)
    began = time.monotonic()
    share = -(-ticks // processes)
    jobs = [(seed + number, share, processes) for number in range(processes)]
    with get_context("fork").Pool(processes, _collect_rarely) as pool:
        results = pool.starmap(simulate, jobs)
    done = sum(ticks for ticks, _ in results)
    span = time.monotonic() - began
    failures = [failed for _, failed in results if failed is not None]
    for failed in failures[:1]:
        print(report(failed), file=sys.stderr)
    print(f"{done} ticks in {span:.1f} s, {done / span:.0f} a second; {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
