"""A configuration is read by a process of its own: what it findings comes back, or why not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from heat_process import Heat, orderly
from place import Place
from processes import PATIENCE, alive, until

from heat.app.loader import Findings, Reading, look, read
from heat.config.options import Common

GOOD = '[defaults]\ninterval = 30\n[monitor.a]\ncommand = ["true"]\n[monitor.b]\nscript = "./b"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("heat.toml").write_text(GOOD)
    Path("b").write_text("#!/bin/sh\n")
    Path("b").chmod(0o755)
    return tmp_path


def looked(folder: Path) -> Findings:
    return look("heat.toml", str(folder / "heat.toml"), Common(log_folder=str(folder)), {})


def test_what_comes_back_is_what_was_found(folder: Path) -> None:
    findings = read(lambda: looked(folder))

    assert findings == looked(folder)
    assert findings.diagnostics == []
    monitors = findings.config.monitors
    assert monitors["a"].limits is monitors["b"].limits


def test_mistakes_come_back_with_their_fixes(folder: Path) -> None:
    Path("b").unlink()
    Path("heat.toml").write_text(GOOD + "interval = 'x'\n")

    findings = read(lambda: looked(folder))

    assert findings == looked(folder)
    assert all(diagnostic.message and diagnostic.hint for diagnostic in findings.diagnostics)


def test_monitors_that_are_watched_as_they_are_are_not_looked_at(folder: Path) -> None:
    present = looked(folder).config.monitors
    Path("b").unlink()
    common = Common(log_folder=str(folder))

    findings = read(lambda: look("heat.toml", str(folder / "heat.toml"), common, present))

    assert findings.diagnostics == []


def killed() -> Findings:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def broken() -> Findings:
    raise ZeroDivisionError


def without_files() -> Findings:
    raise ModuleNotFoundError("No module named 'heat.config.toml_file'")


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (killed, "was killed, and not by HEAT"),
        (broken, "a bug of HEAT: ZeroDivisionError()"),
        (without_files, "is not where it was: No module named 'heat.config.toml_file'"),
    ],
)
def test_a_reading_that_does_not_end_well_says_why(work: Callable[[], Findings], why: str) -> None:
    findings = read(work)

    assert [why in diagnostic.message for diagnostic in findings.diagnostics] == [True]
    assert findings.config.monitors == {}


def test_a_reading_that_is_stopped_leaves_nothing_but_a_zombie() -> None:
    reader, writer = os.pipe()
    own: set[int] = set()
    reading = Reading(lambda: (os.read(reader, 1) and killed()) or killed(), own)
    reading.stop()

    assert os.waitpid(own.pop(), 0)[1] == signal.SIGKILL
    os.close(reader)
    os.close(writer)


WITH_LIMIT = """
import runpy, sys
from heat.app import loader
loader.LIMIT = 2.0
sys.argv = ["heat", *sys.argv[4:]]  # Behind: python -m heat
runpy.run_module("heat", run_name="__main__")
"""
SHORT = (
    "from heat import startup; from heat.app import loader; loader.LIMIT = 1.0; startup.run({!r})"
)
"""HEAT and heatctl, but with less patience."""
ENDLESS = f"{'.'.join('a' * 450_000)} = 1\n"
"""Reading this takes minutes: less than a megabyte."""


def test_a_reading_whose_heat_was_killed_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("heat.app.loader.LIMIT", -0.9)

    def never() -> Findings:
        while True:
            signal.pause()

    own: set[int] = set()
    reading = Reading(never, own)
    until(lambda: not any(map(alive, own)), "its end")
    reading.end()


def test_a_file_that_takes_too_long_is_refused_at_the_start(place: Place) -> None:
    place.write_config(GOOD.replace("./b", "true") + ENDLESS)
    words = [sys.executable, "-c", SHORT.format("heat.app.cli"), "--config", "heat.toml"]

    heat = place.spawn(words, stderr=subprocess.PIPE)
    message = heat.communicate(timeout=PATIENCE)[1].decode()

    assert heat.returncode == 2
    assert message.startswith(
        "Error: the configuration could not be read: it took longer than 1 s\n"
    )


@pytest.mark.parametrize("command", [("validate", "heat.toml"), ("rehearse", "--config=heat.toml")])
def test_a_file_that_takes_too_long_is_refused_by_heatctl(
    place: Place, command: Sequence[str]
) -> None:
    place.write_config(ENDLESS)
    words = [sys.executable, "-c", SHORT.format("heat.ctl.main"), *command]

    heatctl = place.spawn(words, stderr=subprocess.PIPE)
    message = heatctl.communicate(timeout=PATIENCE)[1].decode()

    assert heatctl.returncode == 2
    assert "it took longer than 1 s" in message


def test_a_reload_that_takes_too_long_is_given_up_and_the_next_one_begins(place: Place) -> None:
    one = '[monitor.a]\ninterval = 0.05\ncommand = ["true"]\n'
    heat = place.fleet(one, prefix=(sys.executable, "-c", WITH_LIMIT))
    heat.await_line("a: OK")
    place.write_config(one + ENDLESS)

    heat.signal(signal.SIGHUP)
    until(lambda: bool(children(heat)), "the reader")
    (reader,) = children(heat)
    heat.signal(signal.SIGHUP)  # While it is being read: once more, when that is over.
    place.write_config(one + '[monitor.b]\ninterval = 1\ncommand = ["true"]\n')
    heat.await_news("1 monitor added")

    assert "could not be read" not in heat.err.read_text()  # What came later is answered.
    assert not alive(reader)
    place.write_config(one + ENDLESS)
    heat.reload("is not taken: what was in force before stays in force")
    heat.await_news("it took longer than 2 s")
    place.write_config(one)
    heat.reload("1 removed")
    assert heat.stop() == 0
    orderly(heat)


def children(heat: Heat) -> list[int]:
    """The processes of HEAT that have not become a check."""
    path = Path(f"/proc/{heat.pid}/task/{heat.pid}/children")
    pids = [int(pid) for pid in path.read_text().split()]
    return [pid for pid in pids if b"heat" in command_line(pid)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
