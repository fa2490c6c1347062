"""Due times: start + k * interval, whatever happens between; and turns, first come first served."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest
from conftest import Nobody
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual import Ends, VirtualFleet, VirtualTime, VirtualWorld

from heat.runtime.limiter import Limiter
from heat.runtime.scheduler import Beat, Scheduler, phase

OK = Ends()


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
    kept = [agenda.add(n, lambda: None, Nobody()) for n in range(3000)]
    for _ in range(10_000):
        agenda.add(5000, lambda: None, Nobody()).cancel()

    assert len(agenda) < 7000
    assert [agenda.take(3000) for _ in range(3001)] == [*kept, None]


# Turns


class Crowd:
    """Checks by name that ask for a turn; ``began`` has them in the order of their starts."""

    def __init__(self, most: int) -> None:
        self.time = VirtualTime()
        self.said: list[str] = []
        self.limiter = Limiter(most, (self.time, self.time), self.said.append, Nobody())
        self.began: list[str] = []
        self.owners: dict[str, Nobody] = {}

    def ask(self, *names: str) -> None:
        for name in names:
            owner = self.owners.setdefault(name, Nobody())
            self.limiter.ask(lambda name=name: self.began.append(name), owner)  # type: ignore[misc]

    def end(self, after: float = 0.0) -> None:
        self.time.run_until(self.time.elapsed() + after)
        self.limiter.end()
        self.time.run_until(self.time.elapsed())


def test_so_many_start_at_once_and_the_others_in_the_order_in_which_they_came() -> None:
    crowd = Crowd(2)
    crowd.ask(*"abcde")
    at_once = list(crowd.began)
    crowd.end()
    crowd.end()
    crowd.end()

    assert at_once == ["a", "b"]
    assert crowd.began == list("abcde")
    assert crowd.limiter.running == 2


def test_who_comes_while_others_wait_does_not_pass_them() -> None:
    crowd = Crowd(1)
    crowd.ask("a", "b")
    crowd.limiter.end()
    crowd.ask("c")
    crowd.time.run_until(0)
    crowd.end()

    assert crowd.began == ["a", "b", "c"]


def test_who_is_forgotten_takes_no_turn() -> None:
    crowd = Crowd(1)
    crowd.ask("a", "b", "c")

    assert crowd.limiter.forget(crowd.owners["b"])
    assert not crowd.limiter.forget(crowd.owners["b"])
    crowd.end()
    assert crowd.began == ["a", "c"]


def test_more_turns_are_given_at_once_and_fewer_as_checks_end() -> None:
    crowd = Crowd(1)
    crowd.ask(*"abcdef")
    crowd.limiter.allow(3)
    crowd.time.run_until(0)

    assert crowd.began == ["a", "b", "c"]
    crowd.limiter.allow(1)
    crowd.end()
    crowd.end()
    assert crowd.began == ["a", "b", "c"]
    crowd.end()
    assert crowd.began == ["a", "b", "c", "d"]


def test_a_crowd_is_said_when_it_begins_and_when_it_has_been_over_for_a_while() -> None:
    crowd = Crowd(2)
    crowd.ask(*"abcd")
    crowd.end(after=1.5)
    crowd.end(after=2)
    crowd.end()
    crowd.end()

    assert len(crowd.said) == 1
    crowd.time.run_until(13.4)
    assert len(crowd.said) == 1
    crowd.time.run_until(13.6)
    assert crowd.said == [
        "as many checks run as max-running allows (2): what is due beyond that waits its turn",
        "checks start when they are due again; 2 checks had to wait, the longest 3.5 s",
    ]
    assert (crowd.limiter.waited, crowd.limiter.longest) == (2, 3.5)


def test_a_crowd_that_comes_again_meanwhile_is_the_same_one() -> None:
    crowd = Crowd(1)
    crowd.ask("a", "b")
    crowd.end()
    crowd.ask("c")
    crowd.end(after=9)
    crowd.time.run_until(18.9)
    crowd.end()
    crowd.time.run_until(40)

    assert [text.partition(";")[2] for text in crowd.said] == [
        "",
        " 2 checks had to wait, the longest 9 s",
    ]


# Many monitors on one clock


ENDS = st.sampled_from(
    [
        *(Ends(code, after) for code in (0, 1) for after in (0.0, 0.5, 1.0, 2.5, 17.0)),
        Ends(after=None),
        Ends(after=None, stubborn=True),
        Ends(error="no room"),
    ]
)
MONITORS = st.lists(
    st.tuples(
        st.sampled_from([0.7, 1.0, 1.1, 3.0, 10.0]),
        st.sampled_from([0.0, 0.25, 0.5, 0.99]),
        st.lists(ENDS, min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=6,
)
STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.013, 0.717, 1.003, 3.31, 12.07, 60.01])), max_size=8
)


@settings(max_examples=50)
@given(monitors=MONITORS, most=st.integers(1, 4), steps=STEPS)
def test_of_many_no_check_is_early_none_is_lost_and_none_runs_beyond_its_turn(
    monitors: list[tuple[float, float, list[Ends]]], most: int, steps: list[tuple[bool, float]]
) -> None:
    fleet = VirtualFleet(most)
    for interval, begins, checks in monitors:
        fleet.add(f"--interval={interval}", "--timeout=3", checks=checks, after=begins)
    for stalls, seconds in [*steps, (False, 30.0)]:
        if stalls:
            # All else is in whole milliseconds: which tick it was is no matter of rounding.
            fleet.time.stall(seconds + 0.0003)
        else:
            observed(fleet, fleet.time.elapsed() + seconds)

    stalled = any(stalls for stalls, _ in steps)
    for (interval, begins, _), world in zip(monitors, fleet.worlds, strict=True):
        monitor = world.monitor.model
        passed = (fleet.time.elapsed() - begins) / interval
        asked = [when for when, owner in fleet.limiter.asked if owner is world.monitor]
        ticks = [int((when - begins) / interval + 1e-6) for when in asked]
        late = [when - begins - tick * interval for when, tick in zip(asked, ticks, strict=True)]
        assert int(passed - 1e-6) < monitor.checks + monitor.skipped <= int(passed + 1e-6) + 1
        assert monitor.checks == len(asked)
        assert ticks == sorted(set(ticks))
        assert all(-1e-5 < span < (interval if stalled else 1e-5) for span in late)
    assert fleet.limiter.running == fleet.running()
    in_order(fleet)


def observed(fleet: VirtualFleet, end: float) -> None:
    """Run a fleet, and look after each thing that happens."""
    agenda = fleet.time.agenda
    while (when := agenda.next()) is not None and when - 1000.0 <= end:
        fleet.time.run_next(when)

        assert all(len(world.living) <= 1 for world in fleet.worlds)
        assert fleet.running() <= fleet.limiter.running <= fleet.limiter.most
    fleet.time.run_until(end)


def in_order(fleet: VirtualFleet) -> None:
    """Turns were taken in the order in which they were asked for."""
    watches = [world.monitor for world in fleet.worlds]
    asked = [watches.index(owner) for _, owner in fleet.limiter.asked]  # type: ignore[arg-type]

    assert fleet.tried == asked[: len(fleet.tried)]
    assert len(asked) - len(fleet.tried) <= len(watches)


@pytest.mark.parametrize(
    ("hung", "starts"),
    [
        (Ends(after=None), [3.0]),
        (Ends(after=None, stubborn=True), [5.0]),
        (Ends(after=None, immortal=True), [7.0]),
    ],
    ids=["that dies", "that ignores TERM", "that cannot be killed"],
)
def test_a_check_keeps_its_place_until_it_is_dead_or_cannot_be_killed(
    hung: Ends, starts: list[float]
) -> None:
    fleet = VirtualFleet(1)
    fleet.add("--timeout=3", "--interval=100", checks=[hung])
    other = fleet.add("--timeout=3", "--interval=100", checks=[OK], after=0.5)
    fleet.time.run_until(50)

    assert other.times("check") == starts
    assert fleet.limiter.running == 0


def test_one_that_dies_after_all_gives_its_place_back_once() -> None:
    fleet = VirtualFleet(1)
    fleet.add("--timeout=3", "--interval=100", checks=[Ends(after=20.0, immortal=True), OK])
    fleet.time.run_until(150)

    assert fleet.limiter.running == 0


# One that fails has another check at once


@pytest.mark.parametrize("most", [1, 2])
def test_the_check_at_once_waits_for_the_end_of_the_one_that_failed(most: int) -> None:
    fleet = VirtualFleet(most)
    world = fleet.add("--threshold=1", "--fault-signal=USR1", "--pid=42", checks=[Ends(1), OK])
    other = fleet.add("--name=other", checks=[OK], after=0.5)
    observed(fleet, 5)

    assert world.times("check") == [0, 0]
    assert other.times("check") == [0.5]
    assert fleet.said == []


def test_a_check_at_once_is_stopped_as_any_other() -> None:
    hangs = Ends(after=None)
    fleet = VirtualFleet(2)
    world = fleet.add(
        "--threshold=1", "--fault-signal=USR1", "--pid=42", checks=[Ends(1), hangs], after=0.0
    )
    observed(fleet, 1)
    world.monitor.stop(0)
    observed(fleet, 5)

    assert (world.times("check"), world.times("done"), world.living) == ([0, 0], [1], [])


def test_a_single_monitor_never_waits_for_its_turn() -> None:
    world = VirtualWorld(
        "--threshold=1", "--fault-signal=USR1", "--pid=42", checks=[Ends(1)]
    ).run_until(35)

    assert not any("max-running" in line for line in world.printed)
