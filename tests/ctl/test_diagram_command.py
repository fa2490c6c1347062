"""heatctl diagram: the machine drawn, with a state lit."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from talker import NOW, Talker, facts

from heat.control import answers
from heat.control.answers import Why
from heat.control.protocol import NoAnswerError
from heat.ctl import main as heatctl
from heat.ctl.commands.diagram import USAGE, main
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


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def why(**other: object) -> Why:
    return answers.why({"why": facts("web", None, **other)})


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
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    asked: list[str] = []

    def ask(name: str) -> Why:
        asked.append(name)
        return why(state="RECOVERING", remedy="open", since=NOW - 420, changed=CHANGED)

    code = main(["web", "--format", "dot"], ask)

    notes = ("web is RECOVERING, since 10:40:37 (7 min ago)", "exit code 7")
    assert (code, asked) == (0, ["web"])
    assert capfdbinary.readouterr().out == render("dot", STAGE.light(["OPEN"], notes))


def test_in_the_overview_a_pause_is_lit_as_well(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    paused = {"since": NOW - 60, "until": NOW + 600, "reason": "deploy"}

    assert main(["web", "--part", "overview"], lambda _name: why(paused=paused)) == 0
    notes = (
        "web is NORMAL, since 09:47:37 (60 min ago)",
        "paused since 10:46:37, until 10:57:37: deploy",
    )
    picture = PICTURES["overview"].light(["NORMAL", "PAUSED"], notes)
    assert capfdbinary.readouterr().out == render("mermaid", picture)


def test_the_pause_of_a_monitor_is_lit(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    paused = {"since": NOW - 60, "until": None, "reason": ""}

    assert main(["web", "--part=pause"], lambda _name: why(paused=paused)) == 0
    out = capfdbinary.readouterr().out.decode()
    assert "    paused : paused since 10#58;46#58;37, until it is resumed" in out


def test_nothing_of_a_reason_is_taken_for_the_pictures_own(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    reason = "exit code 7; x --> y: <b>\x1b[31m\nend note"
    changed = CHANGED | {"reason": reason}

    for form, shown in (
        ("mermaid", "exit code 7#59; x --#62; y#58; #60;b#62;#92;x1b[31m#92;nend"),
        ("dot", "exit code 7; x --&gt; y: &lt;b&gt;\\x1b[31m\\nend"),
    ):
        assert main(["web", "--format", form], lambda _name: why(changed=changed)) == 0
        assert shown in capfdbinary.readouterr().out.decode()


def test_where_nobody_can_tell_the_state_that_is_an_error_of_heatctl() -> None:
    def ask(name: str) -> Why:
        raise NoAnswerError(f"no HEAT answers for {name}")

    with pytest.raises(NoAnswerError):
        main(["web"], ask)


@pytest.mark.parametrize(
    ("name", "form"), [("x.mmd", "mermaid"), ("x.dot", "dot"), ("x", "mermaid")]
)
def test_the_name_of_the_file_tells_the_form(tmp_path: Path, name: str, form: str) -> None:
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
            "--highlight 'SICK' is no state\n  write one of NORMAL, FAILING, RECOVERING, ERROR",
        ),
        ("--highlight ERROR web", "--highlight 'ERROR' cannot stand beside NAME"),
        (
            "--part door",
            "--part 'door' is not known\n  write overview or stage or check or fail or",
        ),
        (
            "web --part check",
            "which of its states to light\n  leave out NAME, or draw stage or overview or pause",
        ),
        (
            "--highlight ERROR --part pause",
            "--part 'pause' cannot stand beside --highlight: nothing tells which of its states",
        ),
        ("web db", "unexpected 'db': 'heatctl diagram' takes only one NAME\n  leave it out"),
        ("web db --form", "--format is without its value"),
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
    with Talker(tmp_path / "s", facts("web", state="FAILING", since=NOW - 5)) as heat:
        code = heatctl.main(["--control", f"{tmp_path}/s", "diagram", "web"])

    picture = STAGE.light(["FAILING"], ("web is FAILING, since 10:47:32 (5 s ago)",))
    assert (code, capfdbinary.readouterr().out) == (0, render("mermaid", picture))
    assert [request["do"] for request in heat.requests] == ["why"]
    assert heatctl.main(["diagram", "web", "--control", f"{tmp_path}/s"]) == 3
    assert b"no HEAT answers" in capfdbinary.readouterr().err
