"""The file of --config: what it may say, and a table of files that are refused."""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heat.app.cli import understand
from heat.app.loader import look
from heat.config.model import Config
from heat.config.options import Common, Options, build
from heat.config.preflight_warnings import warnings_of
from heat.config.schema import HISTORY
from heat.config.toml_file import parse, read
from heat.config.toml_text import LARGEST
from heat.ctl.commands.validate import advised
from heat.diagnostics import Diagnostic
from states.monitor.limits import Limits

WEB = '[monitor.web]\nscript = "./ok"\ninterval = 30\n'
HUGE = "0x" + "f" * 20_000


class Bad(NamedTuple):
    """A file; ``said`` after its name, and ``fix`` in the line below."""

    text: str
    said: str
    hint: str = ""


def web(line: str, said: str, hint: str = "") -> Bad:
    """One more line in the table of a monitor."""
    key = line.partition("=")[0].strip()
    return Bad(f"{WEB}{line}\n", f"monitor.web.{key}: {said}", hint)


def interval(value: str, said: str, hint: str = "") -> Bad:
    text = f'[monitor.web]\nscript = "./ok"\ninterval = {value}\n'
    return Bad(text, f"monitor.web.interval: {said}", hint)


def command(value: str, said: str, hint: str = "") -> Bad:
    text = f"[monitor.web]\ninterval = 30\ncommand = {value}\n"
    return Bad(text, f"monitor.web.command: {said}", hint)


