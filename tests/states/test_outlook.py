"""Outlooks: steps on a copy, and what the table answers; the monitor itself is never touched."""

import signal

from hypothesis import given, settings
from hypothesis import strategies as st

from states.monitor import effects
from states.monitor.events import (
    BackoffEnded,
    CheckAsked,
    CheckFailed,
    CheckGone,
    CheckPassed,
    CheckUnknown,
    Event,
    FailEnded,
    Paused,
    RecoveryDelayed,
    RecoveryEnded,
    Reset,
    Resumed,
    Tick,
    WindowClosed,
)
from states.monitor.limits import Limits
from states.monitor.machine import step
from states.monitor.model import UNSEEN, Check, Failure, Monitor, Stage, State
from states.monitor.outlook import (
    Course,
    Turn,
    after,
    changes,
    coming,
    failed,
    failures,
    outlook,
    passes,
    refusal,
    resettable,
    resumed,
    time_event,
    time_up,
    verdict,
)
from states.monitor.questions import check_runs

LIMITS = st.builds(
    Limits,
    threshold=st.sampled_from([None, 1, 2, 3, 9]),
    success_threshold=st.sampled_from([1, 2, 8]),
    max_recoveries=st.sampled_from([None, 1, 2]),
    recovery_timeout=st.sampled_from([None, 5.0]),
    start_period=st.sampled_from([0.0, 9.0]),
    checks=st.sampled_from([None, None, 4]),
    fail=st.booleans(),
    fail_overlap_skip=st.booleans(),
    recovery=st.booleans(),
    signal=st.sampled_from([None, signal.SIGHUP]),
    fault_signal=st.sampled_from([None, signal.SIGUSR1]),
    success_signal=st.sampled_from([None, signal.SIGUSR2]),
    spent_watch=st.booleans(),
    interval=st.just(10.0),
    retry_interval=st.sampled_from([None, 3.0]),
    recovery_interval=st.sampled_from([None, 2.0]),
    recovery_backoff=st.sampled_from([0.0, 4.0]),
)
PLAIN = Limits(threshold=2, recovery=True, interval=10.0)
ANYTHING: tuple[Event, ...] = (
    *(Tick(), CheckPassed(), failed(), failed(1.0), CheckUnknown(), CheckGone(), FailEnded()),
    *(RecoveryEnded(), WindowClosed(), BackoffEnded(), Paused(), Resumed(), CheckAsked(), Reset()),
)
TICK_ON = (Tick(), CheckGone(), FailEnded(), RecoveryEnded(), Resumed())


def possible(monitor: Monitor) -> list[Event]:
    """Return the events that can come in this state."""
    coming_events: list[Event] = [Tick(), Paused(), Resumed(), CheckAsked(), Reset()]
    if check_runs(monitor):
        verdicts = [CheckPassed(), failed(), failed(1.0), CheckUnknown()]
        coming_events += [*verdicts, CheckFailed(Failure(124, 1, 1), 20.0, dying=True)] * 3
    if monitor.check in {Check.DYING, Check.DUE}:
        coming_events += [CheckGone()] * 3
    if monitor.fail_running:
        coming_events += [FailEnded()] * 3
    if monitor.stage is Stage.REPAIRING:
        coming_events += [RecoveryEnded(), RecoveryEnded(), RecoveryEnded(), RecoveryDelayed()]
    if (event := time_event(monitor)) is not None:
        coming_events += [event] * 2
    return coming_events


@st.composite
def monitors(draw: st.DrawFn) -> Monitor:
    """A monitor somewhere in its life."""
    monitor = Monitor(draw(LIMITS))
    for _ in range(draw(st.integers(0, 40))):
        pool = possible(monitor)
        step(monitor, pool[draw(st.integers(0, len(pool) - 1))])
    return monitor


def slots(monitor: Monitor) -> dict[str, object]:
    return {name: getattr(monitor, name) for name in Monitor.__slots__}


def runs_check(expected: list[effects.Effect]) -> bool:
    return effects.RunCheck in map(type, expected)


def led(limits: Limits, *events: Event) -> Monitor:
    return after(Monitor(limits), *events)


def kinds(course: Course) -> list[type]:
    return [type(effect) for each in course for effect in each.effects]


