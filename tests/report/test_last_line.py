"""The last line of a failed program: its form, who gets it, and where it is on record."""

import json
import os
from typing import Any

import pytest
from client import why
from fleet import monitor
from heat_process import FAST, Heat, hints, orderly
from hypothesis import given
from hypothesis import strategies as st
from place import Place
from processes import until
from state_files import STATE, change, fails, kill, memory, rows
from virtual import VirtualWorld

from heat.checks.outcome import Outcome
from heat.ctl.commands import history
from heat.monitor.last_check import pack, unpack
from heat.process.output import LIMIT, Capture, LastLine
from heat.process.program import encoded
from heat.process.signals import meaning, worded
from heat.rehearsal.programs import Ends
from heat.store.history import History
from heat.store.outages import Failed, Outage, Recovery, Span
from heat.store.sql import LATER
from heat.text import LAST_LINE, escaped, last_line

FIRST, LAST = 3, 4
"""The failures in what the file keeps of a machine."""
RED = "printf '\\033[31mred\\033[0m\\n' >&2"

# The line


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (b"", ""),
        (b"\n \n\t\r\n", ""),
        (b"one\ntwo\n", "two"),
        (b"one\n  two \r\n\n \n", "two"),
        (b"no end", "no end"),
        (b"a\tb\x1b[0m\0", "a\\tb\\x1b[0m\\x00"),
        (b"caf\xe9", "caf\\xe9"),
        ("東京\u2028".encode(), "東京\\u2028"),
        (b"x" * 300, "x" * 200),
        ("é".encode() * 150, "é" * 100),
        (b"x" + "é".encode() * 150, "x" + "é" * 99),
        (b"x" * 198 + b"\x1b[0m", "x" * 198),
        (b"x" * 196 + b"\x1b[0m", "x" * 196 + "\\x1b"),
        (b"x" * 199 + b"\tend", "x" * 199),
        (b"x" * 195 + "\u2028\u2028".encode(), "x" * 195),
        (b"x" * 190 + b"\\ and a backslash", "x" * 190 + "\\ and a ba"),
    ],
)
def test_the_last_line_is_escaped_and_has_200_bytes_at_most(output: bytes, line: str) -> None:
    assert last_line(output) == line


pieces = st.sampled_from(
    [b"\n", b" ", b"\r", b"x" * 90, b"\\", b"\x1b", b"\xff", "é".encode(), "東".encode(), b"\0"]
)
outputs = st.lists(st.binary(max_size=9) | pieces, max_size=40)


@given(outputs)
def test_no_output_has_a_last_line_that_cannot_be_told(chunks: list[bytes]) -> None:
    output = b"".join(chunks)
    line = last_line(output)

    assert len(line.encode()) <= LAST_LINE
    assert line == escaped(line)
    assert bool(line) == bool(output.strip())


@given(outputs)
def test_it_is_the_same_however_the_output_comes_in(chunks: list[bytes]) -> None:
    streamed = LastLine()
    for chunk in chunks:
        streamed.add(chunk)

    assert str(streamed) == last_line(b"".join(chunks))


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (b"y" * LIMIT + b"\n", "y" * 200),
        (b"one\n" + b"y" * LIMIT + b"\n", "y" * 200),
        (b"y" * (5 * LIMIT) + b"\nthe end\n", "the end"),
        (b"begin" + b"y" * (5 * LIMIT), "y" * 200),
    ],
    ids=["64 KiB", "behind another", "short behind a long one", "whose beginning is cut"],
)
def test_of_a_long_line_its_beginning_is_told_where_it_is_kept(output: bytes, line: str) -> None:
    capture = Capture()
    for start in range(0, len(output), 10_000):
        capture.add(output[start : start + 10_000])

    assert capture.peek().last_line == line
    assert capture.take().total == len(output)


def test_a_check_without_a_line_takes_no_more_room_and_one_with_it_comes_out_as_it_went_in() -> (
    None
):
    silent = Outcome(1_795_000_000, 7, 77, 0.5)
    loud = silent._replace(text="東京 \\x1b")

    assert len(pack(silent, 1.0)) == 28
    assert unpack(pack(loud, 1.0)) == (loud, 1.0)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "1"),
        (126, "126 (not executable)"),
        (127, "127 (command not found)"),
        (128, "128"),
        (137, "137 (killed by SIGKILL)"),
        (143, "143 (killed by SIGTERM)"),
        (162, "162 (killed by SIGRTMIN)"),
        (255, "255"),
    ],
)
def test_an_exit_code_is_told_with_what_shells_mean_by_it(code: int, text: str) -> None:
    assert worded(code) == text
    assert bool(meaning(code)) == ("(" in text)


