"""The command `heatctl completion`: it prints scripts that the package carries, and names."""

from pathlib import Path

import pytest
from talker import Talker, facts

from heat.ctl.commands.completion import SHELLS
from heat.ctl.main import main
from tools import programs, shells


@pytest.mark.parametrize("shell", SHELLS)
def test_it_prints_the_scripts_of_both_programs(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == "".join(
        shells.script(shell, program) for program in (programs.heat(), programs.heatctl())
    )


@pytest.mark.parametrize(
    ("word", "hint"),
    [("zhs", "did you mean zsh?"), ("nu", "write bash, zsh, fish or names")],
)
def test_a_shell_that_it_does_not_know(
    word: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", word]) == 2
    assert capsys.readouterr().err.splitlines()[:2] == [
        f"Error: '{word}' is not a shell that heatctl knows",
        f"  {hint}",
    ]


def test_it_prints_the_names_of_monitors_one_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Talker(tmp_path / "s", facts("web"), facts("db")):
        assert main(["completion", "names", "--control", f"{tmp_path}/s"]) == 0
    assert capsys.readouterr().out == "web\ndb\n"


def test_without_a_heat_it_prints_no_names(tmp_path: Path) -> None:
    assert main(["completion", "names", "--control", f"{tmp_path}/s"]) == 3
