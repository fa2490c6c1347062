"""HEAT brought to each of the states in which something may happen to it."""

from heat_process import FAST, Heat
from place import LASTING, STUBBORN, Place


def normal(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-s", place.check(0))
    heat.await_line("OK")
    return heat


def checking(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-s", place.script("check", LASTING))
    place.await_words("pids")
    return heat


def failing_state(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-s", place.check(1))
    heat.await_line("Failed")
    return heat


def fail_script(place: Place, *words: str) -> Heat:
    fail = place.script("fail", LASTING)
    heat = place.heat("-i", "1h", "--fail", fail, *words, "-s", place.check(1))
    place.await_words("pids")
    return heat


def recovery_script(place: Place, *words: str) -> Heat:
    recovery = place.script("recover", LASTING)
    heat = place.heat("-i", "1h", "--recovery", recovery, *words, "-s", place.check(1))
    place.await_words("pids")
    return heat


def window(place: Place) -> Heat:
    heat = place.heat(
        *("-i", "1h", "--recovery", place.script("recover", "true")),
        *("--recovery-timeout", "1h", "-s", place.check(1)),
    )
    heat.await_line("Failed", 2)
    return heat


def waiting(place: Place) -> Heat:
    heat = place.heat(
        *("-i", "1h", "--fail", place.script("fail", LASTING)),
        *("--recovery", place.script("recover", "true"), "-s", place.check(1)),
    )
    heat.await_news("recovery waits for the fail script")
    place.await_words("pids")
    return heat


def dying(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-t", "0.3", "-s", place.script("check", STUBBORN))
    heat.await_line("Timed out")
    return heat


def in_error(place: Place) -> Heat:
    heat = place.heat(
        *("-i", FAST, "--fail", place.script("fail", LASTING), "--pid-file", "none"),
        *("-s", place.check(1)),
    )
    heat.await_news("heat: error: ")
    return heat


def with_target(place: Place) -> Heat:
    target = place.spawn(["sleep", "600"])
    (place.folder / "pids").write_text(f"{target.pid}\n")
    heat = place.heat("-i", "1h", "--pid", str(target.pid), "-s", place.check(0))
    heat.await_line("OK")
    return heat
