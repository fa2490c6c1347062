"""The commands of heatctl that steer: their requests, and what they print."""

import json
from pathlib import Path

import pytest
from heatctl import ctl
from talker import NOW, Facts, Talker, facts

from heat.ctl.main import main

PAUSED = {"since": NOW - 60, "until": None, "reason": "new disk"}

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heat.ctl.commands.status.time.time", lambda: NOW)


STEERING = [
    # the command, the monitor, the request, the output
    (
        "check web",
        facts(),
        {"do": "check", "name": "web"},
        "web: a check has begun; heatctl why web shows how it ends",
    ),
    (
        "pause web",
        facts(),
        {"do": "pause", "name": "web", "seconds": None, "reason": ""},
        "web: paused until heatctl resume web; no checks and no effects until then",
    ),
    (
        "pause web --for 2d",
        facts(),
        {"do": "pause", "name": "web", "seconds": 172_800.0, "reason": ""},
        "web: paused until 2026-11-24 10:47:37; no checks and no effects until then",
    ),
    (
        "pause web --for 10m --reason disk",
        facts(),
        {"do": "pause", "name": "web", "seconds": 600.0, "reason": "disk"},
        "web: paused until 10:57:37; no checks and no effects until then",
    ),
    (
        "pause web --for 10m",
        facts(paused={**PAUSED, "until": NOW + 60, "reason": "disk"}),
        {"do": "pause", "name": "web", "seconds": 600.0, "reason": ""},
        (
            "web: paused until 10:57:37; no checks and no effects until then; "
            "it replaces the pause until 10:48:37 (disk)"
        ),
    ),
    (
        "resume web",
        facts(paused=PAUSED),
        {"do": "resume", "name": "web"},
        "web: no longer paused, checks go on",
    ),
    (
        "reset web",
        facts(state="ERROR"),
        {"do": "reset", "name": "web"},
        "web: NORMAL (was ERROR), counts are back to 0",
    ),
    (
        "reset web",
        facts(),
        {"do": "reset", "name": "web"},
        "web: NORMAL, counts are back to 0",
    ),
    ("reload", facts(), {"do": "reload"}, "the file was read again: nothing has changed"),
]


@pytest.mark.parametrize("case", STEERING, ids=[each[0] for each in STEERING])
def test_a_command_that_steers_prints_one_sentence(
    case: tuple[str, Facts, Facts, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, monitor, request, text = case
    with Talker(tmp_path / "s", dict(monitor)) as talker:
        code = main([*words.split(), "--control", f"{tmp_path}/s"])

    out, err = capsys.readouterr()
    assert (code, out, err) == (0, f"{text}\n", "")
    assert talker.requests == [{"heat": 1, **request}]


@pytest.mark.parametrize("words", [each[0] for each in STEERING])
def test_a_command_that_steers_prints_json(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = ctl(capsys, tmp_path, f"{words} --json", facts(paused=PAUSED))

    assert (code, len(out)) == (0, 1)
    assert json.loads(out[0])["ok"] is True


def test_a_refusal_is_printed_in_the_words_of_heat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ctl(capsys, tmp_path, "check web", facts(state="ERROR"))

    assert (code, err) == (2, ["Error: web is in ERROR", "  reset it first"])


def test_a_reload_prints_its_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Talker(tmp_path / "s") as talker:
        talker.reload = {"added": 2, "changed": 0, "removed": 1}
        code = main(["reload", "--control", f"{tmp_path}/s"])

    assert (code, capsys.readouterr().out) == (0, "the file was read again: 2 added, 1 removed\n")


def test_a_reload_of_a_file_with_mistakes_lists_all_of_them(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Talker(tmp_path / "s") as talker:
        talker.reload = {"ok": False, "mistakes": ["a.toml: one\n  fix", "a.toml: \x1b two"]}
        code = main(["reload", "--control", f"{tmp_path}/s"])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.splitlines()[1:][-3:] == ["a.toml: one", "  fix", "a.toml: \\x1b two"]
