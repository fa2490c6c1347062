"""The screen of heatctl why for a paused monitor."""

from situations import FAILING, LASTS, RECOVERS, screen, situation

from heat.rehearsal.programs import Ends


def test_a_pause_says_what_its_end_does() -> None:
    world = situation(*RECOVERS, "--fail=./f", at=3, fails=[Ends(after=60)], **FAILING)
    world.monitor.pause(world.time.unix() + 600, "disk")
    text = screen(world)
    assert "check is RECOVERING and paused, since" in text
    assert "The pause ends by itself in 10 min; no checks and no effects until then." in text
    assert "fail, which is running, may finish." in text
    assert "After the pause recovery 1 begins: ./r." in text
    assert "heatctl resume check ends the pause now" in text
    assert "If it" not in text

    text = screen(world.run_until(100))
    assert "recovery 1 (no --max-recoveries); it is yet to begin" in text
    assert "which is running" not in text


def test_a_pause_in_an_open_window_ends_with_another_window() -> None:
    world = situation(*RECOVERS, at=8, **LASTS, **FAILING)
    world.monitor.pause(None, "")

    text = screen(world)
    assert "Nothing by itself: no checks and no effects until it is resumed." in text
    assert "After the pause the window opens, and a check runs at once." in text
