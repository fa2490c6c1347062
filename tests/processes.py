"""Other processes as the tests see them, and how to wait for them."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

PATIENCE = 30.0
"""Seconds until an event counts as missing; a test that passes never waits as long."""
NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
"""Runs a program as another user."""
runs_as_nobody = pytest.mark.uncovered("nobody may not write down what was covered")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def nobody_runs_heat() -> bool:
    """HEAT can be run as nobody."""
    words = [*NOBODY, sys.executable, "-c", "import heat"]
    return subprocess.run(words, check=False).returncode == 0


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for an event that cannot wake us: a file that another process writes."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.002)


def alive(pid: int) -> bool:
    """Tell if a process exists and is not a zombie."""
    return process_state(pid) not in {"", "Z", "X"}


def process_state(pid: int) -> str:
    """Return the letter of a process's state in /proc; empty if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return stat.rpartition(b")")[2].split()[0].decode()


@contextlib.contextmanager
def descriptors_left(count: int) -> Generator[None]:
    """Let this process open this many more descriptors, and not one more."""
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(count + 1)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for fd in taken:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[-1], hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Nobody:
    """An owner of calls that must not crash."""

    def crashed(self, error: Exception) -> None:
        raise error
