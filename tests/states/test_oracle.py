"""The table and the oracle, which is written without one, are of one mind about any events.

The simulation holds them together as well, on events of a world; these come seldom there, or never.
"""

from hypothesis import given
from hypothesis import strategies as st
from simulate.oracle import Oracle
from strategies import FAILED, LIMITS

from states.monitor import events as on
from states.monitor.events import Event
from states.monitor.limits import Limits
from states.monitor.machine import step
from states.monitor.model import Check, Monitor, Stage, State
from states.monitor.snapshot import save, sound

_ALWAYS = (
    on.Tick(),
    on.Tick(2),
    on.CheckAsked(),
    on.Paused(),
    on.Resumed(),
    on.Reset(),
    on.WindowClosed(),
    on.BackoffEnded(),
)
_VERDICTS = (on.CheckPassed(), on.CheckPassed(), on.CheckUnknown())
_RECOVERED = (on.RecoveryEnded(), on.RecoveryEnded(), on.RecoveryDelayed(), on.RecoveryLost())
_RARE = (on.TargetGone("gone"), on.TargetMissing("missing"), on.WatchBroke("bug"))
_DIES = (Check.DYING, Check.DUE)


def possible(monitor: Monitor) -> st.SearchStrategy[Event]:
    """Events that can come now, those that end it seldom."""
    events: list[Event] = [*_ALWAYS]
    rare: list[Event] = [*_RARE]
    drawn: list[st.SearchStrategy[Event]] = []
    if monitor.check in {Check.SCHEDULED, Check.AT_ONCE}:
        events += _VERDICTS * 3
        rare += [on.CheckKilled("killed"), on.CheckImpossible("gone")]
        drawn = [FAILED] * 3
    if monitor.check in _DIES:
        events += [on.CheckGone()] * 3
    if monitor.fail_run is not None:
        events += [on.FailEnded()] * 2
        rare += [on.FailLost()]
    if monitor.stage is Stage.REPAIRING:
        events += _RECOVERED * 2
        rare += [on.RecoveryKilled("killed"), on.RecoveryImpossible("gone")]
    others = st.builds(on.LimitsChanged, LIMITS)
    usual = st.one_of(st.sampled_from(events), *drawn)
    return st.integers(0, 29).flatmap(
        lambda chance: st.sampled_from(rare) if not chance else others if chance == 1 else usual
    )


def known(monitor: Monitor) -> tuple[object, ...]:
    return (
        save(monitor),
        monitor.check,
        monitor.checks,
        monitor.skipped,
        monitor.unknowns,
        monitor.overdue,
        monitor.passed_once,
        monitor.last_check_failed,
        monitor.paused,
    )


def thought(oracle: Oracle) -> tuple[object, ...]:
    return (
        oracle.memory(),
        oracle.slot,
        oracle.checks,
        oracle.skipped,
        oracle.unknowns,
        oracle.time_is_up,
        oracle.ever_passed,
        oracle.last_failed,
        oracle.paused,
    )


@given(limits=LIMITS, data=st.data())
def test_the_table_does_what_the_oracle_says(limits: Limits, data: st.DataObject) -> None:
    monitor, oracle = Monitor(limits), Oracle(limits)

    for _ in range(data.draw(st.integers(1, 60))):
        event = data.draw(possible(monitor))
        done, expected = step(monitor, event), oracle.hear(event)

        assert [(type(each), each) for each in done] == [(type(each), each) for each in expected]
        if monitor.state is State.ERROR:
            break
        assert known(monitor) == thought(oracle)
        assert sound(save(monitor))
