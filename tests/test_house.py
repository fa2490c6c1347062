"""The house in order: states/ is pure, the diagrams are fresh, the texts agree."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heat import __version__
from heat.cli import USAGE
from heat.options import OPTIONS
from states import diagram
from states.__main__ import main, render
from states.model import State
from states.table import ROWS

HOME = Path(__file__).parent.parent
PURE = {
    "collections.abc",
    "enum",
    "functools",
    "hashlib",
    "html",
    "itertools",
    "operator",
    "re",
    "transitions",
    "transitions.core",
    "typing",
}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", sorted((HOME / "states").glob("*.py")), ids=lambda p: p.name)
def test_states_imports_nothing_of_the_world(path: Path) -> None:
    if path.name == "__main__.py":
        return

    outside = {name for name in imports(path) if name.split(".")[0] != "states"}
    assert outside <= PURE
    assert path.name == "machine.py" or outside.isdisjoint({"transitions", "transitions.core"})


def test_what_a_watching_heat_loads_has_named_tuples_that_are_quick_to_load() -> None:
    slow = [
        path.name
        for folder in ("heat", "states")
        for path in (HOME / folder).glob("*.py")
        if re.search(r"^from typing import .*\bNamedTuple\b", path.read_text(), re.MULTILINE)
    ]

    assert slow == []


def test_below_the_command_line_nothing_reads_the_clock_behind_the_callers_back() -> None:
    readers = [
        path.name
        for path in (HOME / "heat").rglob("*.py")
        if "ctl" not in path.parts  # What asks HEAT lives by the clock of who asks.
        and re.search(r"\btime\.(time|monotonic|sleep)\b|\bdatetime\b", path.read_text())
    ]

    assert readers == ["loop.py"]
    assert (HOME / "heat/loop.py").read_text().count("time.") == 2


def test_the_watch_reaches_for_nothing_but_what_it_is_given() -> None:
    for module in ("watch", "run", "schedule", "turns", "journal"):
        found = imports(HOME / f"heat/{module}.py")

        assert found.isdisjoint(
            {"os", "heat.files", "heat.preflight", "heat.process", "heat.scripts", "heat.target"}
        )


def test_states_are_compared_in_the_table_alone() -> None:
    for path in (HOME / "heat").rglob("*.py"):
        assert not re.search(r"\bif .*\bState\.\w+", path.read_text()) or path.name == "status.py"


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_the_diagrams_are_fresh(form: str) -> None:
    suffix = "mmd" if form == "mermaid" else form

    assert (HOME / f"diagrams/heat.{suffix}").read_bytes() == render(form), "python -m states"


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_pictures_are_of_this_table(suffix: str) -> None:
    picture = (HOME / f"diagrams/heat.{suffix}").read_bytes()

    assert f"table {diagram.digest()}".encode() in picture, "python -m states"


def test_the_diagram_shows_every_change_of_state_with_its_guards_and_effects() -> None:
    for text in (diagram.mermaid(), diagram.dot()):
        for row in ROWS:
            for source in row.sources if row.to else ():
                assert re.search(rf"{source.value} -+> {row.to.value}", text)  # type: ignore[union-attr]
    for said in ("below threshold", "send fault signal", "window closed", "run recovery"):
        assert said in diagram.mermaid()
    assert "ERROR --> [*]" in diagram.mermaid()
    assert "(terminal)" in diagram.dot()


def test_each_state_has_a_colour_of_its_own() -> None:
    assert len({diagram.COLOURS[state] for state in State}) == 4


def test_a_state_can_be_lit() -> None:
    failing, normal = diagram.COLOURS[State.FAILING][0], diagram.COLOURS[State.NORMAL][0]

    for draw in (diagram.dot, diagram.mermaid):
        assert failing in draw(State.FAILING)
        assert normal not in draw(State.FAILING)
        assert normal in draw()
    assert diagram.mermaid(State.ERROR).count("stroke-width:4px") == 1


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_one_diagram_on_stdout(form: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code = main(["--format", form])

    assert (code, capfdbinary.readouterr().out) == (0, render(form))


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--format", "gif"]) == 2
    assert "--format 'gif' is not known" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_the_pictures_are_drawn_and_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([]) == 0
    mark = f"table {diagram.digest()}".encode()
    assert mark in (tmp_path / "diagrams/heat.svg").read_bytes()
    png = (tmp_path / "diagrams/heat.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert mark in png


def test_without_graphviz_the_texts_are_written_and_the_lack_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main([]) == 1
    assert (tmp_path / "diagrams/heat.mmd").exists()
    assert (tmp_path / "diagrams/heat.dot").exists()
    assert "SVG and PNG need Graphviz" in capsys.readouterr().err


def test_the_help_and_the_table_of_options_agree() -> None:
    in_help = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", USAGE, re.MULTILINE))

    assert in_help == {option.name for option in OPTIONS}
    for option in OPTIONS:
        head = f"{option.short}, {option.name}" if option.short else option.name
        assert re.search(
            rf"^  {re.escape(f'{head} {option.value}'.strip())}  ", USAGE, re.MULTILINE
        )


def test_the_readme_tells_every_option() -> None:
    readme = (HOME / "README.md").read_text()

    for option in OPTIONS:
        assert option.name in readme


def test_the_help_fits_a_terminal() -> None:
    assert max(len(line) for line in USAGE.splitlines()) <= 80


def test_the_version_is_in_the_changelog() -> None:
    assert f"## {__version__}" in (HOME / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        (
            "heat.cli",
            {
                "docopt",
                "transitions",
                "json",
                "dataclasses",
                "subprocess",
                "asyncio",
                "rich",
                "heat.ctl",
            },
        ),
        (
            "heat.service",
            {
                "heat.config",
                "heat.systemd",
                "socket",
                "heat.ctl",
                "rich",
                "tomllib",
                "json",
                "subprocess",
                "asyncio",
                "difflib",
                "argparse",
                "shutil",
            },
        ),
    ],
)
def test_a_start_loads_no_more_than_it_uses(module: str, unwanted: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, check=True, env=plain)

    assert not set(found.stdout.decode().split()) & unwanted
