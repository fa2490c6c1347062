"""Row 24: a service that was left behind prints as it likes; the file stays within bounds."""

import signal

from heat_process import FAST, orderly
from place import Place
from processes import alive, until

MEBIBYTE = 1024 * 1024


def test_a_service_that_holds_its_output_without_appending_leaves_no_hole(place: Place) -> None:
    flood = "head -c 700000 /dev/zero | tr '\\0' x | fold -w 99"
    recovery = place.script(
        "recover",
        f"(exec 3>/dev/stdout; while :; do {flood} >&3; echo >&3; sleep 0.05; done) &\n"
        "echo $! > pid",
    )
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(1, 0))
    place.adopt(int(place.await_words("pid")[0]))
    until(lambda: heat.verbose().count("bytes cut here") > 3, "more than the bound, several times")

    assert heat.stop() == 0
    orderly(heat)
    assert "\\x00" not in heat.verbose()
    assert "\0" not in heat.log("heat.check.out")


def test_a_service_that_floods_between_two_ticks_stays_within_bounds(place: Place) -> None:
    flood = "head -c 3000000 /dev/zero | tr '\\0' x | fold -w 99"
    recovery = place.script(
        "recover", f"(for n in 1 2 3 4; do {flood}; echo $n >> rounds; done) &\necho $! > pid"
    )
    check = place.script("check", "echo >> ran\ntest -e rounds")
    heat = place.heat("-i", "1h", "--recovery", recovery, "-s", check)
    place.adopt(int(place.await_words("pid")[0]))
    out = place.folder / "heat.check.out"
    most = 0

    def flooded() -> bool:
        nonlocal most
        most = max(most, out.stat().st_size if out.exists() else 0)
        return len(place.words("rounds")) == 4

    until(flooded, "twelve megabytes")
    assert most <= 3 * MEBIBYTE
    assert heat.stop() == 0


def test_what_a_service_prints_is_told_without_a_tick(place: Place) -> None:
    gate = place.gate("gate")
    recovery = place.script("recover", "(: < gate; echo late) &\necho $! > pid; touch mended")
    heat = place.heat("-i", "1h", "--recovery", recovery, "test", "-e", "mended")
    place.adopt(int(place.await_words("pid")[0]))
    heat.await_news("NORMAL again")
    gate.open()

    until(lambda: "> late" in heat.verbose(), "the record")
    assert heat.stop() == 0


def test_a_service_lives_on_and_is_kept_within_bounds_when_heat_is_killed(place: Place) -> None:
    recovery = place.script(
        "recover",
        "(while :; do head -c 100000 /dev/zero | tr '\\0' x | fold -w 99; echo here; done) &\n"
        "echo $! > pid",
    )
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(1, 0))
    service = place.adopt(int(place.await_words("pid")[0]))
    out = place.folder / "heat.check.out"
    until(lambda: out.exists() and out.stat().st_size > 0, "its output")
    heat.signal(signal.SIGKILL)
    heat.wait()
    shrunk = size = most = 0

    def cut() -> bool:
        nonlocal shrunk, size, most
        before, size = size, out.stat().st_size
        shrunk += size < before
        most = max(most, size)
        return shrunk >= 3

    until(cut, "the file cut three times, with no HEAT")
    assert alive(service)
    assert most <= 3 * MEBIBYTE


def test_the_next_heat_tells_what_a_service_of_the_last_one_prints(place: Place) -> None:
    recovery = place.script("recover", "(while :; do echo here; sleep 0.02; done) &\necho $! > pid")
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(1, 0))
    place.adopt(int(place.await_words("pid")[0]))
    heat.await_news("NORMAL again")
    assert heat.stop() == 0
    before = heat.verbose().count("> here")

    anew = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(0))
    until(lambda: anew.verbose().count("> here") > before + 3, "what it prints, in the record")
    assert anew.stop() == 0


def test_a_recovery_that_is_to_free_a_full_disk_is_not_ended_by_its_first_echo(
    place: Place,
) -> None:
    place.script("recover", "echo cleaning\nrm -f logs/big", "/bin/sh -e")
    place.script("check", "test ! -e logs/big")
    (place.folder / "logs").mkdir()
    mount = (
        "mount -t tmpfs -o size=64k none logs && head -c 1M /dev/zero > logs/big 2>/dev/null; "
        '"$@"; code=$?; cp logs/heat.verbose.log told; exit $code'
    )
    heat = place.heat(
        *("-i", FAST, "--count", "4", "--log-dir", "logs", "--recovery", "./recover"),
        *("-s", "./check"),
        prefix=("unshare", "--mount", "sh", "-c", mount, "sh"),
    )

    assert heat.wait() == 0
    heat.await_news("recovery script ./recover ended: Exit Code 0")
    assert "> cleaning" in heat.log("told")
    assert "Traceback" not in heat.err.read_text()


def test_a_script_outlives_a_heat_that_is_killed_as_soon_as_it_has_started(place: Place) -> None:
    gate = place.gate("gate")
    recovery = place.script("recover", "echo $$ > pid\n: < gate\necho printed\necho > done")
    heat = place.heat("-i", "1h", "--recovery", recovery, "-s", place.check(1))
    place.adopt(int(place.await_words("pid")[0]))
    heat.signal(signal.SIGKILL)
    heat.wait()
    gate.open()

    place.await_words("done")
    out = place.folder / "heat.check.out"
    until(lambda: "printed" in out.read_text(), "what it printed, in the file")
