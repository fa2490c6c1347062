"""The judge: a mutant is made in a process of its own, which runs the tests of the machine."""

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import pytest

for _module in ("docopt", "freezegun", "hypothesis", "transitions"):
    # Loaded once for all: the processes that try the mutants are forks of this one.
    import_module(_module)

_TESTS = (
    "-x",
    "-q",
    "--assert=plain",
    *("-p", "no:cacheprovider"),
    *("-p", "no:xdist"),
    "--timeout=0",  # It would take the alarm away.
    "tests/test_machine.py",
    "tests/test_pause.py",
    "tests/test_simulate.py",
    # The simulation does the same with more, and mutants make it slow.
    "--deselect=tests/test_machine.py::test_whatever_happens_the_invariants_hold",
    "-k",
    "not found",
)
_LIMIT = 120
"""Seconds; who takes longer runs for ever, and is found by that."""


class Mutant(NamedTuple):
    """One mistake: what it is, and what makes it in the process that is to find it."""

    what: str
    make: Callable[[], None]


def lives(mutant: Mutant) -> bool:
    """No test has found it."""
    pid = os.fork()
    if not pid:
        _try(mutant)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _try(mutant: Mutant) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (1, 2):
        os.dup2(nowhere, fd)
    code = 1
    try:
        signal.alarm(_LIMIT)
        mutant.make()
        code = int(pytest.main([*_TESTS]))
    finally:
        os._exit(code)
