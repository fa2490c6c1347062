"""Values of keys: their types, and what HEAT says of others."""

import pytest
from toml_files import HUGE, WEB, Bad, assert_bad, command, interval, monitors, web

BAD = [
    # of HEAT as a whole
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
    # durations
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
    web("warn-codes = 0", "0 contains 0, which always passes", "from 1 to 255, such as [3, 4]"),
    web("warn-codes = [1, 256]", "'1,256' contains 256, and the largest exit code is 255"),
    web("warn-codes = -1", "-1 contains '-1', which is not an exit code"),
    web("warn-codes = [1, '2']", "item 2 is text, not a whole number", "codes = [1]"),
    web("warn-codes = 1.5", "1.5 is a decimal number, not a list of exit codes", "codes = [1]"),
    web("unknown-codes = true", "is true or false, not a list of exit codes", "codes = [3, 4]"),
    web("unknown-codes = {}", "is a table, not a list of exit codes", "codes = [3, 4]"),
    web("unknown-codes = ''", "'' contains an empty item"),
    web("warn-codes = 3\nunknown-codes = [3]", "3 contains 3, which unknown-codes contains too",
        "leave 3 out of one of the two"),
    # commands
    command("'true'", "'true' is text, not a list", 'write a list: command = ["true"]'),
    command("'curl -sf x'", "'curl -sf x' is text", 'command = ["curl", "-sf", "x"]'),
    command("'a | grep --pid \"b\"'", "'a | ", 'command = ["sh", "-c", "a | grep --pid \\"b\\""]'),
    command("''", "'' is text, not a list", 'write command = ["curl",'),
    command("[]", "is empty", 'write command = ["curl",'),
    command("3", "3 is a whole number, not a list of text", 'write command = ["curl",'),
    command("['']", "the first word is empty", "the name of a program"),
    command("['true', 8080]", "word 2 is a whole number, not text", "write it in quotes"),
    command("[['true']]", "word 1 is a list, not text"),
    command('["true", "a\\u0000b"]', "word 2 contains a NUL", "leave out the NUL"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.complaint[:60])
def test_values_that_are_refused(bad: Bad) -> None:
    assert_bad(bad)


def test_codes_may_be_a_number_a_list_or_text_and_an_empty_list_lifts_the_defaults() -> None:
    options = monitors("""
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

    assert (options["a"].unknown_codes, options["a"].warn_codes) == ((3, 4), (5, 6))
    assert (options["b"].unknown_codes, options["b"].warn_codes) == ((), (3,))
