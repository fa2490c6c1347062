"""heatctl history: the account of a monitor, and the state file from which it is made."""

import json
import os
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talker import NOW, Talker

from heat.ctl.commands import history
from heat.ctl.main import main
from heat.store.outages import (
    Life,
    Outage,
    Pause,
    Recovery,
    Span,
    account,
    joined,
    minus,
    total,
    within,
)

HOME = Path(__file__).parents[2]
SCHEMA = re.findall(r"```sql\n(.*?)```", (HOME / "docs/protocol.md").read_text(), re.DOTALL)[0]
DAY = 86_400.0
T = NOW - 7200


pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heat.ctl.commands.history.time.time", lambda: NOW)


# The accounts


def outage(began: float, ended: float | None, ending: str | None = "passed") -> Outage:
    return Outage(began, ended, 3, 0, None if ended is None else ending)


def test_time_outside_of_sessions_and_in_pauses_was_not_watched() -> None:
    life = Life("web", 0.0, None, [outage(40, 60)], [Pause(10, 20)])
    result = account(life, [Span(0, 50), Span(70, 100)], Span(0, 100))

    assert result.watched == 70
    assert result.down == 10
    assert result.well == pytest.approx(6 / 7)
    assert result.mean_time_to_repair == 20


def test_a_life_begins_when_the_monitor_was_first_watched_and_ends_with_its_removal() -> None:
    result = account(Life("web", 30.0, 90.0), [Span(0, 100)], Span(0, 100))

    assert (result.watched, result.well) == (60, 1)


def test_an_outage_that_goes_on_counts_until_now_and_not_as_a_repair() -> None:
    result = account(Life("web", 0.0, None, [outage(80, None)]), [Span(0, 100)], Span(0, 100))

    assert result.goes_on
    assert result.well == pytest.approx(0.8)
    assert result.mean_time_to_repair is None


def test_an_outage_that_a_reset_has_ended_counts_as_down_time_and_not_as_a_repair() -> None:
    life = Life("web", 0.0, None, [outage(0, 10), outage(50, 90, "reset")])
    result = account(life, [Span(0, 100)], Span(0, 100))

    assert result.down == 50
    assert result.mean_time_to_repair == 10


def test_only_the_part_of_an_outage_in_the_requested_span_counts() -> None:
    result = account(Life("web", 0.0, None, [outage(40, 60)]), [Span(0, 100)], Span(50, 100))

    assert result.down == 10
    assert result.mean_time_to_repair == 20
    assert not account(Life("w", 0, None, [outage(1, 2)]), [], Span(50, 100)).outages


def test_a_monitor_that_was_never_watched_has_no_share() -> None:
    result = account(Life("web", 0.0, None), [], Span(0, 100))

    assert result.well is None
    assert history.row(result)[-1][0] == "-"


def test_flaps_are_those_of_the_last_hour_in_any_span() -> None:
    life = Life("web", 0.0, None, leaves=[NOW - 3601, NOW - 3599, NOW - 1])

    assert account(life, [], Span(NOW - 10, NOW)).flaps == 2


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda s: Span(*sorted(s))), max_size=6
)


def seconds_in(spans: list[Span]) -> set[int]:
    return {second for span in spans for second in range(int(span.began), int(span.ended))}


@given(SPANS, SPANS, st.integers(0, 15), st.integers(15, 30))
def test_spans_are_sets_of_seconds(one: list[Span], other: list[Span], low: int, high: int) -> None:
    limits = Span(low, high)

    assert seconds_in(joined(one)) == seconds_in(one)
    assert total(joined(one)) == len(seconds_in(one))
    assert seconds_in(minus(joined(one), joined(other))) == seconds_in(one) - seconds_in(other)
    assert seconds_in(within(joined(one), limits)) == seconds_in(one) & set(range(low, high))


@pytest.mark.parametrize(
    ("share", "shown"), [(1.0, "100.00"), (0.999_999, "99.99"), (0.5, "50.00"), (0.0, "0.00")]
)
def test_less_than_all_is_never_shown_as_100_percent(share: float, shown: str) -> None:
    assert history.percent(share) == shown