@settings(deadline=None)
@given(monitor=monitors(), event=st.sampled_from(ANYTHING))
def test_whatever_is_asked_the_monitor_is_untouched(monitor: Monitor, event: Event) -> None:
    before = slots(monitor)

    outlook(monitor, event, Tick())
    verdict(monitor, event)
    changes(monitor, event)
    refusal(monitor, CheckAsked())
    resettable(monitor)
    resumed(monitor)
    path = coming(monitor, event)
    time_up(monitor, path)
    failures(monitor)
    passes(monitor)

    assert slots(monitor) == before


@settings(deadline=None)
@given(monitor=monitors(), event=st.sampled_from(ANYTHING))
def test_an_outlook_is_what_then_happens(monitor: Monitor, event: Event) -> None:
    first, second = outlook(monitor, event, Tick())

    assert (step(monitor, event), slots(monitor)) == (first.effects, slots(first.monitor))
    assert (step(monitor, Tick()), slots(monitor)) == (second.effects, slots(second.monitor))


@settings(deadline=None)
@given(monitor=monitors(), event=st.sampled_from([Tick(), CheckAsked()]))
def test_what_is_refused_starts_no_check_and_what_is_not_does(
    monitor: Monitor, event: Event
) -> None:
    why = refusal(monitor, event)

    assert runs_check(step(monitor, event)) is (why == "")


@settings(deadline=None)
@given(monitor=monitors())
def test_what_is_to_come_leads_to_a_check_and_nothing_is_waited_for_in_vain(
    monitor: Monitor,
) -> None:
    path = coming(monitor)
    if path is not None:
        for event in path:
            assert changes(monitor, event)
            step(monitor, event)
        assert check_runs(monitor)
        assert not monitor.paused
    else:
        for event in TICK_ON * 6:
            assert not runs_check(step(monitor, event))


def by_hand(monitor: Monitor, result: Event, of: int | None) -> Turn | None:
    """The same turn, with a step for each result and none left out."""
    turn, here = None, monitor
    reported = tells(result, here)
    for number in range(1, (of or 1) + 8):
        path = coming(here)
        if path is None:
            break
        there = after(here, *path)
        while there.fail_running:
            there = after(there, FailEnded())
        course = verdict(there, result)
        where, now = course[0].monitor, is_reported(course)
        moved = (where.stage, where.attempts) != (there.stage, there.attempts)
        if moved or now is not reported:
            turn, reported = Turn(number, course), now
        here = course[-1].monitor
        if moved and here.stage is not Stage.FAILING:
            break
    return turn


def is_reported(course: Course) -> bool:
    kinds = {effects.SendSignal, effects.RunFail, effects.QueueFail}
    return any(type(effect) in kinds for effect in course[0].effects)


def tells(_result: Event, monitor: Monitor) -> bool:
    if not monitor.count or monitor.attempts:
        return False
    limits = monitor.limits
    late = limits.threshold is not None and monitor.count < limits.threshold and not limits.recovers
    return (limits.fail or limits.signal is not None) and not late


@settings(deadline=None)
@given(monitor=monitors())
def test_results_that_are_passed_over_would_have_done_nothing_else(monitor: Monitor) -> None:
    limits = monitor.limits
    pairs = (
        (failures(monitor), by_hand(monitor, failed(), limits.threshold)),
        (passes(monitor), by_hand(monitor, CheckPassed(), limits.success_threshold)),
    )
    for quick, slow in pairs:
        assert (quick and quick.number) == (slow and slow.number)
        if quick is not None and slow is not None:
            assert kinds(quick.course) == kinds(slow.course)
            assert quick.course[-1].monitor.stage is slow.course[-1].monitor.stage


def test_a_long_way_to_a_threshold_is_not_walked() -> None:
    turn = failures(Monitor(Limits(threshold=1_000_000, recovery=True)))

    assert turn is not None
    assert turn.number == 1_000_000
    assert turn.course[0].monitor.count == 1_000_000
    assert effects.RunRecovery in kinds(turn.course)


def test_a_failure_with_a_recovery_that_waits_for_the_fail_script_tells_of_both() -> None:
    course = verdict(led(PLAIN._replace(fail=True, threshold=1), Tick()), failed())

    assert [type(each.event) for each in course] == [CheckFailed, FailEnded]
    assert kinds(course)[-1] is effects.RunRecovery