BAD = [
    # the file as a whole
    Bad("", "no monitor is in it", "write one: [monitor.NAME]"),
    Bad("# nothing\n", "no monitor is in it"),
    Bad("[monitor]\n", "no monitor is in it"),
    Bad("[defaults]\ninterval = 30\n", "no monitor is in it"),
    Bad("\ufeff" + WEB, "line 1: it begins with a byte order mark", "without one"),
    Bad(WEB + 'fail = "a\0"\n', "line 4: it holds a NUL", "leave it out"),
    Bad(WEB + "count = " + "[" * 5000, "lists or tables are nested too deeply"),
    Bad(WEB + "count = " + "9" * 5000, "line 4: a number is too large to be read"),
    # what is no TOML
    Bad(WEB + "timeout = 5m\n", "line 4: the line should end here", 'interval = "5m"'),
    Bad(WEB + "fail = ./ok\n", "line 4: this is not a value", 'script = "./check"'),
    Bad(WEB + "fail = \n", "line 4: this is not a value"),
    Bad(WEB + 'fail = "./ok\n', "line 4: a text does not end on its line", "close its quotes"),
    Bad(WEB + "fail = '''./ok", "at its end: a text does not end"),
    Bad(WEB + 'fail = "a\x1bb"\n', "line 4: a control character, '\\x1b'", "leave it out"),
    Bad(WEB + 'fail = "\\d"\n', "line 4: a single '\\' in a text", "write it twice"),
    Bad(WEB + "fail\n", "line 4: '=' is missing behind the key"),
    Bad(WEB + "= 3\n", "line 4: neither a key nor a table", "write KEY = VALUE"),
    Bad(WEB + "command = ['a'", "at its end: a list does not end", "close it"),
    Bad(WEB + "interval = 3\n", "line 4: this key is given twice", "leave one of them out"),
    Bad(WEB + WEB, "line 4: [monitor.web] is defined twice", "rename it"),
    Bad("monitor.web = {a = 1, a = 2}\n", "line 1: 'a' is given twice"),
    Bad("monitor = {}\nmonitor.web = {}\n", "line 2: this table is defined already"),
    Bad(WEB + "count = 2023-02-30\n", "line 4: invalid date or datetime", "toml.io"),
    # tables
    Bad(WEB + "[default]\n", "default: is not a table of HEAT", "stands under [defaults]"),
    Bad(WEB + "[monitors.db]\n", "monitors: is not a table of HEAT", "did you mean monitor?"),
    Bad(WEB + "[x]\n", "x: is not a table of HEAT", "did you mean [monitor.x]?"),
    Bad('"a\\u001bb" = 1\n' + WEB, '"a\\x1bb": is not a table of HEAT'),
    Bad("interval = 30\n" + WEB, "interval: stands under no table", "[defaults]"),
    Bad("defaults = 3\n" + WEB, "defaults: 3 is a whole number, not a table", "[defaults]"),
    Bad("heat = []\n" + WEB, "heat: is a list, not a table", "write [heat]"),
    Bad("monitor = true\n", "monitor: is true or false, not a table", "write [monitor.NAME]"),
    Bad("[[monitor]]\n", "monitor: is a list, not a table", "write [monitor.NAME]"),
    Bad("[monitor]\nweb = 3\n", "monitor.web: 3 is a whole number, not", "[monitor.web]"),
    Bad(WEB + "[monitor.web.eu]\n", "monitor.web.eu: is a table", '[monitor."web.eu"]'),
    # what concerns all
    Bad("[heat]\nmax-runing = 3\n" + WEB, "heat.max-runing: is not a key", "mean max-running?"),
    Bad("[heat]\nx = 3\n" + WEB, "heat.x: is not a key of [heat]", "max-running and history"),
    Bad("[heat]\nhistory = '3y'\n" + WEB, "heat.history: '3y' is not a duration", '"1w"'),
    Bad("[heat]\nhistory = '5s'\n" + WEB, "heat.history: '5s' is too short", "1h"),
    Bad("[heat]\nhistory = true\n" + WEB, "heat.history: is true or false, not", "90d"),
    Bad("[heat]\ntimeout = 3\n" + WEB, "heat.timeout: is not a key of [heat]", "under [defaults]"),
    Bad("[heat]\nmax-running = 0\n" + WEB, "heat.max-running: 0 is not a count", "from 1 to"),
    Bad("[heat]\nmax-running = 1000001\n" + WEB, "heat.max-running: 1000001 is not a count"),
    Bad(f"[heat]\nmax-running = {HUGE}\n" + WEB, "heat.max-running: a huge number is not"),
    Bad("[heat]\nmax-running = true\n" + WEB, "heat.max-running: is true or false, not a wh"),
    Bad('[heat]\nmax-running = "9"\n' + WEB, "heat.max-running: '9' is text, not a whole"),
    # names
    Bad(WEB.replace("web", '""'), 'monitor."": \'\' is not a valid name', "write 1 to 100 bytes"),
    Bad(WEB.replace("web", '"a/b"'), "monitor.\"a/b\": 'a/b' is not a valid name", "leave out '/'"),
    Bad(WEB.replace("web", '"a\\nb"'), 'monitor."a\\nb": \'a\\nb\' is not a valid name'),
    Bad(WEB.replace("web", "x" * 101), "is not a valid name", "write 1 to 100 bytes"),
    # keys
    web("intervall = 3", "is not a key of a monitor", "did you mean interval?"),
    web("pid_file = 'x'", "is not a key of a monitor", "did you mean pid-file?"),
    web("--timeout = 3", "is not a key of a monitor", "did you mean timeout?"),
    web("i = 3", "is not a key of a monitor", "did you mean interval?"),
    web("zzz = 3", "is not a key of a monitor", "the keys are the options of 'heat --help'"),
    web("name = 'x'", "is not a key", "the name of a table is the monitor's"),
    web("log-dir = 'x'", "belongs to the command line", "start HEAT with --log-dir DIR"),
    web("json = true", "belongs to the command line", "start HEAT with --json"),
    web("log-format = 'journal'", "belongs to the command line"),
    web("quiet = true", "belongs to the command line", "start HEAT with --quiet"),
    web("config = 'x'", "belongs to the command line"),
    web("help = true", "belongs to the command line"),
    web("max-running = 3", "concerns all monitors", "write it under [heat]"),
    # lengths of time
    interval("'x'", "'x' is not a duration", 'or text with units: 30, 0.5, "500ms"'),
    interval("''", "'' is not a duration"),
    interval("'none'", "'none' is not a duration"),
    interval("nan", "nan is not a duration"),
    interval("-nan", "nan is not a duration"),
    interval("-inf", "-inf is not a duration"),
    interval("inf", "inf is too long", "the longest duration is 366d"),
    interval("1e400", "inf is too long"),
    interval("9" * 400, "a huge number is too long"),
    interval(HUGE, "a huge number is too long"),
    interval("31622401", "31622401 is too long"),
    interval("1e-9", "1e-09 is too short", "the shortest duration is 1ms"),
    interval("-5", "-5 is not a duration"),
    interval("0", "0 is not a positive duration", "write more than 0"),
    interval("-0.0", "-0.0 is not a positive duration"),
    interval("true", "is true or false, not a duration", 'write interval = 30 or "5m"'),
    interval("[30]", "is a list, not a duration", 'write interval = 30 or "5m"'),
    interval("{s = 30}", "is a table, not a duration"),
    interval("2023-02-20", "is a date or a time, not a duration"),
    interval("10:00:00", "is a date or a time, not a duration"),
    web("timeout = 'never'", "'never' is not a duration", 'or "none" for no limit'),
    web("timeout = 0", "0 is not a positive duration", 'or "none" for no limit'),
    web("start-period = -1", "-1 is not a duration"),
    # counts and process ids
    web("count = 0", "0 is not a count", "write a whole number from 1 to 1000000000"),
    web("count = -3", "-3 is not a count"),
    web("count = 1000000001", "1000000001 is not a count"),
    web(f"count = {HUGE}", "a huge number is not a count"),
    web("count = true", "is true or false, not a whole number", "write count = 3"),
    web("count = 3.0", "3.0 is a decimal number, not a whole number", "write count = 3"),
    web("count = nan", "nan is a decimal number, not a whole number"),
    web("count = '3'", "'3' is text, not a whole number", "write it without quotes: count = 3"),
    web("count = 'many'", "'many' is text, not a whole number", "write count = 3"),
    web("pid = 0", "0 is not a process id", "1 to 4194304"),
    web("pid = '1'", "'1' is text, not a process id", "write it without quotes: pid = 1"),
    web("pid = [1]", "is a list, not a process id", "write pid = 1234"),
    # signals, words, paths
    web("signal = 'USR3'", "'USR3' is not a signal of this system", "name one such as HUP"),
    web("signal = 0", "0 is not a signal of this system"),
    web("signal = -9", "-9 is not a signal of this system"),
    web(f"signal = {HUGE}", "a huge number is not a signal of this system"),
    web("signal = 9.0", "9.0 is a decimal number, not a signal", 'write signal = "USR1"'),
    web("signal = false", "is true or false, not a signal"),
    web("fail = 3", "3 is a whole number, not text", "write it in quotes"),
    web("fail = ['./ok']", "is a list, not text", 'write fail = "./script"'),
    web("fail = ''", "'' is not a valid path", "name a file"),
    web('fail = "a\\u0000"', "'a\\x00' is not a valid path", "leave out the NUL"),
    web("pid-file = true", "is true or false, not text", 'write pid-file = "/run/web.pid"'),
    web("on-killed = 'ignore'", "'ignore' is not known", "write error or fail"),
    web("on-killed = []", "is a list, not text", 'write on-killed = "error"'),
    Bad(f"{WEB}recovery = './ok'\nmax-recoveries = 1\nwhen-spent = 'never'\n",
        "monitor.web.when-spent: 'never' is not known", "write error or watch"),
    web("when-spent = 'watch'", "'watch' has no effect without anything to do in recovery"),
    # exit codes
    web("warn-codes = 0", "0 holds 0, which always passes", "from 1 to 255, such as [3, 4]"),
    web("warn-codes = [1, 256]", "'1,256' holds 256, and the largest exit code is 255"),
    web("warn-codes = -1", "-1 holds '-1', which is not an exit code"),
    web("warn-codes = [1, '2']", "its part 2 is text, not a whole number", "codes = [1]"),
    web("warn-codes = 1.5", "1.5 is a decimal number, not a list of exit codes", "codes = [1]"),
    web("unknown-codes = true", "is true or false, not a list of exit codes", "codes = [3, 4]"),
    web("unknown-codes = {}", "is a table, not a list of exit codes", "codes = [3, 4]"),
    web("unknown-codes = ''", "'' holds an empty part"),
    web("warn-codes = 3\nunknown-codes = [3]", "3 holds 3, which unknown-codes holds as well",
        "leave 3 out of one of the two"),
    # commands
    command("'true'", "'true' is text, not a list", 'write a list: command = ["true"]'),
    command("'curl -sf x'", "'curl -sf x' is text", 'command = ["curl", "-sf", "x"]'),
    command("'a | grep --pid \"b\"'", "'a | ", 'command = ["sh", "-c", "a | grep --pid \\"b\\""]'),
    command("''", "'' is text, not a list", 'write command = ["curl",'),
    command("[]", "is empty", 'write command = ["curl",'),
    command("3", "3 is a whole number, not a list of text", 'write command = ["curl",'),
    command("['']", "its first word is empty", "the name of a program"),
    command("['true', 8080]", "its word 2 is a whole number, not text", "write it in quotes"),
    command("[['true']]", "its word 1 is a list, not text"),
    command('["true", "a\\u0000b"]', "its word 2 holds a NUL", "leave out the NUL"),
    # what does not go together
    Bad("[monitor.web]\nscript = 'x'", "monitor.web.interval: is missing", "interval = 30"),
    Bad("[monitor.web]\ninterval = 3\n", "monitor.web: use either script or command", "command ="),
    Bad(f"{WEB}command = ['true']", "monitor.web: use either script or command", "leave out one"),
    web("threshold = 3", "3 has no effect without anything to do in recovery", "add recovery, fa"),
    web("fail-overlap = 'skip'", "'skip' has no effect without fail", "add fail, or leave it"),
    web("script-timeout = '5m'", "'5m' has no effect without a script to run"),
    web("pid = 1\npid-file = 'x'", "1 has no effect with pid-file", "use either pid or pid-file"),
    web("fault-signal = 'STOP'", "'STOP' needs a target", "the process with pid or pid-file"),
    web("signal = 9", "9 needs a target", "name the process with pid or pid-file"),
    # defaults
    Bad("[defaults]\ntimeout = 'x'\n" + WEB, "defaults.timeout: 'x' is not a duration"),
    Bad("[defaults]\nname = 'x'\n" + WEB, "defaults.name: is not a key"),
    Bad("[defaults]\ntimout = 3\n" + WEB, "defaults.timout: is not a key", "mean timeout?"),
    Bad("[defaults.x]\n" + WEB, "defaults.x: is not a key of a monitor"),
    Bad("[defaults]\nscript = 'a'\ncommand = ['b']\n" + WEB, "defaults.command: has no effect"),
    Bad("[defaults]\npid = 1\npid-file = 'b'\n" + WEB, "defaults.pid: has no effect with"),
    Bad("[defaults]\nsignal = 'STOP'\n" + WEB, "monitor.web.signal: 'STOP' needs a target"),
]  # fmt: skip