def recovery(*, code: int | None, helped: bool | None, after: float | None = None) -> Recovery:
    return Recovery(helped, 1, 0.0, 2.0, code, None, after)


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (recovery(code=0, helped=True, after=3.5), "helped, the check passed 3.5 s after its end"),
        (recovery(code=1, helped=True), "helped"),
        (recovery(code=0, helped=False), "exits 0 and does not help"),
        (recovery(code=1, helped=False), "did not help"),
        (recovery(code=None, helped=False), "did not help"),
        (recovery(code=0, helped=None), "not yet known whether it helped"),
    ],
)
def test_the_verdict_on_a_recovery(run: Recovery, verdict: str) -> None:
    assert history.verdict(run) == verdict


# The file


def insert(file: sqlite3.Connection, table: str, **values: Any) -> None:
    marks = ", ".join("?" * len(values))
    names = ", ".join(values)
    query = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our own words
    file.execute(query, list(values.values()))


@pytest.fixture(name="state")
def _state(tmp_path: Path) -> Path:
    """Write a file as HEAT would: one long session, two monitors, two outages."""
    path = tmp_path / "heat.state"
    with sqlite3.connect(path) as file:
        file.executescript(f"PRAGMA journal_mode = wal; PRAGMA user_version = 1; {SCHEMA}")
        insert(file, "sessions", began=T, seen=NOW - 5, pid=1, boot="b")
        insert(file, "monitors", name="web", since=T)
        insert(file, "monitors", name="queue", since=T)
        insert(file, "monitors", name="old", since=T - 30 * DAY, removed=T - 20 * DAY)
        past = {"monitor": "web", "failures": 4, "recoveries": 2}
        insert(file, "outages", **past, began=T + 600, ended=T + 728, ending="passed")
        known: dict[str, Any] = {"monitor": "web", "outage": 1}
        insert(
            file,
            "recoveries",
            **known,
            attempt=1,
            began=T + 603,
            ended=T + 605.1,
            code=0,
            how="Exit Code 0",
            helped=0,
        )
        insert(
            file,
            "recoveries",
            **known,
            attempt=2,
            began=T + 700,
            ended=T + 720,
            how="Timed out after 20 s",
            helped=1,
            well_after=8.0,
        )
        insert(file, "outages", monitor="web", failures=1, recoveries=1, began=NOW - 60)
        insert(file, "recoveries", outage=2, monitor="web", attempt=1, began=NOW - 30)
        change = {"monitor": "web", "count": 1, "reason": "Exit Code 7"}
        insert(file, "transitions", **change, at=NOW - 60, before="NORMAL", after="FAILING")
        insert(file, "pauses", monitor="queue", began=T + 100, ended=T + 1000, reason="disk")
    file.close()
    return path


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    code = main(["history", *words])
    return code, capsys.readouterr().out.splitlines()


