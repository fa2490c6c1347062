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
    counts = [int(word) for word in place.words("told")]
    assert counts == sorted(set(counts))
    assert counts[0] == 1
    assert counts[-1] == 25
    assert len(counts) < 25
