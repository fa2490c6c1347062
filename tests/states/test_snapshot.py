"""Snapshots: what is kept of a monitor is enough to go on, and nothing else is believed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import EVENTS, LIMITS

from states.monitor.events import Event
from states.monitor.limits import Limits
from states.monitor.machine import step
from states.monitor.model import (
    IN_RECOVERY,
    STATES,
    Check,
    Fail,
    FailRun,
    Failure,
    Monitor,
    Pause,
    Stage,
    State,
)
from states.monitor.snapshot import Snapshot, restore, save, sound, unchanged

FIRST, LAST = Failure(7, 4711, 100), Failure(1, 4712, 130)
RUN, OTHER = FailRun(FIRST, 1, State.FAILING), FailRun(LAST, 2, State.FAILING)
FAILING = Snapshot(Stage.FAILING, 2, 0, FIRST, LAST)
OPEN = FAILING._replace(stage=Stage.OPEN, attempts=1)
BACKOFF = OPEN._replace(stage=Stage.BACKOFF, backoff=4.0)


@given(limits=LIMITS, events=st.lists(EVENTS, max_size=40))
def test_what_is_kept_is_enough(limits: Limits, events: list[Event]) -> None:
    monitor = Monitor(limits)
    snapshot = save(monitor)
    for event in events:
        before = snapshot
        step(monitor, event)
        snapshot = save(monitor)
        if not monitor.limits.start_period:  # Nobody asks then whether a check has passed.
            before = before._replace(passed_once=False)
        assert not unchanged(monitor, before) or snapshot == before
        assert unchanged(monitor, snapshot)
    again = Monitor(monitor.limits)
    restore(again, snapshot)

    assert save(again) == snapshot
    assert (again.pause, again.check) == (Pause.PAUSED, Check.IDLE)


def new(snapshot: Snapshot, *, paused: bool = True) -> Monitor:
    monitor = Monitor(Limits(start_period=9.0))
    restore(monitor, snapshot, paused=paused)
    return monitor


@pytest.mark.parametrize(
    ("run", "queued", "fail"),
    [
        (None, None, Fail.IDLE),
        (RUN, None, Fail.RUNNING),
        (RUN, OTHER, Fail.QUEUED),
        (None, OTHER, Fail.LOST),
    ],
)
def test_what_the_fail_script_does_is_seen_from_its_runs(
    run: FailRun | None, queued: FailRun | None, fail: Fail
) -> None:
    assert new(FAILING._replace(fail_run=run, fail_queued=queued)).fail is fail


def test_what_goes_on_at_once_is_not_paused() -> None:
    assert new(FAILING, paused=False).pause is Pause.ACTIVE


CHANGES: dict[str, Any] = {
    "stage": Stage.NORMAL,
    "failures": 3,
    "attempts": 2,
    "first_failure": Failure(*FIRST),
    "last_failure": Failure(*LAST),
    "fail_run": RUN,
    "fail_queued": RUN,
    "error_due": "why",
    "passed_once": True,
}


@pytest.mark.parametrize("field", CHANGES)
def test_each_change_is_seen(field: str) -> None:
    monitor = new(FAILING)

    assert unchanged(monitor, FAILING)
    assert not unchanged(monitor, FAILING._replace(**{field: CHANGES[field]}))


def test_whether_a_check_has_passed_matters_in_a_start_period_alone() -> None:
    monitor = Monitor(Limits())
    monitor.passed_once = True

    assert unchanged(monitor, Snapshot())
    assert save(monitor) == Snapshot()
    monitor.limits = Limits(start_period=1.0)
    assert save(monitor).passed_once is True


def test_a_snapshot_tells_how_it_was() -> None:
    each = [Snapshot(stage) for stage in Stage]

    assert [snapshot.state for snapshot in each] == [STATES[stage] for stage in Stage]
    for name, stage in (
        ("well", Stage.NORMAL),
        ("given_up", Stage.ERROR),
        ("repairing", Stage.REPAIRING),
        ("spent", Stage.SPENT),
    ):
        assert [getattr(snapshot, name) for snapshot in each] == [one is stage for one in Stage]


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot(),
        Snapshot(Stage.ERROR, error_due="why"),
        FAILING,
        *(
            OPEN._replace(stage=stage, backoff=4.0 if stage is Stage.BACKOFF else None)
            for stage in IN_RECOVERY
        ),
    ],
)
def test_a_machine_can_be_like_that(snapshot: Snapshot) -> None:
    assert sound(snapshot)


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot(backoff=1.0),
        Snapshot(Stage.ERROR, backoff=1.0),
        FAILING._replace(first_failure=None),
        FAILING._replace(last_failure=None),
        FAILING._replace(failures=0),
        FAILING._replace(attempts=1),
        FAILING._replace(backoff=1.0),
        OPEN._replace(attempts=0),
        OPEN._replace(backoff=1.0),
        BACKOFF._replace(backoff=None),
    ],
)
def test_no_machine_is_like_that(snapshot: Snapshot) -> None:
    assert not sound(snapshot)
