"""heatctl status: its rows, its exit status, and its JSON."""

import json
import re
from pathlib import Path

import pytest
from heatctl import ctl
from hypothesis import given
from hypothesis import strategies as st
from talker import ABOUT, NOW, Facts, facts, last

from heat.ctl import output
from heat.ctl.commands import status

FAILED = last("failed", code=7, message="curl: (7) refused")
PAUSED = {"since": NOW - 60, "until": None, "reason": "new disk"}
IN_RECOVERY: Facts = {"state": "RECOVERING", "attempts": 2, "max_recoveries": 5, "count": 6}

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heat.ctl.commands.status.time.time", lambda: NOW)


def test_the_worst_comes_first_and_columns_are_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ctl(
        capsys,
        tmp_path,
        "status",
        facts("well"),
        facts("held", paused=PAUSED, next=None),
        facts("broken", state="ERROR", last=last("failed", "killed by SEGV", None), next=None),
        facts("bad", state="FAILING", last=FAILED, count=2, threshold=3, checking="running"),
        facts("mend", **IN_RECOVERY, threshold=3, next=None, next_text="or"),
        facts("new", last=None, next=3725.0),
    )

    assert (code, err) == (1, [])
    assert out == [
        (
            "NAME    STATE       SINCE                FAILURES  AGE   NEXT    "
            "LAST RESULT              LAST LINE"
        ),
        "broken  ERROR       2026-11-22T09:47:37  0/-       2.1s  -       Failed: killed by SEGV",
        "mend    RECOVERING  2026-11-22T09:47:37  6/3       2.1s  -       OK; recovery 2 of 5; or",
        (
            "bad     FAILING     2026-11-22T09:47:37  2/3       2.1s  now     "
            "Failed: Exit Code 7      curl: (7) refused"
        ),
        "held    PAUSED      2026-11-22T09:47:37  0/-       2.1s  paused  OK; paused; new disk",
        "new     NORMAL      2026-11-22T09:47:37  0/-       -     62m05s  no check ended yet",
        "well    NORMAL      2026-11-22T09:47:37  0/-       2.1s  4.2s    OK",
    ]


def test_paused_backoff_and_spent_take_the_place_of_the_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spent: Facts = {"shown": "SPENT", "spent": True}
    twice: Facts = IN_RECOVERY | {"max_recoveries": 2}
    paused = {"paused": PAUSED, "next": None}
    code, out, _ = ctl(
        capsys,
        tmp_path,
        "status",
        facts("pauses", **IN_RECOVERY, **paused),
        facts("waits", **IN_RECOVERY, shown="BACKOFF", backoff=75.0),
        facts("tries", **IN_RECOVERY),
        facts("spent", **twice, **spent),
        facts("spent_of_5", **IN_RECOVERY, **spent),
        facts("waits_no_more", **twice, shown="BACKOFF", backoff=75.0),
        facts("broken", state="ERROR"),
        facts("unseen", last=last("unknown", "no room", None), unknown_since=NOW - 90),
    )

    assert code == 1
    assert [tuple(line.split()[:2]) for line in out[1:]] == [
        ("broken", "ERROR"),
        ("spent", "SPENT"),
        ("spent_of_5", "SPENT"),
        ("pauses", "PAUSED"),
        ("tries", "RECOVERING"),
        ("waits", "BACKOFF"),
        ("waits_no_more", "BACKOFF"),
        ("unseen", "NORMAL"),
    ]
    ends = [" ".join(line.split()[6:]) for line in out[2:]]
    assert ends == [
        "OK; recovery 2 of 2 did not help; none is left",
        "OK; recovery 2 of 5 did not help; none was left",
        "OK; recovery 2 of 5; RECOVERING; paused; new disk",
        "OK; recovery 2 of 5",
        "OK; recovery 2 of 5 has not helped so far; the next in 75 s at the earliest",
        "OK; recovery 2 of 2 did not help; none is left",
        "Unknown: no room; unknown since 10:46:07",
    ]


@pytest.mark.parametrize(
    ("monitors", "code"),
    [
        ([facts("a", unknown_since=NOW - 5)], 1),
        ([facts("a"), facts("b")], 0),
        ([facts("a"), facts("b", paused=PAUSED)], 1),
        ([facts("a"), facts("b", state="FAILING")], 1),
        ([facts("a", state="RECOVERING")], 1),
        ([facts("a", state="ERROR")], 1),
        ([], 0),
    ],
)
def test_the_exit_status_is_0_only_if_all_is_well(
    monitors: list[Facts], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ctl(capsys, tmp_path, "status", *monitors)[0] == code
    assert ctl(capsys, tmp_path, "status --json", *monitors)[0] == code


def test_only_the_named_monitors_are_shown_and_decide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = ctl(capsys, tmp_path, "status b", facts("a", state="ERROR"), facts("b"))

    assert code == 0
    assert [line.split()[0] for line in out] == ["NAME", "b"]


def test_an_unknown_name_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "why", "check", "pause", "resume", "reset"):
        code, out, err = ctl(capsys, tmp_path, f"{command} wbe", facts("web"))

        assert (code, out) == (2, [])
        assert err == ["Error: no monitor is named wbe", "  did you mean web?"]


def test_json_is_one_object_per_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ctl(capsys, tmp_path, "status --json", facts("größe"), facts("b"))

    assert [json.loads(line)["name"] for line in out] == ["b", "größe"]
    assert '"größe"' in out[1]


def test_troubles_of_heat_itself_are_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, err = ctl(capsys, tmp_path, "status", facts(), trouble=["no room\x1b"])

    assert err == ["heat: no room\\x1b"]


def test_a_paused_monitor_shows_until_when(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paused = {**PAUSED, "until": NOW + 600, "reason": ""}
    _, out, _ = ctl(capsys, tmp_path, "status", facts(paused=paused))

    assert out[1].endswith("OK; paused until 10:57:37")


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_text_of_an_answer_is_escaped(name: str, text: str) -> None:
    monitor = facts(name, last=last("failed", text or "x", 1), paused={**PAUSED, "reason": text})

    for shown, _ in status.row(monitor, NOW):  # type: ignore[arg-type]
        assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in shown)


def test_in_an_outage_the_last_line_of_the_recovery_follows_that_of_the_check() -> None:
    of_recovery = {**IN_RECOVERY, "recovery_message": "cannot bind\x1b"}
    lines = [
        status.row(facts(last=each, **of_recovery), NOW)[-1][0]  # type: ignore[arg-type]
        for each in (FAILED, last(), None)
    ]

    assert lines == [
        "curl: (7) refused; recovery: cannot bind\\x1b",
        *["recovery: cannot bind\\x1b"] * 2,
    ]


def test_no_colour_on_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    assert output.is_coloured()
    monkeypatch.setenv("TERM", "dumb")
    assert not output.is_coloured()


def test_rich_does_not_draw_ten_thousand_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setattr(status, "_DRAWN", 2)
    few, many = (
        ctl(capsys, tmp_path, "status", *(facts(f"m{i}") for i in range(number)))[1]
        for number in (2, 3)
    )

    assert many[-1] == "3 monitors: 3 NORMAL"
    assert re.match(r"NAME  STATE   SINCE     FAILURES  AGE   NEXT  LAST RESULT *$", few[0])
    assert ABOUT["trouble"] == []
