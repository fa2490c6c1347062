"""The units in examples/."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from place import Place

from heat.app.cli import USAGE
from heat.app.parser import parse
from heat.control.paths import OF_ROOT

EXAMPLES = Path(__file__).parents[2] / "examples"


def unit(name: str = "heat.service") -> str:
    return (EXAMPLES / name).read_text()


def settings(text: str, key: str) -> list[str]:
    return re.findall(f"^{key}=(.*)", text, re.MULTILINE)


def test_the_example_starts_heat_with_options_that_there_are() -> None:
    lines = unit().replace("\\\n", "").splitlines()
    (line,) = (line for line in lines if line.startswith("ExecStart="))
    command, *words = shlex.split(line.removeprefix("ExecStart="))
    request = parse(USAGE, words)

    assert command.endswith("/bin/heat")
    assert request.diagnostics == []
    assert (request.file, request.common.journal) == ("/etc/heat/heat.toml", True)


def test_the_folders_of_the_example_are_made() -> None:
    made = (EXAMPLES / "heat.tmpfiles.conf").read_text()
    (line,) = (line for line in unit().splitlines() if line.startswith("ReadWritePaths="))

    assert line.removeprefix("ReadWritePaths=").split() == [
        line.split()[1] for line in made.splitlines() if line.startswith("d ")
    ]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", ["heat.service", "heat-serve.service"])
def test_systemd_takes_the_examples(tmp_path: Path, name: str) -> None:
    here = tmp_path / name
    here.write_text(re.sub(r"/opt/heat/bin/heat(ctl)?\b", sys.executable, unit(name)))
    command = ["systemd-analyze", "verify", str(here)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_reload_of_the_example_fails_where_the_file_has_a_mistake(place: Place) -> None:
    (command,) = settings(unit("heat.service"), "ExecReload")
    program, *words = shlex.split(command)
    heat = place.fleet('[monitor.web]\ncommand = ["true"]\ninterval = 60\n')
    heat.await_file(
        "heat.verbose.log", "watching 1 monitor"
    )  # Its first check may be a minute away.
    ours = [sys.executable, "-m", "heat.ctl", "--control", "heat.sock", *words]

    def reload() -> int:
        return subprocess.run(ours, cwd=place.folder, check=False, capture_output=True).returncode

    assert program.endswith("/bin/heatctl")
    assert reload() == 0
    place.write_config('[monitor.web]\ncommand = ["true"]\ninterval = "soon"\n')
    assert reload() == 2
    assert heat.stop() == 0


def test_whatever_ends_serve_it_is_started_again() -> None:
    serve = unit("heat-serve.service")

    assert settings(serve, "Restart") == ["always"]
    assert settings(serve, "StartLimitIntervalSec") == ["0"]
    assert settings(serve, "RestartPreventExitStatus") == []


def test_what_serve_may_read_heat_may_read() -> None:
    homes = [settings(unit(name), "ProtectHome") for name in ("heat.service", "heat-serve.service")]

    assert homes == [["read-only"], ["read-only"]]


def test_the_unit_of_serve_asks_the_heat_of_the_other_unit_as_its_user() -> None:
    serve = unit("heat-serve.service")
    users = [settings(text, "User") for text in (unit(), serve)]

    assert users == [[], []]
    assert "--control" not in unit().partition("ExecStart=")[2].partition("ExecReload=")[0]
    assert f"serve --control {OF_ROOT}\n" in serve
