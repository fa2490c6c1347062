"""The fixture of tests with real processes, and how the workers share the tests."""

import os
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

# Without compiled modules each HEAT takes twice as long to start, and each worker reads all tests
# again.
sys.dont_write_bytecode = False

from hypothesis import settings  # noqa: E402 - compiled, too
from place import Place  # noqa: E402 - likewise

pytest_plugins = ("bench", "desk", "hermetic", "skips")

# An example may take long on a busy machine.
settings.register_profile("heat", deadline=None)
settings.load_profile("heat")

# As root, HEAT refuses what a group may write to: with a umask of 002, every file here.
os.umask(0o022)

SHARING = {"test_server", "test_serve", "test_serve_hostile", "test_serve_http", "test_wheel"}
"""The tests of these files share a HEAT, a server or a wheel, which takes long to make."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Of ``-n auto``: tests wait for processes half of their time, so two for each core."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of ``-n``: tests that share a server are run by one worker, all others by any."""
    if config.getoption("dist") != "load":
        return None
    scheduler: Any = import_module("xdist.scheduler")

    class Sharing(scheduler.LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if Path(file).stem in SHARING else nodeid

    return Sharing(config, log)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder to run HEAT in."""
    there = Place(tmp_path)
    try:
        yield there
    finally:
        there.clean()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make UTC the local time."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
