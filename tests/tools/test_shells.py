"""The completions in the shells that they are for; skips a shell that is not installed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from processes import PATIENCE
from talker import Talker, facts
from terminal import Terminal

from heat.app import cli as heat_cli
from heat.config.usage import switches
from heat.ctl.commands.completion import SHELLS
from heat.ctl.main import commands
from tools import programs, shells

CASES: list[tuple[str, list[str], list[str]]] = [
    # the line; words that the shell offers, words that it does not offer
    ("heatctl st", ["status"], ["why"]),
    ("heatctl ", ["status", "why", "pause", "completion"], ["web"]),
    ("heatctl why w", ["web"], ["db"]),
    ("heatctl status web d", ["db"], ["web"]),
    ("heatctl pause --", ["--for", "--reason", "--control"], ["--since"]),
    ("heatctl history --s", ["--since", "--state"], ["--for"]),
    ("heatctl completion z", ["zsh"], ["bash"]),
    ("heatctl validate heat.t", ["heat.toml"], ["web"]),
    ("heatctl diagram --format ", ["mermaid", "png"], ["text"]),
    ("heatctl diagram --highlight F", ["FAILING"], ["NORMAL"]),
    ("heatctl diagram --part ", ["stage", "overview"], ["web"]),
    ("heatctl rehearse --rec", ["--recovery", "--recovery-takes"], ["--results"]),
    ("heat --log-format ", ["text", "journal"], ["png"]),
    ("heatctl reload ", [], ["web", "status"]),
    ("heat --thr", ["--threshold"], ["--timeout"]),
    ("heat --fail-overlap s", ["skip"], ["queue"]),
    ("heat --on-killed ", ["error", "fail"], ["queue"]),
    ("heat --signal US", ["USR1", "USR2"], ["HUP"]),
    ("heat -i 30 --config heat.t", ["heat.toml"], []),
]


@pytest.fixture(name="place")
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a heatctl on PATH that asks the HEAT at the socket there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    heatctl = folder / "heatctl"
    heatctl.write_text(
        f'#!/bin/sh\n[ "$1$2$3" = completionnames ] && set -- "$@" --control {tmp_path}/s\n'
        f'exec {sys.executable} -m heat.ctl "$@"\n'
    )
    heatctl.chmod(0o755)
    (tmp_path / "heat.toml").touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(shell: str, folder: Path) -> Path:
    """Write the scripts of both programs into one file."""
    path = folder / f"made.{shell}"
    parts = (programs.heat(), programs.heatctl())
    path.write_text("".join(shells.script(shell, program) for program in parts))
    return path


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


def run(*words: str) -> str:
    ended = subprocess.run(words, capture_output=True, check=True, timeout=PATIENCE)
    assert ended.stderr == b""
    return ended.stdout.decode()


def offered_by_bash(made: Path, typed: str) -> Sequence[str]:
    words = typed.split(" ")
    lines = (
        f"source {made}; COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}; "
        f'_{words[0]}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    return run("bash", "--norc", "-c", lines).split("\n")


def offered_by_fish(made: Path, typed: str) -> Sequence[str]:
    output = run("fish", "--no-config", "-c", f"source {made}; complete -C '{typed}'")
    return [line.split("\t")[0] for line in output.splitlines()]


OFFERED = {"bash": offered_by_bash, "fish": offered_by_fish}


@pytest.mark.parametrize("shell", [pytest.param(each, marks=needs(each)) for each in OFFERED])
def test_a_shell_offers_what_fits(shell: str, place: Path) -> None:
    made = script(shell, place)
    with Talker(place / "s", facts("web"), facts("db")):
        for typed, fitting, others in CASES:
            offered = OFFERED[shell](made, typed)

            assert set(fitting) <= set(offered), (typed, offered)
            assert not set(others) & set(offered), (typed, offered)


@needs("bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("heat -i 30 curl --thr", []),
        ("heat --fail-overlap = s", ["skip"]),
        ("heatctl history --since = 7d w", ["web"]),
        ("heatctl --control s why w", ["web"]),
        ("heatctl why --control = s w", ["web"]),
        ("heatctl --control none why w", []),
    ],
)
def test_bash_knows_which_word_is_whose(typed: str, offered: list[str], place: Path) -> None:
    made = script("bash", place)
    with Talker(place / "s", facts("web"), facts("db")):
        assert [each for each in offered_by_bash(made, typed) if each] == offered


@needs("bash")
def test_a_name_with_a_blank_is_one_word_for_bash(place: Path) -> None:
    with Talker(place / "s", facts("my web")):
        assert "my\\ web" in offered_by_bash(script("bash", place), "heatctl why m")


class Zsh(Terminal):
    """An interactive zsh; ``text`` is its output since the last keys."""

    def __init__(self, made: Path) -> None:
        super().__init__("zsh", "-f", TERM="dumb", PS1="$ ")
        self.press(
            "unsetopt zle_bracketed_paste; PROMPT='> '; LISTMAX=1000; "
            f"autoload -U compinit; compinit -u -D; source {made}; echo re''ady\n"
        )
        self.await_text("ready\r[^>]*> ")

    def press(self, keys: str) -> None:
        self.text = ""
        super().press(keys)


@needs("zsh")
def test_zsh_completes_commands_options_and_monitors(place: Path) -> None:
    made = script("zsh", place)
    with Talker(place / "s", facts("web-server"), facts("db")), Zsh(made) as zsh:
        for typed, completed in (
            ("heatctl sta\t", "status"),
            ("heatctl why w\t", "web-server"),
            ("heatctl --control s why w\t", "web-server"),
            ("heatctl pause --fo\t", "--for"),
            ("heatctl validate heat.t\t", "heat.toml"),
            ("heat --thr\t", "--threshold"),
            ("heat --on-killed fa\t", "fail"),
        ):
            zsh.press(typed)
            zsh.await_text(re.escape(completed))
            zsh.press("\x15")


@needs("zsh")
def test_zsh_finds_the_installed_files_by_their_names(place: Path) -> None:
    for program in (programs.heat(), programs.heatctl()):
        (place / f"_{program.name}").write_text(shells.script("zsh", program))
    setup = f"fpath=({place} $fpath); autoload -U compinit; compinit -u -D"
    functions = run("zsh", "-f", "-c", f"{setup}; print $_comps[heat] $_comps[heatctl]")

    assert functions == "_heat _heatctl\n"


@pytest.mark.parametrize("shell", [pytest.param(each, marks=needs(each)) for each in SHELLS])
def test_the_scripts_are_sound(shell: str, place: Path) -> None:
    assert run(shell, "-n", os.fspath(script(shell, place))) == ""


def test_every_option_and_command_is_in_every_script() -> None:
    for shell in SHELLS:
        heat, heatctl = (shells.script(shell, p) for p in (programs.heat(), programs.heatctl()))
        for switch in switches(heat_cli.USAGE):
            assert switch.name.removeprefix("--") in heat
        for command in commands():
            assert command in heatctl
