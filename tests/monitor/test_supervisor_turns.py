"""Checks of many monitors, and max-running."""

from fleet import await_more, monitor, ran, summary
from heat_process import Heat, orderly, records
from place import Place
from processes import alive, until

TRACED = "echo + >> trace\nsleep 0.01\necho - >> trace"


def test_never_more_run_at_once_than_allowed_and_that_is_said_once(place: Place) -> None:
    check = place.script("check", TRACED)
    tables = [monitor(f"m{n}", check, count=4, interval="20ms") for n in range(8)]
    heat = place.fleet("[heat]\nmax-running = 2\n" + "".join(tables))

    assert heat.wait() == 0
    trace = place.words("trace")
    running = [trace[:n].count("+") - trace[:n].count("-") for n in range(len(trace) + 1)]
    assert max(running) == 2
    assert len(trace) == 2 * 8 * 4
    reports = [line for line in heat.news() if "max-running" in line]
    assert reports == ["heat: max-running (2) is reached: what is due beyond it waits its turn"]
    assert ("ERR", "heat", [reports[0].removeprefix("heat: ")]) in [
        (kind, program, [line.removeprefix("heat: ") for line in lines])
        for kind, program, lines in records(heat.verbose())
    ]


def waiting(place: Place) -> tuple[Heat, str]:
    """Return a HEAT with one check at a gate and two others waiting, and the report of that."""
    place.gate("gate")
    limiter = "[heat]\nmax-running = 1\n"
    first = monitor("first", place.check(0, name="first", body="[ $n -gt 0 ] || : < gate"))
    heat = place.fleet(limiter + first)
    place.await_words("first.ran")
    for name in ("second", "third"):
        place.check(0, name=name)
    place.write_config(
        limiter + first + monitor("second", "./second") + monitor("third", "./third")
    )
    heat.reload("2 monitors added")
    until(lambda: summary(heat)[0].startswith("3 monitors: 3 NORMAL; 1 check running"), "three")
    until(
        lambda: sum("a check " in line for line in summary(heat)) == 3,
        "two checks that wait",
    )
    return heat, limiter + first


def test_a_check_that_waits_is_dropped_with_its_monitor(place: Place) -> None:
    heat, first = waiting(place)
    place.write_config(first + monitor("third", "./third"))
    heat.reload("1 removed")
    with (place.folder / "gate").open("wb"):
        place.await_words("third.ran", 2)
    await_more(heat, "first: OK", 2)

    assert ran(place, "second") == 0
    assert "had to wait for max-running" in summary(heat)[0]
    assert heat.stop() == 0
    orderly(heat)


def test_checks_that_wait_are_dropped_when_heat_stops(place: Place) -> None:
    heat, _ = waiting(place)

    assert heat.stop() == 0
    assert (ran(place, "second"), ran(place, "third")) == (0, 0)
    assert not alive(int(place.words("first.ran")[0]))
    orderly(heat)


def test_another_max_running_holds_at_once(place: Place) -> None:
    heat, text = waiting(place)
    more = text.replace("max-running = 1", "max-running = 2")
    place.write_config(more + monitor("second", "./second") + monitor("third", "./third"))
    heat.reload("0 monitors added, 0 changed, 0 removed")
    place.await_words("second.ran", 2)
    place.await_words("third.ran", 2)

    assert ran(place, "first") == 1
    assert " running of 2 at most" in summary(heat)[0]
    assert heat.stop() == 0
    orderly(heat)
