"""The wheel: what is in it, and that its programs work where nothing of the clone is."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from processes import PATIENCE

from heat import __version__
from heat.ctl.main import USAGE
from tools import manual

HOME = Path(__file__).parent.parent
CLONE = ("LICENSE", "README.md", "bin", "heat", "man", "pyproject.toml", "setup.cfg", "states")
OTHERS = ("tests", "tools")
"""Folders that must stay out of the wheel."""
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def run(words: Sequence[str | Path], folder: Path) -> str:
    ended = subprocess.run(
        words, capture_output=True, check=False, cwd=folder, text=True, timeout=PATIENCE
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it in a copy, as the build writes into its folder."""
    folder = tmp_path_factory.mktemp("clone")
    for name in (*CLONE, *OTHERS):
        if (HOME / name).is_dir():
            shutil.copytree(HOME / name, folder / name)
        else:
            shutil.copy(HOME / name, folder)
    run([sys.executable, "-c", BUILD, "made"], folder)
    (wheel,) = (folder / "made").glob("*.whl")
    return wheel


@pytest.fixture(name="there", scope="module")
def _there(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it into an environment of its own, which borrows the packages that HEAT needs."""
    folder = tmp_path_factory.mktemp("installed")
    run([sys.executable, "-m", "venv", "--without-pip", "."], folder)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install"]
    run([*pip, "--no-index", "--no-deps", "--no-compile", wheel], folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def test_the_wheel_has_all_of_heat_and_states_and_nothing_else(wheel: Path) -> None:
    inside = [name for name in zipfile.ZipFile(wheel).namelist() if "-" not in name]
    files = [path for top in ("heat", "states") for path in (HOME / top).rglob("*")]
    ours = {str(path.relative_to(HOME)) for path in files if path.is_file()}

    assert set(inside) == {name for name in ours if "__pycache__" not in name}


def test_pages_and_completions_are_installed_where_they_are_looked_for(there: Path) -> None:
    share = {
        "share/man/man1/heat.1": "man/heat.1",
        "share/man/man1/heatctl.1": "man/heatctl.1",
        "share/man/man5/heat.toml.5": "man/heat.toml.5",
        "share/bash-completion/completions/heatctl": f"{manual.COMPLETIONS}/bash/heatctl",
        "share/zsh/site-functions/_heatctl": f"{manual.COMPLETIONS}/zsh/_heatctl",
        "share/fish/vendor_completions.d/heatctl.fish": f"{manual.COMPLETIONS}/fish/heatctl.fish",
    }

    for installed, made in share.items():
        assert (there / installed).read_text() == (HOME / made).read_text()


def test_the_installed_heat_watches(there: Path) -> None:
    assert run(["bin/heat", "--version"], there) == f"heat {__version__}\n"
    assert run(["bin/heat", "-i", "1", "--count", "1", "true"], there).endswith(": OK\n")


def test_the_installed_heatctl_has_its_commands_and_completions(there: Path) -> None:
    scripts = HOME / manual.COMPLETIONS / "bash"

    assert run(["bin/heatctl", "--help"], there) == USAGE
    assert run(["bin/heatctl", "completion", "bash"], there) == "".join(
        (scripts / program).read_text() for program in ("heat", "heatctl")
    )
    assert run(["bin/heatctl", "diagram"], there).startswith("stateDiagram-v2")


def test_the_installed_programs_load_nothing_of_the_clone(there: Path) -> None:
    words = [there / "bin/python", "-c", "import heat.ctl.main, states; print(heat, states)"]

    assert run(words, there).count(os.fspath(there)) == 2
