"""Bad input for heatctl: exit 2, a sentence and a hint, before it connects to a socket."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heat.config import usage
from heat.ctl import main as heatctl
from heat.ctl.main import USAGE, commands, main
from heat.ctl.parser import parse
from heat.errors import CommandError

NUMBER = "is not a duration"

REFUSED = [
    # command line, what is wrong, how it is put right
    ("", "a command is missing", "heatctl status"),
    ("stauts", "'stauts' is not a command of heatctl", "did you mean status?"),
    ("pasue web", "'pasue' is not a command of heatctl", "did you mean pause?"),
    ("frobnicate", "'frobnicate' is not a command of heatctl", "'heatctl --help' lists"),
    ("''", "'' is not a command of heatctl", "'heatctl --help' lists"),
    ("$'\\x1b[31m'", "'\\x1b[31m' is not a command", "'heatctl --help' lists"),
    ("--frob status", "--frob is not an option of 'heatctl'", "that stand before COMMAND"),
    ("-x", "-x is not an option of 'heatctl'", "that stand before COMMAND"),
    ("--control", "--control needs a value", "--control PATH"),
    ("status --jsn", "--jsn is not an option of 'heatctl status'", "did you mean --json?"),
    ("status -x", "-x is not an option of 'heatctl status'", "'heatctl status --help'"),
    ("status --json --json", "--json is given twice", "leave one of them out"),
    ("status --json=1", "--json takes no value: '1'", "write --json without '='"),
    ("status --control", "--control needs a value", "write --control PATH"),
    ("status --control a --control b", "--control is given twice", "leave one of them out"),
    ("pause web --control ''", "--control '' is not a valid path", "name a file, or leave it out"),
    ("--control= reload", "--control '' is not a valid path", "name a file, or leave it out"),
    ("--json status --json", "--json is given twice", "leave one of them out"),
    ("--control s validate a", "--control has no effect on 'heatctl validate'", "leave it out"),
    ("--json top", "--json has no effect on 'heatctl top'", "leave it out"),
    ("validate --control s a", "--control is not an option of 'heatctl validate'", "lists the"),
    ("why", "NAME is missing", "heatctl why NAME; 'heatctl status' lists them"),
    ("check", "NAME is missing", "heatctl check NAME"),
    ("resume", "NAME is missing", "heatctl resume NAME"),
    ("reset --json", "NAME is missing", "heatctl reset NAME"),
    ("pause --for 5m", "NAME is missing", "heatctl pause NAME"),
    ("why web db", "unexpected 'db': 'heatctl why' takes only one NAME", "leave it out"),
    ("check why web", "unexpected 'web': 'heatctl check' takes only one NAME", "leave it out"),
    ("reload now", "unexpected 'now': 'heatctl reload' takes only options", "leave it out"),
    ("pause web --for", "--for needs a value", "write --for SECS"),
    ("pause web --reason", "--reason needs a value", "write --reason TEXT"),
    ("pause web --fro 5m", "--fro is not an option of 'heatctl pause'", "did you mean --for?"),
    ("pause web --for 0", "--for '0' is not a positive duration", "write more than 0"),
    ("pause web --for -1", f"--for '-1' {NUMBER}", "with units: 30, 0.5, 500ms"),
    ("pause web --for=-1", f"--for '-1' {NUMBER}", "with units"),
    ("pause web --for nan", f"--for 'nan' {NUMBER}", "with units"),
    ("pause web --for inf", f"--for 'inf' {NUMBER}", "with units"),
    ("pause web --for ''", f"--for '' {NUMBER}", "with units"),
    ("pause web --for 5y", f"--for '5y' {NUMBER}", "2h, 1d, 1w, 1h30m"),
    ("pause web --for 400d", "--for '400d' is too long", "366d"),
    ("pause web --for ٣", f"--for '٣' {NUMBER}", "with units"),
    ("pause web --for 0.0001", "--for '0.0001' is too short", "1ms"),
    ("pause web --for 9999h", "--for '9999h' is too long", "366d"),
]


@pytest.mark.parametrize(("line", "wrong", "hint"), REFUSED, ids=[each[0] for each in REFUSED])
def test_bad_words_are_refused_with_a_sentence_and_a_fix(
    line: str, wrong: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("\\x1b", "\x1b") for word in shlex.split(line.replace("$'", "'"))]

    code = main(words)

    out, err = capsys.readouterr()
    first, second, *_ = err.splitlines()
    assert (code, out) == (2, "")
    assert first.startswith("Error: ")
    assert wrong in first
    assert hint in second
    assert "--help" in err


def test_all_that_is_wrong_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause", "--fro", "--json", "--json"]) == 2

    message = capsys.readouterr().err
    for text in ("--fro is not an option", "--json is given twice", "NAME is missing"):
        assert text in message


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["help", "nothing"]])
def test_the_help_lists_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(words)

    assert (code, capsys.readouterr().out) == (0, USAGE)


def there(command: str) -> bool:
    return (Path(heatctl.__file__).parent / "commands" / f"{command}.py").exists()


COMMANDS = [command for command in commands() if there(command)]


def test_no_command_is_forgotten() -> None:
    assert {"status", "why", "check", "pause", "resume", "reset", "reload"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["{} --help", "{} -h", "help {}"])
def test_each_command_tells_how_it_is_used(
    command: str, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code = main(form.format(command).split())

    text = capfd.readouterr().out
    assert code == 0
    assert text.startswith(f"heatctl {command}: ")
    assert "Usage:" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_help_comes_before_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "a", "b", "--help"]) == 0
    assert capsys.readouterr().out.startswith("heatctl why")


def test_the_version_is_heats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("heatctl 0.")


def test_options_may_be_abbreviated_and_stand_anywhere() -> None:
    text = heatctl.import_module("heat.ctl.commands.pause").USAGE
    request = parse(text, ["--f", "5m", "web", "--rea", "a b", "--json"])

    assert request is not None
    assert request.values == {"--for": "5m", "--reason": "a b"}
    assert request.operands == ["web"]
    assert request.json


def test_behind_two_dashes_a_name_may_begin_with_one() -> None:
    request = parse(heatctl.import_module("heat.ctl.commands.why").USAGE, ["--", "-x"])

    assert request is not None
    assert request.operands == ["-x"]


@given(st.lists(st.sampled_from(["web", "--for", "--json", "--control", "-x", "--", "5m", "--f"])))
def test_whatever_the_words_are_they_are_taken_or_refused_in_words(words: list[str]) -> None:
    text = heatctl.import_module("heat.ctl.commands.pause").USAGE
    try:
        request = parse(text, words)
        count = len(request.operands) if request else 0
    except CommandError as error:
        count = len(error.diagnostics)

    assert count > 0


def test_the_lists_of_a_text_are_read_with_their_continued_lines() -> None:
    switches = usage.switches(USAGE)

    assert [switch.name for switch in switches] == ["--control", "--json", "--help", "--version"]
    assert switches[0].value == "PATH"
    assert switches[0].text.endswith("$XDG_RUNTIME_DIR/heat.sock otherwise)")
    assert switches[2].short == "-h"


def test_a_start_loads_neither_rich_nor_what_other_commands_need(tmp_path: Path) -> None:
    program = (
        "import sys, heat.ctl.main\n"
        f"assert heat.ctl.main.main(['status', '--control', '{tmp_path}/none']) == 3\n"
        "print(*sys.modules)"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", program]
    process = subprocess.run(command, capture_output=True, check=True, env=plain)

    unwanted = {"rich", "sqlite3", "asyncio", "transitions", "tomllib", "subprocess", "difflib"}
    assert not set(process.stdout.decode().split()) & unwanted


def test_a_closed_stdout_is_no_traceback(tmp_path: Path) -> None:
    words = ["sh", "-c", 'exec "$0" -m heat.ctl --version >&-', sys.executable]
    environ = {**os.environ, "PYTHONPATH": os.fspath(Path(heatctl.__file__).parents[2])}
    process = subprocess.run(words, capture_output=True, check=False, cwd=tmp_path, env=environ)

    assert (process.returncode, process.stderr) == (0, b"")


@pytest.mark.parametrize(
    "words",
    ["--help", "rehearse -i 3 --results 0 true", "rehearse --help", "diagram", "diagram --help"],
)
def test_a_full_disk_is_said(words: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "heat.ctl", *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.fspath(Path(heatctl.__file__).parents[2])},
        )

    assert process.returncode == 2
    first = process.stderr.decode().splitlines()[0]
    assert first == "Failed: stdout cannot be written: no space left on device"


@pytest.mark.parametrize("words", ["--help", "rehearse -i 3 --results 0x9000 true", "diagram"])
def test_a_reader_that_goes_away_gets_no_traceback(words: str) -> None:
    line = f"{shlex.quote(sys.executable)} -m heat.ctl {words} | true"
    process = subprocess.run(["sh", "-c", line], capture_output=True, check=False)

    assert process.stderr == b""
