"""Row 9: a script vanishes, or loses its x bit."""

from collections.abc import Callable
from pathlib import Path

import pytest
from heat_process import FAILED, FAST, records
from place import Place


def unlink(path: Path) -> None:
    path.unlink()


def unfit(path: Path) -> None:
    path.chmod(0o644)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def no_interpreter(path: Path) -> None:
    path.write_text("#!/no/such/interpreter\n")


SPOILT = pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (unlink, "no such file"),
        (unfit, "it is not executable"),
        (folder_instead, "it is a directory"),
        (no_interpreter, "/no/such/interpreter does not exist"),
    ],
    ids=["vanishes", "loses its x bit", "becomes a folder", "loses its interpreter"],
)


@SPOILT
def test_a_check_that_can_no_longer_be_started_is_an_error_that_names_it(
    place: Place, spoil: Callable[[Path], None], why: str
) -> None:
    gate = place.gate("gate")
    heat = place.heat("-i", FAST, "-s", place.check(1, body=": < gate"))
    place.await_words("check.ran")
    spoil(place.folder / "check")
    gate.open()

    assert heat.wait() == 3
    assert heat.lines() == [FAILED]
    assert heat.news()[-1].startswith("heat: error: ./check cannot be started: ")
    assert why in heat.news()[-1]
    assert records(heat.verbose())[-1][0] == "ERR"
    assert why in records(heat.verbose())[-1][2][0]


@SPOILT
def test_a_recovery_script_that_can_no_longer_be_started_is_an_error_that_names_it(
    place: Place, spoil: Callable[[Path], None], why: str
) -> None:
    gate = place.gate("gate")
    heat = place.heat(
        *("-i", FAST, "--recovery", place.script("recover", "true")),
        *("-s", place.check(1, body=": < gate")),
    )
    place.await_words("check.ran")
    spoil(place.folder / "recover")
    gate.open()

    assert heat.wait() == 3
    assert heat.news()[-1].startswith("heat: error: ./recover cannot be started: ")
    assert why in heat.news()[-1]
