"""Advice: what options allow and may not mean, each with the options it is about and the fix.

A pure function of the options: no file, no process is looked at. What would be refused, or
depends on the target of the moment, is told elsewhere.
"""

import signal
from collections.abc import Callable, Iterator

from heat.config.durations import exact, written
from heat.config.options import Options
from heat.diagnostics import Diagnostic, of_option
from heat.errors import TIMED_OUT
from heat.process import signals
from heat.text import counted, escaped

Advice = Iterator[Diagnostic]


def advice(options: Options, fail_takes: float | None = None) -> list[Diagnostic]:
    """Things that may not be meant; ``fail_takes`` is the fail script's length, where known."""
    found = [each for rule in _RULES for each in rule(options)]
    if fail_takes is not None:
        found += _slow_fail(options, fail_takes)
    return found


def _say(option: str, value: str, complaint: str, hint: str) -> Diagnostic:
    """As a mistake, but one that stops nobody."""
    diagnostic = of_option(option, value, complaint, hint)
    return diagnostic._replace(message=diagnostic.message.replace("Error:", "Advice:", 1))


def _span(span: float | None) -> str:
    return f"'{written(span or 0)}'"


def _endless_check(options: Options) -> Advice:
    if options.timeout is None:
        yield _say(
            "--timeout",
            "'none'",
            "lets a check that hangs hang for ever: no further check is run, and no failure seen",
            "give --timeout a length, longer than any check that is well takes",
        )


def _timeout_beyond_interval(options: Options) -> Advice:
    if options.timeout is not None and options.timeout > options.interval:
        yield _say(
            "--timeout",
            _span(options.timeout),
            f"is longer than --interval '{written(options.interval)}': while a check hangs, "
            f"ticks are skipped{_and_threshold(options)}",
            f"make --timeout {written(options.interval)} or less, or --interval longer",
        )


def _timeout_beyond_pace(options: Options) -> Advice:
    limits = options.limits
    paces = (
        ("--retry-interval", limits.retry_interval),
        ("--recovery-interval", limits.recovery_interval),
    )
    for option, pace in paces:
        if pace is not None and pace < (options.timeout or 0) <= options.interval:
            yield _say(
                "--timeout",
                _span(options.timeout),
                f"is longer than {option} '{written(pace)}': a check that hangs is not followed by "
                "another one any sooner",
                f"make --timeout {written(pace)} or less, or {option} longer",
            )


def _retry_no_sooner(options: Options) -> Advice:
    span = options.limits.retry_interval
    if span is not None and span >= options.interval:
        yield _say(
            "--retry-interval",
            _span(span),
            f"is no shorter than --interval '{written(options.interval)}': what fails is looked at "
            "no sooner again",
            "make it shorter, or leave it out",
        )


def _backoff_without_check(options: Options) -> Advice:
    span = options.limits.recovery_backoff
    if options.limits.recovers and 0 < span < options.interval:
        yield _say(
            "--recovery-backoff",
            _span(span),
            f"is shorter than --interval '{written(options.interval)}': no check may come in the "
            "first pause, and what has become well by itself is recovered once more",
            f"make it {written(options.interval)} or longer",
        )


def _threshold_of_one(options: Options) -> Advice:
    if options.limits.threshold == 1 and not options.limits.recovers:
        yield _say(
            "--threshold",
            "'1'",
            "changes nothing where nothing is done in recovery: each failure is told without it, "
            "too",
            "leave it out, or make it 2 or more",
        )


def _code_of_timeout(options: Options) -> Advice:
    lists = (("--unknown-codes", options.unknown_codes), ("--warn-codes", options.warn_codes))
    for option, codes in lists:
        if TIMED_OUT in codes and options.timeout is not None:
            yield _say(
                option,
                f"'{','.join(map(str, codes))}'",
                f"holds {TIMED_OUT}, which is not for a check that runs longer than --timeout: "
                "that has failed, whatever is listed",
                f"leave {TIMED_OUT} out, unless the check itself exits with it",
            )


def _and_threshold(options: Options) -> str:
    return ", and --threshold is reached later" if options.limits.threshold else ""


