"""The file of --config: its tables become monitors, with the defaults under them."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toml_files import WEB, Bad, assert_bad, lay_out, mistakes_of, monitors

from heat.config.model import Config
from heat.config.options import build
from heat.config.schema import HISTORY
from heat.config.toml_file import parse, sound_part
from states.monitor.limits import Limits

BAD = [
    # names
    Bad(WEB.replace("web", '""'), 'monitor."": \'\' is not a valid name', "write 1 to 100 bytes"),
    Bad(WEB.replace("web", '"a/b"'), "monitor.\"a/b\": 'a/b' is not a valid name", "leave out '/'"),
    Bad(WEB.replace("web", '"a\\nb"'), 'monitor."a\\nb": \'a\\nb\' is not a valid name'),
    Bad(WEB.replace("web", "x" * 101), "is not a valid name", "write 1 to 100 bytes"),
    # defaults
    Bad("[defaults]\ntimeout = 'x'\n" + WEB, "defaults.timeout: 'x' is not a duration"),
    Bad("[defaults]\nname = 'x'\n" + WEB, "defaults.name: is not a key"),
    Bad("[defaults]\ntimout = 3\n" + WEB, "defaults.timout: is not a key", "mean timeout?"),
    Bad("[defaults.x]\n" + WEB, "defaults.x: is not a key of a monitor"),
    Bad("[defaults]\nscript = 'a'\ncommand = ['b']\n" + WEB, "defaults.command: has no effect"),
    Bad("[defaults]\npid = 1\npid-file = 'b'\n" + WEB, "defaults.pid: has no effect with"),
    Bad("[defaults]\nsignal = 'STOP'\n" + WEB, "monitor.web.signal: 'STOP' needs a target"),
]  # fmt: skip


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.complaint[:60])
def test_names_and_defaults_that_are_refused(bad: Bad) -> None:
    assert_bad(bad)


def test_all_mistakes_of_a_file_are_told_at_once_and_in_its_order() -> None:
    diagnostics = mistakes_of("""
[monitor.a]
threshold = 3
interval = "x"
nope = 1

[heat]
max-running = 0

[monitor.b]
script = "./ok"

[defaults]
count = 0

[other]
""")

    assert [each.message.removeprefix("heat.toml: ").split(": ")[0] for each in diagnostics] == [
        "monitor.a.threshold",
        "monitor.a.interval",
        "monitor.a.nope",
        "monitor.a",
        "monitor.b.interval",
        "heat.max-running",
        "defaults.count",
        "other",
    ]


def test_a_mistake_in_the_defaults_is_told_once() -> None:
    text = "[defaults]\ninterval = 'x'\nthreshold = 0\nrecovery = 3\n"
    text += "".join(f"[monitor.m{number}]\nscript = './ok'\n" for number in range(100))

    assert [each.key for each in mistakes_of(text)] == ["interval", "threshold", "recovery"]


def test_a_file_says_what_a_command_line_says() -> None:
    options = monitors("""
[monitor.web]
script = "./check"
interval = "5m"
timeout = "none"
pid-file = "web.pid"
signal = "none"
fail = "./tell-me"
fail-overlap = "skip"
threshold = 3
recovery = "./restart"
recovery-timeout = 90.5
max-recoveries = 4
success-threshold = 2
fault-signal = "usr1"
success-signal = 18
script-timeout = "500ms"
start-period = 0
on-killed = "error"
count = 7
retry-interval = "2s"
unknown-codes = [4, 3]
warn-codes = 1
recovery-interval = 0.5
recovery-backoff = 10
recovery-backoff-max = "1h"
when-spent = "error"
""")
    same, _ = build({
        "--name": "web", "--script": "./check", "--interval": "5m", "--timeout": "none",
        "--pid-file": "web.pid", "--signal": "none", "--fail": "./tell-me",
        "--fail-overlap": "skip", "--threshold": "3", "--recovery": "./restart",
        "--recovery-timeout": "90.5", "--max-recoveries": "4", "--success-threshold": "2",
        "--fault-signal": "usr1", "--success-signal": "18", "--script-timeout": "500ms",
        "--start-period": "0", "--on-killed": "error", "--count": "7",
        "--retry-interval": "2", "--unknown-codes": "3,4", "--warn-codes": "1",
        "--recovery-interval": "500ms", "--recovery-backoff": "10",
        "--recovery-backoff-max": "60m", "--when-spent": "error",
    }, ())  # fmt: skip

    assert options == {"web": same}


def test_a_monitors_own_key_wins_over_the_default() -> None:
    options = monitors("""
[monitor.a]
script = "./a"
interval = 1

[monitor.b]
script = "./b"

[defaults]
interval = "5s"
timeout = 2
""")

    assert [(each.interval, each.timeout) for each in options.values()] == [(1.0, 2.0), (5.0, 2.0)]
    assert list(options) == ["a", "b"] == [each.name for each in options.values()]


def test_in_a_file_what_is_killed_or_gone_has_failed_and_no_monitor_is_given_up() -> None:
    options = monitors("""
[monitor.a]
script = "./a"
interval = 1

