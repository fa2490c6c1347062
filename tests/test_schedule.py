"""Due times: start + k * interval, whatever happens between."""

from hypothesis import given
from hypothesis import strategies as st

from heat.schedule import Beat


def test_ticks_keep_the_grid() -> None:
    beat = Beat(10.0, 100.0)

    due: list[float] = []
    for _ in range(4):
        due.append(beat.due)
        assert beat.advance(beat.due + 0.3) == 0

    assert due == [100, 110, 120, 130]


def test_missed_ticks_are_passed_over_and_counted() -> None:
    beat = Beat(10.0, 100.0)

    assert beat.advance(145.0) == 4
    assert beat.due == 150


def test_a_restart_counts_from_there() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(110.0)

    beat.restart(113.0)

    assert beat.due == 123


@given(
    interval=st.floats(0.001, 1e6),
    start=st.floats(0, 1e9),
    lateness=st.lists(st.floats(0, 20), max_size=200),
)
def test_no_tick_early_none_lost_no_drift(
    interval: float, start: float, lateness: list[float]
) -> None:
    beat = Beat(interval, start)
    ticks = 0
    for late in lateness:
        now = beat.due + late * interval
        due = beat.due

        missed = beat.advance(now)

        ticks += 1 + missed
        assert missed >= 0
        assert beat.due > due
        assert beat.due == start + ticks * interval
        assert beat.due + 1e-6 * max(1.0, now) >= now
