"""The diagrams in the repository, and the command that draws them."""

import shutil
from pathlib import Path

import pytest

from states.__main__ import FORMS, PICTURES, SUFFIXES, main, render
from states.engine import diagram

HOME = Path(__file__).parents[2]


@pytest.mark.parametrize("form", ["mermaid", "dot"])
@pytest.mark.parametrize("name", PICTURES)
def test_the_diagrams_are_fresh(name: str, form: str) -> None:
    path = HOME / f"diagrams/{name}.{SUFFIXES[form]}"

    assert path.read_bytes() == render(form, PICTURES[name]), "python -m states"


@pytest.mark.parametrize("suffix", ["svg", "png"])
@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_of_this_table(name: str, suffix: str) -> None:
    picture = (HOME / f"diagrams/{name}.{suffix}").read_bytes()

    assert f"table {diagram.digest(PICTURES[name])}".encode() in picture, "python -m states"


def test_no_diagram_is_left_of_what_is_not_drawn_any_more() -> None:
    made = {f"{name}.{SUFFIXES[form]}" for name in PICTURES for form in FORMS}

    assert {path.name for path in (HOME / "diagrams").iterdir()} == {*made, "rehearsal.svg"}


@pytest.mark.parametrize("form", ["mermaid", "dot"])
@pytest.mark.parametrize("name", ["", "monitor-check"])
def test_one_diagram_on_stdout(
    name: str, form: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code = main([*name.split(), "--format", form])

    picture = PICTURES[name or "monitor"]
    assert (code, capfdbinary.readouterr().out) == (0, render(form, picture))


def test_what_cannot_be_drawn_is_refused_all_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["door", "--format", "gif"]) == 2
    assert capsys.readouterr().err == (
        "Error: --format 'gif' is not known\n  write one of mermaid, dot, svg, png\n"
        f"Error: NAME 'door' is not known\n  write one of {', '.join(PICTURES)}\n"
    )


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_the_pictures_are_drawn_and_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["monitor"]) == 0
    mark = f"table {diagram.digest(PICTURES['monitor'])}".encode()
    assert mark in (tmp_path / "diagrams/monitor.svg").read_bytes()
    png = (tmp_path / "diagrams/monitor.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert mark in png
    assert len(list((tmp_path / "diagrams").iterdir())) == len(FORMS)


def test_without_graphviz_the_texts_are_written_and_the_lack_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main([]) == 1
    written = {path.name for path in (tmp_path / "diagrams").iterdir()}
    assert written == {f"{name}.{suffix}" for name in PICTURES for suffix in ("mmd", "dot")}
    assert "SVG and PNG need Graphviz" in capsys.readouterr().err
    assert main(["--format", "svg"]) == 1
