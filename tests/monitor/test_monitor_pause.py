"""A pause that replaces another."""

import pytest
from virtual import VirtualWorld


@pytest.mark.parametrize(("first", "second", "checks"), [
    (15, None, [0]), (15, 50, [0, 60, 70]), (60, 15, [0, 20, 30, 40, 50, 60, 70]),
    (None, 25, [0, 30, 40, 50, 60, 70]),
])  # fmt: skip
def test_the_end_of_a_pause_is_that_of_the_last_one(
    first: float | None, second: float | None, checks: list[float]
) -> None:
    world = VirtualWorld()
    world.run_until(1)
    for span in (first, second):
        world.monitor.pause(None if span is None else world.time.unix() + span, "")

    assert world.run_until(75).times("check") == checks
