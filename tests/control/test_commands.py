"""Pause, resume, reset and check on request, through the control socket of a real HEAT."""

import os
import signal
import sqlite3
from contextlib import closing

import pytest
from client import ask, await_state, done, why
from fleet import WELL, await_more, monitor, ran
from heat_process import Heat, orderly
from place import FIRST_AT_GATE, Place
from processes import process_state, until

STOPPED = {"fault_signal": "STOP", "success_signal": "CONT"}
OTHER = monitor("other", WELL)
"""Another monitor: while HEAT checks it a few times, it could have checked a third one."""


def still(heat: Heat, place: Place) -> None:
    """HEAT does not check web while it checks another monitor a few times."""
    until(lambda: bool(why(heat, "web")["checking"] == "idle"), "the end of its check")
    before = ran(place, "check")
    await_more(heat, "other: OK")
    assert ran(place, "check") == before


def refused(heat: Heat, do: str, name: str = "web", **more: object) -> str:
    answer = ask(heat, do, name=name, **more)
    assert not answer["ok"]
    return str(answer["error"])


# Pauses


def test_in_a_pause_there_are_no_checks_and_no_other_monitor_is_paused(place: Place) -> None:
    heat = place.fleet(monitor("web", place.check(0)) + OTHER)
    heat.await_line("web: OK", 2)
    answer = done(heat, "pause", name="web", reason="a \x1b[31mred\nreason")
    assert answer["until"] is None
    still(heat, place)
    facts = why(heat, "web")
    assert facts["paused"]["reason"] == r"a \x1b[31mred\nreason"
    assert (facts["next"], facts["next_text"]) == (None, "paused until it is resumed")
    assert done(heat, "hello")["about"]["paused"] == 1
    assert refused(heat, "check") == "web: it is paused"
    assert ask(heat, "check", name="web")["fix"] == "heatctl resume web"
    done(heat, "resume", name="web")
    await_more(heat, "web: OK")

    assert refused(heat, "resume") == "web is not paused"
    heat.await_news(r"paused until it is resumed (a \x1b[31mred\nreason)")
    orderly(heat)


def test_the_result_of_a_check_that_runs_when_the_pause_begins_does_not_count(
    place: Place,
) -> None:
    gate = place.gate("gate")
    check = place.check(1, body=FIRST_AT_GATE)
    heat = place.fleet(monitor("web", check, signal="none") + OTHER)
    place.await_words("check.ran")
    done(heat, "pause", name="web")
    gate.open()
    heat.await_line("web: Failed")
    still(heat, place)

    assert (why(heat, "web")["state"], why(heat, "web")["count"]) == ("NORMAL", 0)
    done(heat, "resume", name="web")
    await_state(heat, "web", "FAILING")
    orderly(heat)


def test_a_fail_script_that_runs_when_the_pause_begins_ends_and_none_follows(
    place: Place,
) -> None:
    gate = place.gate("gate")
    place.script("tell", "echo $HEAT_FAIL_CNT >> told\n[ $HEAT_FAIL_CNT -gt 1 ] || : < gate")
    heat = place.fleet(monitor("web", place.check(1), signal="none", fail="./tell") + OTHER)
    until(lambda: bool(why(heat, "web")["fail_queued"]), "a queued run")
    done(heat, "pause", name="web")
    assert why(heat, "web")["fail_queued"] is False
    gate.open()
    until(lambda: why(heat, "web")["script"] is None, "its end")
    still(heat, place)

    assert place.words("told") == ["1"]
    done(heat, "resume", name="web")
    place.await_words("told", 2)
    orderly(heat)


def test_a_recovery_script_that_runs_when_the_pause_begins_ends_and_the_window_opens_after_it(
    place: Place,
) -> None:
    gate = place.gate("gate")
    target = place.receiver()
    place.script("recover", "echo $$ >> recover.pids\n: < gate")
    check = place.check(1, 0)
    text = monitor(
        "web", check, signal="none", pid=target.pid, recovery="./recover", interval="1h", **STOPPED
    )
    heat = place.fleet(text + OTHER)
    done(heat, "check", name="web")
    place.await_words("recover.pids")
    done(heat, "pause", name="web", seconds=3600)
    assert "the recovery script runs" in refused(heat, "reset")
    gate.open()
    until(lambda: why(heat, "web")["script"] is None, "its end")
    still(heat, place)
    facts = why(heat, "web")
    assert (facts["state"], facts["remedy"], facts["frozen"]) == ("RECOVERING", "open", target.pid)
    done(heat, "resume", name="web")

    await_state(heat, "web", "NORMAL")
    assert process_state(target.pid) != "T"
    assert len(place.words("recover.pids")) == 1
    orderly(heat)


