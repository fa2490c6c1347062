"""Try the mutants, as ``python -m tests.mutants``; those that live on are listed.

Usage:
  mutants [rows] [source] [heat] [--only TEXT] [--size N] [--seed N] [--jobs N]
  mutants -h | --help

Without a word, all are tried: the mutants of the table and of the source of its
machine, two hours, and a sample of mistakes in heat/, one to three hours. Those
of source and heat need cosmic-ray, which is in the extra 'mutants'. A run of heat
goes on where the last one stopped: its results, and the map of lines to tests,
are in .mutants/.

Options:
  --only TEXT  try only those whose description has this in it
  --size N     how many mistakes to draw in heat/ [default: 400]
  --seed N     the seed that draws them [default: 1]
  --jobs N     how many to try in heat/ at once [default: 2]
  -h, --help   print this
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from docopt import docopt

from . import heat, rows, source
from .judge import Mutant, lives

_KINDS: dict[str, Callable[[], Iterator[Mutant]]] = {"rows": rows.mutants, "source": source.mutants}

_SAME: dict[str, Callable[[], Iterator[Mutant]]] = {
    "rows": rows.unchanged,
    "source": source.unchanged,
}


def main(argv: list[str] | None = None) -> int:
    """Try the mutants, and list the survivors."""
    arguments = cast("Mapping[str, str | bool | None]", docopt(__doc__ or "", argv))
    kinds = [kind for kind in (*_KINDS, "heat") if arguments[kind]] or [*_KINDS, "heat"]
    only = str(arguments["--only"] or "")
    alive = sum(_try(kind, only) for kind in kinds if kind in _KINDS)
    if "heat" in kinds:
        size, seed, jobs = (int(str(arguments[f"--{name}"])) for name in ("size", "seed", "jobs"))
        alive += heat.run(size, seed, jobs, only)
    return 1 if alive else 0


def _try(kind: str, only: str) -> int:
    for same in _SAME[kind]():
        if not lives(same):
            raise RuntimeError(f"the tests fail without any mistake in {same.what}")
    alive = tried = 0
    for mutant in _KINDS[kind]():
        if only not in mutant.what:
            continue
        tried += 1
        if not tried % 50:
            print(f"{kind}: {tried} tried, {alive} live", file=sys.stderr, flush=True)
        if lives(mutant):
            alive += 1
            print(f"lives: {mutant.what}", flush=True)
    print(f"{kind}: {tried - alive} of {tried} mutants were found", flush=True)
    return alive


if __name__ == "__main__":
    sys.exit(main())
