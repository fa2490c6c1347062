"""Advice on time limits, intervals and the recovery window."""

from heat.config.durations import written
from heat.config.options import Options
from heat.rehearsal.advice.remark import Advice, quoted_span, remark


def endless_check(options: Options) -> Advice:
    """Advise on checks without a time limit."""
    if options.timeout is None:
        yield remark(
            "--timeout",
            "'none'",
            "lets a check hang for ever: no further check runs, and HEAT sees no failure",
            "give --timeout a length, longer than any check that is well takes",
        )


def timeout_beyond_interval(options: Options) -> Advice:
    """Advise on a time limit that is longer than the interval."""
    if options.timeout is not None and options.timeout > options.interval:
        yield remark(
            "--timeout",
            quoted_span(options.timeout),
            f"is longer than --interval '{written(options.interval)}': while a check hangs, "
            f"ticks are skipped{_and_threshold(options)}",
            f"make --timeout {written(options.interval)} or less, or --interval longer",
        )


def _and_threshold(options: Options) -> str:
    return ", and --threshold is reached later" if options.limits.threshold else ""


def timeout_beyond_pace(options: Options) -> Advice:
    """Advise on a time limit that is longer than a shorter interval."""
    limits = options.limits
    paces = (
        ("--retry-interval", limits.retry_interval),
        ("--recovery-interval", limits.recovery_interval),
    )
    for option, pace in paces:
        if pace is not None and pace < (options.timeout or 0) <= options.interval:
            yield remark(
                "--timeout",
                quoted_span(options.timeout),
                f"is longer than {option} '{written(pace)}': after a check that hangs, "
                "the next one comes no sooner",
                f"make --timeout {written(pace)} or less, or {option} longer",
            )


def retry_no_sooner(options: Options) -> Advice:
    """Advise on a retry interval that is not shorter than the interval."""
    span = options.limits.retry_interval
    if span is not None and span >= options.interval:
        yield remark(
            "--retry-interval",
            quoted_span(span),
            f"must be shorter than --interval '{written(options.interval)}' to have an effect: "
            "after a failure the next check comes no sooner",
            "make it shorter, or leave it out",
        )


def backoff_without_check(options: Options) -> Advice:
    """Advise on a first pause in which no check may come."""
    span = options.limits.recovery_backoff
    if options.limits.recovers and 0 < span < options.interval:
        yield remark(
            "--recovery-backoff",
            quoted_span(span),
            f"is shorter than --interval '{written(options.interval)}': the first pause may have "
            "no check, and HEAT recovers again what has become well by itself",
            f"make it {written(options.interval)} or longer",
        )


def window_shorter_than_timeout(options: Options) -> Advice:
    """Advise on a window that one check can outlast."""
    window, timeout = options.limits.recovery_timeout, options.timeout
    if window is not None and timeout is not None and window < timeout:
        yield remark(
            "--recovery-timeout",
            quoted_span(window),
            f"is shorter than --timeout '{written(timeout)}': a check that hangs "
            "outlasts the window, and is its only one",
            f"make --recovery-timeout longer than {written(timeout)}, or --timeout shorter",
        )


def window_shorter_than_interval(options: Options) -> Advice:
    """Advise on a window with only the check at once."""
    window, option, interval = _of_window(options)
    if window is not None and (options.timeout or 0) <= window < interval:
        yield remark(
            "--recovery-timeout",
            quoted_span(window),
            f"is shorter than {option} '{written(interval)}': a window has only the "
            "check at once, so HEAT recovers a slow service again before it is well",
            f"make --recovery-timeout longer than {written(interval)}",
        )


def _of_window(options: Options) -> tuple[float | None, str, float]:
    """Return its length if the options give one, and the option and span of its interval."""
    limits = options.limits
    if limits.recovery_interval is not None:
        return limits.recovery_timeout, "--recovery-interval", limits.recovery_interval
    return limits.recovery_timeout, "--interval", options.interval
