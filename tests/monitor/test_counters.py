"""Numbers for those who count: asking changes none of them."""

from hypothesis import given
from hypothesis import strategies as st

from heat.monitor.counters import WINDOW, Tallies
from heat.report.monitor_report import Checked


def test_the_longest_lateness_is_told_to_each_who_asks() -> None:
    tallies = Tallies(1)
    row = tallies.add(0.0)
    tallies.late(row, 0.5, 10.0)
    tallies.late(row, 0.25, 20.0)

    assert [tallies.lateness(row) for _ in range(3)] == [(0.75, 0.5)] * 3


def test_the_longest_lateness_is_forgotten_after_a_window_and_before_two() -> None:
    tallies = Tallies(2)
    row, other = tallies.add(0.0), tallies.add(0.0)
    tallies.late(row, 0.5, WINDOW - 1)
    tallies.late(other, 2.0, WINDOW + 1)
    assert tallies.lateness(row)[1] == 0.5
    tallies.late(row, 0.25, 2 * WINDOW - 1)
    assert tallies.lateness(row)[1] == 0.5
    tallies.late(row, 0.125, 2 * WINDOW)
    assert tallies.lateness(row)[1] == 0.25
    tallies.late(row, 0.0, 9 * WINDOW)

    assert tallies.lateness(row)[1] == tallies.lateness(other)[1] == 0.0
    assert tallies.lateness(row)[0] == 0.875


def test_who_asks_after_a_window_has_ended_gets_the_rows_that_no_check_has_touched() -> None:
    tallies = Tallies(1)
    row = tallies.add(0.0)
    tallies.late(row, 0.5, 10.0)
    assert tallies.has_news(row, 0.0, 20.0)
    assert not tallies.has_news(row, 20.0, 30.0)
    # Two that ask by turns: what one has learnt is still news to the other.
    assert tallies.has_news(row, 30.0, WINDOW + 1)
    assert tallies.has_news(row, 31.0, WINDOW + 2)
    assert not tallies.has_news(row, WINDOW + 1, WINDOW + 3)
    assert tallies.has_news(row, WINDOW + 3, 2 * WINDOW)

    assert tallies.lateness(row)[1] == 0.0


def test_a_row_that_is_used_again_begins_with_nothing() -> None:
    tallies = Tallies()
    row = tallies.add(0.0)
    tallies.late(row, 0.5, 10.0)
    tallies.remove(row)

    assert tallies.add(11.0) == row
    assert tallies.lateness(row) == (0.0, 0.0)


spans = st.integers(0, 1000).map(lambda number: number / 8)


@given(st.lists(st.tuples(spans, st.floats(0, 2.5 * WINDOW)), max_size=20))
def test_the_longest_is_that_of_the_present_window_and_the_one_before(
    starts: list[tuple[float, float]],
) -> None:
    tallies = Tallies()
    row = tallies.add(0.0)
    now, lates = 1000.0, list[tuple[float, float]]()
    for late, after in starts:
        now += after
        lates.append((now // WINDOW, late))
        tallies.late(row, late, now)
        assert tallies.has_news(row, -1.0, now)

        recent = [late for window, late in lates if window >= now // WINDOW - 1]
        assert tallies.lateness(row)[1] == max(recent)


def test_a_warning_is_counted_among_those_that_are_ok() -> None:
    tallies = Tallies(1)
    row = tallies.add(0.0)
    codes = [0, 1, 7]
    for code in codes:
        tallies.checked(row, Checked(0, code, 77, 0.5, warning=code == 1), 1.0)
    tallies.checked(row, Checked(0, 3, 77, 0.5, unknown="Exit Code 3"), 1.0)

    ok, failed, unknown, *others = tallies.counts(row)
    assert (ok, failed, unknown) == (2, 1, 1)
    assert others == [0, 0, 0, 0, 1]
    assert sum(tallies.buckets(row)) == 3
