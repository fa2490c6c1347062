"""Due times: start + k * interval, whatever happens in between; and calls in their order."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from processes import Nobody

from heat.runtime.scheduler import Beat, Scheduler, phase


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


def test_another_pace_counts_from_the_last_tick_and_ends_in_the_old_phase() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(110.0)

    beat.pace(3.0, 110.5)
    quick = [beat.due]
    beat.advance(113.0)
    quick.append(beat.due)
    beat.pace(None, 114.5)

    assert quick == [113, 116]
    assert beat.due == 120
    assert (beat.advance(120.0), beat.due) == (0, 130)


def test_a_pace_begins_after_a_check_that_took_long() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(100.0)

    beat.pace(1.0, 104.2)

    assert beat.due == 105
    assert beat.advance(105.0) == 0


def test_the_phase_of_a_window_is_kept_after_its_pace() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(100.0)
    beat.pace(2.0, 101.0)
    beat.restart(103.5)

    quick = beat.due
    beat.pace(None, 104.0)

    assert (quick, beat.due) == (105.5, 113.5)


def test_a_pace_as_long_as_another_interval_is_one_all_the_same() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(100.0)
    beat.pace(5.0, 100.0)

    beat.change(5.0, 102.0)
    beat.change(20.0, 107.0)

    assert (beat.due, beat.interval) == (105, 5)


def test_the_first_tick_of_another_interval_comes_though_a_pace_has_ended() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(100.0)
    beat.pace(3.0, 100.0)

    beat.change(20.0, 107.0)
    beat.pace(None, 101.0)

    assert beat.due == 107


def test_a_tick_that_has_just_come_does_not_come_again_in_the_old_phase() -> None:
    beat = Beat(0.3, 1000.0)
    beat.advance(1000.0)
    beat.pace(0.1, 1000.0)
    now = 1000.0
    for _ in range(3):
        now = beat.due
        beat.advance(now)

    beat.pace(None, now)

    assert beat.due > now + 0.29


@pytest.mark.parametrize(("seconds", "following"), [(3.0, 103), (None, 110), (25.0, 125)])
def test_a_tick_that_is_due_comes_whatever_the_pace(
    seconds: float | None, following: float
) -> None:
    beat = Beat(10.0, 100.0)

    beat.pace(seconds, 100.2)

    assert beat.due == 100
    assert (beat.advance(100.3), beat.due) == (0, following)


def test_a_tick_of_a_pace_that_is_due_comes_only_where_it_is_in_phase() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(100.0)
    beat.pace(3.0, 100.0)
    beat.advance(106.0)

    beat.pace(None, 109.1)
    out_of_phase = beat.due
    beat.pace(5.0, 109.2)
    beat.pace(None, 110.1)

    assert (out_of_phase, beat.due) == (110, 110)


def test_another_interval_waits_for_the_end_of_a_pace() -> None:
    beat = Beat(10.0, 100.0)
    beat.advance(100.0)
    beat.pace(3.0, 100.0)

    beat.change(20.0, 107.0)
    quick = beat.due
    beat.advance(106.0)
    beat.pace(None, 108.0)

    assert (quick, beat.due) == (103, 127)


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


# Where in the interval a monitor begins


def test_a_monitor_begins_at_the_same_place_of_its_interval_after_every_restart() -> None:
    places = [round(phase(name, 60.0), 3) for name in ("web", "queue", "münchen", "x\udcff")]

    assert places == [15.737, 46.816, 5.691, 39.649]


@pytest.mark.parametrize("name", ["web-{}", "{}", "{:04}", "db.{}.example.org", "{}-check"])
def test_a_thousand_first_checks_are_spread_evenly(name: str) -> None:
    bins = Counter(int(phase(name.format(n), 10.0)) for n in range(1000))

    assert sorted(bins) == list(range(10))
    assert all(50 <= count <= 150 for count in bins.values())


@given(st.text(max_size=100), st.floats(0.001, 1e8))
def test_the_first_check_is_within_the_first_interval(name: str, interval: float) -> None:
    assert 0 <= phase(name, interval) < interval


# The agenda


class Call(NamedTuple):
    """One that is to come, or is cancelled first."""

    when: int
    cancelled: bool


@given(st.lists(st.builds(Call, st.integers(0, 5), st.booleans()), max_size=60), st.integers(0, 5))
def test_the_agenda_gives_what_is_due_in_the_order_of_times_then_of_coming(
    calls: list[Call], now: int
) -> None:
    agenda = Scheduler()
    came: list[int] = []

    def call(number: int) -> Callable[[], None]:
        return lambda: came.append(number)

    due = [agenda.add(each.when, call(n), Nobody()) for n, each in enumerate(calls)]
    for each, entry in zip(calls, due, strict=True):
        if each.cancelled:
            entry.cancel()
    left = sorted((each.when, n) for n, each in enumerate(calls) if not each.cancelled)
    first = agenda.next()
    while (entry := agenda.take(now)) is not None:
        assert entry.call is not None
        entry.call()

    assert first == (left[0][0] if left else None)
    assert came == [n for when, n in left if when <= now]
    later = [when for when, _ in left if when > now]
    assert agenda.next() == (later[0] if later else None)


def test_the_agenda_drops_cancelled_calls_and_no_others() -> None:
    agenda = Scheduler()
    calls = [agenda.add(n, lambda: None, Nobody()) for n in range(3000)]
    for _ in range(10_000):
        agenda.add(5000, lambda: None, Nobody()).cancel()

    assert len(agenda) < 7000
    assert [agenda.take(3000) for _ in range(3001)] == [*calls, None]
