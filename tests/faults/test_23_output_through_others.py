"""Row 23: output that goes through another process, or by way of /dev/stderr, is whole."""

from pathlib import Path

import pytest
from heat_process import FAST, orderly, records
from place import Place
from processes import alive, until


def test_a_check_that_logs_through_tee_loses_no_line_of_its_record_nor_of_its_own_log(
    place: Place,
) -> None:
    check = place.script(
        "check", 'exec > >(tee -a own.log) 2>&1\necho "value 42 is too high"\nexit 1', "/bin/bash"
    )
    heat = place.heat("-q", "-i", FAST, "--count", "25", "-s", check)

    assert heat.wait() == 1
    orderly(heat)
    whole = ("FAIL", check, ["value 42 is too high", "[Exit Code 1]"])
    assert [each for each in records(heat.verbose()) if each[1] == check] == [whole] * 25
    assert place.words("own.log") == ["value 42 is too high"] * 25


def test_what_a_check_has_begun_ends_its_work_after_the_verdict(place: Place) -> None:
    heat = place.heat("-i", FAST, "--count", "1", "sh", "-c", "( sleep 0.05; echo x > m ) & exit 0")

    assert heat.wait() == 0
    assert place.words("m") == ["x"]


def test_the_reaction_does_not_wait_for_what_a_check_left_behind(place: Place) -> None:
    check = place.script("check", "sleep 600 & echo $! > left\necho said\nexit 1")
    fail = place.script("fail", "kill -0 $(cat left) && echo yes > there_still")
    heat = place.heat("-i", "1h", "--count", "1", "--fail", fail, "-s", check)

    assert heat.wait() == 1
    assert place.words("there_still") == ["yes"]
    assert not alive(int(place.words("left")[0]))
    assert ("FAIL", check, ["said", "[Exit Code 1]"]) in records(heat.verbose())


def test_the_next_check_does_not_wait_for_what_the_last_one_left_behind(place: Place) -> None:
    check = place.script(
        "check",
        "date +%s%N >> ran\n(trap '' TERM; echo >> left; while :; do sleep 0.01; done) & exit 0",
    )
    heat = place.heat("-i", "20ms", "--count", "10", "-s", check)
    assert heat.wait() == 0

    ran = [int(moment) for moment in place.words("ran")]
    assert len(ran) == 10
    # Each leftover takes 2.2 s; the checks are done long before the first is gone.
    assert ran[-1] - ran[0] < 2_000_000_000


def test_what_is_left_is_sent_term_and_then_kill(place: Place) -> None:
    left = (
        "(trap 'echo told >> terms' TERM; echo >> up; while :; do sleep 0.01; done) & echo $! > pid"
    )
    check = place.script("check", f"{left}\nuntil [ -s up ]; do sleep 0.01; done")
    heat = place.heat("-i", "1h", "-s", check)
    heat.await_line("OK")

    pid = int(place.words("pid")[0])
    assert place.await_words("terms") == ["told"]
    until(lambda: not alive(pid), "its end by KILL")
    assert heat.stop() == 0
    orderly(heat)


def test_heat_that_is_told_to_end_ends_what_a_check_left_behind_too(place: Place) -> None:
    check = place.script("check", "sleep 600 & echo $! > left")
    heat = place.heat("-i", "1h", "-s", check)
    heat.await_line("OK")

    assert heat.stop() == 0
    assert not alive(int(place.words("left")[0]))


SAID = ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize("way", ["> /dev/stderr", "> /dev/stdout", "| tee /dev/stderr > /dev/null"])
def test_a_script_that_opens_dev_stderr_anew_loses_no_line(place: Place, way: str) -> None:
    fail = place.script("fail", f"echo one\necho two {way}\necho three\necho four {way}\necho five")
    words = ("-i", FAST, "--count", "1", "--fail", fail, "-s", place.check(1))
    assert place.heat(*words).wait() == 1
    heat = place.heat(*words)
    assert heat.wait() == 1

    assert heat.log("heat.check.out").splitlines() == SAID * 2
    outputs = [lines for _, program, lines in records(heat.verbose()) if program == fail]
    assert outputs == [SAID] * 2


def test_a_recovery_that_logs_through_tee_and_starts_a_daemon_is_told_whole(place: Place) -> None:
    recovery = place.script(
        "recover",
        "exec > >(tee -a own.log) 2>&1\necho begins\n"
        "(trap 'exit 0' TERM; while :; do echo serves; sleep 0.05; done) & echo $! > pid\n"
        "touch mended\necho ends",
        "/bin/bash",
    )
    check = place.script("check", "test -e mended")
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", check)
    service = place.adopt(int(place.await_words("pid")[0]))
    heat.await_news("NORMAL again")
    until(lambda: heat.verbose().count("> serves") > 3, "what the service prints")

    assert heat.stop() == 0
    assert alive(service)
    lines = place.words("own.log")
    assert {"begins", "ends"} <= set(lines)
    assert heat.verbose().count("> begins") == heat.verbose().count("> ends") == 1
    own = Path(place.folder / "own.log")
    size = own.stat().st_size
    until(lambda: own.stat().st_size > size, "the service prints on, when HEAT has ended")
