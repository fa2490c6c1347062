"""The skips that are permitted, and where; with ``--strict-skips``, as in CI, any other one fails.

That a program is not installed is not among them: CI installs what the tests want.
"""

import os
import re
import subprocess
from collections.abc import Callable, Generator
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

import pytest


@cache
def _can(*words: str) -> bool:
    """This command succeeds here."""
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _root() -> bool:
    return os.geteuid() == 0


def _user() -> bool:
    return not _root()


def _covered() -> bool:
    return "COVERAGE_PROCESS_CONFIG" in os.environ


def _anywhere() -> bool:
    return True


def _bundles_nothing() -> bool:
    return find_spec("PyInstaller") is None


def _mounts_nothing() -> bool:
    return not _can("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")


def _traces_nothing() -> bool:
    return not _can("strace", "-qq", "-o", os.devnull, "true")


class Permitted(NamedTuple):
    """A reason, as a pattern for all of it, and where it holds."""

    reason: str
    where: Callable[[], bool]


PERMITTED = (
    Permitted(r"root may read everything", _root),
    Permitted(r"(only root|needs root|it is root that) ?.*", _user),
    Permitted(r"needs a pid namespace", _user),
    Permitted(r"no (mount|pid) namespace.*", _mounts_nothing),
    Permitted(r"nothing can be mounted here: .*", _mounts_nothing),
    # CI installs it once all else has run: the binary has a step of its own.
    Permitted(r"PyInstaller is not installed", _bundles_nothing),
    Permitted(r"strace may not trace: .*", _traces_nothing),
    Permitted(r"this is how all tests are run for coverage", _covered),
    # CI has a step of its own for it, which installs it.
    Permitted(r"PyInstaller is not installed", _bundles_nothing),
    # What a file system, a kernel or a limit of this machine does not allow.
    Permitted(r"files that are open for writing cannot be made read-only here", _anywhere),
    Permitted(r"setuid programs do not work here: .*", _anywhere),
    Permitted(r"(root has no limit of processes, and )?nobody may not run this Python", _anywhere),
    Permitted(r"no user namespaces for nobody here, or no Python", _anywhere),
    Permitted(r"the process id did not come back", _anywhere),
    Permitted(r"this kernel runs files that are open for writing", _anywhere),
    Permitted(r"needs \d+ (descriptors|processes), and \d+ are allowed", _anywhere),
    Permitted(r"this machine does not let \d+ programs run at once: .*", _anywhere),
)


def permitted(reason: str) -> bool:
    """Tests may be skipped here for this reason."""
    reasons = (each for each in PERMITTED if re.fullmatch(each.reason, reason, re.DOTALL))
    return any(each.where() for each in reasons)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips",
        action="store_true",
        help="a skip that is not listed in tests/skips.py fails",
    )


def _judge(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    """Have a skip that nobody has permitted fail."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    if not config.getoption("--strict-skips"):
        return
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = text.removeprefix("Skipped: ")
    if not permitted(reason):
        report.outcome = "failed"
        report.longrepr = f"skipped for a reason that tests/skips.py does not list: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _judge(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _judge(collector.config, report)
    return report
