"""Rehearsals for tests: of words of a command line, or of options and results."""

from collections.abc import Sequence
from typing import Any

import pytest
from virtual import options

from heat.ctl import main as heatctl
from heat.rehearsal.play import Played, play
from heat.rehearsal.results import Plot, results

WORDS = (
    "-i 30 -s ./check --threshold 3 --recovery ./recover --recovery-timeout 60 --pid 1234 "
    "--fault-signal STOP --success-signal CONT --results 0,1x5,timeout,0"
)
CONTRACT = WORDS.split()


def main(words: Sequence[str]) -> int:
    return heatctl.main(["rehearse", *words])


def rehearse(words: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(words.split())
    out, err = capfd.readouterr()
    return code, out, err


def played(course: str, *words: str, **plot: Any) -> Played:
    return play(options(*words), Plot(results(course), **plot))


def moments(of: Played, kind: str) -> list[tuple[float, str]]:
    return [(entry.at, entry.text) for entry in of.entries if entry.kind == kind]
