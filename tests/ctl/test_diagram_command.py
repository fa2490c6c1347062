"""heatctl diagram: the machine drawn, with a state lit."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from talker import NOW, Talker, facts

from heat.ctl import main as heatctl
from heat.ctl.commands.diagram import USAGE
from states.__main__ import render
from states.monitor.drawing import PICTURES

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz")

STAGE = PICTURES["stage"]
CHANGED = {
    "before": "FAILING",
    "after": "RECOVERING",
    "at": NOW - 420,
    "count": 3,
    "reason": "exit code 7",
}


pytestmark = pytest.mark.usefixtures("utc")


def main(words: Sequence[str]) -> int:
    return heatctl.main(["diagram", *words])


@pytest.fixture(name="heat")
def _heat(tmp_path: Path) -> Iterator[Talker]:
    """Run a HEAT with one monitor, web."""
    with Talker(tmp_path / "s", facts("web")) as heat:
        yield heat


def draw_web(heat: Talker, *words: str) -> int:
    return main(["web", "--control", os.fspath(heat.path), *words])


def test_without_a_word_the_stage_is_printed_as_mermaid(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert main([]) == 0
    assert capfdbinary.readouterr().out == render("mermaid", STAGE)


@pytest.mark.parametrize("part", PICTURES)
def test_each_part_is_a_picture_of_its_own(
    part: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["--part", part]) == 0
    assert capfdbinary.readouterr().out == render("mermaid", PICTURES[part])


@pytest.mark.parametrize("form", ["mermaid", "dot"])
@pytest.mark.parametrize("part", ["stage", "overview"])
def test_a_state_is_lit(part: str, form: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code = main(["--format", form, "--part", part, "--highlight", "recovering"])
    out = capfdbinary.readouterr().out

    assert (code, out) == (0, render(form, PICTURES[part].light(["RECOVERING"])))
    assert out != render(form, PICTURES[part])


def test_the_state_of_a_monitor_is_lit_with_its_name_since_when_and_why(
    heat: Talker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    heat.monitors["web"] = facts(
        "web", state="RECOVERING", remedy="open", since=NOW - 420, changed=CHANGED
    )
    code = draw_web(heat, "--format", "dot")

    notes = ("web is RECOVERING, since 10:40:37 (7 min ago)", "exit code 7")
    assert (code, [request["do"] for request in heat.requests]) == (0, ["why"])
    assert capfdbinary.readouterr().out == render("dot", STAGE.light(["OPEN"], notes))


def test_in_the_overview_a_pause_is_lit_as_well(
    heat: Talker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    heat.monitors["web"]["paused"] = {"since": NOW - 60, "until": NOW + 600, "reason": "deploy"}

    assert draw_web(heat, "--part", "overview") == 0
    notes = (
        "web is NORMAL, since 09:47:37 (60 min ago)",
        "paused since 10:46:37, until 10:57:37: deploy",
    )
    picture = PICTURES["overview"].light(["NORMAL", "PAUSED"], notes)
    assert capfdbinary.readouterr().out == render("mermaid", picture)


def test_the_pause_of_a_monitor_is_lit(
    heat: Talker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    heat.monitors["web"]["paused"] = {"since": NOW - 60, "until": None, "reason": ""}

    assert draw_web(heat, "--part=pause") == 0
    out = capfdbinary.readouterr().out.decode()
    assert "    paused : paused since 10#58;46#58;37, until it is resumed" in out


def test_a_reason_is_escaped_in_the_picture(
    heat: Talker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    reason = "exit code 7; x --> y: <b>\x1b[31m\nend note"
    heat.monitors["web"]["changed"] = CHANGED | {"reason": reason}

    for form, shown in (
        ("mermaid", "exit code 7#59; x --#62; y#58; #60;b#62;#92;x1b[31m#92;nend"),
        ("dot", "exit code 7; x --&gt; y: &lt;b&gt;\\x1b[31m\\nend"),
    ):
        assert draw_web(heat, "--format", form) == 0
        assert shown in capfdbinary.readouterr().out.decode()


@pytest.mark.parametrize(
    ("name", "form"), [("x.mmd", "mermaid"), ("x.dot", "dot"), ("x", "mermaid")]
)
def test_the_name_of_the_file_decides_the_format(tmp_path: Path, name: str, form: str) -> None:
    assert main(["-o", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes() == render(form, STAGE)


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
            "--highlight 'SICK' is not a state\n  write one of NORMAL, FAILING, RECOVERING, ERROR",
        ),
        ("--highlight ERROR web", "--highlight 'ERROR' does not go with NAME"),
        (
            "--part door",
            "--part 'door' is not known\n  write overview or stage or check or fail or",
        ),
        (
            "web --part check",
            "to light is unknown\n  leave out NAME, or draw stage or overview or pause",
        ),
        (
            "--highlight ERROR --part pause",
            "--part 'pause' does not go with --highlight: which of its states to light",
        ),
        ("web db", "unexpected 'db': 'heatctl diagram' takes only one NAME\n  leave it out"),
        ("web db --form", "--format needs a value"),
        (
            "--hilight ERROR",
            "--hilight is not an option of 'heatctl diagram'\n  did you mean --h",
        ),
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
    assert "write it to a file: -o heat.png" in capfd.readouterr().err


def test_without_graphviz_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["--format", "svg"]) == 2
    assert "apt-get install graphviz" in capfd.readouterr().err


def test_a_failure_of_graphviz_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    dot = tmp_path / "dot"
    dot.write_text("#!/bin/sh\nexit 3\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["--format", "svg"]) == 2
    assert "Graphviz failed to draw it" in capfd.readouterr().err


def test_a_file_that_cannot_be_written_is_an_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["-o", str(tmp_path / "nope" / "x.dot")]) == 2
    assert "cannot be written: no such file or directory\n  name a file" in capfd.readouterr().err


def test_the_help_is_printed_and_fits_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capfd.readouterr().out == USAGE
    assert max(map(len, USAGE.splitlines())) <= 80


def test_without_a_heat_there_is_no_state_to_light(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert heatctl.main(["--control", f"{tmp_path}/s", "diagram", "web"]) == 3
    assert "no HEAT answers" in capfd.readouterr().err
