"""Signals that HEAT gets."""

import re
import signal

from place import Place


def test_sigterm_ends_heat_well(place: Place) -> None:
    heat = place.heat("-i", "1h", "-s", place.check(1))
    heat.await_line("Failed")

    assert heat.stop() == 0
    assert heat.news()[-1].startswith("heat: SIGTERM")
    assert "SIGTERM" in heat.verbose().splitlines()[-1]


def test_sigint_ends_heat_with_130(place: Place) -> None:
    heat = place.heat("-i", "1h", "true")
    heat.await_line("OK")
    heat.signal(signal.SIGINT)

    assert heat.wait() == 130


def test_sighup_opens_the_logs_anew(place: Place) -> None:
    heat = place.heat("-i", "1h", "-s", place.check(1))
    heat.await_file("heat.verbose.log", "FAILING")
    for name in ("heat.log", "heat.verbose.log"):
        (place.folder / name).rename(place.folder / f"{name}.1")
    heat.signal(signal.SIGHUP)
    heat.await_file("heat.log")
    heat.await_file("heat.verbose.log")

    assert heat.stop() == 0
    assert "NORMAL -> FAILING" in heat.log("heat.verbose.log.1")
    assert "NORMAL -> FAILING" not in heat.verbose()
    assert "SIGTERM" in heat.verbose()


def test_sigusr1_tells_where_heat_stands(place: Place) -> None:
    receiver = place.receiver()
    heat = place.heat(
        *("-i", "1h", "--pid", str(receiver.pid), "--fault-signal", "USR1", "--threshold", "3"),
        *("-s", place.check(7)),
    )
    heat.await_news("sent HUP")
    heat.signal(signal.SIGUSR1)
    heat.await_news("next check")

    assert heat.stop() == 0
    (status,) = [line for line in heat.news() if "next check" in line]
    assert re.fullmatch(
        r"heat: \./check: FAILING, 1 failure in a row \(threshold 3\); "
        r"last check Exit Code 7, [\d.]+ m?s ago; next check in 3[\d.]+ s; 1 check",
        status,
    )
