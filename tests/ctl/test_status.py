"""heatctl status, and the commands that steer: what they print, and their exit statuses."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from talker import ABOUT, NOW, Facts, Talker, facts, last

from heat.config.durations import length, short
from heat.ctl import output, tables
from heat.ctl.commands import status
from heat.ctl.main import main
from heat.ctl.times import brief, clock, stamp

FAILED = last("failed", code=7, message="curl: (7) refused")
PAUSED = {"since": NOW - 60, "until": None, "reason": "new disk"}
IN_RECOVERY: Facts = {"state": "RECOVERING", "attempts": 2, "max_recoveries": 5, "count": 6}


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heat.ctl.times.localtime", __import__("time").gmtime)
    stamp.cache_clear()
    monkeypatch.setattr("heat.ctl.commands.status.time.time", lambda: NOW)


def ctl(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: str,
    *monitors: Facts,
    **about: object,
) -> tuple[int, list[str], list[str]]:
    """Run a command against a HEAT with these monitors; return exit status, stdout and stderr."""
    with Talker(tmp_path / "s", *monitors, **about):
        code = main(["--control", f"{tmp_path}/s", *words.split()])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err.splitlines()


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


def test_on_a_terminal_states_have_the_colours_of_the_diagram() -> None:
    cell = status.row(facts(state="ERROR"), NOW)  # type: ignore[arg-type]
    lines = output.aligned(status.HEAD, [cell], colour=True)

    assert lines[1].startswith("web   \x1b[31mERROR\x1b[0m  09:47:37  ")


def test_a_drawn_table_has_one_line_per_row_and_cuts_the_last_column_first() -> None:
    rows = [status.row(facts(last=last("failed", "x" * 200, 1)), NOW)] * 3  # type: ignore[arg-type]
    there = tables.console()
    for width in (40, 200, 80):
        with there.capture() as captured:
            there.width = width
            there.print(tables.table(status.HEAD, rows, width))

        lines = captured.get().splitlines()
        assert len(lines) == 4
        assert all(len(line) <= width for line in lines)
    assert lines[1].startswith("web ")


def test_a_narrow_table_leaves_out_columns_and_shows_the_whole_state() -> None:
    rows = [status.row(facts("a-rather-long-name", state="RECOVERING"), NOW)]  # type: ignore[arg-type]
    there = tables.console()
    with there.capture() as captured:
        there.width = 40
        there.print(tables.table(status.HEAD, rows, 40))

    head, line = captured.get().splitlines()
    assert head.split() == ["NAME", "STATE", "LAST", "RESULT"]
    assert line.split() == ["a-rather-long…", "RECOVERING", "OK"]


def drawn(width: int, *monitors: Facts) -> list[str]:
    """Return the table of these monitors on a terminal of this width."""
    rows = [status.row(each, NOW) for each in monitors]  # type: ignore[arg-type]
    there = tables.console()
    with there.capture() as captured:
        there.width = width
        there.print(tables.table(status.HEAD, rows, width))
    return [line.rstrip() for line in captured.get().splitlines()]


REFUSED = "curl: (7) Failed to connect to localhost port 8000 after 0 ms"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            140,
            [
                "NAME  STATE    SINCE     FAILURES  AGE   NEXT  LAST RESULT          LAST LINE",
                f"web   FAILING  09:47:37  0/-       2.1s  4.2s  Failed: Exit Code 7  {REFUSED}",
            ],
        ),
        (
            80,
            [
                "NAME  STATE    FAILURES  AGE   NEXT  LAST RESULT          LAST LINE",
                "web   FAILING  0/-       2.1s  4.2s  Failed: Exit Code 7  curl: (7) Failed to c…",
            ],
        ),
        (40, ["NAME  STATE    LAST RESULT", "web   FAILING  Failed: Exit Code 7"]),
    ],
)
def test_the_last_line_is_cut_to_the_terminal_and_left_out_of_a_narrow_one(
    width: int, lines: list[str]
) -> None:
    failed = last("failed", code=7, message=REFUSED)

    assert drawn(width, facts(state="FAILING", last=failed)) == lines


def test_where_no_check_has_printed_a_line_there_is_no_column_for_it() -> None:
    head, *_ = drawn(200, facts(), facts("queue"))

    assert head.endswith("LAST RESULT")


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


@pytest.mark.parametrize(
    ("span", "wordy", "word"),
    [
        (-3, "0 s", "0s"),
        (0, "0 s", "0.0s"),
        (0.0004, "1 ms", "0.0s"),
        (0.04, "40 ms", "0.0s"),
        (0.0996, "0.1 s", "0.1s"),
        (4.2, "4.2 s", "4.2s"),
        (9.94, "9.9 s", "9.9s"),
        (9.96, "10 s", "10s"),
        (95, "95 s", "95s"),
        (119.6, "2 min", "2m00s"),
        (750, "12 min 30 s", "12m30s"),
        (7199.7, "2 h", "2h00m"),
        (11_100, "3 h 5 min", "3h05m"),
        (187_200, "2 d 4 h", "2d04h"),
    ],
)
def test_lengths(span: float, wordy: str, word: str) -> None:
    assert (length(span), short(span)) == (wordy, word)


def test_moments() -> None:
    assert stamp(NOW) == "2026-11-22T10:47:37"
    assert clock(NOW, NOW + 60) == "10:47:37"
    assert clock(NOW, NOW + 86_400) == "2026-11-22 10:47:37"
    assert brief(NOW, NOW + 86_400) == "Nov 22 10:47"


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


@pytest.mark.parametrize("colour", [False, True])
def test_columns_are_aligned_by_the_cells_of_a_terminal(*, colour: bool) -> None:
    names = ["web", "東京サーバー", "e\u0301te\u0301", "größer", "한국", "각", "a\u200bb", "💾"]
    rows = [[(name, ""), ("NORMAL", "32"), (name, "")] for name in names]

    head, *lines = output.aligned(["NAME", "STATE", "LAST"], rows, colour=colour)

    for line in lines:
        before, state, _ = line.partition("\x1b[32mNORMAL" if colour else "NORMAL")
        assert state
        assert cell_len(before) == head.index("STATE")
