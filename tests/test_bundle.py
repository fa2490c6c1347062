"""The one-file binary of docs/recipes.md: it watches, and leaves no trace in what it starts."""

import os
import re
import shlex
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from place import Place

HOME = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(
    find_spec("PyInstaller") is None, reason="PyInstaller is not installed"
)


def built(folder: Path) -> Path:
    """The binary, made as docs/recipes.md says."""
    (recipe,) = re.findall(
        r"^pyinstaller .* bin/heat$", (HOME / "docs/recipes.md").read_text(), re.MULTILINE
    )
    words = [sys.executable, "-m", "PyInstaller", *shlex.split(recipe)[1:-1]]
    for option in ("--distpath", "--workpath", "--specpath"):
        words += [option, str(folder / option[2:])]
    # Under coverage Python is several times as slow.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [*words, str(HOME / "bin/heat")]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=plain)
    return folder / "distpath" / "heat"


def variables(lines: list[str]) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value for name, value in pairs if name not in {"_", "PWD", "SHLVL", "OLDPWD"}}


def test_the_binary_watches_and_what_it_starts_has_the_environment_as_it_was(
    place: Place,
) -> None:
    """In one test: it is built once."""
    heat = str(built(place.folder))
    check = place.script("check", "env > seen.$$; mv seen.$$ seen; exit 1")

    for change in ({"LD_LIBRARY_PATH": "/usr/local/lib"}, {"LD_LIBRARY_PATH": None}):
        env = {name: value for name, value in {**os.environ, **change}.items() if value is not None}
        words = [heat, "-i", "0.1", "--count", "1", "--state", "st", "-s", check]
        ended = place.spawn(words, env=env, stderr=subprocess.DEVNULL)
        assert ended.wait() == 1
        assert variables(place.words("seen")) == variables([f"{k}={v}" for k, v in env.items()])
    housekeeping = [heat, "-m", "heat.store.prune", f"{place.folder}/st", "3600"]
    assert place.spawn(housekeeping).wait() == 0

    place.write_config('[monitor.web]\ninterval = 0.05\ncommand = ["true"]\n')
    there = place.folder / "out"
    with there.open("wb") as out:
        running = place.spawn([heat, "--config", "heat.toml", "--control", "sock"], stdout=out)
    place.await_words("out", 3)
    running.send_signal(signal.SIGTERM)
    assert running.wait() == 0
