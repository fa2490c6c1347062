"""Advice on thresholds, counts and exit codes."""

from heat.config.options import Options
from heat.errors import TIMED_OUT
from heat.rehearsal.advice.remark import Advice, quoted_span, remark
from heat.text import counted


def threshold_of_one(options: Options) -> Advice:
    """Advise on a threshold of 1 that changes nothing."""
    if options.limits.threshold == 1 and not options.limits.recovers:
        yield remark(
            "--threshold",
            "'1'",
            "changes nothing without an action in recovery: HEAT acts on each failure anyway",
            "leave it out, or make it 2 or more",
        )


def code_of_timeout(options: Options) -> Advice:
    """Advise on 124 in a list of codes."""
    lists = (("--unknown-codes", options.unknown_codes), ("--warn-codes", options.warn_codes))
    for option, codes in lists:
        if TIMED_OUT in codes and options.timeout is not None:
            yield remark(
                option,
                f"'{','.join(map(str, codes))}'",
                f"holds {TIMED_OUT}, which does not cover a check that runs longer than "
                "--timeout: that check has failed, whatever the list holds",
                f"leave {TIMED_OUT} out, unless the check itself exits with it",
            )


def threshold_beyond_count(options: Options) -> Advice:
    """Advise on a threshold that --count does not let it reach."""
    limits = options.limits
    if limits.checks is not None and limits.threshold and limits.threshold > limits.checks:
        yield remark(
            "--threshold",
            f"'{limits.threshold}'",
            f"is never reached: --count ends it after {counted(limits.checks, 'check')}",
            f"make --threshold {limits.checks} or less, or --count larger",
        )


def max_recoveries_beyond_count(options: Options) -> Advice:
    """Advise on recoveries that --count does not let it spend."""
    limits = options.limits
    most, checks, threshold = limits.max_recoveries, limits.checks, limits.threshold
    if most is None or checks is None or threshold is None or threshold > checks:
        return
    if limits.recovery_interval is not None or limits.recovery_backoff:
        return  # The number of checks in a window is another sum then.
    # The last window, too, has to close, which the check at once never does by itself.
    a_window = 1 if limits.recovery_timeout is not None else max(2, threshold)
    needed = threshold + most * a_window
    if needed > checks:
        yield remark(
            "--max-recoveries",
            f"'{most}'",
            f"is never spent with --threshold '{threshold}': that takes {needed} failed checks, "
            f"and --count ends it after {checks}",
            f"make --count at least {needed}, or leave out --max-recoveries",
        )


def success_beyond_count(options: Options) -> Advice:
    """Advise on passes that --count does not let it reach."""
    limits = options.limits
    checks, passes = limits.checks, limits.success_threshold
    if checks is not None and limits.recovers and (limits.threshold or 1) <= checks:
        threshold = limits.threshold or 1
        needed = threshold + passes
        if needed > checks:
            yield remark(
                "--success-threshold",
                f"'{passes}'",
                f"is never reached: --count '{checks}' leaves "
                f"{counted(checks - threshold, 'check')} behind --threshold "
                f"'{threshold}'",
                f"make --count at least {needed}",
            )


def start_period_covers_all(options: Options) -> Advice:
    """Advise on a start period in which all checks are."""
    limits = options.limits
    if limits.checks is not None and limits.start_period > (limits.checks - 1) * options.interval:
        yield remark(
            "--start-period",
            quoted_span(limits.start_period),
            f"is longer than the {counted(limits.checks, 'check')} of --count: no failure "
            "counts before the first pass",
            "make --start-period shorter, or --count larger",
        )
