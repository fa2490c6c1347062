"""heatctl rehearse: its words, its help, and a configuration file."""

import json
from pathlib import Path

import pytest
from rehearsals import main, rehearse

from heat.app.cli import USAGE as USAGE_OF_HEAT
from heat.config.schema import OPTIONS
from heat.ctl.commands.rehearse import OWN, USAGE
from heat.rehearsal.results import MOST

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
