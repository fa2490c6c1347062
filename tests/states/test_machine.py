"""Every row of the table in isolation: a monitor is led somewhere, an event goes in, and the
state and the list of effects come out. No process, no clock, no sleep."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steps import (
    CHECK,
    CLOSE,
    ERROR,
    FAIL,
    FAILING,
    FAULT,
    FULL,
    HUP,
    NORMAL,
    PLAIN,
    RECOVER,
    RECOVERING,
    RECOVERY,
    RESTART,
    SIGNAL,
    SIGNALS,
    SUCCESS,
    TWICE,
    WINDOW,
    Case,
    fail_run,
    failed,
    led,
    recovery,
    typed,
)
from strategies import LIMITS

from states.engine import Step
from states.monitor import effects
from states.monitor import events as happened
from states.monitor.events import (
    BackoffEnded,
    CheckAsked,
    CheckDue,
    CheckFailed,
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
    RecoveryDue,
    RecoveryEnded,
    RecoveryImpossible,
    RecoveryKilled,
    RecoveryLost,
    Reset,
    Resumed,
    TargetGone,
    TargetMissing,
    Tick,
    WatchBroke,
    WindowClosed,
)
from states.monitor.limits import Limits
from states.monitor.machine import step
from states.monitor.model import Check, Fail, Monitor, Pause, Stage
from states.monitor.questions import nothing_left, well
from states.monitor.table import TABLE

CASES = [
    # Ticks
    Case("a tick starts a check", PLAIN, (), Tick(), NORMAL, [CHECK]),
    Case("a tick while the check runs is skipped", PLAIN, (Tick(),), Tick(), NORMAL, []),
    Case("a tick in FAILING starts a check", PLAIN, FAIL, Tick(), FAILING, [CHECK]),
    Case(
        "a tick while a timed-out check dies is skipped",
        PLAIN,
        (Tick(), failed(dying=True)),
        Tick(),
        FAILING,
        [],
    ),
    Case(
        "a tick after the timed-out check is gone starts one",
        PLAIN,
        (Tick(), failed(dying=True), CheckGone()),
        Tick(),
        FAILING,
        [CHECK],
    ),
    Case(
        "with --count used up, a tick does nothing",
        Limits(checks=1),
        (Tick(), CheckPassed()),
        Tick(),
        NORMAL,
        [],
    ),
    Case(
        "under skip, a tick while the fail script runs starts no check",
        Limits(fail=True, fail_overlap_skip=True),
        FAIL,
        Tick(),
        FAILING,
        [],
    ),
    Case(
        "under skip, a tick after the fail script has ended starts one",
        Limits(fail=True, fail_overlap_skip=True),
        (*FAIL, FailEnded()),
        Tick(),
        FAILING,
        [CHECK],
    ),
    Case(
        "under queue, a tick while the fail script runs starts a check",
        Limits(fail=True),
        FAIL,
        Tick(),
        FAILING,
        [CHECK],
    ),
    Case("no check while the recovery script runs", RECOVER, RECOVERY, Tick(), RECOVERING, []),
    Case(
        "a tick in the window starts a check",
        RECOVER,
        (*WINDOW, failed(101)),
        Tick(),
        RECOVERING,
        [CHECK],
    ),
    Case(
        "under skip, a fail script that runs into the window keeps ticks from checking",
        SIGNALS._replace(fail=True, fail_overlap_skip=True, recovery_timeout=9.0),
        (*RECOVERY, failed(101)),
        Tick(),
        RECOVERING,
        [],
    ),
    Case(
        "a tick tries an owed recovery again, without a second fault signal",
        FULL._replace(threshold=1, fail=False),
        (*RECOVERY, RecoveryDelayed()),
        Tick(),
        RECOVERING,
        [recovery()],
    ),
    # NORMAL and FAILING
    Case("a pass changes nothing", PLAIN, (Tick(),), CheckPassed(), NORMAL, []),
    Case(
        "a failure below the threshold: signal, then fail script",
        FULL,
        (Tick(),),
        failed(),
        FAILING,
        [SIGNAL, effects.RunFail(fail_run(100, 1, FAILING))],
    ),
    Case("without a threshold, failures stay FAILING", PLAIN, FAIL * 9, failed(), FAILING, []),
    Case(
        "FAILING, one more below the threshold",
        FULL._replace(threshold=9, fail=False),
        FAIL,
        failed(101),
        FAILING,
        [SIGNAL],
    ),
    Case(
        "the first failure reaches a threshold of 1",
        FULL._replace(threshold=1, fail=False),
        (Tick(),),
        failed(),
        RECOVERING,
        [SIGNAL, effects.EnterRecovery(1, 1), FAULT, recovery()],
    ),
    Case(
        "FAILING reaches the threshold",
        FULL._replace(fail=False),
        (*FAIL, Tick()),
        failed(101),
        RECOVERING,
        [SIGNAL, effects.EnterRecovery(1, 2), FAULT, recovery(failures=2, last=101)],
    ),
    Case(
        "the failure that reaches the threshold runs the fail script first, and waits for it",
        FULL._replace(threshold=1),
        (Tick(),),
        failed(),
        RECOVERING,
        [
            SIGNAL,
            effects.RunFail(fail_run(100, 1, RECOVERING)),
            effects.EnterRecovery(1, 1),
            effects.BoundFail(),
        ],
    ),
    Case(
        "a pass in FAILING",
        PLAIN,
        (*FAIL, Tick()),
        CheckPassed(),
        NORMAL,
        [effects.Recovered(1, 5.0, 0)],
    ),
    Case(
        "a failure in the start period does not count",
        FULL._replace(start_period=10.0, threshold=1),
        (Tick(),),
        failed(at=9.9),
        NORMAL,
        [effects.NotCounted()],
    ),
    Case(
        "the start period is over to the moment",
        Limits(start_period=10.0),
        (Tick(),),
        failed(at=10.0),
        FAILING,
        [],
    ),
    Case(
        "the first pass ends the start period",
        Limits(start_period=10.0),
        (Tick(), CheckPassed(), Tick()),
        failed(at=5.0),
        FAILING,
        [],
    ),
    # The fail script
    Case(
        "a failure while the fail script runs is folded into one more run",
        Limits(fail=True),
        (*FAIL, Tick()),
        failed(101),
        FAILING,
        [effects.QueueFail(fail_run(101, 2, FAILING))],
    ),
    Case(
        "the queued run has the values of the latest failure",
        Limits(fail=True),
        (*FAIL, Tick(), failed(101), Tick(), failed(102)),
        FailEnded(),
        FAILING,
        [effects.RunFail(fail_run(102, 3, FAILING))],
    ),
    Case(
        "the queued run is run even if a check has passed in between",
        Limits(fail=True),
        (*FAIL, Tick(), failed(101), Tick(), CheckPassed()),
        FailEnded(),
        NORMAL,
        [effects.RunFail(fail_run(101, 2, FAILING))],
    ),
    Case(
        "the queued run ends, and nothing follows",
        Limits(fail=True),
        (*FAIL, Tick(), failed(101), FailEnded()),
        FailEnded(),
        FAILING,
        [],
    ),
    Case(
        "recovery drops the queued run and waits",
        FULL,
        (*FAIL, Tick()),
        failed(101),
        RECOVERING,
        [
            SIGNAL,
            effects.QueueFail(fail_run(101, 2, RECOVERING)),
            effects.EnterRecovery(1, 2),
            effects.DropFail(fail_run(101, 2, RECOVERING)),
            effects.BoundFail(),
        ],
    ),
    Case(
        "the fail script has ended: the fault signal and the recovery script",
        FULL._replace(threshold=1),
        RECOVERY,
        FailEnded(),
        RECOVERING,
        [FAULT, recovery()],
    ),
    # Recovery
    Case(
        "signals only: the window opens at once",
        SIGNALS,
        (Tick(),),
        failed(),
        RECOVERING,
        [effects.EnterRecovery(1, 1), FAULT, effects.OpenWindow(None), RESTART, CHECK],
    ),
    Case(
        "signals only do not wait for the fail script",
        SIGNALS._replace(fail=True),
        (Tick(),),
        failed(),
        RECOVERING,
        [
            effects.RunFail(fail_run(100, 1, RECOVERING)),
            effects.EnterRecovery(1, 1),
            FAULT,
            effects.OpenWindow(None),
            RESTART,
            CHECK,
        ],
    ),
    Case(
        "recovery ended: the window, and a check at once",
        RECOVER._replace(recovery_timeout=60.0),
        RECOVERY,
        RecoveryEnded(),
        RECOVERING,
        [effects.OpenWindow(60.0), RESTART, CHECK],
    ),
    Case(
        "the check at once waits until the timed-out one is gone",
        RECOVER,
        (Tick(), failed(dying=True)),
        RecoveryEnded(),
        RECOVERING,
        [effects.OpenWindow(None)],
    ),
    Case(
        "and starts then",
        RECOVER,
        (Tick(), failed(dying=True), RecoveryEnded()),
        CheckGone(),
        RECOVERING,
        [RESTART, CHECK],
    ),
    Case(
        "but not where a reload brought another --count, which is used up",
        RECOVER,
        (
            *(Tick(), failed(dying=True), RecoveryEnded()),
            LimitsChanged(RECOVER._replace(checks=1)),
        ),
        CheckGone(),
        RECOVERING,
        [],
    ),
    Case(
        "a timed-out check that is gone before the recovery has ended",
        RECOVER,
        (Tick(), failed(dying=True)),
        CheckGone(),
        RECOVERING,
        [],
    ),
    Case(
        "with --count used up there is no check at once",
        RECOVER._replace(checks=1),
        RECOVERY,
        RecoveryEnded(),
        RECOVERING,
        [effects.OpenWindow(None)],
    ),
    Case(
        "a failure in the window counts, and nothing else",
        FULL._replace(threshold=1, fail=False),
        WINDOW,
        failed(101),
        RECOVERING,
        [],
    ),
    Case(
        "with a threshold of 1 the check at once does not close the window",
        RECOVER,
        WINDOW,
        failed(101),
        RECOVERING,
        [],
    ),
    Case(
        "but the next failure does",
        RECOVER,
        (*WINDOW, failed(101), Tick()),
        failed(102),
        RECOVERING,
        [CLOSE, effects.EnterRecovery(2, 3), recovery(2, 3, 100, 102)],
    ),
    Case(
        "the threshold-th failure closes the window, the check at once counted",
        RECOVER._replace(threshold=3),
        (*FAIL * 3, RecoveryEnded(), failed(101), Tick(), failed(102), Tick()),
        failed(103),
        RECOVERING,
        [CLOSE, effects.EnterRecovery(2, 6), recovery(2, 6, 100, 103)],
    ),
    Case(
        "and not the one before it",
        RECOVER._replace(threshold=3),
        (*FAIL * 3, RecoveryEnded(), failed(101), Tick()),
        failed(102),
        RECOVERING,
        [],
    ),
    Case(
        "a window with a time limit is not closed by failures",
        TWICE,
        (*WINDOW, failed(101), Tick(), failed(102), Tick()),
        failed(103),
        RECOVERING,
        [],
    ),
    Case(
        "the time is up: another recovery",
        TWICE,
        (*WINDOW, failed(101)),
        WindowClosed(),
        RECOVERING,
        [CLOSE, effects.EnterRecovery(2, 2), recovery(2, 2, 100, 101)],
    ),
    Case(
        "the time is up, none left: ERROR",
        TWICE._replace(max_recoveries=1),
        (*WINDOW, failed(101)),
        WindowClosed(),
        ERROR,
        [CLOSE, effects.GiveUp("1 recovery did not help")],
    ),
    Case(
        "the second of two did not help either",
        TWICE,
        (*WINDOW, failed(101), WindowClosed(), RecoveryEnded(), failed(102)),
        WindowClosed(),
        ERROR,
        [CLOSE, effects.GiveUp("2 recoveries did not help")],
    ),
    Case(
        "the last window closed by failures: ERROR",
        RECOVER._replace(max_recoveries=1),
        (*WINDOW, failed(101), Tick()),
        failed(102),
        ERROR,
        [CLOSE, effects.GiveUp("1 recovery did not help")],
    ),
    Case(
        "--max-recoveries counts entries where there is no script",
        SIGNALS._replace(max_recoveries=1),
        (*RECOVERY, failed(101), Tick()),
        failed(102),
        ERROR,
        [CLOSE, effects.GiveUp("1 recovery did not help")],
    ),
    Case("a check in flight still decides", TWICE, WINDOW, WindowClosed(), RECOVERING, []),
    Case(
        "and closes the window by failing",
        TWICE,
        (*WINDOW, WindowClosed()),
        failed(101),
        RECOVERING,
        [CLOSE, effects.EnterRecovery(2, 2), recovery(2, 2, 100, 101)],
    ),
    Case(
        "or ends the outage by passing",
        TWICE,
        (*WINDOW, WindowClosed()),
        CheckPassed(),
        NORMAL,
        [effects.Recovered(1, 5.0, 1), CLOSE],
    ),
    Case(
        "an owed check still decides too",
        TWICE,
        (Tick(), failed(dying=True), RecoveryEnded()),
        WindowClosed(),
        RECOVERING,
        [],
    ),
    Case(
        "a window whose last check passed does not close in time",
        TWICE._replace(success_threshold=2),
        (*WINDOW, CheckPassed()),
        WindowClosed(),
        RECOVERING,
        [],
    ),
    Case(
        "but with the next failed check",
        TWICE._replace(success_threshold=2),
        (*WINDOW, CheckPassed(), WindowClosed(), Tick()),
        failed(101),
        RECOVERING,
        [CLOSE, effects.EnterRecovery(2, 2), recovery(2, 2, 100, 101)],
    ),
    Case(
        "a late report about a window that is gone",
        TWICE,
        (*WINDOW, failed(101), WindowClosed()),
        WindowClosed(),
        RECOVERING,
        [],
    ),
    Case(
        "a pass that is not yet enough",
        SIGNALS._replace(success_threshold=2),
        RECOVERY,
        CheckPassed(),
        RECOVERING,
        [],
    ),
    Case(
        "passes enough: the success signal",
        SIGNALS._replace(success_threshold=2),
        (*RECOVERY, CheckPassed(), Tick()),
        CheckPassed(),
        NORMAL,
        [SUCCESS, effects.Recovered(1, 5.0, 1), CLOSE],
    ),
    Case(
        "a failure between two passes starts the row of passes again",
        SIGNALS._replace(success_threshold=2, recovery_timeout=60.0),
        (*RECOVERY, CheckPassed(), Tick(), failed(101), Tick()),
        CheckPassed(),
        RECOVERING,
        [],
    ),
    Case("recovery is delayed", RECOVER, RECOVERY, RecoveryDelayed(), RECOVERING, []),
    # Unknown
    Case("unknown in NORMAL", FULL, (Tick(),), CheckUnknown(), NORMAL, []),
    Case("unknown in FAILING", FULL, (*FAIL, Tick()), CheckUnknown(), FAILING, []),
    Case("unknown in RECOVERING", RECOVER, WINDOW, CheckUnknown(), RECOVERING, []),
    Case(
        "unknown after the time is up: another recovery",
        TWICE,
        (*WINDOW, WindowClosed()),
        CheckUnknown(),
        RECOVERING,
        [CLOSE, effects.EnterRecovery(2, 1), recovery(2, 1)],
    ),
    Case(
        "unknown after the time is up, none left",
        TWICE._replace(max_recoveries=1),
        (*WINDOW, WindowClosed()),
        CheckUnknown(),
        ERROR,
        [CLOSE, effects.GiveUp("1 recovery did not help")],
    ),
    Case(
        "unknown after the time is up and a pass",
        TWICE._replace(success_threshold=2),
        (*WINDOW, CheckPassed(), WindowClosed(), Tick()),
        CheckUnknown(),
        RECOVERING,
        [],
    ),
    # ERROR
    *(
        Case(
            f"{event!r} in {name}",
            limits,
            before,
            event,
            ERROR,
            [*([CLOSE] if name == "RECOVERING" else []), effects.GiveUp("why")],
        )
        for event in (
            CheckKilled("why"),
            CheckImpossible("why"),
            TargetGone("why"),
        )
        for name, limits, before in (
            ("NORMAL", PLAIN, (Tick(),)),
            ("FAILING", PLAIN, (*FAIL, Tick())),
            ("RECOVERING", RECOVER, WINDOW),
        )
    ),
    *(
        Case(f"{event!r}", RECOVER, RECOVERY, event, ERROR, [effects.GiveUp("why")])
        for event in (RecoveryKilled("why"), RecoveryImpossible("why"))
    ),
    Case(
        "a missing target is an error when nothing starts recovery",
        PLAIN._replace(signal=HUP),
        FAIL,
        TargetMissing("why"),
        ERROR,
        [effects.GiveUp("why")],
    ),
    Case(
        "a missing target is none when recovery will start",
        FULL._replace(fail=False),
        FAIL,
        TargetMissing("why"),
        FAILING,
        [],
    ),
    Case(
        "a target that ends while the recovery script runs",
        RECOVER,
        RECOVERY,
        TargetGone("why"),
        RECOVERING,
        [],
    ),
    Case(
        "is an error when that has ended",
        RECOVER,
        (*RECOVERY, TargetGone("why")),
        RecoveryEnded(),
        ERROR,
        [effects.GiveUp("why")],
    ),
    Case(
        "or could not be started after all",
        RECOVER,
        (*RECOVERY, TargetGone("why")),
        RecoveryDelayed(),
        ERROR,
        [effects.GiveUp("why")],
    ),
    Case(
        "a target that ends while recovery waits is an error at once",
        FULL._replace(threshold=1),
        RECOVERY,
        TargetGone("why"),
        ERROR,
        [effects.GiveUp("why")],
    ),
    Case(
        "ERROR drops the queued fail run",
        Limits(fail=True),
        (*FAIL, Tick(), failed(101)),
        TargetGone("why"),
        ERROR,
        [effects.DropFail(fail_run(101, 2, FAILING)), effects.GiveUp("why")],
    ),
    Case(
        "a bug of HEAT is an error",
        PLAIN,
        FAIL,
        WatchBroke("why"),
        ERROR,
        [effects.GiveUp("why")],
    ),
    Case(
        "other limits change no state",
        PLAIN,
        FAIL,
        LimitsChanged(FULL),
        FAILING,
        [],
    ),
    Case(
        "other limits hold from the next event on",
        PLAIN,
        (*FAIL, LimitsChanged(RECOVER), Tick()),
        failed(101),
        RECOVERING,
        [
            effects.EnterRecovery(1, 2),
            effects.RunRecovery(failed(100).failure, failed(101).failure, 2, 1),
        ],
    ),
    Case(
        "an open window gets its new length",
        RECOVER,
        WINDOW,
        LimitsChanged(RECOVER._replace(recovery_timeout=9.0)),
        RECOVERING,
        [CLOSE, effects.OpenWindow(9.0)],
    ),
    Case(
        "a window that was overdue and gets another length is not overdue any more",
        RECOVER,
        (*WINDOW, WindowClosed(), LimitsChanged(RECOVER._replace(recovery_timeout=90.0))),
        failed(500),
        RECOVERING,
        [],
    ),
    Case(
        "an open window whose length stays goes on",
        TWICE,
        WINDOW,
        LimitsChanged(TWICE._replace(max_recoveries=5)),
        RECOVERING,
        [],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_row(case: Case) -> None:
    monitor = led(case.limits, *case.before)

    expected = step(monitor, case.event)

    assert monitor.state is case.state
    assert typed(expected) == typed(case.expected)


EVERY_EVENT: tuple[Event, ...] = (
    Tick(),
    CheckDue(),
    CheckPassed(),
    failed(),
    CheckUnknown(),
    CheckKilled("again"),
    CheckImpossible("again"),
    CheckGone(),
    FailEnded(),
    RecoveryDue(),
    RecoveryEnded(),
    RecoveryDelayed(),
    RecoveryKilled("again"),
    RecoveryImpossible("again"),
    WindowClosed(),
    BackoffEnded(),
    TargetGone("again"),
    TargetMissing("again"),
    WatchBroke("again"),
    LimitsChanged(FULL),
    Paused(),
    Resumed(),
    CheckAsked(),
    Reset(),
    FailLost(),
    RecoveryLost(),
)


def test_the_list_of_events_is_whole() -> None:
    assert {type(event) for event in EVERY_EVENT} == set(happened.Event.__args__)


@pytest.mark.parametrize("event", EVERY_EVENT, ids=repr)
def test_nothing_follows_error(event: Event) -> None:
    monitor = led(PLAIN, CheckImpossible("first"))

    expected = step(monitor, event)

    assert (monitor.state, expected) == (ERROR, [])


@pytest.mark.parametrize(
    "event",
    [RecoveryEnded(), RecoveryDelayed(), RecoveryKilled("x"), RecoveryImpossible("x")],
    ids=repr,
)
@pytest.mark.parametrize("before", [(), FAIL])
def test_late_news_of_a_recovery_changes_nothing(event: Event, before: tuple[Event, ...]) -> None:
    monitor = led(PLAIN, *before)
    state = monitor.state

    for late in (event, WindowClosed(), RecoveryDue(), RecoveryLost(), CheckDue(), CheckGone()):
        expected = step(monitor, late)

        assert (monitor.state, expected) == (state, [])


def test_the_table_is_total() -> None:
    assert {*happened.Event.__args__, *happened.ANNOUNCED} == set(TABLE.events)
    assert (TABLE.holes(), TABLE.shadowed(), TABLE.unreachable()) == ([], [], [])


def test_guards_return_real_bools() -> None:
    monitor = led(FULL, Tick())
    events = {type(event): event for event in (*EVERY_EVENT, failed())}

    assert all(
        isinstance(guard(Step(monitor, events[row.event], monitor)), bool)
        for row in TABLE.rows
        for guard in row.guards
    )


def test_no_row_leads_out_of_error() -> None:
    rows = TABLE.regions["stage"].rows

    assert [row for row in rows if Stage.ERROR in row.sources and (row.to or row.actions)] == []


def test_the_count_runs_on_through_all_recoveries_of_an_outage() -> None:
    monitor = led(RECOVER, *WINDOW, failed(101), Tick(), failed(102), RecoveryEnded(), failed(103))

    assert (monitor.count, monitor.attempts) == (4, 2)

    step(monitor, Tick())
    step(monitor, CheckPassed())

    assert (monitor.state, monitor.count, monitor.attempts) == (NORMAL, 0, 0)


def test_the_next_outage_begins_with_a_first_failure_of_its_own() -> None:
    monitor = led(RECOVER, *WINDOW, CheckPassed(), Tick())

    expected = step(monitor, failed(200))

    assert recovery(1, 1, 200, 200) in expected


def test_skipped_and_missed_ticks_are_counted() -> None:
    monitor = led(PLAIN, Tick(), Tick(), Tick(3), CheckPassed(), Tick(2))

    assert (monitor.checks, monitor.skipped) == (2, 1 + 4 + 2)


def test_ticks_missed_in_a_window_are_counted_too() -> None:
    monitor = led(RECOVER, *WINDOW, failed(101), Tick(missed=3))

    assert (monitor.checks, monitor.skipped) == (3, 3)


@pytest.mark.parametrize(
    ("limits", "before", "event"),
    [
        (RECOVER._replace(recovery_timeout=9.0), (*WINDOW, WindowClosed()), CheckUnknown()),
        (TWICE._replace(max_recoveries=1), (*WINDOW, WindowClosed()), CheckUnknown()),
        (PLAIN, (Tick(),), CheckKilled("why")),
        (PLAIN, (Tick(),), CheckImpossible("why")),
    ],
)
def test_a_check_that_has_ended_is_not_taken_for_one_that_runs(
    limits: Limits, before: tuple[Event, ...], event: Event
) -> None:
    monitor = led(limits, *before, event)

    assert monitor.check is Check.IDLE


def test_ticks_after_the_last_check_are_not_skipped_ones() -> None:
    monitor = led(Limits(checks=1), Tick(), CheckPassed(), Tick(), Tick())

    assert monitor.skipped == 0


@pytest.mark.parametrize(
    ("limits", "events", "left"),
    [
        (PLAIN, (Tick(), CheckPassed()), True),
        (Limits(checks=1), (), True),
        (Limits(checks=1), (Tick(),), True),
        (Limits(checks=1), (Tick(), CheckPassed()), False),
        (Limits(checks=1), (Tick(), CheckUnknown()), False),
        (Limits(checks=1), (Tick(), failed(dying=True)), True),
        (Limits(checks=1), (Tick(), failed(dying=True), CheckGone()), False),
        (Limits(checks=1, fail=True), FAIL, True),
        (Limits(checks=1, fail=True), (*FAIL, FailEnded()), False),
        (RECOVER._replace(checks=1), RECOVERY, True),
        (RECOVER._replace(checks=1), (*RECOVERY, RecoveryDelayed()), True),
        (RECOVER._replace(checks=1), (*RECOVERY, RecoveryEnded()), False),
        (RECOVER._replace(checks=1, fail=True), RECOVERY, True),
        (Limits(checks=1), (Tick(), CheckKilled("x")), True),
    ],
)
def test_when_nothing_is_left_to_do(
    limits: Limits, events: tuple[Event, ...], *, left: bool
) -> None:
    assert nothing_left(led(limits, *events)) is not left


def test_well_is_normal_with_a_last_check_that_did_not_fail() -> None:
    assert well(led(PLAIN, Tick(), CheckPassed()))
    assert not well(led(PLAIN, *FAIL))
    assert not well(led(Limits(start_period=9.0), *FAIL))
    assert well(led(PLAIN, Tick(), CheckUnknown()))


def test_an_action_of_a_row_sees_where_it_leads() -> None:
    rows = [row for row in TABLE.rows if row.to is RECOVERING]

    assert any("want_fail" in [action.__name__ for action in row.actions] for row in rows)


class Body:
    """The world as the effects leave it: what runs, so that only possible events come."""

    def __init__(self, limits: Limits) -> None:
        self.monitor = Monitor(limits)
        self.check = Check.IDLE
        self.fail = self.recovery = self.window = self.backoff = False
        self.owed_fault = self.other_limits = False

    def possible(self) -> list[Event]:
        events: list[Event] = [Tick(), TargetMissing("missing"), TargetGone("gone")]
        if self.check is Check.SCHEDULED:
            events += [CheckPassed(), failed(), failed(dying=True), CheckUnknown()]
            events += [CheckKilled("killed")]
        if self.check is Check.DYING:
            events += [CheckGone()]
        if self.fail:
            events += [FailEnded()]
        if self.recovery:
            events += [RecoveryEnded(), RecoveryDelayed(), RecoveryKilled("killed")]
        if self.window:
            events += [WindowClosed()]
        if self.backoff:
            events += [BackoffEnded()]
        return events

    def feed(self, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 - one after another
        monitor = self.monitor
        before, count = monitor.state, monitor.count
        match event:
            case CheckPassed() | CheckUnknown() | CheckKilled() | CheckGone():
                self.check = Check.IDLE
            case CheckFailed(_, _, dying):
                self.check = Check.DYING if dying else Check.IDLE
            case FailEnded():
                self.fail = False
            case RecoveryEnded() | RecoveryDelayed() | RecoveryKilled():
                self.recovery = False
            case WindowClosed():
                self.window = False
            case BackoffEnded():
                self.backoff = False
            case LimitsChanged():
                self.other_limits = True
            case _:
                pass
        expected = step(monitor, event)
        for effect in expected:
            match effect:
                case effects.RunCheck():
                    assert self.check is Check.IDLE, "a check overlaps itself"
                    assert not self.recovery, "a check while the recovery script runs"
                    self.check = Check.SCHEDULED
                case effects.RunFail():
                    assert not self.fail, "two fail scripts"
                    assert not self.recovery, "a fail script while there is a recovery script"
                    self.fail = True
                case effects.RunRecovery():
                    assert not self.backoff, "a recovery before its backoff is over"
                    assert not self.recovery, "two recovery scripts"
                    assert not self.fail, "a recovery script while there is a fail script"
                    self.recovery = True
                    self.owed_fault = False
                case effects.OpenWindow(span):
                    self.window = span is not None
                    self.owed_fault = False
                case effects.CloseWindow():
                    self.window = False
                case effects.StartBackoff():
                    self.backoff = True
                case effects.EndBackoff():
                    self.backoff = False
                case effects.SendSignal(_, "--fault-signal"):
                    assert not self.owed_fault, "a fault signal without a recovery"
                    self.owed_fault = True
                case effects.GiveUp():
                    assert monitor.state is ERROR
                case _:
                    pass
        assert not self.owed_fault, "a fault signal that no recovery follows"
        alike = {Check.AT_ONCE: Check.SCHEDULED, Check.DUE: Check.DYING}
        assert alike.get(monitor.check, monitor.check) is self.check or monitor.state is ERROR
        if before is ERROR:
            assert (monitor.state, expected) == (ERROR, [])
        elif isinstance(event, CheckFailed) and not any(
            isinstance(effect, effects.NotCounted) for effect in expected
        ):
            assert monitor.count == count + 1
        elif monitor.state is NORMAL:
            assert monitor.count == 0
        if self.other_limits:
            return  # What was counted under the old ones may be beyond the new ones.
        limits = monitor.limits
        assert limits.checks is None or monitor.checks <= limits.checks
        assert limits.max_recoveries is None or monitor.attempts <= limits.max_recoveries
        if limits.threshold is not None and monitor.state is FAILING and limits.recovers:
            assert 0 < monitor.count < limits.threshold


@settings(deadline=None)
@given(limits=LIMITS, others=LIMITS, data=st.data())
def test_whatever_happens_the_invariants_hold(
    limits: Limits, others: Limits, data: st.DataObject
) -> None:
    body = Body(limits)
    for _ in range(data.draw(st.integers(1, 60))):
        possible = body.possible()
        # Ends and ticks come more often than a target's end, or runs would be short.
        usual = [e for e in possible if not isinstance(e, (TargetGone, CheckKilled))]
        pick = data.draw(st.integers(0, 20))
        pool = possible if pick == 0 else [LimitsChanged(others)] if pick == 1 else usual
        body.feed(pool[data.draw(st.integers(0, len(pool) - 1))])


def test_a_new_monitor_has_seen_nothing() -> None:
    monitor = Monitor(Limits())

    values = {name: getattr(monitor, name) for name in Monitor.__slots__ if name != "limits"}
    assert values == {
        **dict.fromkeys(values, 0),
        "stage": Stage.NORMAL,
        "check": Check.IDLE,
        "fail": Fail.IDLE,
        "pause": Pause.ACTIVE,
        **dict.fromkeys(("first_failure", "last_failure", "fail_run", "fail_queued", "error_due")),
        "backoff": None,
    }


def test_what_is_not_limited_is_not_limited() -> None:
    plain = (None, 1, None, None, 0.0, None, False, False, False, None, None, None)
    assert Limits() == (*plain, False, 0.0, None, None, 0.0, 600.0)
    assert CheckFailed(failed().failure) == (failed().failure, 0.0, False)
    assert Tick() == (0,)


def test_nothing_is_left_where_another_count_is_exceeded_already() -> None:
    fewer = LimitsChanged(Limits(checks=1))

    assert nothing_left(led(Limits(), Tick(), CheckPassed(), Tick(), CheckPassed(), fewer))


def test_limits_that_are_exceeded_when_they_are_read_hold_at_once() -> None:
    patient = Limits(threshold=9, recovery=True)
    failing = led(patient, *FAIL, Tick(), failed(), LimitsChanged(RECOVER), Tick(), failed())
    thrice = RECOVER._replace(success_threshold=4)
    passes = (CheckPassed(), Tick(), CheckPassed(), LimitsChanged(RECOVER), Tick(), CheckPassed())
    well_again = led(thrice, *WINDOW, *passes)
    again = (failed(), Tick(), failed(), RecoveryEnded())
    once = LimitsChanged(RECOVER._replace(max_recoveries=1))
    given_up = led(RECOVER, *WINDOW, *again, once, failed(), Tick(), failed())
    counted = led(PLAIN, *(Tick(), CheckPassed()) * 2, LimitsChanged(Limits(checks=1)), Tick())

    assert (failing.state, well_again.state, given_up.state) == (RECOVERING, NORMAL, ERROR)
    assert counted.checks == 2


def test_who_recovers_or_is_in_error_is_not_well_though_the_last_check_passed() -> None:
    twice = RECOVER._replace(success_threshold=2)

    assert not well(led(twice, *WINDOW, CheckPassed()))
    assert not well(led(PLAIN, Tick(), CheckPassed(), TargetGone("why")))


def test_remedy_is_none_when_well() -> None:
    monitor = led(RECOVER, *WINDOW, CheckPassed())

    assert monitor.stage is Stage.NORMAL
