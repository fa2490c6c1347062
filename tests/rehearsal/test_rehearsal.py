"""A rehearsal: the real monitor and table on a virtual clock, and the words for it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from virtual import Ends, VirtualWorld, options

from heat.app.cli import USAGE as USAGE_OF_HEAT
from heat.cells import cells
from heat.config.schema import OPTIONS
from heat.ctl import main as heatctl
from heat.ctl.commands.rehearse import OWN, USAGE
from heat.rehearsal.play import Played, play
from heat.rehearsal.render_text import lines
from heat.rehearsal.results import MOST, Plot, results
from heat.rehearsal.summary import account, sentences
from states.monitor.model import State

WORDS = (
    "-i 30 -s ./check --threshold 3 --recovery ./recover --recovery-timeout 60 --pid 1234 "
    "--fault-signal STOP --success-signal CONT --results 0,1x5,timeout,0"
)
CONTRACT = WORDS.split()


def main(words: Sequence[str]) -> int:
    return heatctl.main(["rehearse", *words])


def rehearse(words: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(words.split())
    out, err = capfd.readouterr()
    return code, out, err


def played(course: str, *words: str, **plot: Any) -> Played:
    return play(options(*words), Plot(results(course), **plot))


def moments(of: Played, kind: str) -> list[tuple[float, str]]:
    return [(entry.at, entry.text) for entry in of.entries if entry.kind == kind]


def test_the_rehearsal_of_the_contract(capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*CONTRACT, "--recovery-takes", "5"])
    out, err = capfd.readouterr()

    assert (code, err) == (0, "")
    assert out.startswith(
        """\
  0 s  NORMAL      check 1: OK
 30 s  FAILING     check 2: Failed: Exit Code 1 (1 failure in a row)
 30 s  FAILING     signal HUP to process 1234 (--signal)
 60 s  FAILING     check 3: Failed: Exit Code 1 (2 failures in a row)
 60 s  FAILING     signal HUP to process 1234 (--signal)
 90 s  RECOVERING  check 4: Failed: Exit Code 1 (3 failures in a row)
 90 s  RECOVERING  signal HUP to process 1234 (--signal)
 90 s  RECOVERING  recovery 1 begins
 90 s  RECOVERING  signal STOP to process 1234 (--fault-signal)
 90 s  RECOVERING  recovery script ./recover runs
                   HEAT_FAIL_CODE=1 HEAT_FAIL_INTERVAL=30 HEAT_FAIL_PID=2004 HEAT_FAIL_CNT=3
                   HEAT_FAIL_TEXT='' HEAT_NAME=check HEAT_STATE=RECOVERING
                   HEAT_FAIL_TIME=1700000030 HEAT_FAIL_TIME_LAST=1700000090
 95 s  RECOVERING  recovery script ended: Exit Code 0, after 5 s
 95 s  RECOVERING  the window opens for 60 s, until 155 s
