"""Advice: options that HEAT accepts and that may not mean what their user meant, and the fix.

It depends only on the options, and looks at no file and no process.
"""

from collections.abc import Callable

from heat.config.options import Options
from heat.diagnostics import Diagnostic
from heat.rehearsal.advice import counts, scripts, target, timing
from heat.rehearsal.advice.remark import Advice

_RULES: tuple[Callable[[Options], Advice], ...] = (
    timing.endless_check,
    timing.timeout_beyond_interval,
    timing.timeout_beyond_pace,
    timing.retry_no_sooner,
    timing.backoff_without_check,
    counts.threshold_of_one,
    counts.code_of_timeout,
    timing.window_shorter_than_timeout,
    timing.window_shorter_than_interval,
    counts.threshold_beyond_count,
    counts.max_recoveries_beyond_count,
    counts.success_beyond_count,
    counts.start_period_covers_all,
    target.stopped_target,
    target.stopping_signal,
    target.signal_ends_target,
    target.target_replaced,
    scripts.endless_fail,
    scripts.endless_recovery,
    scripts.slow_fail_allowed,
)


def advice(options: Options, fail_takes: float | None = None) -> list[Diagnostic]:
    """Return all advice on these options; ``fail_takes`` is the fail script's length, if known."""
    remarks = [each for rule in _RULES for each in rule(options)]
    if fail_takes is not None:
        remarks += scripts.slow_fail(options, fail_takes)
    return remarks