def test_a_pause_ends_by_itself(place: Place) -> None:
    heat = place.fleet(monitor("web", place.check(0)))
    done(heat, "pause", name="web", seconds=3600)
    answer = done(heat, "pause", name="web", seconds=0.3)
    assert answer["until"] == pytest.approx(why(heat, "web")["now"], abs=1)
    heat.await_news("resumed: checks go on")
    await_more(heat, "web: OK")

    assert why(heat, "web")["paused"] is None
    with closing(sqlite3.connect(place.folder / "heat.state")) as db:
        assert db.execute("SELECT count(*), count(ended) FROM pauses").fetchone() == (2, 2)


def test_a_second_pause_replaces_the_first_and_says_so(place: Place) -> None:
    heat = place.fleet(monitor("web", place.check(0)) + OTHER)
    first = done(heat, "pause", name="web", seconds=60, reason="a")
    began = why(heat, "web")["paused"]["since"]
    second = done(heat, "pause", name="web", reason="b")
    since = why(heat, "web")["paused"]["since"]

    assert first["replaced"] is None
    assert second["replaced"] == {"since": began, "until": first["until"], "reason": "a"}
    heat.await_news("web: heat: paused until it is resumed (b), and not until 20")
    assert why(heat, "web")["paused"]["reason"] == "b"
    with closing(sqlite3.connect(place.folder / "heat.state")) as db:
        rows = db.execute("SELECT began, until, ended, reason FROM pauses ORDER BY id").fetchall()
    assert rows == [(began, first["until"], since, "a"), (since, None, None, "b")]
    third = done(heat, "pause", name="web", seconds=0.05)
    assert third["replaced"]["until"] is None
    heat.await_news("and not until it is resumed any more")
    heat.await_news("resumed: checks go on")
    orderly(heat)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_pause_outlives_a_restart_and_ends_in_the_meantime(place: Place, signum: int) -> None:
    text = monitor("web", place.check(0)) + monitor("long", place.check(0, name="long")) + OTHER
    heat = place.fleet(text)
    done(heat, "pause", name="web", seconds=3600, reason="work")
    done(heat, "pause", name="long", seconds=3600)
    before = why(heat, "web")["paused"]
    heat.signal(signum)
    heat.wait()
    with closing(sqlite3.connect(place.folder / "heat.state")) as db, db:
        db.execute("UPDATE pauses SET until = began + 1e-6 WHERE monitor = 'long'")
    heat = place.fleet(text)
    await_more(heat, "other: OK")
    await_more(heat, "long: OK")

    assert why(heat, "web")["paused"] == before
    still(heat, place)
    assert why(heat, "long")["paused"] is None
    done(heat, "resume", name="web")
    await_more(heat, "web: OK")
    orderly(heat)


# Reset


def test_a_reset_forgets_the_outage_and_wakes_a_target_that_was_stopped(place: Place) -> None:
    target = place.receiver()
    text = monitor(
        "web", place.check(1), signal="none", pid=target.pid, recovery_timeout="1h", **STOPPED
    )
    heat = place.fleet(text)
    until(lambda: process_state(target.pid) == "T", "the STOP")
    done(heat, "pause", name="web")
    assert done(heat, "reset", name="web")["was"] == "RECOVERING"

    facts = why(heat, "web")
    assert (facts["state"], facts["count"], facts["frozen"]) == ("NORMAL", 0, None)
    assert (facts["outage"], facts["changed"]["reason"]) == (None, "reset")
    until(lambda: process_state(target.pid) != "T", "the CONT")
    heat.await_news("reset by hand: RECOVERING and its counts are forgotten")
    with closing(sqlite3.connect(place.folder / "heat.state")) as db:
        assert db.execute("SELECT ending FROM outages").fetchall() == [("reset",)]
        assert db.execute("SELECT count(*) FROM held").fetchone() == (0,)
        assert db.execute("SELECT helped FROM recoveries").fetchall() == [(0,)]
    assert done(heat, "reset", name="web")["was"] == "NORMAL"
    orderly(heat)


