"""Pause, resume, restart and requests: rows of the table in isolation."""

import pytest
from steps import (
    CHECK,
    CLOSE,
    ERROR,
    FAIL,
    FAILING,
    FAULT,
    FULL,
    NORMAL,
    PLAIN,
    RECOVER,
    RECOVERING,
    RECOVERY,
    RESTART,
    SIGNAL,
    SIGNALS,
    WINDOW,
    Case,
    fail_run,
    failed,
    led,
    recovery,
    typed,
)

from states.monitor import effects
from states.monitor.events import (
    CheckAsked,
    CheckGone,
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
    RecoveryKilled,
    RecoveryLost,
    Reset,
    Resumed,
    TargetGone,
    Tick,
    WatchBroke,
    WindowClosed,
)
from states.monitor.limits import Limits
from states.monitor.machine import step
from states.monitor.model import Check, Monitor, Stage
from states.monitor.outlook import resettable
from states.monitor.snapshot import Snapshot, restore, save

OPEN, WAKE = effects.OpenWindow, effects.WakeTarget()
DYING = (Tick(), failed(dying=True))
TWO_RUNS = Limits(threshold=9, fail=True, signal=1, success_signal=12)
SKIPS = Limits(threshold=9, fail=True, fail_overlap_skip=True, success_signal=12)
TIMED = RECOVER._replace(recovery_timeout=9.0)
WAITING = FULL._replace(fault_signal=None, signal=None)
WAITS = (Tick(), failed(100), Tick(), failed(101))  # recovery waits for the fail script
LOST_FAIL = fail_run(101, 2, RECOVERING)

