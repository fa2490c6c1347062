"""Row 28: the service's environment has modules of any name; HEAT runs, and checks see all."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from heat_process import orderly
from place import Place
from processes import PATIENCE

from heat import startup
from heat.ctl.main import commands
from heat.process import helper

SCRIPTS = Path(sysconfig.get_path("scripts"))
HOME = Path(startup.__file__).parent.parent
OURS = {"heat", "states", "docopt", "transitions", "rich", "six", "aiohttp", "prometheus_client"}
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYT"))}

pytestmark = pytest.mark.skipif(
    not (SCRIPTS / "heatctl").exists(), reason="HEAT is not installed here"
)


def loaded_by(program: str) -> set[str]:
    """Return the modules that Python has loaded before a line of ours can run."""
    command = [sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"]
    output = subprocess.run(command, capture_output=True, check=True, text=True, env=PLAIN).stdout
    return {name.partition(".")[0] for name in output.split()}


def shadow(folder: Path, *, but: set[str]) -> Path:
    """A folder in which each module and package of this name tells that it was imported."""
    folder.mkdir(exist_ok=True)
    for name in (OURS | set(sys.stdlib_module_names)) - but:
        (folder / f"{name}.py").write_text(f"raise SystemExit('shadowed: {name}')\n")
    return folder


@pytest.fixture
def shadows(tmp_path: Path) -> Path:
    return shadow(tmp_path / "app", but=loaded_by("pass"))


def run(
    words: Sequence[str | Path], cwd: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=cwd,
        env={**PLAIN, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


WATCH = ("-i", "0.05", "--count", "2", "--state", "st", "--control", "sock", "--threshold", "1")


def test_heat_runs_and_its_check_sees_the_variable(place: Place, shadows: Path) -> None:
    script = place.script("check", 'echo "$PYTHONPATH" >> seen\nexit 1')
    recovery = place.script("recovery", 'echo "$PYTHONPATH" >> seen')
    words = [SCRIPTS / "heat", *WATCH, "--recovery", recovery, "-s", script]

    ended = run(words, place.folder, {"PYTHONPATH": str(shadows)})

    assert (ended.returncode, "shadowed" in ended.stdout + ended.stderr) == (1, False)
    assert set(place.words("seen")) == {str(shadows)}
    assert len(place.words("seen")) >= 3


@pytest.mark.parametrize(
    "named",
    [".", "", ":.:../app:.:", "{home}:.", ".:{packages}", "{packages}:.:{packages}", "{library}:."],
)
def test_relative_empty_and_repeated_folders_and_those_of_the_installation(
    shadows: Path, named: str
) -> None:
    value = (
        named.format(
            home=HOME, packages=sysconfig.get_path("purelib"), library=sysconfig.get_path("stdlib")
        )
        or ":."
    )

    ended = run([SCRIPTS / "heat", *WATCH[:8], "true"], shadows, {"PYTHONPATH": value})

    assert (ended.returncode, ended.stdout.count("OK")) == (0, 2)


def test_many_monitors_too(place: Place, shadows: Path) -> None:
    place.write_config('[monitor.web]\ninterval = 0.05\ncount = 2\ncommand = ["true"]\n')
    words = [SCRIPTS / "heat", "--config", "heat.toml", "--control", "heat.sock"]

    ended = run(words, place.folder, {"PYTHONPATH": str(shadows), "PYTHONSAFEPATH": "1"})

    assert (ended.returncode, ended.stdout.count("web: OK")) == (0, 2)


def test_the_folder_that_python_m_heat_is_started_in_may_hold_anything(tmp_path: Path) -> None:
    app = shadow(tmp_path / "app", but=loaded_by("import runpy") | {"heat"})

    for module, words in (("heat", [*WATCH[:8], "true"]), ("heat.ctl", ["diagram"])):
        ended = run([sys.executable, "-m", module, *words], app, {"PYTHONPATH": "."})
        assert "shadowed" not in ended.stderr, ended.stderr
    assert (app / "heat.log").exists()


@pytest.mark.parametrize("command", commands())
def test_heatctl_runs_too_and_without_docstrings(shadows: Path, command: str) -> None:
    env = {"PYTHONPATH": str(shadows), "PYTHONOPTIMIZE": "2"}
    ctl, sock = SCRIPTS / "heatctl", str(shadows / "none.sock")
    words = {
        "validate": ["heat.toml"],
        "rehearse": ["-i", "1", "--results", "0,1", "true"],
        "completion": ["bash"],
        "diagram": [],
        "serve": ["--listen", "nonsense", "--control", sock],
    }.get(command, ["--control", sock, "web"])

    shown = run([ctl, command, "--help"], shadows, env)
    ended = run([ctl, command, *words], shadows, env)

    assert f"heatctl {command}: " in shown.stdout
    assert "Usage:" in shown.stdout
    output = ended.stdout + ended.stderr
    assert "shadowed" not in output
    assert "Traceback" not in output
    assert ended.returncode in ((1,) if command == "rehearse" else (0, 2, 3))


def test_help_and_usage_are_there_without_docstrings(place: Place) -> None:
    for words in (["--help"], ["-i", "x", "true"], [*WATCH, "true"]):
        env = {"PYTHONOPTIMIZE": "2"}
        plain = run([SCRIPTS / "heat", *words], place.folder, {})
        bare = run([SCRIPTS / "heat", *words], place.folder, env)
        assert bare.returncode == plain.returncode
        assert len(bare.stdout) == len(plain.stdout)


def test_python_asks_for_nothing_after_the_end(place: Place) -> None:
    """On a terminal, where PYTHONINSPECT would show a prompt."""
    heat = f"{SCRIPTS}/heat -i 0.05 --count 1"
    terminal = ["script", "-qec", f"{heat} false; echo $?; {heat} true; echo $?", "/dev/null"]

    ended = run(terminal, place.folder, {"PYTHONINSPECT": "1"})

    lines = ended.stdout.splitlines()
    assert [line for line in lines if line.isdigit()] == ["1", "0"]
    assert "Traceback" not in ended.stdout
    assert ">>>" not in ended.stdout


def test_housekeeping_imports_from_where_heat_does(place: Place, shadows: Path) -> None:
    state = place.folder / "st"
    heat = place.heat(*WATCH[:4], "--state", "st", "true")
    assert heat.wait() == 0
    orderly(heat)

    words = helper.program("prune", "heat.store.prune", str(state), "3600").argv
    ended = run(words, shadows, {"PYTHONPATH": str(shadows), "PYTHONINSPECT": "1"})

    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_installation_that_only_pythonpath_names_is_found(place: Place, shadows: Path) -> None:
    """As of pip install --target."""
    target = place.folder / "target"
    shutil.copytree(HOME / "heat", target / "heat")
    shutil.copytree(HOME / "states", target / "states")
    shutil.copytree(Path(sysconfig.get_path("purelib"), "docopt"), target / "docopt")
    script = target / "script"
    script.write_text((HOME / "bin/heat").read_text())
    words = [sys.executable, "-S", script, "--version"]  # Without what is installed here.

    ended = run(words, place.folder, {"PYTHONPATH": f"{target}:{shadows}"})

    assert (ended.returncode, ended.stdout.split()[0]) == (0, "heat"), ended.stderr