def test_out_of_error_only_with_a_target(place: Place) -> None:
    target = place.receiver()
    heat = place.fleet(monitor("web", place.check(0), pid=target.pid) + OTHER)
    heat.await_line("web: OK")
    os.kill(target.pid, signal.SIGKILL)
    await_state(heat, "web", "ERROR")

    assert refused(heat, "reset").startswith(f"web cannot start again: process {target.pid}")
    assert refused(heat, "check") == "web: it is not checked any more (ERROR)"
    assert ask(heat, "check", name="web")["fix"] == "heatctl reset web"
    assert "is not checked any more (ERROR)" in refused(heat, "pause")
    assert why(heat, "web")["state"] == "ERROR"
    await_more(heat, "other: OK")
    orderly(heat)


def test_out_of_error_while_its_fail_script_still_runs(place: Place) -> None:
    gate = place.gate("gate")
    place.script("tell", "echo $$ >> tell.pids\n: < gate")
    target = place.receiver()
    check = place.check(1, 0)
    keys = {"pid": target.pid, "fail": "./tell", "signal": "STOP", "on_killed": "error"}
    heat = place.fleet(monitor("web", check, **keys) + OTHER)
    place.await_words("tell.pids")
    heat.await_line("web: OK")
    until(lambda: process_state(target.pid) == "T", "the STOP")
    place.script("check", "kill -9 $$")
    await_state(heat, "web", "ERROR")
    place.check(0)
    assert done(heat, "reset", name="web")["was"] == "ERROR"
    gate.open()
    await_more(heat, "web: OK")

    facts = why(heat, "web")
    assert (facts["state"], facts["shown"]) == ("NORMAL", "NORMAL")
    changed = facts["changed"]
    assert (changed["before"], changed["after"], changed["reason"]) == ("ERROR", "NORMAL", "reset")
    assert facts["since"] == changed["at"]
    assert process_state(target.pid) != "T"
    with closing(sqlite3.connect(place.folder / "heat.state")) as db:
        held = "SELECT count(*) FROM held WHERE role = 'frozen'"
        assert db.execute(held).fetchone() == (0,)
    assert heat.stop() == 0
    orderly(heat)


# Check on request


def test_a_check_on_request_comes_at_once_never_twice_and_shifts_no_tick(place: Place) -> None:
    gate = place.gate("gate")
    check = place.check(0, body=": < gate")
    heat = place.fleet(monitor("web", check, interval="1h"))
    due = _due(heat)
    done(heat, "check", name="web")
    place.await_words("check.ran")
    assert refused(heat, "check") == "web: a check runs already"
    gate.open()
    heat.await_line("web: OK")

    assert _due(heat) == pytest.approx(due, abs=0.05)
    assert ran(place, "check") == 1
    done(heat, "check", name="web")
    gate.open()
    heat.await_line("web: OK", 2)
    assert why(heat, "web")["last"]["result"] == "ok"
    assert why(heat, "web")["skipped"] == 0
    orderly(heat)


def _due(heat: Heat) -> float:
    facts = why(heat, "web")
    return float(facts["now"] + facts["next"])


def test_heat_refuses_a_check_on_request_while_the_recovery_script_runs(place: Place) -> None:
    gate = place.gate("gate")
    place.script("recover", "echo $$ >> recover.pids\n: < gate")
    heat = place.fleet(monitor("web", place.check(1, 0), recovery="./recover", interval="1h"))
    done(heat, "check", name="web")
    place.await_words("recover.pids")
    assert refused(heat, "check").startswith("web: it recovers: the next check comes when")
    gate.open()

    await_state(heat, "web", "NORMAL")
    assert ran(place, "check") == 2


def test_a_failed_check_on_request_counts(place: Place) -> None:
    heat = place.fleet(monitor("web", place.check(1), signal="none", interval="1h"))
    for count in (1, 2, 3):
        until(lambda: bool(ask(heat, "check", name="web")["ok"]), "a check")
        until(lambda n=count: bool(why(heat, "web")["count"] == n), "its end")

    assert why(heat, "web")["state"] == "FAILING"
