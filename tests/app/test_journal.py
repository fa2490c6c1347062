"""The lines that HEAT prints for journald."""

import os

import pytest
from heat_process import DETAILS, FAST, records
from place import Place

from heat.report.console import Console


def test_lines_for_the_journal_have_a_priority_and_no_time(place: Place) -> None:
    place.script("dies", "kill -9 $$")
    place.check(0, 1, 1, 0, name="web")
    recover = place.script("recover", "exit 3")
    text = f"""
        [monitor.web]
        script = "./web"
        interval = "50ms"
        count = 4
        threshold = 2
        recovery = "{recover}"
        [monitor.dead]
        script = "./dies"
        interval = "50ms"
        on-killed = "error"
    """
    heat = place.fleet(text, "--log-format", "journal")

    assert heat.wait() == 1
    results = heat.out.read_text().splitlines()
    web = [line for line in results if "web: " in line]
    failed = f"<4>web: Failed: Exit Code 1, {DETAILS}"
    assert web == ["<6>web: OK", failed, failed, "<6>web: OK"]
    assert f"<4>dead: Failed: Killed by SIGKILL, {DETAILS}" in results
    news = heat.err.read_text().splitlines()
    starts = [
        "<5>web: RECOVERING after 2 failures in a row, recovery 1: ./recover",
        "<4>web: recovery script ./recover ended: Exit Code 3, after ",
        "<5>web: NORMAL again after 2 failures and 1 recovery, ",
        "<6>web: heat: 4 checks done (--count)",
        "<3>dead: heat: error: check ./dies (process ",
    ]
    assert all(any(line.startswith(start) for line in news) for start in starts)
    assert len(news) == len(starts)
    assert ("INFO", "web: heat", ["NORMAL -> FAILING (1 failure)"]) in records(heat.verbose())


def test_an_object_a_line_stays_one(place: Place) -> None:
    words = ("-i", FAST, "--count", "2", "--json", "--log-format", "journal", "true")
    heat = place.heat(*words)

    assert heat.wait() == 0
    assert [each["result"] for each in heat.objects()] == ["ok", "ok"]
    assert heat.err.read_text() == "<6>heat: 2 checks done (--count)\n"


def test_a_mistake_is_an_error_in_the_journal(place: Place) -> None:
    heat = place.heat("-i", "0", "--log-format", "journal", "true")

    assert heat.wait() == 2
    assert heat.err.read_text() == (
        "<3>Error: --interval '0' is not a positive duration\n"
        "<3>  write more than 0, such as 0.5, 500ms, 30s or 5m\n"
        "<3>'heat --help' lists the options.\n"
    )


def test_the_journal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    theirs, ours = os.openpty()
    copies = [os.dup(fd) for fd in (1, 2)]
    try:
        os.dup2(ours, 1)
        os.dup2(ours, 2)
        console = Console(lambda: 0.0, pytest.fail, lambda _flush: None, journal=True)
        console.result("OK", "32", 1)
        console.news("heat: error", "31")
        console.close()
    finally:
        for fd, old in enumerate(copies, 1):
            os.dup2(old, fd)
            os.close(old)
    output = b""
    while output.count(b"\n") < 2:
        output += os.read(theirs, 4096)
    os.close(theirs)
    os.close(ours)

    assert output.split() == [b"<6>OK", b"<3>heat:", b"error"]