def test_a_failure_is_judged_by_the_moment_at_which_its_check_ends() -> None:
    monitor = led(PLAIN._replace(start_period=9.0), Tick())

    assert kinds(verdict(monitor, failed(8.9))) == [effects.NotCounted]
    assert verdict(monitor, failed(9.0))[-1].monitor.state is State.FAILING


RECOVERY = (Tick(), failed(), Tick(), failed())


def test_each_reason_why_no_check_is_run_has_a_sentence_of_its_own() -> None:
    skip = PLAIN._replace(fail=True, fail_overlap_skip=True, threshold=9)
    situations = (
        led(PLAIN, Tick()),
        led(PLAIN, Tick(), CheckFailed(Failure(124, 1, 1), 1.0, dying=True)),
        led(PLAIN, Paused()),
        led(PLAIN._replace(checks=0)),
        led(skip, Tick(), failed()),
        led(PLAIN, *RECOVERY),
        led(PLAIN, *RECOVERY, RecoveryDelayed()),
        led(PLAIN._replace(fail=True), *RECOVERY),
    )

    reported = [refusal(monitor, CheckAsked()) for monitor in situations]
    assert reported == [
        "a check runs already",
        "a check that timed out is still dying",
        "it is paused",
        "its checks are counted out (count)",
        "the fail script runs, and fail-overlap is skip",
        "it recovers: the next check comes when the recovery script has ended",
        (
            "it recovers: the recovery script could not be started, and is tried again at the "
            "next tick"
        ),
        "it recovers: the next check comes when the fail and the recovery script have ended",
    ]


def test_a_reset_is_refused_only_while_the_recovery_script_runs() -> None:
    assert resettable(Monitor(PLAIN))
    assert resettable(led(PLAIN, Tick(), failed()))
    assert not resettable(led(PLAIN, *RECOVERY))
    assert resettable(led(PLAIN, *RECOVERY, RecoveryEnded()))


def test_the_end_of_a_window_does_what_the_last_check_says() -> None:
    limits = PLAIN._replace(recovery_timeout=5.0, success_threshold=2)
    up = time_up(led(limits, *RECOVERY, RecoveryEnded()), ())

    assert up is not None
    assert up.event == WindowClosed()
    assert effects.RunRecovery in kinds(up.failed or ())
    assert kinds(up.passed or ()) == kinds(up.running or ()) == []
    assert effects.RunRecovery in kinds(up.then or ())


def test_a_window_that_a_pass_ends_has_no_time_after_it() -> None:
    up = time_up(led(PLAIN._replace(recovery_timeout=5.0), *RECOVERY, RecoveryEnded()), ())

    assert up is not None
    assert up.passed is None


def test_what_runs_ends_before_a_pause_does() -> None:
    monitor = led(PLAIN, *RECOVERY, Paused())
    (end,) = resumed(monitor)

    assert monitor.stage is Stage.REPAIRING
    assert kinds((end,)) == [effects.OpenWindow, effects.RestartTicks, effects.RunCheck]


def test_three_checks_that_said_nothing_leave_it_unseen() -> None:
    monitor = Monitor(PLAIN)
    for number in range(1, UNSEEN + 1):
        monitor = after(monitor, Tick(), CheckUnknown())
        assert monitor.unseen is (number == UNSEEN)

    assert not after(monitor, Tick(), CheckPassed()).unseen


def test_a_window_after_the_last_check_of_all_is_told_as_that_check_went() -> None:
    limits = Limits(
        threshold=1, success_threshold=2, recovery=True, recovery_timeout=60.0, checks=2
    )
    window = (Tick(), failed(), RecoveryEnded())

    passed = time_up(led(limits, *window, CheckPassed()), None)
    lost = time_up(led(limits, *window, failed()), None)

    assert passed is not None
    assert lost is not None
    assert (passed.failed, lost.passed) == (None, None)
    assert passed.passed is not None
    assert passed.passed[0].effects == []
    assert lost.failed is not None
    assert effects.EnterRecovery(2, 2) in lost.failed[0].effects