def test_a_variable_is_utf_8_where_the_place_has_no_such_character(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(text: str) -> bytes:
        return text.encode("ascii", "surrogateescape")

    monkeypatch.setattr(os, "fsencode", refuse)

    assert encoded("a\udcff") == b"a\xff"
    assert encoded("é") == "é".encode()


# Who gets it


PRINTS = {
    "stderr": ("echo out; echo 'curl: (7) refused' >&2", "curl: (7) refused"),
    "only on stdout": ("echo first; echo value 42", "value 42"),
    "nothing": ("", ""),
    "blank lines behind it": ("echo why >&2; echo >&2; echo '  ' >&2", "why"),
    "nothing but blanks on stderr": ("echo out; echo >&2", "out"),
    "control characters": (RED, "\\x1b[31mred\\x1b[0m"),
    "no UTF-8": ("printf 'caf\\351\\n' >&2", "caf\\xe9"),
    "UTF-8": ("printf '\\346\\235\\261\\n' >&2", "東"),
    "64 KiB": ("head -c 65536 /dev/zero | tr '\\0' y >&2; echo >&2", "y" * 200),
    "NUL": ("printf 'a\\000b' >&2", "a\\x00b"),
}


@pytest.mark.parametrize(("body", "line"), PRINTS.values(), ids=PRINTS.keys())
def test_a_fail_script_is_told_the_last_line_and_so_is_who_reads_json(
    place: Place, body: str, line: str
) -> None:
    fail = place.script("fail", 'printf %s "$HEAT_FAIL_TEXT" > told')
    check = place.check(7, body=body)
    heat = place.heat("-i", "5m", "--json", "--count", "1", "--fail", fail, "-s", check)

    assert heat.wait() == 1
    assert (place.folder / "told").read_text() == line
    (printed,) = heat.objects()
    assert printed["message"] == (line or None)
    assert "HEAT_FAIL_TEXT" not in heat.err.read_text()
    orderly(heat)


def test_a_check_is_told_nothing_of_what_another_heat_has_told_this_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAT_FAIL_TEXT", "of another HEAT")
    heat = place.heat("-i", "5m", "--count", "1", "env")

    assert heat.wait() == 0
    assert "> PATH=" in heat.verbose()
    assert "HEAT_FAIL_TEXT" not in heat.verbose()


def test_a_recovery_script_is_told_the_last_line_of_the_last_failed_check(place: Place) -> None:
    recovery = place.script("recover", "env > told; echo trying; echo in use >&2; exit 3")
    check = place.check(3, 127, 0, body="echo line $n")
    heat = place.heat(
        *("-i", FAST, "--count", "3", "--threshold", "2", "--recovery", recovery),
        *("--name", "web", "-s", check),
    )

    assert heat.wait() == 0
    assert hints((place.folder / "told").read_text())["HEAT_FAIL_TEXT"] == "line 1"
    assert heat.lines()[1] == "Failed: Exit Code 127, details in heat.log"
    assert (
        "RECOVERING after 2 failures in a row, recovery 1: ./recover; the check said: line 1\n"
        in (heat.err.read_text())
    )
    (ended,) = [line for line in heat.news() if line.startswith("recovery script")]
    assert ended.startswith("recovery script ./recover ended: Exit Code 3, after ")
    assert ended.endswith(": in use")
    assert "(nothing on stderr) Exit Code 127\n" in heat.log()
    assert "> [Exit Code 127]\n" in heat.verbose()


def test_of_a_check_that_timed_out_or_was_killed_it_is_what_it_had_printed(place: Place) -> None:
    fail = place.script("fail", 'echo "$HEAT_FAIL_CODE $HEAT_FAIL_TEXT" >> told')
    check = place.check(0, body='echo "run $n"; [ $n = 0 ] && exec sleep 600; kill -9 $$')
    heat = place.heat(
        *("-i", "200ms", "-t", "100ms", "--count", "2", "--on-killed", "fail"),
        *("--fail", fail, "-s", check),
    )

    assert heat.wait() == 1
    assert place.words("told") == ["124 run 0", "137 run 1"]
    assert heat.lines() == [
        "Failed: Timed out after 0.1 s, details in heat.log",
        "Failed: Exit Code 137, details in heat.log",
    ]


def watching(place: Place, *words: str) -> Heat:
    """Start a HEAT that checks once, at once, and takes requests and signals."""
    usual = ("-i", "5m", "--name", "web", "--control", "heat.sock", "--state", STATE)
    return place.heat(*usual, *words)


def test_what_comes_through_tee_is_told_to_who_asks_and_on_record(place: Place) -> None:
    check = place.script(
        "check",
        "exec > >(until [ -s told ]; do :; done; tee -a own.log) 2>&1\n"
        "echo value 42 is too high\nexit 1",
        "/bin/bash",
    )
    fail = place.script("fail", 'echo "said $HEAT_FAIL_TEXT" > told')
    heat = watching(place, "--fail", fail, "-s", check)
    until(lambda: last_message(heat) is not None, "its line")

    assert last_message(heat) == "value 42 is too high"
    assert place.words("told") == ["said "]
    until(lambda: "> value 42" in heat.verbose(), "its record")
    query = "SELECT first_message, last_message FROM outages"
    assert rows(heat, query) == [("value 42 is too high", "value 42 is too high")]
    assert heat.stop() == 0
    orderly(heat)


def last_message(heat: Heat) -> str | None:
    """The last line of the last check, if there was one."""
    if not (heat.folder / "heat.sock").exists():
        return None
    last = why(heat, "web")["last"]
    return None if last is None else last["message"]


def test_a_service_that_an_earlier_recovery_has_left_does_not_speak_for_the_next_one(
    place: Place,
) -> None:
    serve = "(trap '' TERM; while [ ! -e over ]; do echo noise; sleep 0.01; done) & echo served"
    place.script(
        "recover", f"if [ -e begun ]; then echo nothing to do; exit 1; fi; : > begun\n{serve}"
    )
    keys = {"recovery_timeout": "100ms", "recovery": "./recover"}
    heat = place.fleet(fails(place, **keys), "--state", STATE)
    second = "SELECT message FROM recoveries WHERE attempt = 2 AND ended"
    heat.await_news("recovery 2: ./recover")
    until(lambda: bool(rows(heat, second)), "its end")
    (place.folder / "over").touch()

    assert rows(heat, second) == [("nothing to do",)]
    assert why(heat, "web")["last_recovery"]["message"] == "nothing to do"
    assert heat.stop() == 0
    assert "> noise\n" in heat.verbose()


def test_a_recovery_that_prints_nothing_has_no_line_of_the_one_before_it(place: Place) -> None:
    place.script("recover", "[ -e begun ] && exit 1; : > begun; echo once")
    keys = {"recovery_timeout": "50ms", "recovery": "./recover"}
    heat = place.fleet(fails(place, **keys), "--state", STATE)
    ended = "SELECT message FROM recoveries WHERE ended ORDER BY id LIMIT 2"
    heat.await_news("recovery 2: ./recover")
    until(lambda: len(rows(heat, ended)) == 2, "its end")

    assert rows(heat, ended) == [("once",), (None,)]
    assert heat.stop() == 0


def test_all_that_is_told_of_a_monitor_tells_it(place: Place) -> None:
    check = place.check(1, 127, body='echo "failure $n" >&2')
    place.script("recover", "echo cannot bind; exit 126")
    place.script("fail", "echo no mail; exit 1")
    keys: dict[str, object] = {"threshold": 2, "recovery": "./recover", "fail": "./fail"}
    text = monitor("web", check, signal="none", recovery_timeout="10m", **keys)
    heat = place.fleet(text, "--state", STATE)
    until(lambda: why(heat, "web")["last_recovery"] is not None, "a recovery")
    answer = why(heat, "web")

    assert answer["last"]["text"] == "Exit Code 127 (command not found)"
    assert answer["last"]["message"].startswith("failure ")
    assert answer["changed"]["reason"] == "Exit Code 127 (command not found): failure 1"
    assert answer["outage"]["first_message"] == "failure 0"
    recovery, fail = answer["last_recovery"], answer["last_fail"]
    assert recovery.pop("age") >= 0
    assert fail.pop("age") >= 0
    assert recovery == {
        "code": 126,
        "text": "Exit Code 126 (not executable)",
        "message": "cannot bind",
    }
    assert fail == {"code": 1, "text": "Exit Code 1", "message": "no mail"}
    status = heat.status()
    assert "; last check Exit Code 127 (command not found), " in status
    assert " ago: failure " in status
    heat.await_news("recovery script ./recover ended: Exit Code 126 (not executable), after ")
    assert heat.stop() == 0
    orderly(heat)


# On record


def failed_once(place: Place, *words: str) -> Heat:
    """A HEAT that was killed after the first failure."""
    heat = watching(place, *words, "-s", place.check(7, body="echo refused"))
    heat.await_line("Failed")
    until(lambda: memory(heat) is not None, "its memory")
    kill(heat)
    return heat


def remembered(heat: Heat) -> Any:
    """All that the file keeps of the machine."""
    ((text,),) = rows(heat, "SELECT memory FROM monitors")
    return json.loads(text)


def test_the_line_is_known_after_a_restart_and_told_to_a_recovery(place: Place) -> None:
    assert remembered(failed_once(place))[0][FIRST][-1] == "refused"
    recovery = place.script("recover", 'echo "$HEAT_FAIL_TEXT" >> told')
    check = place.check(1, name="other", body="echo in the end")
    heat = watching(place, "--threshold", "2", "--recovery", recovery, "-s", check)

    assert place.await_words("told") == ["in the end"]
    assert why(heat, "web")["outage"]["first_message"] == "refused"
    columns = rows(heat, "SELECT first_code, first_message, last_code, last_message FROM outages")
    assert columns == [(7, "refused", 1, "in the end")]


def test_a_fail_script_that_was_about_to_begin_is_told_it_after_a_restart() -> None:
    check = Ends(7, stderr=b"refused\n")
    world = VirtualWorld("--fail=./tell", checks=[check], fails=[Ends(after=None)]).run_until(1)
    world.programs[-1] = world.programs[-1]._replace(env={})  # It has never begun.
    again = VirtualWorld("--fail=./tell", checks=[Ends()], killed=world)

    (program, *_) = again.programs
    assert (program.shown, program.env["HEAT_FAIL_TEXT"]) == ("fail", "refused")


def test_what_an_earlier_version_has_written_is_read_and_gets_its_columns(place: Place) -> None:
    heat = failed_once(place)
    machine, *rest = remembered(heat)
    for failure in (machine[FIRST], machine[LAST]):
        assert failure.pop() == "refused"
    state, count, attempts, *others, _ = machine
    earlier = [[state, count, attempts, "none", *others], *rest]
    change(place, "UPDATE monitors SET memory = ?", json.dumps(earlier))
    for table, columns in LATER.items():
        for column in columns:
            change(place, f"ALTER TABLE {table} DROP COLUMN {column}")
    with History(str(place.folder / STATE)) as archive:
        (life,) = archive.lives(Span(0.0, 1e10))
    assert (life.outages[0].failures, life.outages[0].first) == (1, Failed())
    heat = watching(place, "-s", "./check")
    heat.await_news("goes on where it was: FAILING, 1 failure in a row")

    until(lambda: rows(heat, "SELECT last_message FROM outages") == [("refused",)], "its line")
    assert rows(heat, "SELECT first_message FROM outages") == [(None,)]
    assert "set aside" not in heat.err.read_text()
    orderly(heat)


@pytest.mark.parametrize("text", [7, None, ["refused"]])
def test_a_line_in_the_file_that_is_no_text_is_of_no_machine(place: Place, text: object) -> None:
    heat = failed_once(place)
    machine, *rest = remembered(heat)
    machine[FIRST][-1] = text
    change(place, "UPDATE monitors SET memory = ?", json.dumps([machine, *rest]))
    heat = watching(place, "-s", "./check")

    heat.await_news("cannot be read: they begin again")
    orderly(heat)


def test_a_line_in_the_file_is_escaped_before_a_script_is_told_it(place: Place) -> None:
    heat = failed_once(place)
    machine, *rest = remembered(heat)
    machine[FIRST][-1] = "a\0b"
    change(place, "UPDATE monitors SET memory = ?", json.dumps([machine, *rest]))
    heat = watching(place, "-s", "./check")
    heat.await_line("Failed", 2)

    assert why(heat, "web")["outage"]["first_message"] == "a\\x00b"


def recovered(message: str | None, code: int) -> Recovery:
    return Recovery(False, 1, 10.0, 12.0, code, f"Exit Code {code}", None, message)


def test_the_history_tells_why_an_outage_began_and_what_a_recovery_said() -> None:
    runs = [recovered("cannot bind\x1b", 127), recovered(None, 1)]
    first, last = Failed(7, "refused"), Failed(127, "sh: x: not found")
    outage = Outage(0.0, 60.0, 3, 2, "passed", runs, first, last)

    assert list(history.failures(outage)) == [
        "  first failure   exit code 7: refused",
        "  latest failure  exit code 127 (command not found): sh: x: not found",
    ]
    assert list(history.failures(outage._replace(last=first)))[1:] == []
    assert list(history.failures(Outage(0.0, 60.0, 3, 2, "passed"))) == []
