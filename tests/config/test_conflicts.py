"""Options and keys that have no effect, or do not go together."""

import pytest
from place import Place
from refusals import assert_option_refused, lay_out
from toml_files import WEB, Bad, assert_bad, mistakes_of, monitors, web

from heat.config.options import build
from heat.config.toml_file import parse

TARGET = "needs a target"

OPTIONS = [
    ("--threshold 3", "--threshold '3' has no effect without anything to do in recovery"),
    ("--success-threshold 3", "--success-threshold '3' has no effect"),
    ("--recovery-timeout 3", "--recovery-timeout '3' has no effect"),
    ("--max-recoveries 3", "--max-recoveries '3' has no effect"),
    ("--threshold 3 --fault-signal none", "--threshold '3' has no effect"),
    ("--threshold 3 --signal none --pid 1", "--threshold '3' has no effect"),
    ("--threshold 3", "add --recovery, --fault-signal or --success-signal, or --fail or --signal"),
    *((f"--fail ./ok {option} {value}", f"{option} '{value}' has no effect without anything to do")
      for option, value in [
        ("--recovery-interval", "3"),
        ("--recovery-backoff", "3"),
        ("--recovery-backoff-max", "3"),
        ("--when-spent", "watch"),
    ]),
    ("--when-spent error --recovery ./ok", "--when-spent 'error' needs --max-recoveries"),
    ("--retry-interval 3 --recovery ./ok", "--retry-interval '3' does not go with --threshold 1"),
    ("--retry-interval 3 --threshold 1 --fail ./ok", "--retry-interval '3' does not go with"),
    ("--recovery-backoff-max 3 --fault-signal TERM", "has no effect without --recovery-backoff"),
    ("--recovery-backoff-max 3 --recovery-backoff 0 --fault-signal TERM", "has no effect without"),
    ("--recovery-backoff-max 3 --recovery-backoff 1h --fault-signal TERM",
     "--recovery-backoff-max '3' is shorter than --recovery-backoff, 1h"),
    ("--warn-codes 1,3,4 --unknown-codes 4,3", "'1,3,4' contains 3 and 4, which --unknown-codes c"),
    ("--fail-overlap skip", "--fail-overlap 'skip' has no effect without --fail"),
    ("--script-timeout 3", "--script-timeout '3' has no effect without a script to run"),
    ("--pid 1 --pid-file x", "--pid '1' has no effect with --pid-file"),
    *((f"--fault-signal {name}", f"--fault-signal '{name}' {TARGET}") for name in [
        "STOP",
        "SIGTSTP",
        "ttin",
        "22",
        "KILL",
        "9",
    ]),
    ("--signal STOP", f"--signal 'STOP' {TARGET}"),
]  # fmt: skip

KEYS = [
    Bad("[monitor.web]\nscript = 'x'", "monitor.web.interval: is missing", "interval = 30"),
    Bad("[monitor.web]\ninterval = 3\n", "monitor.web: use either script or command", "command ="),
    Bad(f"{WEB}command = ['true']", "monitor.web: use either script or command", "leave out one"),
    web("threshold = 3", "3 has no effect without anything to do in recovery", "add recovery, fa"),
    web("fail-overlap = 'skip'", "'skip' has no effect without fail", "add fail, or leave it"),
    web("script-timeout = '5m'", "'5m' has no effect without a script to run"),
    web("pid = 1\npid-file = 'x'", "1 has no effect with pid-file", "use either pid or pid-file"),
    web("fault-signal = 'STOP'", "'STOP' needs a target", "the process with pid or pid-file"),
    web("signal = 9", "9 needs a target", "name the process with pid or pid-file"),
]  # fmt: skip


@pytest.fixture
def folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    return lay_out(place, monkeypatch)


@pytest.mark.parametrize(("line", "message"), OPTIONS, ids=lambda part: str(part)[:60])
def test_options_that_are_refused(folder: Place, line: str, message: str) -> None:
    assert_option_refused(folder, line, message)


@pytest.mark.parametrize("bad", KEYS, ids=lambda bad: bad.complaint[:60])
def test_keys_that_are_refused(bad: Bad) -> None:
    assert_bad(bad)


def test_one_sentence_for_the_command_line_and_for_the_file() -> None:
    _, on_line = build({"--interval": "x", "--pid": "1", "--pid-file": "--pid"}, ["true"])
    in_file = mistakes_of("""
[monitor.web]
command = ["true"]
interval = "x"
pid = 1
pid-file = "--pid"
""")

    assert [each.message for each in on_line] == [
        "Error: --interval 'x' is not a duration",
        "Error: --pid '1' has no effect with --pid-file",
    ]
    assert [each.message for each in in_file] == [
        "heat.toml: monitor.web.interval: 'x' is not a duration",
        "heat.toml: monitor.web.pid: 1 has no effect with pid-file",
    ]


def test_a_default_without_effect_in_some_monitor_is_no_mistake() -> None:
    options = monitors("""
[defaults]
interval = 30
threshold = 3
recovery-timeout = "2m"
script-timeout = 5
fail-overlap = "skip"

[monitor.plain]
script = "./a"

[monitor.mended]
script = "./b"
recovery = "./mend"
""")

    assert options["plain"].limits.threshold is None
    assert options["mended"].limits.threshold == 3


def test_a_threshold_of_the_defaults_holds_where_a_failure_is_told() -> None:
    options = monitors("""
[defaults]
interval = 1
threshold = 3

[monitor.silent]
script = "./a"

[monitor.told]
script = "./b"
fail = "./tell"

[monitor.signalled]
script = "./c"
pid-file = "c.pid"

[monitor.not-signalled]
script = "./d"
pid-file = "d.pid"
signal = "none"
""")

    assert {name: each.limits.threshold for name, each in options.items()} == {
        "silent": None,
        "told": 3,
        "signalled": 3,
        "not-signalled": None,
    }


def test_a_pause_longer_than_the_longest_of_the_defaults_is_a_mistake() -> None:
    _, diagnostics = parse(
        b"""
[defaults]
interval = 1
recovery-backoff-max = "5m"

[monitor.a]
script = "./a"

[monitor.b]
script = "./b"
recovery = "./r"
recovery-backoff = "10m"
""",
        "heat.toml",
    )

    assert [str(each).splitlines() for each in diagnostics] == [
        [
            "heat.toml: monitor.b.recovery-backoff-max: '5m' is shorter than recovery-backoff, 10m",
            "  make it 10m or longer, or recovery-backoff shorter",
        ]
    ]


def test_an_own_key_is_judged_beside_the_defaults() -> None:
    options = monitors("""
[defaults]
interval = 30
recovery = "./mend"

[monitor.web]
script = "./a"
threshold = 3
""")

    assert options["web"].limits.threshold == 3
