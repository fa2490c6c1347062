"""The judge: a mutant is made in a process of its own, which runs the tests of the machine."""

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import pytest
from hypothesis import Phase, settings

for _module in (
    "docopt",
    "freezegun",
    "heat.monitor.resume",
    "heat.rehearsal.play",
    "transitions",
):
    # Loaded once for all: the processes that try the mutants are forks of this one.
    import_module(_module)

# That an example fails is enough: nobody reads the smallest, and none is kept for the next mutant.
settings.register_profile(
    "mutants", deadline=None, database=None, derandomize=True, phases=(Phase.generate,)
)

_OPTIONS = (
    "-x",
    "-q",
    "--assert=plain",
    "--hypothesis-profile=mutants",
    *("-p", "no:cacheprovider"),
    *("-p", "no:xdist"),
    "--timeout=0",
    # The oracle does the same with more.
    "--deselect=tests/states/test_machine.py::test_whatever_happens_the_invariants_hold",
    "-k",
    "not found",
)
_TESTS = (
    (
        *("states/test_backoff", "states/test_pause", "states/test_machine"),
        *("states/test_regions", "states/test_values", "states/test_questions"),
        *("states/test_snapshot", "states/test_engine"),
    ),
    (
        *("states/test_oracle", "store/test_stored_snapshot", "monitor/test_monitor_backoff"),
        *("states/test_engine_ways", "test_simulate"),
    ),
)
"""Those that are quick, and those that are tried on what these leave."""
_LIMITS = (15.0, 90.0)
"""Seconds of CPU for each; who takes longer runs for ever, and is found by that."""


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
        mutant.make()
        for names, limit in zip(_TESTS, _LIMITS, strict=True):
            signal.setitimer(signal.ITIMER_PROF, limit)
            files = [f"tests/{name}.py" for name in names]
            code = int(pytest.main([*_OPTIONS, *files]))
            if code:
                break
    finally:
        os._exit(code)
