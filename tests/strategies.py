"""Hypothesis strategies: limits that heat accepts, and events of a monitor."""

from hypothesis import strategies as st

from states.monitor import events as on
from states.monitor.events import Event
from states.monitor.limits import Limits
from states.monitor.model import Failure

_SPANS = st.sampled_from([None, 5.0, 2.5])


def _valid(limits: Limits) -> Limits:
    """Leave out limits without effect: heat refuses them."""
    if limits.recovers:
        return limits._replace(threshold=limits.threshold or 1)
    plain = Limits()
    return limits._replace(
        success_threshold=1,
        max_recoveries=None,
        recovery_timeout=None,
        recovery_interval=None,
        recovery_backoff=plain.recovery_backoff,
        spent_watch=False,
    )


LIMITS = st.builds(
    Limits,
    threshold=st.sampled_from([None, 1, 2, 3]),
    success_threshold=st.integers(1, 3),
    max_recoveries=st.sampled_from([None, 1, 2]),
    recovery_timeout=_SPANS,
    start_period=st.sampled_from([0.0, 9.0]),
    checks=st.sampled_from([None, None, 4]),
    fail=st.booleans(),
    fail_overlap_skip=st.booleans(),
    recovery=st.booleans(),
    signal=st.sampled_from([None, 1]),
    fault_signal=st.sampled_from([None, 10]),
    success_signal=st.sampled_from([None, 12]),
    spent_watch=st.booleans(),
    interval=st.sampled_from([10.0, 1.0]),
    retry_interval=_SPANS,
    recovery_interval=_SPANS,
    recovery_backoff=st.sampled_from([0.0, 4.0]),
    recovery_backoff_max=st.sampled_from([600.0, 6.0, 1.0]),
).map(_valid)

FAILURES = st.builds(Failure, st.integers(1, 3), st.integers(1, 99), st.integers(100, 103))
FAILED = st.builds(on.CheckFailed, FAILURES, st.sampled_from([-1.0, 5.0, 9.0]), st.booleans())
_PLAIN = (
    on.Tick(),
    on.Tick(2),
    on.CheckDue(),
    on.CheckPassed(),
    on.CheckUnknown(),
    on.CheckGone(),
    on.FailEnded(),
    on.RecoveryDue(),
    on.RecoveryEnded(),
    on.RecoveryDelayed(),
    on.WindowClosed(),
    on.BackoffEnded(),
    on.Paused(),
    on.Resumed(),
    on.CheckAsked(),
    on.Reset(),
    on.FailLost(),
    on.RecoveryLost(),
)
_RARE = (
    on.CheckKilled("killed"),
    on.CheckImpossible("gone"),
    on.RecoveryKilled("killed"),
    on.RecoveryImpossible("gone"),
    on.TargetGone("gone"),
    on.TargetMissing("missing"),
    on.WatchBroke("bug"),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    *[st.sampled_from(_PLAIN), FAILED] * 4,
    st.builds(on.LimitsChanged, LIMITS),
    st.sampled_from(_RARE),
)
"""All kinds of events, possible or not; those that end the monitor are rare."""
