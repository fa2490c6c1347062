"""The suite itself: it sees nothing of who runs it; no skip passes unseen where that counts."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import skips
from place import COVERED

HOUSE = Path(__file__).parent.parent
SENSITIVE = "control/test_client", "ctl/test_status", "ctl/test_parser", "web/test_serve_refused"
"""Files of tests that once looked at the usual place, or at the variables of a shell."""


def run_pytest(
    words: Sequence[str], before: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run another pytest; its exit status and what it prints."""
    command = [*before, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=HOUSE,
        env={**os.environ, "PYTEST_ADDOPTS": "", **(environ or {})},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(COVERED, reason="this is how all tests are run for coverage")
def test_it_passes_beside_a_heat_at_the_usual_place_and_in_an_odd_shell() -> None:
    files = [f"tests/{name}.py" for name in SENSITIVE]
    code, output = run_pytest(files, before=(".ci/strange",))

    assert code == 0, output
    assert " passed in " in output


@pytest.mark.parametrize(
    "name", ["HEAT_STATE", "LC_ALL", "PYTHONWARNINGS", "NOTIFY_SOCKET", "TERM"]
)
def test_a_variable_of_who_runs_it_is_not_there(name: str) -> None:
    assert name not in os.environ


def test_home_and_runtime_folder_are_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("HOME", "XDG_RUNTIME_DIR"):
        assert Path(os.environ[name]).is_relative_to(tmp_path_factory.getbasetemp())


def test_no_signal_is_ignored_that_ends_a_program() -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        assert signal.getsignal(number) is not signal.SIG_IGN
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


SKIPS = """
import pytest
@pytest.mark.skipif(True, reason="{reason}")
def test_it(): pass
"""
LEAVES = """
import pytest
pytest.skip("{reason}", allow_module_level=True)
"""
LISTED, UNLISTED = "the process id did not come back", "zsh is not installed"


@pytest.mark.parametrize(("words", "unlisted"), [(["--strict-skips"], 2), ([], 0)])
def test_a_skip_that_is_not_listed_fails_where_that_is_asked_for(
    words: list[str], unlisted: int, tmp_path: Path
) -> None:
    for name, text in (("skips", SKIPS), ("leaves", LEAVES)):
        for known, reason in (("listed", LISTED), ("unlisted", UNLISTED)):
            (tmp_path / f"test_{name}_{known}.py").write_text(text.format(reason=reason))
    plugins = "-p", "skips", "-c", os.devnull, "--rootdir", str(tmp_path)
    alone = {"PYTHONPATH": str(HOUSE / "tests"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    words = [*plugins, "--continue-on-collection-errors", *words, str(tmp_path)]
    code, output = run_pytest(words, environ=alone)

    assert output.count(f"tests/skips.py does not list: {UNLISTED}") == unlisted
    assert LISTED not in output
    assert code == (1 if unlisted else 0)


@pytest.mark.parametrize(
    ("reason", "holds"),
    [
        ("root may read everything", os.geteuid() == 0),
        ("only root may mount", os.geteuid() != 0),
        ("needs root to become another user", os.geteuid() != 0),
        ("needs 1600 descriptors, and 1024 are allowed", True),
        ("root may read everything, or so", False),
        ("it is Monday", False),
    ],
)
def test_a_reason_holds_where_it_can_be_true(reason: str, *, holds: bool) -> None:
    assert skips.permitted(reason) is holds


def test_a_test_that_hangs_is_ended_and_fails(tmp_path: Path) -> None:
    (tmp_path / "test_hang.py").write_text("import time\ndef test_it(): time.sleep(600)\n")
    code, output = run_pytest(
        ["-c", str(HOUSE / "pyproject.toml"), "--timeout", "0.2", str(tmp_path)]
    )

    assert code == 1
    assert "Timeout" in output


def test_every_test_has_a_time_limit(request: pytest.FixtureRequest) -> None:
    assert 0 < float(request.config.getini("timeout")) <= 300
