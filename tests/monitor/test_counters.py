"""Numbers for those who count: asking changes none of them."""

from hypothesis import given
from hypothesis import strategies as st

from heat.checks.outcome import Outcome
from heat.monitor.counters import WINDOW, Counters


def test_the_longest_lateness_is_told_to_each_who_asks() -> None:
    counters = Counters(1)
    row = counters.add(0.0)
    counters.late(row, 0.5, 10.0)
    counters.late(row, 0.25, 20.0)

    assert [counters.lateness(row) for _ in range(3)] == [(0.75, 0.5)] * 3


def test_the_longest_lateness_is_forgotten_after_a_window_and_before_two() -> None:
    counters = Counters(2)
    row, other = counters.add(0.0), counters.add(0.0)
    counters.late(row, 0.5, WINDOW - 1)
    counters.late(other, 2.0, WINDOW + 1)
    assert counters.lateness(row)[1] == 0.5
    counters.late(row, 0.25, 2 * WINDOW - 1)
    assert counters.lateness(row)[1] == 0.5
    counters.late(row, 0.125, 2 * WINDOW)
    assert counters.lateness(row)[1] == 0.25
    counters.late(row, 0.0, 9 * WINDOW)

    assert counters.lateness(row)[1] == counters.lateness(other)[1] == 0.0
    assert counters.lateness(row)[0] == 0.875


def test_who_asks_after_a_window_has_ended_gets_the_rows_that_no_check_has_touched() -> None:
    counters = Counters(1)
    row = counters.add(0.0)
    counters.late(row, 0.5, 10.0)
    assert counters.has_news(row, 0.0, 20.0)
    assert not counters.has_news(row, 20.0, 30.0)
    # Two that ask by turns: what one has learnt is still news to the other.
    assert counters.has_news(row, 30.0, WINDOW + 1)
    assert counters.has_news(row, 31.0, WINDOW + 2)
    assert not counters.has_news(row, WINDOW + 1, WINDOW + 3)
    assert counters.has_news(row, WINDOW + 3, 2 * WINDOW)

    assert counters.lateness(row)[1] == 0.0


def test_a_row_that_is_used_again_begins_with_nothing() -> None:
    counters = Counters()
    row = counters.add(0.0)
    counters.late(row, 0.5, 10.0)
    counters.remove(row)

    assert counters.add(11.0) == row
    assert counters.lateness(row) == (0.0, 0.0)


spans = st.integers(0, 1000).map(lambda number: number / 8)


@given(st.lists(st.tuples(spans, st.floats(0, 2.5 * WINDOW)), max_size=20))
def test_the_longest_is_that_of_the_present_window_and_the_one_before(
    starts: list[tuple[float, float]],
) -> None:
    counters = Counters()
    row = counters.add(0.0)
    now, lates = 1000.0, list[tuple[float, float]]()
    for late, after in starts:
        now += after
        lates.append((now // WINDOW, late))
        counters.late(row, late, now)
        assert counters.has_news(row, -1.0, now)

        recent = [late for window, late in lates if window >= now // WINDOW - 1]
        assert counters.lateness(row)[1] == max(recent)


def test_a_warning_is_counted_among_those_that_are_ok() -> None:
    counters = Counters(1)
    row = counters.add(0.0)
    codes = [0, 1, 7]
    for code in codes:
        counters.checked(row, Outcome(0, code, 77, 0.5, warning=code == 1), 1.0)
    counters.checked(row, Outcome(0, 3, 77, 0.5, unknown="Exit Code 3"), 1.0)

    ok, failed, unknown, *others = counters.counts(row)
    assert (ok, failed, unknown) == (2, 1, 1)
    assert others == [0, 0, 0, 0, 1]
    assert sum(counters.buckets(row)) == 3
