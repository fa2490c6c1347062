"""Row 12: the fail script is slower than the ticks."""

from place import Place


def test_fail_scripts_slower_than_the_ticks_never_run_together(place: Place) -> None:
    fail = place.script(
        "fail",
        "mkdir lock || echo overlap >> bad\necho $HEAT_FAIL_CNT >> told\nsleep 0.15\nrmdir lock",
    )
    heat = place.heat("-i", "0.02", "--count", "25", "--fail", fail, "-s", place.check(1))

    assert heat.wait() == 1
    assert not (place.folder / "bad").exists()
    told = [int(word) for word in place.words("told")]
    assert told == sorted(set(told))
    assert told[0] == 1
    assert told[-1] == 25
    assert len(told) < 25
