"""heatctl, run against a double of HEAT."""

from pathlib import Path

import pytest
from talker import Facts, Talker

from heat.ctl.main import main


def ctl(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: str,
    *monitors: Facts,
    **about: object,
) -> tuple[int, list[str], list[str]]:
    """Run a command against a HEAT with these monitors; return exit status, stdout and stderr."""
    with Talker(tmp_path / "s", *monitors, **about):
        code = main(["--control", f"{tmp_path}/s", *words.split()])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.splitlines()
