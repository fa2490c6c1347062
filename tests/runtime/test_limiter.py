"""Slots for checks, in FIFO order: at most this many run at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import Nobody
from virtual import Ends, VirtualFleet, VirtualTime, VirtualWorld

from heat.runtime.limiter import Crowd, Limiter

OK = Ends()


class Checks:
    """Checks by name that acquire slots; ``started`` has them in the order of their starts."""

    def __init__(self, most: int) -> None:
        self.time = VirtualTime()
        self.reports: list[Crowd] = []
        self.limiter = Limiter(most, (self.time, self.time), self.reports.append, Nobody())
        self.started: list[str] = []
        self.owners: dict[str, Nobody] = {}

    def acquire(self, *names: str) -> None:
        for name in names:
            owner = self.owners.setdefault(name, Nobody())
            self.limiter.acquire(lambda name=name: self.started.append(name), owner)  # type: ignore[misc]

    def release(self, after: float = 0.0) -> None:
        self.time.run_until(self.time.elapsed() + after)
        self.limiter.release()
        self.time.run_until(self.time.elapsed())


def test_as_many_start_at_once_as_there_are_slots_and_the_others_in_fifo_order() -> None:
    checks = Checks(2)
    checks.acquire(*"abcde")
    at_once = list(checks.started)
    checks.release()
    checks.release()
    checks.release()

    assert at_once == ["a", "b"]
    assert checks.started == list("abcde")
    assert checks.limiter.running == 2


def test_a_check_that_comes_while_others_wait_does_not_pass_them() -> None:
    checks = Checks(1)
    checks.acquire("a", "b")
    checks.limiter.release()
    checks.acquire("c")
    checks.time.run_until(0)
    checks.release()

    assert checks.started == ["a", "b", "c"]


def test_a_check_that_is_forgotten_takes_no_slot() -> None:
    checks = Checks(1)
    checks.acquire("a", "b", "c")

    assert checks.limiter.forget(checks.owners["b"])
    assert not checks.limiter.forget(checks.owners["b"])
    checks.release()
    assert checks.started == ["a", "c"]


def test_more_slots_are_given_at_once_and_fewer_as_checks_end() -> None:
    checks = Checks(1)
    checks.acquire(*"abcdef")
    checks.limiter.allow(3)
    checks.time.run_until(0)

    assert checks.started == ["a", "b", "c"]
    checks.limiter.allow(1)
    checks.release()
    checks.release()
    assert checks.started == ["a", "b", "c"]
    checks.release()
    assert checks.started == ["a", "b", "c", "d"]


def test_a_crowd_is_reported_when_it_forms_and_when_it_has_been_over_for_a_while() -> None:
    checks = Checks(2)
    checks.acquire(*"abcd")
    checks.release(after=1.5)
    checks.release(after=2)
    checks.release()
    checks.release()

    assert len(checks.reports) == 1
    checks.time.run_until(13.4)
    assert len(checks.reports) == 1
    checks.time.run_until(13.6)
    assert checks.reports == [Crowd(2), Crowd(2, 2, 3.5)]
    assert (checks.limiter.waited, checks.limiter.longest) == (2, 3.5)


def test_a_crowd_that_comes_again_before_it_is_over_is_the_same_one() -> None:
    checks = Checks(1)
    checks.acquire("a", "b")
    checks.release()
    checks.acquire("c")
    checks.release(after=9)
    checks.time.run_until(18.9)
    checks.release()
    checks.time.run_until(40)

    assert checks.reports == [Crowd(1), Crowd(1, 2, 9.0)]


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
def test_of_many_no_check_is_early_none_is_lost_and_none_runs_without_a_slot(
    monitors: list[tuple[float, float, list[Ends]]], most: int, steps: list[tuple[bool, float]]
) -> None:
    fleet = VirtualFleet(most)
    for interval, begins, checks in monitors:
        fleet.add(f"--interval={interval}", "--timeout=3", checks=checks, after=begins)
    for stalls, seconds in [*steps, (False, 30.0)]:
        if stalls:
            # All else is in whole milliseconds, so that rounding cannot move a tick.
            fleet.time.stall(seconds + 0.0003)
        else:
            observed(fleet, fleet.time.elapsed() + seconds)

    stalled = any(stalls for stalls, _ in steps)
    for (interval, begins, _), world in zip(monitors, fleet.worlds, strict=True):
        monitor = world.monitor.model
        passed = (fleet.time.elapsed() - begins) / interval
        times = [when for when, owner in fleet.limiter.acquired if owner is world.monitor]
        ticks = [int((when - begins) / interval + 1e-6) for when in times]
        late = [when - begins - tick * interval for when, tick in zip(times, ticks, strict=True)]
        assert int(passed - 1e-6) < monitor.checks + monitor.skipped <= int(passed + 1e-6) + 1
        assert monitor.checks == len(times)
        assert ticks == sorted(set(ticks))
        assert all(-1e-5 < span < (interval if stalled else 1e-5) for span in late)
    assert fleet.limiter.running == fleet.running()
    in_order(fleet)


def observed(fleet: VirtualFleet, end: float) -> None:
    """Run a fleet, and check it after each thing that happens."""
    agenda = fleet.time.agenda
    while (when := agenda.next()) is not None and when - 1000.0 <= end:
        fleet.time.run_next(when)

        assert all(len(world.living) <= 1 for world in fleet.worlds)
        assert fleet.running() <= fleet.limiter.running <= fleet.limiter.most
    fleet.time.run_until(end)


def in_order(fleet: VirtualFleet) -> None:
    """Slots were given in FIFO order."""
    watches = [world.monitor for world in fleet.worlds]
    came = [watches.index(owner) for _, owner in fleet.limiter.acquired]  # type: ignore[arg-type]

    assert fleet.tried == came[: len(fleet.tried)]
    assert len(came) - len(fleet.tried) <= len(watches)


@pytest.mark.parametrize(
    ("hung", "starts"),
    [
        (Ends(after=None), [3.0]),
        (Ends(after=None, stubborn=True), [5.0]),
        (Ends(after=None, immortal=True), [7.0]),
    ],
    ids=["that dies", "that ignores TERM", "that cannot be killed"],
)
def test_a_check_keeps_its_slot_until_it_is_dead_or_cannot_be_killed(
    hung: Ends, starts: list[float]
) -> None:
    fleet = VirtualFleet(1)
    fleet.add("--timeout=3", "--interval=100", checks=[hung])
    other = fleet.add("--timeout=3", "--interval=100", checks=[OK], after=0.5)
    fleet.time.run_until(50)

    assert other.times("check") == starts
    assert fleet.limiter.running == 0


def test_one_that_dies_after_all_gives_its_slot_back_once() -> None:
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
    assert fleet.crowds == []


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


def test_a_single_monitor_never_waits_for_a_slot() -> None:
    world = VirtualWorld(
        "--threshold=1", "--fault-signal=USR1", "--pid=42", checks=[Ends(1)]
    ).run_until(35)

    assert world.crowds == []
