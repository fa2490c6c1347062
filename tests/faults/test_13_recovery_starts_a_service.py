"""Row 13: a script starts a service that stays."""

import signal

import pytest
from heat_process import FAST, records
from place import Place
from processes import alive, until


@pytest.mark.parametrize("which", ["--fail", "--recovery"])
def test_a_service_that_a_script_starts_lives_on_through_the_script_s_end_and_heat_s(
    place: Place, which: str
) -> None:
    script = place.script(
        "script",
        "if [ ! -e pid ]; then\n"
        "(while :; do echo still here; echo beat >> beats; sleep 0.02; done) &\n"
        "echo $! > pid\nfi\necho started",
    )
    heat = place.heat("-i", FAST, which, script, "-s", place.check(1, 0))
    pid = place.adopt(int(place.await_words("pid")[0]))
    heat.await_line("OK", 2)
    until(lambda: heat.verbose().count("still here") > 3, "its output in the log")

    assert heat.stop() == 0
    beats = len(place.words("beats"))
    place.await_words("beats", beats + 5)
    assert alive(pid)
    assert "still here" in heat.log("heat.check.out")
    records(heat.verbose())


def test_a_service_in_the_same_group_outlives_a_killed_heat(place: Place) -> None:
    recovery = place.script("recover", "sleep 600 & echo $! > pid")
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(1, 0))
    pid = place.adopt(int(place.await_words("pid")[0]))
    heat.await_line("OK")
    heat.signal(signal.SIGKILL)

    assert heat.wait() == -signal.SIGKILL
    assert alive(pid)


def test_what_a_service_goes_on_printing_does_not_grow_unseen(place: Place) -> None:
    recovery = place.script(
        "recover",
        "(while :; do head -c 300000 /dev/zero | tr '\\0' x; echo; sleep 0.01; done) &\n"
        "echo $! > pid",
    )
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(1, 0))
    place.adopt(int(place.await_words("pid")[0]))
    out = place.folder / "heat.check.out"
    shrunk = 0
    size = 0

    def emptied() -> bool:
        nonlocal shrunk, size
        before, size = size, out.stat().st_size if out.exists() else 0
        shrunk += size < before
        return shrunk >= 3

    until(emptied, "the file emptied three times")

    assert heat.stop() == 0
    records(heat.verbose())
    assert "bytes cut here]" in heat.verbose()
