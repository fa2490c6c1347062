"""The check slot, the fail script, the pause, and counts: what no list of effects shows."""

import pytest
from steps import (
    FAIL,
    FAILING,
    FULL,
    IS_SPENT,
    PLAIN,
    RECOVER,
    RECOVERY,
    REST,
    RESTING,
    SIGNALS,
    TWICE,
    WATCHES,
    WINDOW,
    fail_run,
    failed,
    led,
)

from states.monitor import effects
from states.monitor.events import (
    CheckAsked,
    CheckDue,
    CheckGone,
    CheckImpossible,
    CheckKilled,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    FailLost,
    LimitsChanged,
    Paused,
    RecoveryDelayed,
    RecoveryEnded,
    Reset,
    Resumed,
    TargetGone,
    TargetMissing,
    Tick,
    WindowClosed,
)
from states.monitor.limits import Limits
from states.monitor.machine import step
from states.monitor.model import Check, Fail, Monitor, Pause, Stage
from states.monitor.snapshot import restore, save

TOLD = Limits(fail=True)
QUEUED = (*FAIL, Tick(), failed(101))
DYING = (Tick(), failed(dying=True))
OWED = (*RECOVERY, RecoveryDelayed())

EACH: list[tuple[Stage, Limits, tuple[Event, ...]]] = [
    (Stage.NORMAL, PLAIN, ()),
    (Stage.FAILING, PLAIN, FAIL),
    (Stage.WAITING, FULL._replace(threshold=1), RECOVERY),
    (Stage.OWED, RECOVER, OWED),
    (Stage.OPEN, RECOVER, (*WINDOW, failed(101))),
    (Stage.BACKOFF, REST, RESTING),
    (Stage.SPENT, WATCHES, IS_SPENT),
]
"""Stages in which no recovery script runs."""
EACH_STAGE = pytest.mark.parametrize(("stage", "limits", "before"), EACH)
CHECKED = pytest.mark.parametrize(
    ("stage", "limits", "before"),
    [each for each in EACH if each[0] not in {Stage.WAITING, Stage.OWED}],
)


# The pause


@EACH_STAGE
def test_a_target_that_ends_in_a_pause_is_an_error_after_it(
    stage: Stage, limits: Limits, before: tuple[Event, ...]
) -> None:
    monitor = led(limits, *before, Paused(), TargetGone("it ended"))

    assert (monitor.stage, monitor.error_due) == (stage, "it ended")
    assert step(monitor, Resumed())[-1] == effects.GiveUp("it ended")


def test_a_recovery_that_ends_in_a_pause_is_an_error_after_it_though_the_target_is_gone() -> None:
    monitor = led(RECOVER, *RECOVERY, TargetGone("it ended"), Paused())

    assert step(monitor, RecoveryEnded()) == []
    assert monitor.stage is Stage.OPEN
    assert step(monitor, Resumed())[-1] == effects.GiveUp("it ended")


@CHECKED
def test_a_check_that_says_nothing_in_a_pause_is_not_counted(
    stage: Stage, limits: Limits, before: tuple[Event, ...]
) -> None:
    monitor = led(limits, *before, Tick(), Paused(), CheckUnknown())

    assert (monitor.stage, monitor.unknowns) == (stage, 0)


@CHECKED
def test_a_check_that_is_killed_in_a_pause_is_no_error(
    stage: Stage, limits: Limits, before: tuple[Event, ...]
) -> None:
    monitor = led(limits, *before, Tick(), Paused(), CheckKilled("why"))

    assert (monitor.stage, monitor.check) == (stage, Check.IDLE)


def test_nor_is_one_counted_after_a_pass_that_was_not_enough() -> None:
    twice = RECOVER._replace(success_threshold=2)
    monitor = led(twice, *WINDOW, CheckPassed(), Tick(), Paused(), CheckUnknown())

    assert (monitor.unknowns, monitor.passes) == (0, 1)


def test_an_owed_recovery_waits_for_the_end_of_a_pause() -> None:
    monitor = led(RECOVER, *OWED, Paused())

    assert step(monitor, Tick()) == []
    assert monitor.stage is Stage.OWED


@pytest.mark.parametrize(
    ("limits", "before", "check"),
    [
        (PLAIN, (), Check.IDLE),
        (PLAIN, (Tick(),), Check.SCHEDULED),
        (RECOVER, WINDOW, Check.AT_ONCE),
        (PLAIN, DYING, Check.DYING),
        (RECOVER, (*DYING, RecoveryEnded()), Check.DUE),
    ],
)
def test_a_tick_in_a_pause_is_not_a_skipped_one(
    limits: Limits, before: tuple[Event, ...], check: Check
) -> None:
    monitor = led(limits, *before, Paused(), Tick(3))

    assert (monitor.check, monitor.skipped) == (check, 0)


def test_no_check_on_request_in_a_pause_of_a_window() -> None:
    monitor = led(RECOVER, *WINDOW, failed(101), Paused())

    assert step(monitor, CheckAsked()) == []
    assert monitor.check is Check.IDLE


def test_what_is_in_error_is_not_paused() -> None:
    assert led(PLAIN, CheckImpossible("why"), Paused()).pause is Pause.ACTIVE