def test_without_a_name_it_prints_a_table_the_worst_first(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines(capsys, "--state", os.fspath(state)) == (
        1,
        [
            "NAME   OUTAGES  DOWN   MTTR   FLAPS  RECOVERIES  HELPED  USELESS  WELL",
            "web    2        3m03s  2m08s  1      3           1       1        97.46%",
            "queue  0        0s     -      0      0           0       0        100.00%",
        ],
    )


def test_with_a_name_it_prints_each_outage_and_what_each_recovery_did(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines(capsys, "web", "--state", os.fspath(state), "--since", "1d") == (
        1,
        [
            "web: 2 outages since 2026-11-21 10:47:37 (24 h)",
            "  well                 97.46 % of 119 min 55 s watched",
            "  mean time to repair  2 min 8 s",
            "  flaps                1 in the last hour",
            "",
            "08:57:37  for 2 min 8 s, until 08:59:45: 4 failures, 2 recoveries, recovery 2 helped",
            "  recovery 1  at 08:57:40, exit code 0 after 2.1 s: exits 0 and does not help",
            (
                "  recovery 2  at 08:59:17, Timed out after 20 s: "
                "helped, the check passed 8 s after its end"
            ),
            "",
            "10:46:37  goes on, for 60 s: 1 failure, 1 recovery",
            "  recovery 1  at 10:47:07, still runs",
        ],
    )


def test_with_a_name_it_prints_each_pause_with_its_reason(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(state) as file:
        insert(file, "pauses", monitor="queue", began=NOW - 90, until=NOW + 9, reason="\x1bx")
        insert(file, "pauses", monitor="queue", began=NOW - 30, reason="")
    file.close()
    code, out = lines(capsys, "queue", "--state", os.fspath(state))

    assert code == 0
    assert out[4:] == [
        "",
        "08:49:17  paused for 15 min, until 09:04:17: disk",
        "10:46:07  paused until 10:47:46, for 90 s so far: \\x1bx",
        "10:47:07  paused until it is resumed, for 30 s so far",
    ]
    main(["history", "queue", "--json", "--state", os.fspath(state)])
    pauses = json.loads(capsys.readouterr().out)["pauses"]
    assert pauses[1] == {"began": NOW - 90, "ended": None, "until": NOW + 9, "reason": "\x1bx"}


def test_a_running_heat_says_where_its_file_is_and_watches_until_now(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Talker(tmp_path / "s", state=os.fspath(state)):
        code, out = lines(capsys, "queue", "--control", f"{tmp_path}/s")

    assert code == 0
    assert out[1] == "  well                 100.00 % of 105 min watched"


def test_a_heat_without_a_file_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Talker(tmp_path / "s"):
        assert main(["history", "--control", f"{tmp_path}/s"]) == 2

    assert "keeps no history" in capsys.readouterr().err


def test_history_as_json(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = lines(capsys, "--json", "--state", os.fspath(state))

    web, queue = map(json.loads, out)
    assert queue["well"] == 1
    assert [each["useless"] for each in web["outages"][0]["recoveries"]] == [True, False]
    assert web["outages"][0]["helped"] == 2
    assert web["outages"][1]["ended"] is None
    assert web["mean_time_to_repair"] == 128


def test_reading_changes_nothing(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name: path.read_bytes() for path in state.parent.iterdir()}
    lines(capsys, "--state", os.fspath(state))

    assert {path.name: path.read_bytes() for path in state.parent.iterdir()} == before


def test_it_sees_what_heat_has_just_written(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writing = sqlite3.connect(state)
    writing.execute("UPDATE outages SET ended = ?, ending = 'reset' WHERE id = 2", (NOW - 10,))
    writing.commit()
    code, out = lines(capsys, "web", "--state", os.fspath(state))
    writing.close()

    assert code == 0
    assert out[-2] == (
        "10:46:37  for 50 s, until 10:47:27: 1 failure, 1 recovery, ended by a reset"
    )
    assert out[-1].endswith("its end is not on record")


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["history", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") >= 2
    return err


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("--since nan", "--since 'nan' is not a duration"),
        ("--since 0", "--since '0' is not a positive duration"),
        ("--since 0d", "--since '0d' is not a positive duration"),
        ("--since d", "--since 'd' is not a duration"),
        ("--since -1d", "--since '-1d' is not a duration"),
        ("--since 1,5d", "--since '1,5d' is not a duration"),
        ("--since ٣d", "--since '٣d' is not a duration"),
        ("--since 3651d", "--since '3651d' is too long"),
        ("--since 99999999999d", "--since '99999999999d' is too long"),
    ],
)
def test_a_span_that_is_not_valid(
    words: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrong in complaint(capsys, *words.split(), "--state", "none")


def test_a_name_that_is_not_on_record(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = complaint(capsys, "wbe", "--state", os.fspath(state))

    assert "no monitor named wbe is on record" in message
    assert "did you mean web?" in message


def test_a_file_that_is_not_a_state_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("no database\n" * 100)
    (tmp_path / "empty").touch()

    for name, message in (
        ("none", "no such file"),
        ("text", "file is not a database"),
        ("empty", f"{tmp_path}/empty holds nothing of HEAT's"),
        (".", "is a directory"),
    ):
        assert message in complaint(capsys, "--state", f"{tmp_path}/{name}")


def test_a_file_of_another_version_is_refused(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(state) as file:
        file.execute("PRAGMA user_version = 2")
    file.close()

    assert "has version 2, and heatctl reads 1" in complaint(capsys, "--state", os.fspath(state))


def test_a_damaged_file_is_refused(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(state.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    state.write_bytes(data)

    assert "cannot be read" in complaint(capsys, "--state", os.fspath(state))