def _window_shorter_than_timeout(options: Options) -> Advice:
    window, timeout = options.limits.recovery_timeout, options.timeout
    if window is not None and timeout is not None and window < timeout:
        yield _say(
            "--recovery-timeout",
            _span(window),
            f"is shorter than --timeout '{written(timeout)}': the first check of a window that "
            "hangs outlasts it, and is the only one",
            f"make --recovery-timeout longer than {written(timeout)}, or --timeout shorter",
        )


def _window_shorter_than_interval(options: Options) -> Advice:
    window, option, interval = _of_window(options)
    if window is not None and (options.timeout or 0) <= window < interval:
        yield _say(
            "--recovery-timeout",
            _span(window),
            f"is shorter than {option} '{written(interval)}': only the check at once is "
            "run in a window, so what recovers slowly is recovered again before it is well",
            f"make --recovery-timeout longer than {written(interval)}",
        )


def _of_window(options: Options) -> tuple[float | None, str, float]:
    """Its given length, and how often checks are in it, by which option."""
    limits = options.limits
    if limits.recovery_interval is not None:
        return limits.recovery_timeout, "--recovery-interval", limits.recovery_interval
    return limits.recovery_timeout, "--interval", options.interval


def _threshold_beyond_count(options: Options) -> Advice:
    limits = options.limits
    if limits.checks is not None and limits.threshold and limits.threshold > limits.checks:
        yield _say(
            "--threshold",
            f"'{limits.threshold}'",
            f"is never reached: --count ends it after {counted(limits.checks, 'check')}",
            f"make --threshold {limits.checks} or less, or --count larger",
        )


def _max_recoveries_beyond_count(options: Options) -> Advice:
    limits = options.limits
    most, checks, threshold = limits.max_recoveries, limits.checks, limits.threshold
    if most is None or checks is None or threshold is None or threshold > checks:
        return
    if limits.recovery_interval is not None or limits.recovery_backoff:
        return  # How many checks a window has is another sum then.
    # The last window, too, has to close; the check at once of each never does that alone.
    a_window = 1 if limits.recovery_timeout is not None else max(2, threshold)
    needed = threshold + most * a_window
    if needed > checks:
        yield _say(
            "--max-recoveries",
            f"'{most}'",
            f"is never spent with --threshold '{threshold}': that takes {needed} failed checks, "
            f"and --count ends it after {checks}",
            f"make --count at least {needed}, or leave out --max-recoveries",
        )


def _success_beyond_count(options: Options) -> Advice:
    limits = options.limits
    checks, passes = limits.checks, limits.success_threshold
    if checks is not None and limits.recovers and (limits.threshold or 1) <= checks:
        threshold = limits.threshold or 1
        needed = threshold + passes
        if needed > checks:
            yield _say(
                "--success-threshold",
                f"'{passes}'",
                f"is never reached: --count '{checks}' leaves "
                f"{counted(checks - threshold, 'check')} behind --threshold "
                f"'{threshold}'",
                f"make --count at least {needed}",
            )


def _start_period_covers_all(options: Options) -> Advice:
    limits = options.limits
    if limits.checks is not None and limits.start_period > (limits.checks - 1) * options.interval:
        yield _say(
            "--start-period",
            _span(limits.start_period),
            f"is longer than the {counted(limits.checks, 'check')} of --count: no failure "
            "counts before the first pass",
            "make --start-period shorter, or --count larger",
        )


def _stopped_target(options: Options) -> Advice:
    signum = options.limits.fault_signal
    if signum is None or signum not in signals.STOPPING or not options.has_target:
        return
    name = signals.name(signum)
    yield _say(
        "--fault-signal",
        f"'{name}'",
        f"stops {_target(options)}: where {options.shown} asks that process, no check "
        "can pass until somebody continues it",
        "have --recovery send CONT to it, or let the check ask something else",
    )
    if options.limits.success_signal != signal.SIGCONT:
        yield _say(
            "--fault-signal",
            f"'{name}'",
            "is not followed by CONT: after a recovery that succeeds, the process stays "
            "stopped until HEAT ends",
            "add --success-signal CONT",
        )