def test_a_window_that_begins_again_after_a_pause_has_seen_nothing() -> None:
    limits = TWICE._replace(success_threshold=2)
    before = (failed(101), Tick(), CheckPassed(), WindowClosed(), Tick())
    monitor = led(limits, *WINDOW, *before, Paused(), Resumed())

    assert (monitor.window_failures, monitor.passes, monitor.overdue) == (0, 0, False)


# The check slot


def test_a_late_verdict_starts_no_check() -> None:
    late = (CheckPassed(), failed(), CheckUnknown(), CheckKilled("x"), CheckGone())

    assert [led(PLAIN, event).check for event in late] == [Check.IDLE] * 5
    assert led(PLAIN, Tick(), CheckGone()).check is Check.SCHEDULED
    assert led(PLAIN, *DYING, CheckPassed()).check is Check.DYING


def test_a_check_at_once_is_due_in_recovery_alone() -> None:
    monitor = led(PLAIN, *DYING, CheckDue())

    assert monitor.check is Check.DYING


def test_no_check_is_due_where_count_is_used_up() -> None:
    monitor = led(TWICE._replace(checks=1), *DYING, RecoveryEnded())

    assert monitor.check is Check.DYING
    assert effects.EnterRecovery(2, 1) in step(monitor, WindowClosed())


def test_a_check_that_is_due_is_not_run_after_a_reset() -> None:
    monitor = led(RECOVER, *DYING, RecoveryEnded(), Reset())

    assert (monitor.check, step(monitor, CheckGone())) == (Check.DUE, [])
    assert monitor.check is Check.IDLE


def test_ticks_are_skipped_until_count_is_used_up_also_where_a_recovery_is_owed() -> None:
    assert led(RECOVER, *OWED, Tick(2)).skipped == 3
    assert led(RECOVER._replace(checks=1), *OWED, Tick(2)).skipped == 0
    assert led(PLAIN, CheckImpossible("why"), Tick(2)).skipped == 0


@pytest.mark.parametrize(
    ("limits", "before"),
    [
        (PLAIN, (Tick(),)),
        (PLAIN, (*FAIL, Tick())),
        (RECOVER, WINDOW),
        (RECOVER._replace(success_threshold=2), (*WINDOW, CheckPassed(), Tick())),
        (RECOVER._replace(recovery_interval=3.0), (*WINDOW, WindowClosed())),
        (TWICE, (*WINDOW, WindowClosed())),
        (TWICE._replace(max_recoveries=1), (*WINDOW, WindowClosed())),
        (TWICE._replace(max_recoveries=1, spent_watch=True), (*WINDOW, WindowClosed())),
        (TWICE._replace(recovery_backoff=9.0), (*WINDOW, WindowClosed())),
    ],
)
def test_a_check_that_says_nothing_is_counted(limits: Limits, before: tuple[Event, ...]) -> None:
    monitor = led(limits, *before, CheckUnknown())

    assert monitor.unknowns == 1


# The fail script


def restarted(limits: Limits, *before: Event) -> Monitor:
    monitor = Monitor(limits)
    restore(monitor, save(led(limits, *before)))
    return monitor


def test_a_script_that_ends_before_what_is_queued_may_begin_is_known_to_have_ended() -> None:
    monitor = restarted(TOLD, *QUEUED)

    assert step(monitor, FailEnded()) == []
    assert (monitor.fail, monitor.fail_run) == (Fail.LOST, None)
    assert step(monitor, FailEnded()) == []
    assert monitor.fail is Fail.LOST


def test_what_is_lost_is_dropped_by_a_pause() -> None:
    monitor = restarted(TOLD, *QUEUED)
    step(monitor, FailLost())

    assert step(monitor, Paused()) == [effects.DropFail(fail_run(101, 2, FAILING))]
    assert (monitor.fail, monitor.fail_queued) == (Fail.IDLE, None)


def test_where_no_script_runs_none_ends_and_none_is_lost() -> None:
    for late in (FailEnded(), FailLost()):
        assert led(TOLD, late).fail is Fail.IDLE


@pytest.mark.parametrize(
    ("limits", "more", "stage"),
    [
        (SIGNALS, (), Stage.OPEN),
        (SIGNALS._replace(recovery_backoff=9.0), (failed(101), Tick(), failed(102)), Stage.BACKOFF),
        (
            SIGNALS._replace(max_recoveries=1, spent_watch=True),
            (failed(101), Tick(), failed(102)),
            Stage.SPENT,
        ),
    ],
)
def test_a_failure_that_was_to_be_told_beside_a_recovery_by_signals_is_told_after_a_restart(
    limits: Limits, more: tuple[Event, ...], stage: Stage
) -> None:
    monitor = restarted(limits._replace(fail=True), *FAIL, *more)
    step(monitor, FailLost())

    expected = step(monitor, Resumed())

    assert monitor.stage is stage
    assert [type(effect) for effect in expected].count(effects.RunFail) == 1


def test_a_missing_target_is_an_error_where_nothing_recovers_any_more() -> None:
    monitor = led(RECOVER, *WINDOW, LimitsChanged(PLAIN))

    assert step(monitor, TargetMissing("why"))[-1] == effects.GiveUp("why")
