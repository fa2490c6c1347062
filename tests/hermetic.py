"""Give the tests surroundings of their own: nothing of the caller, and nothing left behind.

Variables that pytest's report needs stay until the first test begins, all others go at once: so
the workers of ``-n`` start without them.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest

_KEPT = {"PATH", "TMPDIR", "VIRTUAL_ENV"}
_KEPT_PREFIXES = ("COV", "HYPOTHESIS_", "LD_", "PYTEST_")
"""Variables without which the tests would not run as the caller wants."""
_OF_THE_REPORT = {"CI", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "PY_COLORS", "TERM"}
_ENDING = signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM
"""Signals that the caller may have ignored for all that he starts."""


def _forget_who_runs_this() -> None:
    for name in [*os.environ]:
        if name not in _KEPT | _OF_THE_REPORT and not name.startswith(_KEPT_PREFIXES):
            del os.environ[name]
    # Nobody here speaks TLS, and aiohttp reads all certificates there are when it is loaded.
    os.environ.update(LANG="C.UTF-8", TZ="UTC", SSL_CERT_FILE=os.devnull, SSL_CERT_DIR=os.devnull)
    time.tzset()


def _take_plain_signals() -> None:
    """Restore signals that nohup, cron or `pytest &` ignores: programs would inherit that."""
    for number in (*_ENDING, signal.SIGCHLD, signal.SIGTTOU):
        if signal.getsignal(number) is signal.SIG_IGN:
            plain = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, plain)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


_forget_who_runs_this()


@pytest.fixture(scope="session", autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home and a runtime folder that nobody else has; no terminal, no colours."""
    _take_plain_signals()
    mask = os.umask(0o022)
    with pytest.MonkeyPatch.context() as here:
        for name in _OF_THE_REPORT:
            here.delenv(name, raising=False)
            os.unsetenv(name)  # Python's readline sets some behind the back of `os.environ`.
        here.setenv("NO_COLOR", "1")
        here.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        here.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield
    os.umask(mask)