[monitor.b]
script = "./b"
interval = 1
recovery = "./r"
max-recoveries = 3
when-spent = "error"
on-killed = "error"
""")

    assert [(each.when_spent, each.on_killed) for each in options.values()] == [
        ("watch", "fail"),
        ("error", "error"),
    ]


def test_defaults_may_have_all_given_up_as_on_a_command_line() -> None:
    options = monitors("""
[defaults]
interval = 1
when-spent = "error"
on-killed = "error"

[monitor.a]
script = "./a"
""")

    assert (options["a"].when_spent, options["a"].on_killed) == ("error", "error")


@pytest.mark.parametrize(
    ("default", "own", "check", "is_script"),
    [
        ('command = ["true"]', 'script = "./a"', ("./a",), True),
        ('script = "./a"', 'command = ["true", "x"]', ("true", "x"), False),
    ],
)
def test_an_own_check_drops_that_of_the_defaults(
    default: str, own: str, check: tuple[str, ...], *, is_script: bool
) -> None:
    options = monitors(f"[defaults]\ninterval = 1\n{default}\n[monitor.web]\n{own}\n")["web"]

    assert (options.check, options.is_script) == (check, is_script)


def test_an_own_target_drops_that_of_the_defaults() -> None:
    options = monitors(f"[defaults]\npid = 1\n{WEB}pid-file = 'x'\n")["web"]
    other = monitors(f"[defaults]\npid-file = 'x'\n{WEB}pid = 1\n")["web"]

    assert (options.pid, options.pid_file) == (None, "x")
    assert (other.pid, other.pid_file) == (1, None)


def test_max_running() -> None:
    config, diagnostics = parse(f"[heat]\nmax-running = 7\n{WEB}".encode(), "x")

    assert (config.max_running, diagnostics) == (7, [])
    assert parse(WEB.encode(), "x")[0].max_running == 256


def test_names_that_need_quotes_and_lines_that_end_as_elsewhere() -> None:
    options = monitors(WEB.replace("web", '"db, eu.1 ü"').replace("\n", "\r\n"))

    assert list(options) == ["db, eu.1 ü"]


def test_equal_values_are_kept_once() -> None:
    text = "[defaults]\ninterval = 30\nrecovery = './mend'\n"
    text += "".join(
        f"[monitor.{name}]\ncommand = ['curl', '{name}']\nthreshold = 3\npid-file = '/run/x'\n"
        for name in "ab"
    )
    one, other = monitors(text).values()

    assert one.limits is other.limits
    assert one.limits == Limits(
        threshold=3, recovery=True, signal=1, spent_watch=True, interval=30.0
    )
    assert one.check[0] is other.check[0]
    assert one.pid_file is other.pid_file


def test_a_file_is_read(start: Path) -> None:
    path = str(start / "etc/heat.toml")
    config, diagnostics = sound_part("etc/heat.toml", path)

    assert diagnostics == []
    assert config == Config(path, "etc/heat.toml", 256, HISTORY, monitors(WEB))


def test_of_a_file_with_a_mistake_the_sound_monitors_are_read(start: Path) -> None:
    (start / "etc/heat.toml").write_text(f"{WEB}[monitor.db]\n")
    config, diagnostics = sound_part("etc/heat.toml", str(start / "etc/heat.toml"))

    assert list(config.monitors) == ["web"]
    assert len(diagnostics) == 2


# Whatever stands in a file

PIECES = st.sampled_from([
    "[", "]", "[[", "]]", "[monitor.a]", "[monitor.b]", "[monitor]", "[defaults]", "[heat]", "\n",
    "\n", " = ", "interval", "script", "command", "timeout", "count", "pid", "signal", "fail",
    "name", "max-running", "monitor", "defaults", "{", "}", ",", ".", "'x'", '"30s"', "30", "0.5",
    "true", "nan", "inf", "-1", "1e400", "0x" + "f" * 5000, "9" * 5000, "1979-05-27", "07:32:00",
    '"\\u0000"', "'''", '"', "\\", "\0", "\x1b", "\ufeff", "é", "#", "['a', 'b']", "[[]]",
    "--", "\r",
])  # fmt: skip
VALUES = st.recursive(
    st.sampled_from(["3", "'x'", "true", "nan", "-1", "1979-05-27", "'30s'", "'./ok'", "'none'"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
    max_leaves=4,
)
LINES = st.tuples(
    st.sampled_from(["interval", "script", "command", "timeout", "count", "pid", "signal", "x.y"]),
    VALUES,
).map(" = ".join)


@settings(max_examples=200)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.lists(PIECES, max_size=40).map("".join).map(str.encode),
        st.lists(
            st.one_of(LINES, st.sampled_from(["[monitor.a]", "[monitor.b]", "[defaults]"])),
            max_size=12,
        ).map("\n".join).map(str.encode),
    )
)  # fmt: skip
def test_whatever_stands_in_a_file_it_is_read_or_refused_with_a_sentence(data: bytes) -> None:
    config, diagnostics = parse(data, "heat.toml")

    assert diagnostics or config.monitors
    for diagnostic in diagnostics:
        assert diagnostic.message.startswith("heat.toml: ")
        assert diagnostic.hint
        assert not re.search(r"[\x00-\x1f\x7f]", diagnostic.message + diagnostic.hint)
    assert diagnostics == parse(data, "heat.toml")[1]
