"""The commands and files that the documents show are such as HEAT accepts."""

import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from documents import HOME, PAGES, README, blocks, commands, mentions, words
from place import Place

from heat.app.cli import USAGE
from heat.app.parser import parse
from heat.config.command_line import Grammar, read
from heat.ctl.main import commands as commands_of_heatctl
from heat.ctl.main import main

LEFT_OUT = {"..."}
"""Stands in prose for the rest of a command."""
OPTION = re.compile(r"--[a-z][\w-]*")


def usage(command: str) -> str:
    """Return the text of --help of a command of heatctl."""
    return str(import_module(f"heat.ctl.commands.{command}").USAGE)


def wrong(program: str, line: list[str]) -> list[str]:
    """List what is wrong with the words behind a program's name."""
    if program == "heat":
        return [str(each) for each in parse(USAGE, line).diagnostics]
    command, *rest = line
    if (
        command.startswith("-") or command == "rehearse"
    ):  # tests/rehearsal runs the one of its page.
        return []
    return [
        str(each) for each in read(Grammar(f"heatctl {command}", usage(command)), rest).diagnostics
    ]


def shown(program: str) -> Iterator[list[str]]:
    for path in PAGES:
        yield from commands(path, program)


@pytest.mark.parametrize("program", ["heat", "heatctl"])
def test_each_command_is_accepted(program: str) -> None:
    lines = list(shown(program))

    assert len(lines) > 5
    assert {" ".join(line): wrong(program, line) for line in lines if wrong(program, line)} == {}


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("heat", "-i 30 --treshold 3 true"),
        ("heat", "-i 30"),
        ("heatctl", "status --brief"),
        ("heatctl", "why"),
        ("heatctl", "pause web --until 5"),
    ],
)
def test_a_command_that_is_not_is_seen(program: str, line: str) -> None:
    assert wrong(program, words(line))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(HOME)))
def test_commands_in_prose_have_options_that_exist(path: Path) -> None:
    for line in mentions(path, "heat"):
        assert set(OPTION.findall(" ".join(line))) <= set(OPTION.findall(USAGE)), line
    for command, *rest in filter(None, mentions(path, "heatctl")):
        assert command in commands_of_heatctl(), command
        known = set(OPTION.findall(usage(command))) | LEFT_OUT
        known |= set(OPTION.findall(USAGE)) if command == "rehearse" else set()
        assert set(OPTION.findall(" ".join(rest))) <= known, rest


def test_the_page_of_heatctl_has_all_its_commands() -> None:
    page = HOME / "docs/heatctl.md"
    table = [line for line in page.read_text().splitlines() if line.startswith("| `heatctl")]
    listed = {
        name for line in table for name in re.findall(r"`(?:heatctl )?(\w+)", line.split("|")[1])
    }

    assert listed == set(commands_of_heatctl())


FILES = [(path, text) for path in PAGES for text in blocks(path, "toml")]
FILES.append((HOME / "examples/fleet.toml", (HOME / "examples/fleet.toml").read_text()))


def put_in_place(folder: Path, text: str) -> str:
    """Make the programs that a configuration names, all of them true; return the configuration."""
    text = text.replace("/usr/lib/nagios/plugins/", "./")
    (folder / "bin").mkdir()
    for monitor in tomllib.loads(text).get("monitor", {}).values():
        command = monitor.get("command", [])[:1]
        for name in [monitor.get(key) for key in ("script", "fail", "recovery")] + command:
            if name and not name.startswith("/"):
                program = folder / name if "/" in name else folder / "bin" / name
                program.write_text("#!/bin/sh\n")
                program.chmod(0o755)
    return text


@pytest.mark.parametrize(("path", "text"), FILES, ids=lambda each: getattr(each, "name", ""))
def test_each_configuration_is_valid(
    path: Path,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / path.name).write_text(put_in_place(tmp_path, text))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)

    assert main(["validate", path.name]) == 0, capsys.readouterr().err
    assert re.search(r"monitors?, no mistakes\n$", capsys.readouterr().out)


def test_the_page_of_the_file_shows_the_messages_of_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = HOME / "docs/config-file.md"
    text = blocks(page, "toml")[0].replace('"10s"', '"10x"').replace("threshold", "treshold")
    (tmp_path / "heat.toml").write_text(put_in_place(tmp_path, text))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)

    assert main(["validate", "heat.toml"]) == 2
    lines = [f"    {line}" for line in capsys.readouterr().err.splitlines() if line]
    assert "\n".join(lines[:4]) in page.read_text()


def test_the_page_of_behaviour_shows_how_a_script_without_its_first_line_is_refused(
    place: Place,
) -> None:
    (place.folder / "check").write_text("exit 0\n")
    (place.folder / "check").chmod(0o755)
    heat = place.heat("-i", "1", "-s", "./check")

    assert heat.wait() == 2
    refusal = "".join(f"      {line}\n" for line in heat.err.read_text().splitlines()[:2])
    assert refusal in (HOME / "docs/behaviour.md").read_text()


def test_the_first_command_runs_heat_three_times() -> None:
    first = next(commands(README, "heat"))

    assert first[:4] == ["-i", "2", "--count", "3"]
