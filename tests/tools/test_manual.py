"""The man pages and completions in the repository: fresh, sound, and installed."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from heat.app import cli as heat_cli
from heat.config import usage
from heat.config.schema import KEYS
from heat.ctl.main import commands
from tools import manual, roff

HOME = Path(__file__).parents[2]


FILES = manual.files()
MADE = sorted(FILES)
PAGES = [path for path in MADE if path.startswith("man/")]


def plain(page: str) -> str:
    """Return the words of a page without their fonts."""
    text = FILES[page].replace("\\-", "-").replace("\\fB", "").replace("\\fI", "")
    return text.replace("\\fP", "").replace("\\(aq", "'").replace("\\&", "")


@pytest.mark.parametrize("path", MADE)
def test_what_is_made_is_fresh(path: str) -> None:
    assert (HOME / path).read_text() == FILES[path], "python -m tools.manual"


def test_nothing_stale_is_left() -> None:
    there = [p for folder in ("man", manual.COMPLETIONS) for p in (HOME / folder).rglob("*")]

    assert sorted(str(p.relative_to(HOME)) for p in there if p.is_file()) == MADE


def test_every_file_is_installed_where_programs_look_for_it() -> None:
    setup = configparser.ConfigParser()
    setup.read(HOME / "setup.cfg")
    installed = {
        path: folder
        for folder, paths in setup["options.data_files"].items()
        for path in paths.split()
    }

    assert sorted(installed) == MADE
    assert installed["man/heat.toml.5"] == "share/man/man5"
    assert installed["heat/ctl/completions/zsh/_heatctl"] == "share/zsh/site-functions"
    assert installed["heat/ctl/completions/bash/heat"] == "share/bash-completion/completions"
    assert installed["heat/ctl/completions/fish/heat.fish"] == "share/fish/vendor_completions.d"


def test_the_files_are_written_below_a_folder(tmp_path: Path) -> None:
    assert manual.main(str(tmp_path)) == 0
    assert (tmp_path / "man/heat.1").read_text() == FILES["man/heat.1"]


def test_the_pages_list_every_option_command_and_key() -> None:
    for switch in usage.switches(heat_cli.USAGE):
        assert switch.name in plain("man/heat.1")
    for command in commands():
        assert f'.SS "heatctl {command}"' in plain("man/heatctl.1")
    for key in KEYS:
        assert f"\n{key} = " in plain("man/heat.toml.5")


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("page", PAGES)
def test_groff_prints_no_warnings(page: str) -> None:
    command = ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(HOME / page)]
    ended = subprocess.run(command, capture_output=True, check=True)

    assert ended.stderr == b""
    assert b"\\" not in ended.stdout.replace(b"\\\\", b"").replace(b"\\n", b"")


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
@pytest.mark.parametrize("page", PAGES)
def test_mandoc_misses_nothing_but_the_date(page: str) -> None:
    command = ["mandoc", "-Tlint", str(HOME / page)]
    ended = subprocess.run(command, capture_output=True, check=False)

    warnings = ended.stdout.decode().splitlines()
    assert [line for line in warnings if "missing date" not in line] == []


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (".hidden", "\\&.hidden"),
        ("'quoted'", "\\&\\(aqquoted\\(aq"),
        ("a\\b", "a\\eb"),
        ("--x ~ ^ `", "\\-\\-x \\(ti \\(ha \\(ga"),
    ],
)
def test_text_means_itself(text: str, made: str) -> None:
    assert roff.plain(text) == made


def test_a_line_that_is_broken_begins_no_request() -> None:
    page = roff.page([roff.plain("word " * 15 + "..x 'y")])

    assert not any(line.startswith((".", "'")) for line in page.splitlines())