CASES = [
    # In the pause nothing happens
    Case("no tick starts a check", PLAIN, (Paused(),), Tick(), NORMAL, []),
    Case("no check is made on request", PLAIN, (Paused(),), CheckAsked(), NORMAL, []),
    Case("a pass does not count", PLAIN, (*FAIL, Tick(), Paused()), CheckPassed(), FAILING, []),
    Case("nor does one in recovery", RECOVER, (*WINDOW, Paused()), CheckPassed(), RECOVERING, []),
    Case("a failure does not count", FULL, (Tick(), Paused()), failed(), NORMAL, []),
    Case("nor does one that would close a window", RECOVER, (*WINDOW, failed(101), Tick(),
         Paused()), failed(102), RECOVERING, []),
    Case("an unknown check changes nothing", PLAIN, (Tick(), Paused()), CheckUnknown(), NORMAL, []),
    Case("a killed check changes nothing", PLAIN, (Tick(), Paused()), CheckKilled("x"), NORMAL, []),
    Case("a dead check is noted", PLAIN, (*DYING, Paused()), CheckGone(), FAILING, []),
    Case("the fail script may end", TWO_RUNS, (*FAIL, Paused()), FailEnded(), FAILING, []),
    Case(
        "the queued run of the fail script is dropped, and HEAT says so",
        TWO_RUNS,
        (*FAIL, Tick(), failed(101)),
        Paused(),
        FAILING,
        [effects.DropFail(fail_run(101, 2, FAILING))],
    ),
    Case(
        "that of a recovery without a script too",
        TWO_RUNS._replace(threshold=2),
        (*FAIL, Tick(), failed(101)),
        Paused(),
        RECOVERING,
        [effects.DropFail(fail_run(101, 2, RECOVERING)), CLOSE],
    ),
    Case("the window is closed", RECOVER, WINDOW, Paused(), RECOVERING, [CLOSE]),
    Case("a window that closes changes nothing", RECOVER, (*WINDOW, Paused()), WindowClosed(),
         RECOVERING, []),
    Case("the recovery script may end", RECOVER, (*RECOVERY, Paused()), RecoveryEnded(),
         RECOVERING, []),
    Case("a killed recovery script is for later", RECOVER, (*RECOVERY, Paused()),
         RecoveryKilled("x"), RECOVERING, []),
    Case("a target that ends is for later", PLAIN, (Paused(),), TargetGone("x"), NORMAL, []),
    Case("other limits open no window", RECOVER, (*WINDOW, Paused()),
         LimitsChanged(RECOVER._replace(recovery_timeout=9.0)), RECOVERING, []),
    Case("a bug of HEAT is an error all the same", PLAIN, (Paused(),), WatchBroke("x"), ERROR,
         [effects.GiveUp("x")]),
    # On it goes
    Case("ticks go on", PLAIN, (Paused(), Resumed()), Tick(), NORMAL, [CHECK]),
    Case("to resume what is not paused is nothing", RECOVER, WINDOW, Resumed(), RECOVERING, []),
    Case(
        "a window whose check failed begins again",
        Limits(threshold=2, recovery=True, recovery_timeout=60.0),
        (Tick(), failed(), *RECOVERY, RecoveryEnded(), failed(102), Paused()),
        Resumed(),
        RECOVERING,
        [OPEN(60.0), RESTART, CHECK],
    ),
    Case("a check that still runs is the first of the window", RECOVER, (*WINDOW, Paused()),
         Resumed(), RECOVERING, [OPEN(None)]),
    Case("it does not close the window", RECOVER,
         (*WINDOW, failed(101), Tick(), Paused(), Resumed()), failed(102), RECOVERING, []),
    Case("nor is another one owed when it dies in the next recovery", TIMED,
         (*WINDOW, Paused(), Resumed(), WindowClosed(), failed(101, dying=True)), CheckGone(),
         RECOVERING, []),
    Case(
        "a window opens for a recovery script that ended in the pause",
        RECOVER,
        (*RECOVERY, Paused(), RecoveryEnded()),
        Resumed(),
        RECOVERING,
        [OPEN(None), RESTART, CHECK],
    ),
    Case("a recovery script that still runs holds up the end", RECOVER, (*RECOVERY, Paused()),
         Resumed(), RECOVERING, []),
    Case("a script that could not be started is tried at the next tick", RECOVER,
         (*RECOVERY, RecoveryDelayed(), Paused(), Resumed()), Tick(), RECOVERING, [recovery()]),
    Case("a recovery that waits for the fail script waits on", WAITING, (*WAITS, Paused()),
         Resumed(), RECOVERING, [effects.BoundFail()]),
    Case(
        "a recovery that waited for the fail script begins",
        FULL,
        (*WAITS, Paused(), FailEnded()),
        Resumed(),
        RECOVERING,
        [FAULT, recovery(failures=2, last=101)],
    ),
    Case("what leads to an error does so now", PLAIN, (Paused(), TargetGone("it ended")),
         Resumed(), ERROR, [effects.GiveUp("it ended")]),
    Case("a recovery script that was killed is an error now", RECOVER,
         (*RECOVERY, Paused(), RecoveryKilled("killed")), Resumed(), ERROR,
         [CLOSE, effects.GiveUp("killed")]),
    Case("an error that is due waits for the recovery script", RECOVER,
         (*RECOVERY, Paused(), TargetGone("it ended")), Resumed(), RECOVERING, []),
    # On request
    Case("a check on request", PLAIN, (), CheckAsked(), NORMAL, [CHECK]),
    Case("a check on request in FAILING", PLAIN, FAIL, CheckAsked(), FAILING, [CHECK]),
    Case("no check on request while another runs", PLAIN, (Tick(),), CheckAsked(), NORMAL, []),
    Case("no check on request while the recovery script runs", RECOVER, RECOVERY, CheckAsked(),
         RECOVERING, []),
    Case("a check on request in an open window", RECOVER, (*WINDOW, failed(101)), CheckAsked(),
         RECOVERING, [CHECK]),
    Case("it never closes the window", RECOVER, (*WINDOW, failed(101), CheckAsked()), failed(102),
         RECOVERING, []),
    Case("counted checks are not exceeded", Limits(checks=1), (Tick(), CheckPassed()),
         CheckAsked(), NORMAL, []),
    Case("nor are they in recovery", SIGNALS._replace(checks=2), (*FAIL, failed(101)),
         CheckAsked(), RECOVERING, []),
    Case("a fail script under --fail-overlap skip is in the way", SKIPS, FAIL, CheckAsked(),
         FAILING, []),
    Case("and is so in recovery", SKIPS._replace(threshold=1), (*FAIL, failed(101)),
         CheckAsked(), RECOVERING, []),
    Case("a reset forgets failures", PLAIN, FAIL, Reset(), NORMAL, [WAKE]),
    Case(
        "a reset drops what the fail script was still to tell",
        TWO_RUNS,
        (*FAIL, Tick(), failed(101)),
        Reset(),
        NORMAL,
        [effects.DropFail(fail_run(101, 2, FAILING)), WAKE],
    ),
    Case(
        "in recovery too",
        TWO_RUNS._replace(threshold=2),
        (*FAIL, Tick(), failed(101)),
        Reset(),
        NORMAL,
        [effects.DropFail(fail_run(101, 2, RECOVERING)), WAKE, CLOSE],
    ),
    Case("a reset ends a recovery whose window is open", SIGNALS, FAIL, Reset(), NORMAL,
         [WAKE, CLOSE]),
    Case("no reset while the recovery script runs", RECOVER, RECOVERY, Reset(), RECOVERING, []),
    Case("a reset of what is well is nothing", PLAIN, (Tick(),), Reset(), NORMAL, []),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_pause_and_what_is_told_by_hand(case: Case) -> None:
    monitor = led(case.limits, *case.before)

    expected = step(monitor, case.event)

    assert typed(expected) == typed(case.expected)
    assert monitor.state is case.state


def test_a_pause_keeps_the_counts() -> None:
    monitor = led(FULL, *FAIL, Paused(), Tick(), failed(), Resumed())

    assert (monitor.state, monitor.count) == (FAILING, 1)


def test_a_paused_check_that_times_out_is_still_in_the_way() -> None:
    monitor = led(PLAIN, Tick(), Paused(), failed(dying=True), Resumed())

    assert monitor.check is Check.DYING
    assert step(monitor, Tick()) == []


@pytest.mark.parametrize("event", [CheckPassed(), CheckUnknown(), CheckKilled("x"), failed()])
def test_a_check_that_ends_in_a_pause_leaves_room_for_the_next(event: Event) -> None:
    monitor = led(PLAIN, Tick(), Paused(), event, Resumed())

    assert step(monitor, Tick()) == [CHECK]


def test_a_window_that_closes_in_a_pause_is_not_entered_anew() -> None:
    limits = RECOVER._replace(recovery_timeout=60.0)
    monitor = led(limits, *WINDOW, failed(101), Paused())

    assert step(monitor, WindowClosed()) == []
    assert (monitor.attempts, monitor.overdue) == (1, False)


def test_a_check_that_is_owed_does_not_begin_in_a_pause() -> None:
    monitor = led(RECOVER, Tick(), failed(dying=True), RecoveryEnded(), Paused())

    assert (monitor.check, step(monitor, CheckGone())) == (Check.DUE, [])


def test_other_limits_are_those_after_the_pause() -> None:
    monitor = led(PLAIN, Paused(), LimitsChanged(RECOVER))

    assert monitor.limits == RECOVER


def again(limits: Limits, *before: Event, then: tuple[Event, ...] = ()) -> Monitor:
    """A monitor that was led somewhere, killed, and given back what it knew."""
    monitor = Monitor(limits)
    restore(monitor, save(led(limits, *before)))
    for event in then:
        step(monitor, event)
    return monitor


RESTARTS = [
    Case("in NORMAL, a stopped target is owed its CONT", PLAIN, (), Resumed(), NORMAL, [WAKE]),
    Case("in FAILING, the count stands", PLAIN, FAIL, Resumed(), FAILING, []),
    Case("an open window begins again", RECOVER, WINDOW, Resumed(), RECOVERING,
         [OPEN(None), RESTART, CHECK]),
]  # fmt: skip


@pytest.mark.parametrize("case", RESTARTS, ids=lambda case: case.what)
def test_after_a_restart(case: Case) -> None:
    monitor = again(case.limits, *case.before)

    expected = step(monitor, case.event)

    assert typed(expected) == typed(case.expected)
    assert monitor.state is case.state


def test_the_count_stands_after_a_restart() -> None:
    monitor = again(FULL, *FAIL, then=(FailEnded(), Resumed(), Tick()))

    expected = step(monitor, failed(101))

    assert expected[:2] == [SIGNAL, effects.RunFail(fail_run(101, 2, RECOVERING))]
    assert monitor.count == 2
    assert monitor.first_failure == failed(100).failure


def test_a_recovery_that_may_not_have_begun_is_begun() -> None:
    monitor = again(FULL._replace(fail=False), *WAITS, then=(RecoveryLost(),))

    expected = step(monitor, Resumed())

    assert expected == [FAULT, recovery(failures=2, last=101)]
    assert monitor.attempts == 1


def test_a_fail_script_that_may_not_have_begun_is_run_before_recovery() -> None:
    monitor = again(FULL, *WAITS)
    assert monitor.stage is Stage.WAITING

    expected = [step(monitor, event) for event in (FailLost(), Resumed(), FailEnded())]

    first = fail_run(100, 1, FAILING)
    assert expected == [
        [],
        [effects.RunFail(first), effects.BoundFail()],
        [FAULT, recovery(failures=2, last=101)],
    ]


def test_of_two_lost_runs_of_the_fail_script_the_latest_is_run() -> None:
    monitor = again(TWO_RUNS, *FAIL, Tick(), failed(101))

    expected = [step(monitor, event) for event in (FailLost(), Resumed())]

    assert expected == [[], [effects.RunFail(fail_run(101, 2, FAILING))]]


def test_a_queued_run_of_the_fail_script_waits_for_the_one_that_still_runs() -> None:
    monitor = again(TWO_RUNS, *FAIL, Tick(), failed(101))

    assert step(monitor, Resumed()) == []
    assert step(monitor, FailEnded()) == [effects.RunFail(fail_run(101, 2, FAILING))]


def test_a_queued_run_of_the_fail_script_is_not_lost_where_all_is_well_again() -> None:
    before = *FAIL, Tick(), failed(101), Tick(), CheckPassed()
    monitor = again(TWO_RUNS, *before, then=(FailEnded(),))

    assert step(monitor, Resumed()) == [effects.RunFail(fail_run(101, 2, FAILING)), WAKE]


def test_an_error_at_the_end_of_a_pause_is_no_pause_any_more() -> None:
    monitor = led(PLAIN, Paused(), TargetGone("it ended"), Resumed())

    assert (monitor.state, monitor.paused) == (ERROR, False)


def test_the_start_period_is_over_once_a_check_has_passed_before_a_restart() -> None:
    limits = Limits(start_period=60.0)
    monitor = again(limits, Tick(), CheckPassed(), then=(Resumed(), Tick()))

    step(monitor, failed(at=1.0))

    assert monitor.state is FAILING


@pytest.mark.parametrize(
    ("limits", "events", "can"),
    [
        (PLAIN, (), True),
        (PLAIN, FAIL, True),
        (RECOVER._replace(fail=True), RECOVERY, True),
        (RECOVER, RECOVERY, False),
        (RECOVER, (*RECOVERY, RecoveryDelayed()), True),
        (RECOVER, WINDOW, True),
        (RECOVER, (*RECOVERY, RecoveryKilled("x")), True),
    ],
)
def test_an_outage_can_be_forgotten_unless_the_recovery_script_runs(
    limits: Limits, events: tuple[Event, ...], *, can: bool
) -> None:
    assert resettable(led(limits, *events)) is can


def test_a_new_monitor_is_remembered_as_new() -> None:
    assert save(led(PLAIN, Tick(), CheckPassed())) == Snapshot()
    assert Snapshot().well
    assert not Snapshot().given_up


@pytest.mark.parametrize("stage", Stage)
def test_a_snapshot_tells_its_state(stage: Stage) -> None:
    snapshot = Snapshot(stage)

    assert (snapshot.well, snapshot.given_up) == (snapshot.state is NORMAL, snapshot.state is ERROR)
    assert (snapshot.repairing, snapshot.spent) == (stage is Stage.REPAIRING, stage is Stage.SPENT)


def test_a_check_that_is_asked_for_before_the_first_tick_is_in_no_start_period() -> None:
    early = failed(at=-5.0)

    assert led(PLAIN, CheckAsked(), early).state is FAILING
