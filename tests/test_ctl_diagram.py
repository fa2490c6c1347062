"""heatctl diagram: the machine drawn, with a state lit."""

import shutil
from pathlib import Path

import pytest
from talker import Talker, facts

from heat.ctl import cli
from heat.ctl.diagram import USAGE, main
from heat.errors import HeatError
from states.__main__ import render
from states.monitor.model import State

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")


def test_without_a_word_the_mermaid_text_is_printed(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert main([]) == 0
    assert capfdbinary.readouterr().out == render("mermaid")


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_a_state_is_lit(form: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code = main(["--format", form, "--highlight", "recovering"])
    out = capfdbinary.readouterr().out

    assert (code, out) == (0, render(form, State.RECOVERING))
    assert out != render(form)


def test_the_state_of_a_monitor_is_lit(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    asked: list[str] = []

    def state_of(name: str) -> State:
        asked.append(name)
        return State.ERROR

    code = main(["web", "--format", "dot"], state_of)

    assert (code, asked) == (0, ["web"])
    assert capfdbinary.readouterr().out == render("dot", State.ERROR)


def test_where_nobody_can_tell_the_state_that_is_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def state_of(name: str) -> State:
        raise HeatError(f"no HEAT answers for {name}")

    assert main(["web"], state_of) == 3
    assert capfd.readouterr() == ("", "Error: no HEAT answers for web\n")


@pytest.mark.parametrize(
    ("name", "form"), [("x.mmd", "mermaid"), ("x.dot", "dot"), ("x", "mermaid")]
)
def test_the_name_of_the_file_tells_the_form(tmp_path: Path, name: str, form: str) -> None:
    assert main(["-o", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes() == render(form)


@needs_graphviz
@pytest.mark.parametrize(("form", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_pictures(tmp_path: Path, form: str, magic: bytes) -> None:
    path = tmp_path / f"heat.{form}"

    assert main([f"--output={path}", "--highlight=FAILING"]) == 0
    assert path.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--format gif", "--format 'gif' is not known\n  write mermaid or dot or svg or png"),
        (
            "--highlight SICK",
            "--highlight 'SICK' is no state\n  write one of NORMAL, FAILING, RECOVERING, ERROR",
        ),
        ("--highlight ERROR web", "--highlight 'ERROR' cannot stand beside NAME"),
        ("web db", "'db' is a second NAME\n  draw one monitor at a time"),
        ("web db --form", "--format is without its value"),
        ("--hilight ERROR", "--hilight is not an option of heatctl diagram\n  did you mean --high"),
    ],
)
def test_what_cannot_be_drawn(words: str, says: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = main(words.split())
    out, err = capfd.readouterr()

    assert (code, out) == (2, "")
    assert says in err


def test_png_is_not_printed_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def yes(_fd: int) -> bool:
        return True

    monkeypatch.setattr("os.isatty", yes)

    assert main(["--format", "png"]) == 2
    assert "write it into a file: -o heat.png" in capfd.readouterr().err


def test_without_graphviz_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["--format", "svg"]) == 2
    assert "apt-get install graphviz" in capfd.readouterr().err


def test_a_graphviz_that_fails_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    dot = tmp_path / "dot"
    dot.write_text("#!/bin/sh\nexit 3\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["--format", "svg"]) == 2
    assert "Graphviz has not drawn it" in capfd.readouterr().err


def test_a_file_that_cannot_be_written_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["-o", str(tmp_path / "nope" / "x.dot")]) == 2
    assert "cannot be written: no such file or directory\n  name a file" in capfd.readouterr().err


def test_the_help_is_printed_and_fits_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capfd.readouterr().out == USAGE
    assert max(map(len, USAGE.splitlines())) <= 80


def test_the_state_of_a_monitor_is_asked_of_heat(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with Talker(tmp_path / "s", facts("web", state="FAILING")):
        code = cli.main(["--control", f"{tmp_path}/s", "diagram", "web"])

    assert (code, capfdbinary.readouterr().out) == (0, render("mermaid", State.FAILING))
    assert cli.main(["diagram", "web", "--control", f"{tmp_path}/s"]) == 3
    assert b"no HEAT answers" in capfdbinary.readouterr().err
