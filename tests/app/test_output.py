"""The lines that HEAT prints, and its logs."""

import os
import re
import time

import pytest
from heat_process import FAILED, FAST, without_pids, without_times
from place import Place


def test_json_has_one_object_a_line(place: Place) -> None:
    before = int(time.time())
    heat = place.heat(
        *("-i", FAST, "--count", "3", "--json", "--name", "web", "--recovery"),
        *(
            place.script("recover", "true"),
            "--threshold",
            "2",
            "-s",
            place.check(0, 7, body="echo value 42"),
        ),
    )

    assert heat.wait() == 1
    results = heat.objects()
    for each, pid in zip(results, place.words("check.ran"), strict=True):
        assert list(each) == [
            *("time", "monitor", "result", "code", "pid", "duration", "state", "count", "message")
        ]
        assert before <= each["time"] <= time.time()
        assert each["pid"] == int(pid)
        assert 0 < each["duration"] < 60
        assert each["monitor"] == "web"
        assert each["message"] == "value 42"
    assert [(e["result"], e["code"], e["state"], e["count"]) for e in results] == [
        ("ok", 0, "NORMAL", 0),
        ("failed", 7, "FAILING", 1),
        ("failed", 7, "RECOVERING", 2),
    ]


def test_quiet_leaves_out_what_is_well(place: Place) -> None:
    heat = place.heat("-i", FAST, "-q", "--count", "3", "-s", place.check(0, 1, 0))

    assert heat.wait() == 0
    assert heat.lines() == [FAILED]
    assert "FAIL : ./check :\n> [Exit Code 1]\n" in heat.verbose()


def test_quiet_json_leaves_out_what_is_well(place: Place) -> None:
    heat = place.heat("-i", FAST, "-q", "--json", "--count", "2", "-s", place.check(0, 1))

    assert heat.wait() == 1
    assert [each["result"] for each in heat.objects()] == ["failed"]


def test_lines_are_flushed_as_they_happen(place: Place) -> None:
    heat = place.heat("-i", "1h", "true")
    heat.await_line("OK")

    assert heat.stop() == 0


def test_a_log_dir_is_named_in_the_lines_as_given(place: Place) -> None:
    (place.folder / "a").mkdir()
    heat = place.heat("-i", FAST, "--log-dir", "./a", "--count", "1", "false")

    assert heat.wait() == 1
    assert heat.lines() == ["Failed: Exit Code 1, details in ./a/heat.log"]
    assert sorted(os.listdir(place.folder / "a")) == ["heat.log", "heat.verbose.log"]
    assert not (place.folder / "heat.log").exists()


