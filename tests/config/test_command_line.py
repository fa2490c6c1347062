"""The grammar of all command lines: what docopt accepts, and what HEAT says of the rest."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from place import Place
from refusals import assert_option_refused, assert_refused, lay_out, refusal, words

from heat.app.cli import USAGE, main, understand
from heat.app.parser import parse
from heat.config.command_line import Grammar
from heat.config.mistyped import explain

OPTIONS = [
    ("--nope", "--nope is not an option of 'heat'"),
    ("--intervall 3", "--intervall is not an option of 'heat'"),
    ("--re 3", "--re is short for more than one option"),
    ("--f ./ok", "--f is short for more than one option"),
    ("-x", "-x is not an option of 'heat'"),
    ("-qx", "-x is not an option of 'heat'"),
    ("--quiet=yes", "--quiet takes no value: 'yes'"),
    ("--json=1", "--json takes no value: '1'"),
    ("--count 3 --count 4", "--count is given twice"),
    ("-q --quiet", "--quiet is given twice"),
    ("-qq", "--quiet is given twice"),
]  # fmt: skip

LINES = [
    ("", "Error: --interval is missing"),
    ("", "Error: use either script or command"),
    ("-i 3", "Error: use either script or command"),
    ("-i 3 -s ./ok true", "Error: use either script or command"),
    ("true", "Error: --interval is missing"),
    ("-i", "Error: --interval needs a value"),
    ("-i 3 -s", "Error: --script needs a value"),
    ("-i 3 --threshold", "Error: --threshold needs a value"),
    ("-i -- true", "Error: --interval needs a value"),
    ("-i 3 -i 4 true", "Error: --interval is given twice"),
    ("-i 3 --interval=3 true", "Error: --interval is given twice"),
    ("-i 3 -s ''", "--script '' is not a valid path"),
    ("-i 3 ok", "write ./ok"),
    # with a file
    ("--config", "Error: --config needs a value"),
    ("--config ''", "Error: --config '' is not a valid path"),
    ("--config a --config b", "Error: --config is given twice"),
    ("--config=nope.toml", "nope.toml: no such file"),
    ("--config nope/nope.toml", "nope/nope.toml: no such file"),
    ("--config plain/heat.toml", "plain/heat.toml: cannot be read: not a directory"),
    ("--config loop", "loop: cannot be read: too many levels of symbolic links"),
    ("--config badlogs", "badlogs: is a directory"),
    ("--config fifo", "fifo: is not a regular file"),
    ("--config /dev/zero", "/dev/zero: is not a regular file"),
    ("--config empty", "empty: has no monitors"),
    ("--config plain", "plain: at the end: '=' is missing behind the key"),
    ("--config good.toml -i 3", "Error: --interval '3' cannot be combined with --config"),
    ("-i 3 --config good.toml", "under [defaults] or [monitor.NAME]: interval = 3"),
    ("--config good.toml -t 5m", 'under [defaults] or [monitor.NAME]: timeout = "5m"'),
    ("--config good.toml --name web", "is the monitor's: [monitor.web]"),
    ("--config good.toml --name a.b", 's: [monitor."a.b"]'),
    ("--config good.toml true x", "Error: command 'true x' cannot be combined with --config"),
    ("--config good.toml true x", 'write it into the file: command = ["true", "x"]'),
    ("--config good.toml --log-dir ''", "Error: --log-dir '' is not a valid path"),
    ("--config good.toml --log-dir nope", "Error: --log-dir 'nope': nope/heat.log cannot be"),
    ("--config good.toml --treshold 3", "did you mean --threshold?"),
    ("--config bad.toml -q -i 3", "--interval '3' cannot be"),
    ("--config bad.toml -q -i 3", "bad.toml: monitor.web.interval: is missing"),
    ("--config bad.toml", "bad.toml: monitor.db.fail: ./nope not executable"),
]  # fmt: skip


@pytest.fixture
def folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    return lay_out(place, monkeypatch)


@pytest.mark.parametrize(("line", "message"), OPTIONS, ids=lambda part: str(part)[:60])
def test_options_that_are_refused(folder: Place, line: str, message: str) -> None:
    assert_option_refused(folder, line, message)


@pytest.mark.parametrize(("line", "message"), LINES, ids=lambda part: str(part)[:60])
def test_command_lines_that_are_refused(folder: Place, line: str, message: str) -> None:
    assert_refused(folder, line, message)


def test_all_mistakes_are_told_at_once(folder: Place) -> None:
    del folder
    text = refusal(words("-i nan --threshold 0 --signal X --nope --count 1 --count 2 -s a b"))

    for message in (
        "--interval 'nan'",
        "--threshold '0'",
        "--signal 'X'",
        "--nope is not",
        "--count is given twice",
        "use either script or command",
    ):
        assert message in text


def test_the_nearest_option_is_named(folder: Place) -> None:
    del folder

    assert "did you mean --threshold?" in refusal(words("-i 3 --treshold 3 true"))
    assert "did you mean --recovery?" in refusal(words("-i 3 --recovry ./ok true"))


def test_an_abbreviation_of_exactly_one_option_is_accepted(folder: Place) -> None:
    del folder
    request = understand(words("--inter 3 --thresh 2 --recovery ./ok --fail ./ok true"))

    assert request.options is not None
    assert request.options.limits.threshold == 2
    assert (request.options.fail, request.options.recovery) == ("./ok", "./ok")


def test_words_of_the_command_are_the_commands(folder: Place) -> None:
    del folder
    request = understand(["-i", "30", "true", "-i", "nan", "--help", "--", "-x"])

    assert request.options is not None
    assert request.options.check == ("true", "-i", "nan", "--help", "--", "-x")


def test_exit_2_and_the_sentence_on_stderr(
    folder: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    del folder
    before = signal.getsignal(signal.SIGINT)
    try:
        code = main(["-i", "0", "-s", "./ok"])
    finally:
        signal.signal(signal.SIGINT, before)

    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "Error: --interval '0' is not a positive duration"
    assert err.splitlines()[1].strip() == "write more than 0, such as 0.5, 500ms, 30s or 5m"


@given(st.lists(st.sampled_from(
    ["-i", "3", "-q", "--json", "-s", "./x", "--", "--count", "--count=2", "-i3", "-qi3", "true",
     "-", "--recovery", "--rec", "-x", "--json=1", "--help", "-h", "-", "", "--pid=1"]
), max_size=6))  # fmt: skip
def test_explaining_agrees_with_docopt(given_words: list[str]) -> None:
    request = parse(USAGE, given_words)
    explained = explain(Grammar("heat", USAGE, options_first=True), given_words)

    if request.options is not None:
        assert explained.diagnostics == []
        assert list(explained.operands or [explained.values.get("--script")]) == list(
            request.options.check
        )
    elif request.action == "watch":
        assert request.diagnostics
