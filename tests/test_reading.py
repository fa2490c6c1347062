"""A configuration is read by a process of its own: what it found comes back, or why not."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from heat.options import Common
from heat.reading import Found, Reading, look, read

GOOD = '[defaults]\ninterval = 30\n[monitor.a]\ncommand = ["true"]\n[monitor.b]\nscript = "./b"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("heat.toml").write_text(GOOD)
    Path("b").write_text("#!/bin/sh\n")
    Path("b").chmod(0o755)
    return tmp_path


def looked(folder: Path) -> Found:
    return look("heat.toml", str(folder / "heat.toml"), Common(log_folder=str(folder)), {})


def test_what_comes_back_is_what_was_found(folder: Path) -> None:
    found = read(lambda: looked(folder))

    assert found == looked(folder)
    assert found.mistakes == []
    monitors = found.config.monitors
    assert monitors["a"].limits is monitors["b"].limits


def test_mistakes_come_back_with_their_fixes(folder: Path) -> None:
    Path("b").unlink()
    Path("heat.toml").write_text(GOOD + "interval = 'x'\n")

    found = read(lambda: looked(folder))

    assert found == looked(folder)
    assert all(mistake.line and mistake.fix for mistake in found.mistakes)


def test_monitors_that_are_watched_as_they_are_are_not_looked_at(folder: Path) -> None:
    present = looked(folder).config.monitors
    Path("b").unlink()
    common = Common(log_folder=str(folder))

    found = read(lambda: look("heat.toml", str(folder / "heat.toml"), common, present))

    assert found.mistakes == []


def killed() -> Found:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def broken() -> Found:
    raise ZeroDivisionError


def without_files() -> Found:
    raise ModuleNotFoundError("No module named 'heat.config'")


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (killed, "was killed, and not by HEAT"),
        (broken, "a bug of HEAT: ZeroDivisionError()"),
        (without_files, "is not where it was: No module named 'heat.config'"),
    ],
)
def test_a_reading_that_does_not_end_well_says_why(work: Callable[[], Found], why: str) -> None:
    found = read(work)

    assert [why in mistake.line for mistake in found.mistakes] == [True]
    assert found.config.monitors == {}


def test_a_reading_that_is_stopped_leaves_nothing_but_a_zombie() -> None:
    reader, writer = os.pipe()
    reading = Reading(lambda: (os.read(reader, 1) and killed()) or killed())
    reading.stop()

    assert os.waitpid(reading.pid, 0)[1] == signal.SIGKILL
    os.close(reader)
    os.close(writer)