def _stopping_signal(options: Options) -> Advice:
    signum = options.limits.signal
    if signum is not None and signum in signals.STOPPING and options.has_target:
        yield _say(
            "--signal",
            f"'{signals.name(signum)}'",
            f"stops {_target(options)} at a failure, and a check that passes again "
            "before recovery sends nothing: it stays stopped",
            "use --fault-signal STOP with --success-signal CONT",
        )


def _signal_ends_target(options: Options) -> Advice:
    limits = options.limits
    if options.pid is None:
        return
    for option, signum in (
        ("--signal", limits.signal),
        ("--fault-signal", limits.fault_signal),
        ("--success-signal", limits.success_signal),
    ):
        if signum is not None and signum in signals.EXPECTED_TO_END:
            yield _say(
                option,
                f"'{signals.name(signum)}'",
                f"ends process {options.pid}, and a target of --pid that has ended is an error: "
                "HEAT gives up",
                "name it with --pid-file, so that another may take its place",
            )


def _target_replaced(options: Options) -> Advice:
    if options.pid is not None and options.recovery is not None:
        yield _say(
            "--pid",
            f"'{options.pid}'",
            "may not be replaced by --recovery: when that process ends, HEAT gives up",
            "use --pid-file if the recovery script starts the process anew",
        )


def _endless_fail(options: Options) -> Advice:
    if options.fail is None or options.script_timeout is not None:
        return
    script = f"'{escaped(options.fail)}'"
    hint = f"add --script-timeout, such as --script-timeout {written(options.interval)}"
    if options.limits.fail_overlap_skip:
        complaint = "has no --script-timeout: with --fail-overlap 'skip' no check is run while it"
        yield _say("--fail", script, f"{complaint} hangs", hint)
    elif not options.limits.recovers:
        complaint = "has no --script-timeout: where it hangs, no later failure is told"
        yield _say("--fail", script, complaint, hint)


def _endless_recovery(options: Options) -> Advice:
    if options.recovery is not None and options.script_timeout is None:
        yield _say(
            "--recovery",
            f"'{escaped(options.recovery)}'",
            "has no --script-timeout: where it hangs, no check is run any more",
            "add --script-timeout, longer than any recovery takes",
        )


def _slow_fail_allowed(options: Options) -> Advice:
    span = options.script_timeout
    if options.fail is None or options.recovery is not None:
        return  # The recovery script has the same limit, and may need it.
    if span is not None and span > options.interval:
        yield _say(
            "--script-timeout",
            _span(span),
            f"lets the fail script run longer than --interval '{written(options.interval)}': "
            + _what_overlap_does(options),
            f"make --script-timeout {written(options.interval)} or less, or --interval longer",
        )


def _slow_fail(options: Options, span: float) -> Advice:
    if options.fail is not None and span > options.interval:
        yield _say(
            "--fail",
            f"'{escaped(options.fail)}'",
            f"takes {exact(span)}, longer than --interval '{written(options.interval)}': "
            + _what_overlap_does(options),
            "have it do its work in the background, or make --interval longer",
        )


def _what_overlap_does(options: Options) -> str:
    if options.limits.fail_overlap_skip:
        return "with --fail-overlap 'skip' the checks meanwhile are left out"
    waits = ", and recovery waits for it" if options.limits.recovers else ""
    return f"failures that come meanwhile are told by one run{waits}"


def _target(options: Options) -> str:
    if options.pid is not None:
        return f"process {options.pid}"
    return f"the process of {escaped(options.pid_file or '')}"


_RULES: tuple[Callable[[Options], Advice], ...] = (
    _endless_check,
    _timeout_beyond_interval,
    _timeout_beyond_pace,
    _retry_no_sooner,
    _backoff_without_check,
    _threshold_of_one,
    _code_of_timeout,
    _window_shorter_than_timeout,
    _window_shorter_than_interval,
    _threshold_beyond_count,
    _max_recoveries_beyond_count,
    _success_beyond_count,
    _start_period_covers_all,
    _stopped_target,
    _stopping_signal,
    _signal_ends_target,
    _target_replaced,
    _endless_fail,
    _endless_recovery,
    _slow_fail_allowed,
)
