"""Advice on the fail script and the recovery script."""

from heat.config.durations import exact, written
from heat.config.options import Options
from heat.rehearsal.advice.remark import Advice, quoted_span, remark
from heat.text import escaped


def endless_fail(options: Options) -> Advice:
    """Advise on a fail script without a time limit."""
    if options.fail is None or options.script_timeout is not None:
        return
    script = f"'{escaped(options.fail)}'"
    hint = f"add --script-timeout, such as --script-timeout {written(options.interval)}"
    if options.limits.fail_overlap_skip:
        complaint = "has no --script-timeout: with --fail-overlap 'skip' no check runs while it"
        yield remark("--fail", script, f"{complaint} hangs", hint)
    elif not options.limits.recovers:
        complaint = "has no --script-timeout: if it hangs, HEAT reports no later failure"
        yield remark("--fail", script, complaint, hint)


def endless_recovery(options: Options) -> Advice:
    """Advise on a recovery script without a time limit."""
    if options.recovery is not None and options.script_timeout is None:
        yield remark(
            "--recovery",
            f"'{escaped(options.recovery)}'",
            "has no --script-timeout: if it hangs, no further check runs",
            "add --script-timeout, longer than any recovery takes",
        )


def slow_fail_allowed(options: Options) -> Advice:
    """Advise on a fail script that may run longer than the interval."""
    span = options.script_timeout
    if options.fail is None or options.recovery is not None:
        return  # The recovery script has the same limit, and may need it.
    if span is not None and span > options.interval:
        yield remark(
            "--script-timeout",
            quoted_span(span),
            f"lets the fail script run longer than --interval '{written(options.interval)}': "
            + _what_overlap_does(options),
            f"make --script-timeout {written(options.interval)} or less, or --interval longer",
        )


def slow_fail(options: Options, span: float) -> Advice:
    """Advise on a fail script that is known to run longer than the interval."""
    if options.fail is not None and span > options.interval:
        yield remark(
            "--fail",
            f"'{escaped(options.fail)}'",
            f"takes {exact(span)}, longer than --interval '{written(options.interval)}': "
            + _what_overlap_does(options),
            "have it do its work in the background, or make --interval longer",
        )


def _what_overlap_does(options: Options) -> str:
    if options.limits.fail_overlap_skip:
        return "with --fail-overlap 'skip' HEAT skips the checks in the meantime"
    waits = ", and recovery waits for it" if options.limits.recovers else ""
    return f"one run reports all failures in the meantime{waits}"
