"""Backoff, spent, other intervals, a threshold without recovery: rows of the table in isolation."""

from collections.abc import Iterator

import pytest
import test_machine
import test_pause
from steps import (
    CHECK,
    CLOSE,
    CLOSES,
    ERROR,
    FAILING,
    FAULT,
    IS_SPENT,
    NORMAL,
    ONCE,
    PLAIN,
    RECOVER,
    RECOVERING,
    REST,
    RESTART,
    RESTING,
    SIGNAL,
    SUCCESS,
    WATCHES,
    WINDOW,
    Case,
    fail_run,
    failed,
    led,
    recovery,
    typed,
)

from states.engine.machine import Rule
from states.engine.table import Row
from states.monitor import effects
from states.monitor.events import (
    BackoffEnded,
    CheckAsked,
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
from states.monitor.model import Check, Monitor, Stage
from states.monitor.questions import spent
from states.monitor.snapshot import restore, save
from states.monitor.table import TABLE

WAIT, OVER = effects.StartBackoff, effects.EndBackoff()
OPEN, WAKE = effects.OpenWindow, effects.WakeTarget()
GO_ON = effects.Pace(None)

TIMED = REST._replace(recovery_timeout=60.0)
TIMED_RESTING = (*WINDOW, failed(101), WindowClosed())
SECOND = [effects.EnterRecovery(2, 3), recovery(2, 3, 100, 102)]
"""The second recovery, as it begins where it follows RESTING."""


QUICK = Limits(retry_interval=2.0, fail=True)
FAILS = (Tick(), failed(100))
LOOK = RECOVER._replace(recovery_interval=3.0, interval=10.0)

LATER = Limits(threshold=3, fail=True, signal=1)
"""Nothing recovers: told from the third failure on."""

BACKOFF = [
    Case("the failure that closes the window: a pause, in which checks go on", REST, CLOSES,
         failed(102), RECOVERING, [CLOSE, WAIT(20.0)]),
    Case("the time is up: a pause", TIMED, (*WINDOW, failed(101)), WindowClosed(), RECOVERING,
         [CLOSE, WAIT(20.0)]),
    Case("unknown after the time is up: a pause", TIMED, (*WINDOW, WindowClosed()), CheckUnknown(),
         RECOVERING, [CLOSE, WAIT(20.0)]),
    Case("a tick in the pause starts a check", REST, RESTING, Tick(), RECOVERING, [CHECK]),
    Case("a failure in it counts, and nothing else", REST, (*RESTING, Tick()), failed(103),
         RECOVERING, []),
    Case("so do failures as many as close a window", REST,
         (*RESTING, Tick(), failed(103), Tick(), failed(104), Tick()), failed(105),
         RECOVERING, []),
    Case("the pause is over: another recovery", REST, RESTING, BackoffEnded(), RECOVERING,
         [OVER, *SECOND]),
    Case("a check in flight still decides", REST, (*RESTING, Tick()), BackoffEnded(),
         RECOVERING, []),
    Case("and begins the recovery by failing", REST, (*RESTING, Tick(), BackoffEnded()),
         failed(103), RECOVERING,
         [OVER, effects.EnterRecovery(2, 4), recovery(2, 4, 100, 103)]),
    Case("or by saying nothing", REST, (*RESTING, Tick(), BackoffEnded()), CheckUnknown(),
         RECOVERING, [OVER, *SECOND]),
    Case("or ends the outage by passing", REST, (*RESTING, Tick(), BackoffEnded()), CheckPassed(),
         NORMAL, [effects.Recovered(3, 5.0, 1), OVER]),
    Case("unknown before the end of the pause is nothing", REST, (*RESTING, Tick()), CheckUnknown(),
         RECOVERING, []),
    Case("a pass in it that is not enough", REST._replace(success_threshold=2),
         (*RESTING, Tick()), CheckPassed(), RECOVERING, []),
    Case("after a pass it ends with the next failure", REST._replace(success_threshold=2),
         (*RESTING, Tick(), CheckPassed()), BackoffEnded(), RECOVERING, []),
    Case("with this one", REST._replace(success_threshold=2),
         (*RESTING, Tick(), CheckPassed(), BackoffEnded(), Tick()), failed(103), RECOVERING,
         [OVER, effects.EnterRecovery(2, 4), recovery(2, 4, 100, 103)]),
    Case("unknown after a pass waits on", REST._replace(success_threshold=2),
         (*RESTING, Tick(), CheckPassed(), BackoffEnded(), Tick()), CheckUnknown(), RECOVERING,
         []),
    Case("passes enough: the success signal", REST._replace(success_signal=12),
         (*RESTING, Tick()), CheckPassed(), NORMAL,
         [SUCCESS, effects.Recovered(3, 5.0, 1), OVER]),
    Case("the second pause is twice as long", REST,
         (*RESTING, BackoffEnded(), RecoveryEnded(), failed(103), Tick()), failed(104),
         RECOVERING, [CLOSE, WAIT(40.0)]),
    Case("but no longer than the longest", REST._replace(recovery_backoff_max=30.0),
         (*RESTING, BackoffEnded(), RecoveryEnded(), failed(103), Tick()), failed(104),
         RECOVERING, [CLOSE, WAIT(30.0)]),
    Case("where no other recovery is left there is no pause", REST._replace(max_recoveries=1),
         CLOSES, failed(102), ERROR, [CLOSE, effects.GiveUp("1 recovery did not help")]),
    Case("nor with --when-spent watch", REST._replace(max_recoveries=1, spent_watch=True),
         CLOSES, failed(102), RECOVERING, [CLOSE, effects.Spent(1, 3)]),
    Case("signals only: the window opens after the pause", REST._replace(
            recovery=False, fault_signal=10), (Tick(), failed(100), failed(101), Tick(),
            failed(102)), BackoffEnded(), RECOVERING,
         [OVER, effects.EnterRecovery(2, 3), FAULT, OPEN(None), RESTART, CHECK]),
    Case("late news of a pause that is over", REST, (*RESTING, BackoffEnded()), BackoffEnded(),
         RECOVERING, []),
    Case("late news of a window", REST, RESTING, WindowClosed(), RECOVERING, []),
    Case("unknown after the time is up: no pause where no other is left", TIMED._replace(
            max_recoveries=1), (*WINDOW, WindowClosed()), CheckUnknown(), ERROR,
         [CLOSE, effects.GiveUp("1 recovery did not help")]),
    Case("where only failures close the window, unknown does not begin the pause",
         REST._replace(recovery_interval=3.0), (*WINDOW, WindowClosed()), CheckUnknown(),
         RECOVERING, []),
    Case("the pause is over, and what is spent would be watched, later",
         REST._replace(max_recoveries=2, spent_watch=True), RESTING, BackoffEnded(), RECOVERING,
         [OVER, *SECOND]),
    # The limits are others by then
    Case("none is left when it is over: ERROR", REST,
         (*RESTING, LimitsChanged(REST._replace(max_recoveries=1))), BackoffEnded(), ERROR,
         [OVER, effects.GiveUp("1 recovery did not help")]),
    Case("none is left when it is over: the rest is watched", REST,
         (*RESTING, LimitsChanged(WATCHES)), BackoffEnded(), RECOVERING,
         [OVER, effects.Spent(1, 3)]),
    Case("none is left when a failure ends it", REST,
         (*RESTING, LimitsChanged(WATCHES), Tick(), BackoffEnded()), failed(103), RECOVERING,
         [OVER, effects.Spent(1, 4)]),
    Case("none is left when a failure ends it: ERROR", REST,
         (*RESTING, LimitsChanged(ONCE), Tick(), BackoffEnded()), failed(103), ERROR,
         [OVER, effects.GiveUp("1 recovery did not help")]),
    Case("none is left when an unknown check ends it: the rest is watched", REST,
         (*RESTING, LimitsChanged(WATCHES), Tick(), BackoffEnded()), CheckUnknown(), RECOVERING,
         [OVER, effects.Spent(1, 3)]),
    Case("none is left when an unknown check ends it", REST,
         (*RESTING, LimitsChanged(ONCE), Tick(), BackoffEnded()), CheckUnknown(), ERROR,
         [OVER, effects.GiveUp("1 recovery did not help")]),
    Case("another length changes nothing", REST, RESTING,
         LimitsChanged(REST._replace(recovery_backoff=1.0, retry_interval=2.0)), RECOVERING, []),
    # By hand
    Case("a check on request in the pause", REST, RESTING, CheckAsked(), RECOVERING, [CHECK]),
    Case("a reset ends it", REST, RESTING, Reset(), NORMAL, [WAKE, OVER]),
    Case("somebody wants a pause of all", REST, RESTING, Paused(), RECOVERING, []),
    Case("it may end in that", REST, (*RESTING, Paused()), BackoffEnded(), RECOVERING, []),
    Case("on resuming there is a check at once", REST, (*RESTING, Paused(), BackoffEnded()),
         Resumed(), RECOVERING, [RESTART, CHECK]),
    Case("which begins the recovery by failing", REST,
         (*RESTING, Paused(), BackoffEnded(), Resumed()), failed(103), RECOVERING,
         [OVER, effects.EnterRecovery(2, 4), recovery(2, 4, 100, 103)]),
    Case("but not while the pause lasts", REST, (*RESTING, Paused(), Resumed()), failed(103),
         RECOVERING, []),
    Case("a target that ends is an error", REST, RESTING, TargetGone("why"), ERROR,
         [OVER, effects.GiveUp("why")]),
    Case("a killed check is one", REST, (*RESTING, Tick()), CheckKilled("why"), ERROR,
         [OVER, effects.GiveUp("why")]),
    Case("a check that is gone is one", REST, (*RESTING, Tick()), CheckImpossible("why"), ERROR,
         [OVER, effects.GiveUp("why")]),
]  # fmt: skip

SPENT = [
    Case("none is left: checks go on, and HEAT says so", WATCHES, CLOSES, failed(102), RECOVERING,
         [CLOSE, effects.Spent(1, 3)]),
    Case("the time is up", WATCHES._replace(recovery_timeout=60.0), (*WINDOW, failed(101)),
         WindowClosed(), RECOVERING, [CLOSE, effects.Spent(1, 2)]),
    Case("the time is up, and the last check said nothing", WATCHES._replace(recovery_timeout=60.0),
         (*WINDOW, WindowClosed()), CheckUnknown(), RECOVERING, [CLOSE, effects.Spent(1, 1)]),
    Case("the last check said nothing, and one more is left",
         WATCHES._replace(recovery_timeout=60.0, max_recoveries=2), (*WINDOW, WindowClosed()),
         CheckUnknown(), RECOVERING,
         [CLOSE, effects.EnterRecovery(2, 1), recovery(2, 1)]),
    Case("a tick starts a check", WATCHES, IS_SPENT, Tick(), RECOVERING, [CHECK]),
    Case("a failure counts, and nothing else", WATCHES, (*IS_SPENT, Tick()), failed(103),
         RECOVERING, []),
    Case("unknown changes nothing", WATCHES, (*IS_SPENT, Tick()), CheckUnknown(), RECOVERING, []),
    Case("a pass that is not enough", WATCHES._replace(success_threshold=2), (*IS_SPENT, Tick()),
         CheckPassed(), RECOVERING, []),
    Case("passes enough: the success signal, and no recovery has done it",
         WATCHES._replace(success_signal=12), (*IS_SPENT, Tick()), CheckPassed(), NORMAL,
         [SUCCESS, effects.Recovered(3, 5.0, 1, helped=False)]),
    Case("recoveries are counted again", WATCHES, (*IS_SPENT, Tick(), CheckPassed(), Tick()),
         failed(200), RECOVERING, [effects.EnterRecovery(1, 1), recovery(1, 1, 200, 200)]),
    Case("a check on request", WATCHES, IS_SPENT, CheckAsked(), RECOVERING, [CHECK]),
    Case("a reset", WATCHES, IS_SPENT, Reset(), NORMAL, [WAKE]),
    Case("other limits begin nothing", WATCHES, IS_SPENT, LimitsChanged(RECOVER), RECOVERING, []),
    Case("a pause", WATCHES, IS_SPENT, Paused(), RECOVERING, []),
    Case("its end begins nothing", WATCHES, (*IS_SPENT, Paused()), Resumed(), RECOVERING, []),
    Case("a late window", WATCHES, IS_SPENT, WindowClosed(), RECOVERING, []),
    Case("a late pause", WATCHES, IS_SPENT, BackoffEnded(), RECOVERING, []),
    Case("a target that ends is an error", WATCHES, IS_SPENT, TargetGone("why"), ERROR,
         [effects.GiveUp("why")]),
]  # fmt: skip

PACE = [
    Case("FAILING: ticks at the retry interval, after what is done about the failure", QUICK,
         (Tick(),), failed(), FAILING,
         [effects.RunFail(fail_run(100, 1, FAILING)), effects.Pace(2.0)]),
    Case("and go on so", QUICK._replace(fail=False), (*FAILS, Tick()), failed(101), FAILING, []),
    Case("a pass: in their old phase", QUICK._replace(fail=False), (*FAILS, Tick()),
         CheckPassed(), NORMAL, [effects.Recovered(1, 5.0, 0), GO_ON]),
    Case("recovery: in their old phase", RECOVER._replace(threshold=2, retry_interval=2.0),
         (*FAILS, Tick()), failed(101), RECOVERING,
         [GO_ON, effects.EnterRecovery(1, 2), recovery(1, 2, 100, 101)]),
    Case("a reset: in their old phase", QUICK, FAILS, Reset(), NORMAL, [WAKE, GO_ON]),
    Case("an error", QUICK._replace(fail=False), FAILS, TargetGone("why"), ERROR,
         [GO_ON, effects.GiveUp("why")]),
    Case("the end of a pause", QUICK, (*FAILS, Paused()), Resumed(), FAILING, [effects.Pace(2.0)]),
    Case("another retry interval", QUICK, FAILS, LimitsChanged(QUICK._replace(retry_interval=3.0)),
         FAILING, [effects.Pace(3.0)]),
    Case("none any more", QUICK, FAILS, LimitsChanged(QUICK._replace(retry_interval=None)),
         FAILING, [GO_ON]),
    Case("none any more, in a pause", QUICK, (*FAILS, Paused()),
         LimitsChanged(QUICK._replace(retry_interval=None)), FAILING, [GO_ON]),
    Case("the same one", QUICK, FAILS, LimitsChanged(QUICK._replace(checks=9)),
         FAILING, []),
    Case("one for a monitor that is well", PLAIN, (), LimitsChanged(QUICK), NORMAL, []),
    # In the window
    Case("the window: ticks at its own interval, and a length", LOOK, (Tick(), failed()),
         RecoveryEnded(), RECOVERING, [effects.Pace(3.0), OPEN(10.0), RESTART, CHECK]),
    Case("with a timeout it is as long as that", LOOK._replace(recovery_timeout=60.0),
         (Tick(), failed()), RecoveryEnded(), RECOVERING,
         [effects.Pace(3.0), OPEN(60.0), RESTART, CHECK]),
    Case("the threshold-th failure does not close it", LOOK, CLOSES, failed(102), RECOVERING, []),
    Case("nor does its time", LOOK, (*WINDOW, failed(101)), WindowClosed(), RECOVERING, []),
    Case("the next failure after that does", LOOK, (*WINDOW, failed(101), WindowClosed(), Tick()),
         failed(102), RECOVERING, [CLOSE, GO_ON, *SECOND]),
    Case("also that of the check at once", LOOK, (*WINDOW, WindowClosed()), failed(101),
         RECOVERING,
         [CLOSE, GO_ON, effects.EnterRecovery(2, 2), recovery(2, 2, 100, 101)]),
    Case("a check that says nothing does not", LOOK, (*WINDOW, WindowClosed()), CheckUnknown(),
         RECOVERING, []),
    Case("a pass ends it", LOOK, WINDOW, CheckPassed(), NORMAL,
         [effects.Recovered(1, 5.0, 1), CLOSE, GO_ON]),
    Case("a backoff has ticks at the interval", LOOK._replace(recovery_backoff=20.0),
         (*WINDOW, WindowClosed()), failed(101), RECOVERING, [CLOSE, GO_ON, WAIT(20.0)]),
    Case("a window of another length and pace", LOOK, WINDOW,
         LimitsChanged(LOOK._replace(recovery_interval=4.0, threshold=2)), RECOVERING,
         [effects.Pace(4.0), CLOSE, OPEN(20.0)]),
    Case("a window that time closes from now on begins again",
         LOOK, (*WINDOW, failed(101), WindowClosed()),
         LimitsChanged(LOOK._replace(recovery_timeout=10.0)), RECOVERING, [CLOSE, OPEN(10.0)]),
    Case("only of another pace", LOOK, WINDOW, LimitsChanged(LOOK._replace(recovery_interval=4.0)),
         RECOVERING, [effects.Pace(4.0)]),
    Case("of no pace any more", LOOK, WINDOW, LimitsChanged(RECOVER), RECOVERING,
         [GO_ON, CLOSE, OPEN(None)]),
    Case("in a pause ticks are as before, and no window opens", LOOK, (*WINDOW, Paused()),
         LimitsChanged(RECOVER), RECOVERING, [GO_ON]),
    Case("a window that begins again has its pace", LOOK, (*WINDOW, failed(101), Paused()),
         Resumed(), RECOVERING, [effects.Pace(3.0), OPEN(10.0), RESTART, CHECK]),
]  # fmt: skip

NOTHING_RECOVERS = [
    Case("the first failure is not told", LATER, (Tick(),), failed(), FAILING, []),
    Case("nor the second", LATER, (*FAILS, Tick()), failed(101), FAILING, []),
    Case("the third is", LATER, (*FAILS, Tick(), failed(101), Tick()), failed(102), FAILING,
         [SIGNAL, effects.RunFail(fail_run(102, 3, FAILING))]),
    Case("and the fourth", LATER,
         (*FAILS, Tick(), failed(101), Tick(), failed(102), FailEnded(), Tick()), failed(103),
         FAILING, [SIGNAL, effects.RunFail(fail_run(103, 4, FAILING))]),
    Case("with a threshold of 1 the first is", LATER._replace(threshold=1), (Tick(),), failed(),
         FAILING, [SIGNAL, effects.RunFail(fail_run(100, 1, FAILING))]),
    Case("a pass ends it untold", LATER, (*FAILS, Tick()), CheckPassed(), NORMAL,
         [effects.Recovered(1, 5.0, 0)]),
    Case("a missing target is an error", LATER, FAILS, TargetMissing("why"), ERROR,
         [effects.GiveUp("why")]),
    Case("failures not told have the retry interval", LATER._replace(retry_interval=2.0),
         (Tick(),), failed(), FAILING, [effects.Pace(2.0)]),
]  # fmt: skip

TOLD = Limits(fail=True)
RECOVERS = RECOVER._replace(fail=True)
DYING = (Tick(), failed(dying=True), FailEnded(), RecoveryEnded())
LATE: list[tuple[Limits, tuple[Event, ...], Event]] = [
    (RECOVER, (Tick(), failed(), Paused()), TargetGone("x")),
    (RECOVER, (Tick(), failed(), RecoveryDelayed(), Paused()), Tick()),
    (RECOVER, (Tick(), failed()), RecoveryLost()),
    (RECOVERS, DYING, CheckAsked()),
    (RECOVERS, (*DYING, Paused()), CheckGone()),
    (RECOVERS._replace(checks=2), (*DYING, Reset()), CheckGone()),
    (TOLD, (*FAILS, FailLost()), failed(101)),
    (TOLD, (*FAILS, FailLost()), Paused()),
    (TOLD, (*FAILS, Paused(), FailLost()), Resumed()),
]

CASES = [*BACKOFF, *SPENT, *PACE, *NOTHING_RECOVERS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_row(case: Case) -> None:
    monitor = led(case.limits, *case.before)

    expected = step(monitor, case.event)

    assert monitor.state is case.state
    assert typed(expected) == typed(case.expected)


def test_a_backoff_is_part_of_an_outage_that_begins_anew_each_time() -> None:
    monitor = led(REST, *RESTING)

    assert (monitor.stage, monitor.backoff, monitor.attempts) == (Stage.BACKOFF, 20.0, 1)
    step(monitor, BackoffEnded())
    assert (monitor.stage, monitor.backoff, monitor.attempts) == (Stage.REPAIRING, None, 2)


def test_passes_of_the_window_do_not_count_in_the_backoff() -> None:
    limits = TIMED._replace(success_threshold=2)
    monitor = led(limits, *WINDOW, CheckPassed(), WindowClosed(), Tick(), failed(102), Tick())

    assert monitor.stage is Stage.BACKOFF
    step(monitor, CheckPassed())
    assert (monitor.stage, monitor.passes) == (Stage.BACKOFF, 1)


def test_a_check_on_request_in_a_backoff_may_end_it_as_any_other() -> None:
    monitor = led(REST, *RESTING, CheckAsked())

    assert monitor.check is Check.SCHEDULED
    assert step(monitor, BackoffEnded()) == []
    assert step(monitor, failed(103))[0] == OVER


@pytest.mark.parametrize(
    ("limits", "before", "stage"),
    [(REST, RESTING, Stage.BACKOFF), (WATCHES, IS_SPENT, Stage.SPENT)],
)
def test_a_restart_goes_on_with_it(limits: Limits, before: tuple[Event, ...], stage: Stage) -> None:
    monitor = Monitor(limits)
    restore(monitor, save(led(limits, *before)))

    expected = step(monitor, Resumed())

    assert monitor.stage is stage
    assert expected == ([RESTART, CHECK] if stage is Stage.BACKOFF else [])
    assert spent(monitor) is (stage is Stage.SPENT)


@pytest.mark.parametrize(
    ("first", "longest", "spans"),
    [
        (20.0, 600.0, [20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0]),
        (20.0, 10.0, [20.0, 20.0, 20.0]),
        (0.5, 1.5, [0.5, 1.0, 1.5, 1.5]),
        (0.0, 600.0, [0.0, 0.0]),
    ],
)
def test_a_backoff_is_doubled_up_to_the_longest(
    first: float, longest: float, spans: list[float]
) -> None:
    limits = Limits(recovery_backoff=first, recovery_backoff_max=longest)

    assert [limits.backoff(number) for number in range(1, len(spans) + 1)] == spans
    assert limits.backoff(10_000) == spans[-1]


@pytest.mark.parametrize(
    ("limits", "window"),
    [
        (RECOVER, None),
        (LOOK, 10.0),
        (LOOK._replace(threshold=3), 30.0),
        (LOOK._replace(threshold=None), 10.0),
        (LOOK._replace(recovery_timeout=7.0), 7.0),
        (RECOVER._replace(recovery_timeout=7.0), 7.0),
    ],
)
def test_the_length_of_a_window(limits: Limits, window: float | None) -> None:
    assert limits.window == window


def _all_cases() -> Iterator[tuple[Limits, tuple[Event, ...], Event]]:
    for each in (test_machine.CASES, test_pause.CASES, CASES):
        yield from ((case.limits, case.before, case.event) for case in each)
    yield from LATE
    for event in test_machine.EVERY_EVENT:
        yield PLAIN, (CheckImpossible("first"),), event
    for late in (RecoveryEnded(), RecoveryDelayed(), RecoveryKilled("x"), RecoveryImpossible("x")):
        yield PLAIN, (), late
    yield PLAIN, (), RecoveryLost()
    yield PLAIN, (), WatchBroke("x")


def test_each_row_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: set[int] = set()
    take = Rule.take

    def note(rule: Rule, at: object) -> None:
        taken.add(id(rule.row))
        take(rule, at)  # type: ignore[arg-type]

    monkeypatch.setattr(Rule, "take", note)
    for limits, before, event in _all_cases():
        step(led(limits, *before), event)
    queued = Monitor(TOLD)
    restore(queued, save(led(TOLD, *FAILS, Tick(), failed(101))))
    step(queued, FailEnded())

    assert [_named(row) for row in TABLE.rows if id(row) not in taken] == []


def _named(row: Row) -> str:
    guards = ", ".join(guard.__name__ for guard in row.guards)
    return f"{'/'.join(row.sources)} {row.event.__name__} [{guards}] -> {row.to}"