def test_there_is_colour_on_a_terminal_only_and_never_with_no_color(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed() -> bytes:
        master, terminal = os.openpty()
        heat = place.heat("-i", FAST, "--count", "1", "true", stdout=terminal)
        os.close(terminal)
        assert heat.wait() == 0
        data = os.read(master, 4096)
        os.close(master)
        return data

    monkeypatch.setenv("TERM", "xterm")
    plain = printed()
    monkeypatch.delenv("NO_COLOR")
    coloured = printed()

    assert b"\x1b[" not in plain
    assert re.fullmatch(rb"\d+: \x1b\[32mOK\x1b\[0m\r\n", coloured)


def test_the_logs_are_written_exactly_so(place: Place) -> None:
    check = place.script(
        "check",
        "n=$(cat n 2> /dev/null); n=$((n + 1)); echo $n > n\ncase $n in\n"
        "1) ;;\n2) echo all well;;\n3) echo out; echo err >&2; echo 'err 2' >&2; exit 7;;\n"
        "4) exit 7;;\n5) printf 'no newline' >&2; exit 1;;\nesac",
    )
    fail = place.script("fail", "echo to whom it may concern; [ $HEAT_FAIL_CNT = 1 ]")
    heat = place.heat(
        *("-i", FAST, "--count", "6", "--fail", fail, "--fail-overlap", "skip"),
        *("--script-timeout", "30", "-s", check),
    )

    assert heat.wait() == 0
    assert without_times(heat.log()) == (
        "T: err\nT: err 2\nT: (nothing on stderr) Exit Code 7\nT: no newline\n"
    )
    runs = "T : INFO : heat :\n> fail script ./fail runs for failure {}, process P\n"
    log = re.sub(r"(?m)(after|,) [\d.]+ s$", r"\1 S s", without_pids(heat.verbose()))
    assert log == (
        f"T : INFO : heat :\n> watching every {FAST} s: ./check\n"
        "T : INFO : ./check :\n> all well\n"
        "T : FAIL : ./check :\n> out\n> err\n> err 2\n> [Exit Code 7]\n"
        "T : INFO : heat :\n> NORMAL -> FAILING (1 failure)\n"
        f"{runs.format(1)}"
        "T : INFO : ./fail :\n> to whom it may concern\n"
        "T : INFO : heat :\n> fail script ./fail ended: Exit Code 0, after S s\n"
        "T : FAIL : ./check :\n> [Exit Code 7]\n"
        f"{runs.format(2)}"
        "T : FAIL : ./fail :\n> to whom it may concern\n> [Exit Code 1]\n"
        "T : FAIL : ./check :\n> no newline\n> [Exit Code 1]\n"
        f"{runs.format(3)}"
        "T : FAIL : ./fail :\n> to whom it may concern\n> [Exit Code 1]\n"
        "T : INFO : heat :\n> FAILING -> NORMAL\n"
        "T : INFO : heat :\n> NORMAL again after 3 failures, S s\n"
        "T : INFO : heat :\n> 6 checks done (--count)\n"
    )


def test_records_carry_the_second_in_which_the_program_started(place: Place) -> None:
    heat = place.heat("-i", FAST, "--count", "1", "sh", "-c", "date +%s; sleep 1.1; exit 1")

    assert heat.wait() == 1
    record = re.search(r"(?m)^(\d+) : FAIL : .*\n> (\d+)$", heat.verbose())
    assert record is not None
    assert int(record[2]) - int(record[1]) in {0, 1}
    assert heat.out.read_text().startswith(f"{record[1]}: ")
    assert heat.log().startswith(f"{record[1]}: ")


def test_logs_are_appended_to(place: Place) -> None:
    (place.folder / "heat.log").write_text("1: before\n")
    (place.folder / "heat.verbose.log").write_text("1 : INFO : heat :\n> before\n")
    for _ in range(2):
        assert place.heat("-i", FAST, "--count", "1", "false").wait() == 1
    heat = place.heat("-i", FAST, "--count", "1", "false")

    assert heat.wait() == 1
    assert without_times(heat.log()) == "1: before\n" + "T: (nothing on stderr) Exit Code 1\n" * 3
    assert heat.verbose().startswith("1 : INFO : heat :\n> before\n")
    assert heat.verbose().count("FAIL : false :\n> [Exit Code 1]\n") == 3


def test_logs_are_not_for_everybody_to_read(place: Place) -> None:
    heat = place.heat(
        "-i", FAST, "--count", "1", "--fail", place.script("fail", "true"), "-s", place.check(1)
    )

    assert heat.wait() == 1
    for name in ("heat.log", "heat.verbose.log", "heat.check.out"):
        assert (place.folder / name).stat().st_mode & 0o137 == 0


def test_script_output_beyond_a_mebibyte_is_copied_cut_and_emptied(place: Place) -> None:
    fail = place.script(
        "fail", "echo begin\nhead -c 3000000 /dev/zero | tr '\\0' x\necho\necho end"
    )
    heat = place.heat("-i", FAST, "--count", "1", "--fail", fail, "-s", place.check(1))

    assert heat.wait() == 1
    assert (place.folder / "heat.check.out").stat().st_size <= 1024 * 1024
    assert len(heat.verbose()) < 80_000
    assert "INFO : ./fail :\n> begin\n> xxx" in heat.verbose()
    assert re.search(r"\n> \[\d+ bytes cut here\]\n> x+\n> end\n", heat.verbose())
