"""Tables and keys that HEAT does not know, or that stand in the wrong place."""

import pytest
from toml_files import WEB, Bad, assert_bad, web

BAD = [
    # tables
    Bad(WEB + "[default]\n", "default: is not a table of HEAT", "under [defaults]"),
    Bad(WEB + "[monitors.db]\n", "monitors: is not a table of HEAT", "did you mean monitor?"),
    Bad(WEB + "[x]\n", "x: is not a table of HEAT", "did you mean [monitor.x]?"),
    Bad('"a\\u001bb" = 1\n' + WEB, '"a\\x1bb": is not a table of HEAT'),
    Bad("interval = 30\n" + WEB, "interval: is outside any table", "[defaults]"),
    Bad("defaults = 3\n" + WEB, "defaults: 3 is a whole number, not a table", "[defaults]"),
    Bad("heat = []\n" + WEB, "heat: is a list, not a table", "write [heat]"),
    Bad("monitor = true\n", "monitor: is true or false, not a table", "write [monitor.NAME]"),
    Bad("[[monitor]]\n", "monitor: is a list, not a table", "write [monitor.NAME]"),
    Bad("[monitor]\nweb = 3\n", "monitor.web: 3 is a whole number, not", "[monitor.web]"),
    Bad(WEB + "[monitor.web.eu]\n", "monitor.web.eu: is a table", '[monitor."web.eu"]'),
    # keys
    web("intervall = 3", "is not a key of a monitor", "did you mean interval?"),
    web("pid_file = 'x'", "is not a key of a monitor", "did you mean pid-file?"),
    web("--timeout = 3", "is not a key of a monitor", "did you mean timeout?"),
    web("i = 3", "is not a key of a monitor", "did you mean interval?"),
    web("zzz = 3", "is not a key of a monitor", "the keys are the options of 'heat --help'"),
    web("name = 'x'", "is not a key", "the name of a table is the monitor's"),
    web("log-dir = 'x'", "belongs on the command line", "start HEAT with --log-dir DIR"),
    web("json = true", "belongs on the command line", "start HEAT with --json"),
    web("log-format = 'journal'", "belongs on the command line"),
    web("quiet = true", "belongs on the command line", "start HEAT with --quiet"),
    web("config = 'x'", "belongs on the command line"),
    web("help = true", "belongs on the command line"),
    web("max-running = 3", "concerns all monitors", "write it under [heat]"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.complaint[:60])
def test_keys_and_tables_that_are_refused(bad: Bad) -> None:
    assert_bad(bad)