def mistakes_of(text: str | bytes) -> list[Diagnostic]:
    data = text if isinstance(text, bytes) else text.encode()
    return parse(data, "heat.toml", "/etc/heat.toml")[1]


def monitors(text: str) -> dict[str, Options]:
    config, diagnostics = parse(text.encode(), "heat.toml", "/etc/heat.toml")

    assert [str(each) for each in diagnostics] == []
    return config.monitors


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.said[:60])
def test_files_that_are_refused(bad: Bad) -> None:
    found = mistakes_of(bad.text)

    assert len(found) == 1, [str(each) for each in found]
    assert found[0].message.startswith(f"heat.toml: {bad.said}") or bad.said in found[0].message
    assert found[0].message.startswith("heat.toml: ")
    assert bad.hint in found[0].hint
    assert found[0].hint
    assert "\n" not in found[0].message + found[0].hint


def test_the_catalogue_has_more_than_a_hundred_files() -> None:
    assert len(BAD) > 110


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (WEB.encode() + b"fail = '\xff'\n", "line 4: byte 0xff is not UTF-8"),
        (WEB.encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
        (WEB.encode() + b"# \xc3", "line 4: byte 0xc3 is not UTF-8"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, said: str) -> None:
    assert [each.message for each in mistakes_of(data)] == [f"heat.toml: {said}"]


def test_all_mistakes_of_a_file_are_told_at_once_and_in_its_order() -> None:
    found = mistakes_of("""
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

    assert [each.message.removeprefix("heat.toml: ").split(": ")[0] for each in found] == [
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


def test_a_file_says_what_a_command_line_says() -> None:
    found = monitors("""
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

    assert found == {"web": same}


def test_a_monitors_own_key_wins_over_the_default() -> None:
    found = monitors("""
[monitor.a]
script = "./a"
interval = 1

[monitor.b]
script = "./b"

[defaults]
interval = "5s"
timeout = 2
""")

    assert [(each.interval, each.timeout) for each in found.values()] == [(1.0, 2.0), (5.0, 2.0)]
    assert list(found) == ["a", "b"] == [each.name for each in found.values()]


def test_a_default_without_effect_in_some_monitor_is_no_mistake() -> None:
    found = monitors("""
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

    assert found["plain"].limits.threshold is None
    assert found["mended"].limits.threshold == 3


def test_in_a_file_what_is_killed_or_gone_has_failed_and_no_monitor_is_given_up() -> None:
    found = monitors("""
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

    assert [(each.when_spent, each.on_killed) for each in found.values()] == [
        ("watch", "fail"),
        ("error", "error"),
    ]


def test_defaults_may_have_all_given_up_as_on_a_command_line() -> None:
    found = monitors("""
[defaults]
interval = 1
when-spent = "error"
on-killed = "error"

[monitor.a]
script = "./a"
""")

    assert (found["a"].when_spent, found["a"].on_killed) == ("error", "error")


def test_codes_may_be_a_number_a_list_or_text_and_an_empty_list_lifts_the_defaults() -> None:
    found = monitors("""
[defaults]
interval = 1
unknown-codes = [4, 3, 4]
warn-codes = "5, 6"

[monitor.a]
script = "./a"

[monitor.b]
script = "./b"
unknown-codes = []
warn-codes = 3
""")

    assert (found["a"].unknown_codes, found["a"].warn_codes) == ((3, 4), (5, 6))
    assert (found["b"].unknown_codes, found["b"].warn_codes) == ((), (3,))


def test_a_threshold_of_the_defaults_holds_where_a_failure_is_told() -> None:
    found = monitors("""
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

    assert {name: each.limits.threshold for name, each in found.items()} == {
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
    found = monitors("""
[defaults]
interval = 30
recovery = "./mend"

[monitor.web]
script = "./a"
threshold = 3
""")

    assert found["web"].limits.threshold == 3


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
    found = monitors(f"[defaults]\ninterval = 1\n{default}\n[monitor.web]\n{own}\n")["web"]

    assert (found.check, found.is_script) == (check, is_script)


def test_an_own_target_drops_that_of_the_defaults() -> None:
    found = monitors(f"[defaults]\npid = 1\n{WEB}pid-file = 'x'\n")["web"]
    other = monitors(f"[defaults]\npid-file = 'x'\n{WEB}pid = 1\n")["web"]

    assert (found.pid, found.pid_file) == (None, "x")
    assert (other.pid, other.pid_file) == (1, None)


def test_max_running() -> None:
    config, diagnostics = parse(f"[heat]\nmax-running = 7\n{WEB}".encode(), "x")

    assert (config.max_running, diagnostics) == (7, [])
    assert parse(WEB.encode(), "x")[0].max_running == 256


def test_names_that_need_quotes_and_lines_that_end_as_elsewhere() -> None:
    found = monitors(WEB.replace("web", '"db, eu.1 ü"').replace("\n", "\r\n"))

    assert list(found) == ["db, eu.1 ü"]


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


# Files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to start in, with another that has a file and its programs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etc").mkdir()
    ok = tmp_path / "etc/ok"
    ok.write_text("#!/bin/sh\n")
    ok.chmod(0o755)
    (tmp_path / "etc/heat.toml").write_text(WEB)
    return tmp_path


def lines_of(*words: str) -> list[str]:
    return [str(each) for each in understand(words).diagnostics]


def test_a_file_is_read(folder: Path) -> None:
    path = str(folder / "etc/heat.toml")
    config, diagnostics = read("etc/heat.toml", path)

    assert diagnostics == []
    assert config == Config(path, "etc/heat.toml", 256, HISTORY, monitors(WEB))


def test_a_file_with_a_mistake_gives_no_monitors(folder: Path) -> None:
    (folder / "etc/heat.toml").write_text(f"{WEB}[monitor.db]\n")
    config, diagnostics = read("etc/heat.toml", str(folder / "etc/heat.toml"))

    assert config is None
    assert len(diagnostics) == 2


def test_a_file_of_a_megabyte_is_read_and_a_larger_one_is_not(folder: Path) -> None:
    path = folder / "heat.toml"
    path.write_text(WEB + "#" * (LARGEST - len(WEB)))

    assert read("heat.toml", str(path))[1] == []

    path.write_text(WEB + "#" * (LARGEST - len(WEB) + 1))
    _, (diagnostic,) = read("heat.toml", str(path))
    assert diagnostic.message == "heat.toml: is larger than 16 MB (16000000 bytes)"
    assert diagnostic.hint


def test_control_characters_in_a_files_name_are_escaped(folder: Path) -> None:
    assert read("a\nb", str(folder / "a\nb"))[1][0].message == "a\\nb: no such file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "etc/heat.toml").chmod(0)

    assert lines_of("--config", "etc/heat.toml")[0].startswith(
        "etc/heat.toml: may not be read by this user\n  let the user"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="it is root that is kept from such files")
def test_as_root_a_file_that_anybody_may_write_to_is_refused(folder: Path) -> None:
    (folder / "etc/heat.toml").chmod(0o666)
    path = folder / "etc/heat.toml"

    assert lines_of("--config", "etc/heat.toml") == [
        f"etc/heat.toml: may be written to by anybody, and HEAT runs as root\n  chmod go-w {path}"
    ]

    path.chmod(0o644)
    (folder / "etc/ok").chmod(0o757)
    os.chdir(folder)
    why = "./ok may be written to by anybody, and HEAT runs as root"
    assert lines_of("--config", "etc/heat.toml") == [
        f"etc/heat.toml: monitor.web.script: {why}\n  chmod go-w {folder}/etc/ok"
    ]


def test_paths_are_relative_to_the_file_and_the_logs_to_where_heat_was_started(
    folder: Path,
) -> None:
    (folder / "logs").mkdir()
    asked = understand(["--config", "etc/heat.toml", "--log-dir", "logs", "-q"])

    assert [str(each) for each in asked.diagnostics] == []
    assert asked.config is not None
    assert asked.config.path == str(folder / "etc/heat.toml")
    logs = str(folder / "logs")
    assert asked.common == Common("logs", quiet=True, log_folder=logs, state=f"{logs}/heat.state")
    assert str(folder / "etc") == os.getcwd()


def test_without_log_dir_the_logs_are_where_heat_was_started(folder: Path) -> None:
    asked = understand(["--config", "etc/heat.toml", "--json"])

    there = str(folder)
    assert asked.common == Common("", json=True, log_folder=there, state=f"{there}/heat.state")


def test_a_folder_that_is_gone_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir("gone")
    (folder / "gone").rmdir()

    assert lines_of("--config", "heat.toml") == [
        "Error: the folder that HEAT was started in is gone\n  start it in another one"
    ]


def test_files_are_looked_at_though_something_is_wrong_with_the_keys(folder: Path) -> None:
    (folder / "etc/heat.toml").write_text("""
[defaults]
fail = 3
[monitor.web]
command = ["gone"]
interval = 1
[monitor.db]
command = ["gone"]
script = "./gone"
recovery = "./gone"
intervall = 3
""")

    assert [line.partition("\n")[0] for line in lines_of("--config", "etc/heat.toml")] == [
        "etc/heat.toml: defaults.fail: 3 is a whole number, not text",
        "etc/heat.toml: monitor.db.intervall: is not a key of a monitor",
        "etc/heat.toml: monitor.db.interval: is missing",
        "etc/heat.toml: monitor.db: use either script or command",
        "etc/heat.toml: monitor.web.command: gone not found",
        "etc/heat.toml: monitor.db.script: ./gone not executable",
        "etc/heat.toml: monitor.db.recovery: ./gone not executable",
    ]


def test_mistakes_of_the_line_the_file_and_the_programs_are_told_at_once(folder: Path) -> None:
    (folder / "etc/heat.toml").write_text(
        f"{WEB}fail = './no--pid'\nrecovery = '.'\npid = 4194304\n[monitor.db]\ninterval = 3\n"
        "[monitor.sh]\ninterval = 3\ncommand = ['a|b --pid']\n"
    )

    assert lines_of("--config", "etc/heat.toml", "--log-dir", "nope", "--count", "3") == [
        (
            "Error: --count '3' cannot be combined with --config\n"
            "  write it into the file, under [defaults] or [monitor.NAME]: count = 3"
        ),
        (
            "etc/heat.toml: monitor.db: use either script or command\n"
            '  name the check: script = "./check", or command = ["curl", "-sf", "URL"]'
        ),
        "etc/heat.toml: monitor.web.fail: ./no--pid not executable\n  no such file",
        "etc/heat.toml: monitor.web.recovery: . not executable\n  it is a directory",
        (
            "etc/heat.toml: monitor.web.pid: process 4194304 does not exist\n"
            "  name a running process, or use pid-file for one that comes and goes"
        ),
        (
            "etc/heat.toml: monitor.sh.command: a|b --pid not found\n"
            "  HEAT runs a command directly; for a shell, use: "
            'command = ["sh", "-c", "a|b --pid"]'
        ),
        (
            "Error: --log-dir 'nope': nope/heat.log cannot be opened for appending: "
            "no such file or directory\n  make it first: mkdir -p nope"
        ),
        (
            "Error: --log-dir 'nope': nope/heat.verbose.log cannot be opened for appending: "
            "no such file or directory\n  make it first: mkdir -p nope"
        ),
    ]


def test_what_many_monitors_share_is_told_once(folder: Path) -> None:
    text = "[defaults]\ninterval = 3\nfail = './nope'\ncommand = ['true']\n"
    text += "".join(f"[monitor.m{number}]\n" for number in range(1000))
    (folder / "etc/heat.toml").write_text(text)

    assert lines_of("--config", "etc/heat.toml") == [
        (
            "etc/heat.toml: monitor.m0.fail: ./nope not executable (so in 999 other monitors)\n"
            "  no such file"
        )
    ]


def test_the_scripts_files_that_are_there_are_looked_at(folder: Path) -> None:
    text = "[defaults]\ninterval = 3\nfail = './ok'\ncommand = ['true']\n"
    text += "".join(f"[monitor.m{number}]\n" for number in range(5))
    (folder / "etc/heat.toml").write_text(text)
    (folder / "heat.m3.out").mkdir()

    (line,) = lines_of("--config", "etc/heat.toml")
    assert line.startswith("Error: --log-dir '.': heat.m3.out cannot be opened for appending: is a")


def test_warnings_name_keys_where_they_stand_in_a_file() -> None:
    alone = monitors(f"{WEB}signal = 'USR2'\n")["web"]
    recovered = monitors(f"{WEB}pid = {os.getpid()}\nrecovery = 'x'\nsignal = 'USR2'\n")["web"]

    assert list(warnings_of(alone, None, in_file=True)) == [
        'signal = "USR2" ends HEAT itself, its own target: use pid or pid-file'
    ]
    assert list(warnings_of(alone, None)) == [
        "--signal USR2 ends HEAT itself, its own target: use --pid or --pid-file"
    ]
    assert list(warnings_of(recovered, os.getpid(), in_file=True)) == [
        f"recovery may not replace process {os.getpid()}: use pid-file",
        (
            f"process {os.getpid()} does not catch USR2 (signal) and would be ended by it: "
            'choose another signal, or signal = "none"'
        ),
    ]


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
    config, found = parse(data, "heat.toml")

    assert found or config.monitors
    for diagnostic in found:
        assert diagnostic.message.startswith("heat.toml: ")
        assert diagnostic.hint
        assert not re.search(r"[\x00-\x1f\x7f]", diagnostic.message + diagnostic.hint)
    assert found == parse(data, "heat.toml")[1]


@pytest.mark.skipif(
    shutil.which("curl") is None or not Path("/usr/lib/nagios/plugins/check_disk").exists(),
    reason="needs curl and monitoring-plugins-basic",
)
def test_the_example_is_sound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A copy of its own: the checkout may be another user's, whom root does not trust.
    shutil.copytree(Path(__file__).parents[2] / "examples", tmp_path / "examples")
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o022)
    example = tmp_path / "examples/fleet.toml"
    monkeypatch.chdir(example.parent)
    folders = os.environ["PATH"].split(os.pathsep)
    system = [folder for folder in folders if folder != os.path.dirname(sys.executable)]
    monkeypatch.setenv("PATH", os.pathsep.join(system))

    common = Common(log_folder=str(tmp_path))
    config, diagnostics, _ = look("fleet.toml", str(example), common, present={})

    assert diagnostics == []
    assert advised(config) == []
    assert len(config.monitors) == 20