"""
    )
    assert "225 s  NORMAL      well again after 6 failures and 3 recoveries, 195 s\n" in out
    assert (
        "The outage lasted 195 s, from 30 s to 225 s; the first remedy came 60 s after the first "
        "failure: signal STOP to process 1234.\n"
    ) in out
    assert "Signals sent: HUP 3 times, STOP 3 times and CONT once.\n" in out


def test_a_monitor_does_the_same_in_a_rehearsal_as_in_any_other_world() -> None:
    words = ("--threshold=2", "--recovery=./recover", "--pid=42", "--fault-signal=USR1")
    world = VirtualWorld(
        *words,
        checks=[Ends(), Ends(1), Ends(1), Ends(1), Ends()],
        recoveries=[Ends(after=3)],
    ).run_until(33)
    outcome = played("0,1x3,0", *words, recovery=Ends(after=3))

    assert [at for at, _ in moments(outcome, "check")] == world.times("check")
    assert [at for at, text in moments(outcome, "recovery") if "runs" in text] == world.times(
        "recovery"
    )
    assert [at for at, text in moments(outcome, "signal") if "USR1" in text] == world.times("USR1")


def test_the_same_rehearsal_prints_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    first = (main(CONTRACT), capfd.readouterr())

    assert (main(CONTRACT), capfd.readouterr()) == first


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("0", [Ends()]),
        ("1x2,7", [Ends(1), Ends(1), Ends(7)]),
        ("1@3s", [Ends(1, 3.0)]),
        ("1x2@500ms", [Ends(1, 0.5)] * 2),
        ("1@3x2", [Ends(1, 3.0)] * 2),
        ("timeout", [Ends(after=None)]),
        ("killed, killed:TERM@2s", [Ends(killed=9), Ends(killed=15, after=2.0)]),
    ],
)
def test_results_are_read(text: str, ends: Sequence[Ends]) -> None:
    assert list(results(text)) == ends


def test_an_unknown_result_is_a_check_that_cannot_be_started() -> None:
    outcome = played("unknown,0")

    assert [text for _, text in moments(outcome, "check")] == [
        "check 1: Unknown: it cannot be started for want of resources (as --results says)",
        "check 2: OK",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--results=7x", "Error: --results '7x' holds '7x', which is not a result"),
        ("--results=", "holds '', which is not a result"),
        ("--results=256", "holds '256', which is not an exit code"),
        ("--results=1x0", "holds '1x0', which is not even once"),
        ("--results=1x2x3", "holds '1x2x3', which is not a result"),
        ("--results=nope", "holds 'nope', which is not a result"),
        ("--results=1@zz", "where 'zz' is not a duration"),
        ("--results=timeout@3", "has no length of its own"),
        ("--results=unknown@3", "has no length of its own"),
        ("--results=killed:NOPE", "is not a signal of this system"),
        (f"--results=1x{MOST + 1}", f"is more than {MOST} checks"),
        ("--results=timeout -t none", "'timeout', but --timeout is 'none'"),
        ("", "Error: --results is missing"),
        ("--results=0 --recovery-takes 5", "--recovery-takes '5' has no effect without --recovery"),
        ("--results=0 --recovery-works-after 1", "has no effect without --recovery"),
        ("--results=0 --fail-takes 5", "--fail-takes '5' has no effect without --fail"),
        ("--results=0 --monitor web", "--monitor 'web' has no effect without --config"),
        ("--results=0 --recovery=./r --recovery-exits unknown", "is not an end of a script"),
        ("--results=1 --recovery=./r --recovery-exits timeout", "never comes without --script-t"),
        ("--results=0 --until -3", "--until '-3' is not a duration"),
        ("--results=0 --resluts=3", "--resluts is not an option of 'heatctl rehearse'"),
        ("--results=0 --threshold x", "--threshold 'x' is not a count"),
        ("--results=0 --results=1", "--results is given twice"),
        ("--results=0 --svg /nope/x.svg", "--svg '/nope/x.svg' cannot be written: no such file"),
    ],
)
def test_bad_words_are_refused(words: str, says: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = rehearse(f"-i 30 -s ./check {words}", capfd)

    assert (code, out) == (2, "")
    assert says in err
    assert "\n  " in err, "no fix"
    assert "'heatctl rehearse --help' lists the options." in err


def test_all_mistakes_are_listed_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = rehearse("", capfd)

    assert code == 2
    for complaint in ("--results is missing", "--interval is missing", "either script or command"):
        assert complaint in err


def test_it_ends_when_a_check_needs_another_result_than_the_last() -> None:
    outcome = played("0,1", "--fail=./tell", fail=Ends(after=4))

    assert [at for at, _ in moments(outcome, "check")] == [0, 10]
    assert [at for at, _ in moments(outcome, "fail")] == [10, 14]
    assert outcome.end == 20


def test_until_goes_on_with_the_last_result() -> None:
    outcome = played("0,1", until=45)

    assert [at for at, _ in moments(outcome, "check")] == [0, 10, 20, 30, 40]
    assert moments(outcome, "check")[-1][1] == "check 5: Failed: Exit Code 1 (4 failures in a row)"
    assert outcome.end == 45


def test_recovery_that_works_after_some_runs_ends_the_outage() -> None:
    outcome = played(
        "1", "--recovery=./r", "--recovery-timeout=15", works_after=3, recovery=Ends(after=2)
    )

    assert [at for at, text in moments(outcome, "recovery") if "runs" in text] == [0, 17, 34]
    assert moments(outcome, "recovered") == [
        (36, "well again after 5 failures and 3 recoveries, 36 s")
    ]
    assert outcome.well


def test_recovery_that_would_work_too_late_is_an_error() -> None:
    outcome = played("1", "--recovery=./r", "--max-recoveries=2", works_after=3)

    assert (outcome.state, outcome.exit_code) == (State.ERROR, 3)
    assert "error: 2 recoveries did not help; HEAT stops" in moments(outcome, "news")[-1][1]
    assert [*sentences(outcome)][-1] == "HEAT ended in ERROR, with exit status 3."


def test_an_endless_rehearsal_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heat.rehearsal.play.MOST", 50)
    outcome = played("unknown", until=10_000_000)

    assert "the rehearsal ends here: after 50 checks" in moments(outcome, "news")[-1][1]


def test_a_script_that_takes_for_ever_does_not_make_the_rehearsal_endless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("heat.rehearsal.play._MOST_STEPS", 500)
    outcome = played("1", "--interval=0.01", "--recovery=./r", recovery=Ends(after=1e7))

    assert moments(outcome, "news")[-1][1] == "the rehearsal ends here: after 500 steps"
    assert len(outcome.entries) < 10
    assert outcome.end < 10


def test_a_killed_check_is_an_error_or_a_failure() -> None:
    assert played("killed").exit_code == 3
    assert moments(played("killed", "--on-killed=fail"), "check") == [
        (0, "check 1: Killed by SIGKILL (1 failure in a row)")
    ]


def test_a_killed_recovery_is_an_error() -> None:
    outcome = played("1", "--recovery=./r", recovery=Ends(killed=9, after=2.0))

    assert outcome.state is State.ERROR
    assert moments(outcome, "recovery")[-1] == (
        2,
        "recovery script ended: killed by SIGKILL, after 2 s",
    )


def test_a_recovery_that_never_ends_is_killed_by_the_script_timeout() -> None:
    outcome = played("1,0", "--recovery=./r", "--script-timeout=20", recovery=Ends(after=None))

    assert (
        moments(outcome, "recovery")[-1][1]
        == "recovery script ended: Timed out after 20 s, after 20 s"
    )
    assert outcome.well


def test_a_fail_script_that_overlaps() -> None:
    queue = played("1x4", "--fail=./tell", fail=Ends(after=15))
    skip = played("1x3", "--fail=./tell", "--fail-overlap=skip", fail=Ends(after=15))

    assert (10, "fail script still runs: failure 2 has to wait for it") in moments(queue, "fail")
    assert moments(skip, "skip")[0] == (
        10,
        "tick skipped: the fail script runs, and fail-overlap is skip",
    )


def test_a_fail_script_that_recovery_waits_for() -> None:
    outcome = played("1x3", "--threshold=2", "--fail=./t", "--recovery=./r", fail=Ends(after=15))

    assert (10, "fail script is not run for failure 2") in moments(outcome, "fail")
    assert (10, "recovery waits for the fail script, at most 30 s") in moments(outcome, "news")
    assert (15, "recovery script ./r runs") in moments(outcome, "recovery")


def test_a_failure_in_the_start_period_does_not_count() -> None:
    outcome = played("1,0", "--start-period=5")

    assert moments(outcome, "news") == [
        (0, "that failure does not count: the start period is not over")
    ]


def test_a_target_that_is_killed_has_ended() -> None:
    outcome = played("1", "--pid=42", "--signal=KILL")

    assert outcome.state is State.ERROR
    assert moments(outcome, "news")[-1][1].endswith("target 42 (--pid) has ended; HEAT stops")


def test_the_process_of_a_pid_file_comes_back() -> None:
    outcome = played("1x2", "--pid-file=/run/web.pid", "--signal=KILL")

    assert moments(outcome, "signal") == [
        (at, "signal KILL to the process of /run/web.pid (--signal)") for at in (0, 10)
    ]


def test_a_stopped_target_is_woken_at_the_end() -> None:
    outcome = played("1", "--pid=42", "--fault-signal=STOP", "--max-recoveries=1", until=30)

    assert "sent CONT to 42, which HEAT had stopped" in moments(outcome, "signal")[-1][1]


def test_heat_that_is_its_own_target_ends() -> None:
    outcome = played("0,1", "--fault-signal=TERM")

    assert outcome.exit_code == 3
    assert (10, "signal TERM to HEAT itself (--fault-signal)") in moments(outcome, "signal")
    assert played("0,1", "--fault-signal=USR1").exit_code is None


def test_ticks_are_skipped_for_a_reason() -> None:
    slow = played("0@25,0", "--timeout=none")
    stubborn = played("timeout,0", "--interval=1", "--timeout=1")
    recovers = played("1,0", "--recovery=./r", recovery=Ends(after=15))

    assert moments(slow, "skip") == [(10, "2 ticks skipped, to 20 s: a check runs already")]
    assert moments(stubborn, "skip") == [(1, "tick skipped: a check runs already")]
    assert moments(recovers, "skip") == [
        (
            10,
            "tick skipped: it recovers: the next check comes when the recovery script has ended",
        )
    ]


def test_two_outages_have_a_sentence_each() -> None:
    outcome = played("1,0,1x2,0", "--fail=./tell")

    assert [*sentences(outcome)] == [
        "Outage 1 lasted 10 s, from 0 s to 10 s; no remedy was tried.",
        "Outage 2 lasted 20 s, from 20 s to 40 s; no remedy was tried.",
        "In 50 s the check ran 5 times and the fail script 3 times.",
        "It ends in NORMAL.",
    ]


def test_no_outage() -> None:
    outcome = played("0")

    assert [*sentences(outcome)] == [
        "There was no outage.",
        "In 10 s the check ran once.",
        "It ends in NORMAL.",
    ]
    assert account(outcome).outages == []


def test_an_outage_that_is_not_over(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = rehearse("-i 10 -s ./check --results 0,1x2", capfd)

    assert code == 1
    assert "The outage began at 10 s and was not over after 20 s; no remedy was tried." in out
    assert "It ends in FAILING." in out


def test_as_json_every_line_is_an_object_and_the_last_sums_up(
    capfd: pytest.CaptureFixture[str],
) -> None:
    main([*CONTRACT, "--json"])
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    assert events[0] == {
        "at": 0.0,
        "event": "check",
        "state": "NORMAL",
        "result": "ok",
        "code": 0,
        "pid": 2001,
        "count": 0,
        "began": 0.0,
        "text": "check 1: OK",
    }
    started = next(each for each in events if each["event"] == "recovery")
    assert started["env"]["HEAT_FAIL_CNT"] == "3"
    assert [each["signal"] for each in events if each["event"] == "signal"][-1] == "CONT"
    assert events[-1]["event"] == "summary"
    assert events[-1]["signals"] == {"HUP": 3, "STOP": 3, "CONT": 1}
    assert events[-1]["outages"] == [{"start": 30.0, "end": 210.0, "first_remedy": 90.0}]


def test_states_are_coloured_only_on_a_terminal() -> None:
    outcome = played("0,1")

    assert "\x1b[33mFAILING   \x1b[0m" in [*lines(outcome, [], colour=True)][1]
    assert "\x1b" not in "".join(lines(outcome, []))


def test_the_picture_has_all_that_happened(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "timeline.svg"
    main([*CONTRACT, "--fail", "./<tell>", "--fail-takes", "20", "--svg", str(path)])
    outcome = capfd.readouterr().out.splitlines()
    titles = ET.parse(path).iter("{http://www.w3.org/2000/svg}title")  # noqa: S314 - ours
    tooltips = "\n".join(title.text or "" for title in titles)

    for line in outcome:
        at, _, text = [*re.split("  +", line.strip(), maxsplit=2), "", ""][:3]
        if re.match("check|signal|fail script ended|recovery script ended|the window", text):
            assert f"{at}: {text}" in tooltips
    assert "RECOVERING, 90 s to 230 s" in tooltips


SVG = "{http://www.w3.org/2000/svg}"
LONG = "curl --header X-Long:" + "0123456789" * 9 + " -sf https://example.com/" + "path/" * 40
PICTURES = {
    "plain": "-i 30 --results 0,1,0 ./check",
    "in error at the last moment": "-i 30 --recovery ./r --threshold 2 --max-recoveries 1 "
    "--pid 1234 --fault-signal STOP --results 0,1x9 ./check",
    "in error at the first moment": "-i 30 --results killed ./check",
    "a long command": f"-i 1h30m --results 0 {LONG}",
    "a long name": f"-i 30 --name {'x' * 100} --results 0 ./check",
    "wide characters": f"-i 30 --name {'東京' * 16} --results 0,1 ./{'東京の店' * 60}",
    "no character of XML": "-i 30 --results 1 ./a\ufffe\uffffb",
    "many events": "-i 30 --recovery ./r --threshold 2 --results 0x900,1x500,0x900 ./check",
    "a moment of failing": "-i 30 --threshold 3 --recovery ./r --results 0x900,1,0x900 ./check",
}


def drawn(path: Path, words: str) -> tuple[ET.Element, list[tuple[float, float, str]]]:
    """The picture, and its texts with the pixels of each, in a wide font, from left to right."""
    main(["--svg", str(path), *words.split()])
    root = ET.parse(path).getroot()  # noqa: S314 - ours
    texts: list[tuple[float, float, str]] = []
    for each in root.iter(f"{SVG}text"):
        cell = 0.64 if each.get("font-weight") == "bold" else 0.58
        width = cells(each.text or "") * cell * float(each.get("font-size") or 0)
        shift = {"middle": width / 2, "end": width}.get(each.get("text-anchor") or "", 0.0)
        left = float(each.get("x") or 0) - shift
        texts.append((left, left + width, each.text or ""))
    return root, texts


@pytest.mark.parametrize("words", PICTURES.values(), ids=PICTURES)
def test_nothing_of_a_picture_is_cut(words: str, tmp_path: Path) -> None:
    root, texts = drawn(tmp_path / "x.svg", words)

    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for left, right, text in texts:
        assert 0 <= left < right <= width, text
    for each in root.iter():
        assert float(each.get("y") or 0) + float(each.get("height") or 0) <= height or each is root
        if each.tag == f"{SVG}rect":
            assert float(each.get("x") or 0) + float(each.get("width") or 0) <= width


@pytest.mark.parametrize("moment", ["last", "first"])
def test_the_error_in_which_it_ends_is_visible_and_named(moment: str, tmp_path: Path) -> None:
    root, texts = drawn(tmp_path / "x.svg", PICTURES[f"in error at the {moment} moment"])
    error = [
        float(each.get("width") or 0)
        for each in root.iter(f"{SVG}rect")
        if (each.findtext(f"{SVG}title") or "").startswith("ERROR, ")
    ]

    assert error[0] > 60
    assert "ERROR" in [text for *_, text in texts]
    if moment == "last":
        assert "CONT" in [text for *_, text in texts]


def test_a_title_that_is_too_long_loses_the_end_of_the_command_and_no_more(tmp_path: Path) -> None:
    _, texts = drawn(tmp_path / "x.svg", PICTURES["a long command"])
    title = " ".join(text for *_, text in texts[:3])

    assert title.startswith("Rehearsal of curl: curl --header X-")
    assert title.endswith("..., every 1 h 30 min")


def test_a_short_state_is_drawn_over_its_long_neighbours(tmp_path: Path) -> None:
    root, _ = drawn(tmp_path / "x.svg", PICTURES["a moment of failing"])
    titles = [each.text or "" for each in root.iter(f"{SVG}title")]
    states = [title.split(",")[0] for title in titles if re.match("NORMAL|FAILING", title)]

    assert states == ["NORMAL", "NORMAL", "FAILING"]


def test_scripts_that_still_run_at_the_end_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "timeline.svg"
    words = "-i 10 -s ./c --fail ./t --fail-takes 25 --results 1,0 --recovery ./r --threshold 2"
    main([*words.split(), "--svg", str(path)])

    assert "0 s: fail script ./t runs, for failure 1" in path.read_text()


FILE = """\
[monitor.web]
script = "./check"
interval = 30
threshold = 2
fault-signal = "USR1"
pid-file = "web.pid"

