"""Try the mutants, as ``python -m tests.mutants``; those that live on are listed.

Usage:
  mutants [rows] [source] [--only TEXT]
  mutants -h | --help

With neither word, the mutants of both the table and the source are tried. Those of the source
need cosmic-ray, which is in the extra 'mutants'. It takes two hours.

Options:
  --only TEXT  those alone whose description has this in it
  -h, --help   print this
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from docopt import docopt

from . import rows, source
from .judge import Mutant, lives

_KINDS: dict[str, Callable[[], Iterator[Mutant]]] = {"rows": rows.mutants, "source": source.mutants}

_SAME: dict[str, Callable[[], Iterator[Mutant]]] = {
    "rows": rows.unchanged,
    "source": source.unchanged,
}


def main(argv: list[str] | None = None) -> int:
    """Try them, and tell which live on."""
    given = cast("Mapping[str, str | bool | None]", docopt(__doc__ or "", argv))
    wanted = [kind for kind in _KINDS if given[kind]] or list(_KINDS)
    alive = sum(_try(kind, str(given["--only"] or "")) for kind in wanted)
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