[monitor.db]
script = "./check-db"
interval = 5
"""


def test_one_monitor_of_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "heat.toml"
    path.write_text(FILE)
    code, out, _ = rehearse(f"--config {path} --monitor web --results 1x2,0", capfd)

    assert code == 0
    assert "30 s  RECOVERING  signal USR1 to the process of web.pid (fault-signal)\n" in out


def test_a_monitor_among_others_does_not_end_heat(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "heat.toml"
    gives_up = 'max-recoveries = 1\nwhen-spent = "error"\n'
    path.write_text(FILE.replace("threshold = 2\n", f"threshold = 2\n{gives_up}"))
    words = f"--config {path} --monitor web --results 1x9"
    code, out, _ = rehearse(words, capfd)
    *_, summary = map(json.loads, rehearse(f"{words} --json", capfd)[1].splitlines())

    assert code == 1
    assert "no more checks of web: HEAT goes on with the others\n" in out
    assert out.splitlines()[-1] == "It ends in ERROR."
    assert "HEAT ends" not in out
    assert (summary["state"], summary["exit_code"]) == ("ERROR", None)

    path.write_text(path.read_text().partition("[monitor.db]")[0])
    _, single, _ = rehearse(words, capfd)
    assert "HEAT ends, exit status 3\n" in single


def test_a_rehearsal_shows_a_backoff_and_recoveries_that_are_spent() -> None:
    outcome = played(
        *("1x9", "--recovery=./r", "--recovery-backoff=15"),
        *("--max-recoveries=2", "--when-spent=watch"),
    )
    news = [entry.text for entry in outcome.entries if entry.kind == "news"]
    rest = "checks go on, a pass ends the outage, 'heatctl reset' begins again"
    after = "(--max-recoveries 2) after 6 failures"

    assert [text.partition(";")[0] for text in news] == [
        "recovery 1 of 2 has not helped so far",
        f"2 recoveries did not help, and none is left {after}: {rest}",
    ]
    assert [*sentences(outcome)][-1] == "It ends in RECOVERING (SPENT)."


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--monitor wep", "--monitor 'wep' is not a monitor of {}\n  did you mean web?"),
        ("--monitor zzzz", "--monitor 'zzzz' is not a monitor of {}\n  name one of them: web, db"),
        ("", "--monitor is missing: {} has 2 monitors\n  name one of them: web, db"),
        ("--monitor web --threshold 3", "--threshold '3' cannot be combined with --config"),
        ("--monitor web ./check", "command './check' cannot be combined with --config"),
    ],
)
def test_bad_words_with_a_file_are_refused(
    words: str, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "heat.toml"
    path.write_text(FILE)
    code, _, err = rehearse(f"--config {path} --results 0 {words}", capfd)

    assert code == 2
    assert says.format(path) in err


def test_the_only_monitor_of_a_file_needs_no_name_and_a_bad_file_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "heat.toml"
    path.write_text(FILE.partition("[monitor.db]")[0])
    well = rehearse(f"--config {path} --results 0", capfd)
    path.write_text("[monitor.web]\nintervall = 3\n")
    bad = rehearse(f"--config {path} --results 0", capfd)

    assert well[0] == 0
    assert bad[0] == 2
    assert "monitor.web.intervall: is not a key of a monitor\n  did you mean interval?" in bad[2]


def test_the_help_is_printed_and_fits_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert rehearse("--help", capfd) == (0, USAGE, "")
    assert max(map(len, USAGE.splitlines())) <= 80


def test_the_help_has_every_option_of_its_own() -> None:
    for option in OWN:
        assert f"  {option.name} {option.value}" in USAGE
    names = {option.name for option in OPTIONS}
    assert names.isdisjoint(option.name for option in OWN)
    assert all(name in USAGE_OF_HEAT for name in names)


def test_the_page_shows_what_comes_out_and_the_picture_is_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = Path(__file__).parents[2]
    page = (home / "docs/rehearse.md").read_text()
    _, _, section = page.partition("<!-- command: rehearse -->\n```sh\nheatctl rehearse ")
    command, _, rest = section.partition("\n```\n\n")
    shown = rest.partition("\n![")[0]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "diagrams").mkdir()
    main(command.split())
    out = capfd.readouterr().out

    assert "".join(f"    {line}\n" if line else "\n" for line in out.splitlines()) == shown
    picture = "diagrams/rehearsal.svg"
    assert (tmp_path / picture).read_text() == (home / picture).read_text()


def test_listed_codes_have_the_words_of_the_real_heat(
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = "-i 10 -t 5 -s ./check --warn-codes 1 --unknown-codes 3 --results 1,3,2"
    code, out, _ = rehearse(f"{words} --json", capfd)
    outcome = [json.loads(line) for line in out.splitlines()]

    assert code == 1
    checks = [each for each in outcome if each.get("event") == "check"]
    assert [(each["result"], each["code"], each.get("warning")) for each in checks] == [
        ("ok", 1, True),
        ("unknown", 3, None),
        ("failed", 2, None),
    ]
    out = rehearse(words, capfd)[1]
    assert "check 1: Warning: Exit Code 1" in out
    assert "check 2: Unknown: Exit Code 3" in out


def test_a_window_with_an_interval_of_its_own_is_named_by_its_length() -> None:
    of = played("2x4,0", "--recovery=./r", "--threshold=2", "--recovery-interval=5")

    assert moments(of, "window") == [
        (10.0, "the window opens, until a check fails at 30 s or later")
    ]


def test_a_killed_recovery_ends_where_the_options_say_so() -> None:
    of = played("2,0", "--recovery=./r", "--on-killed=fail", recovery=Ends(killed=9))

    assert (0.0, "recovery script ended: Exit Code 137 (killed by SIGKILL)") in moments(
        of, "recovery"
    )
    assert of.well
