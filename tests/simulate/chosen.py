"""The choices that make a history: the options of its monitor, and the ends of its programs."""

import signal
from functools import cache

from heat.config.options import Options
from heat.rehearsal.programs import Ends
from states.monitor.limits import Limits

from .choices import Choices

_INTERVALS = (10.0, 1.0, 4.0)
_TARGETS = ("none", "pid", "pid-file")
_USR1, _STOP = int(signal.SIGUSR1), int(signal.SIGSTOP)
_SIGNALS = (None, _USR1, _STOP, _STOP, None, int(signal.SIGKILL))
_TO_ITSELF = (None, _USR1, None, _USR1, int(signal.SIGTERM))


def choose_options(choices: Choices, before: Options | None = None) -> Options:
    """Choose options that heat accepts; ``before`` are those that a reload replaces."""
    interval = choices.of(_INTERVALS) if before is None or choices.pick(2) else before.interval
    target = _TARGETS[choices.pick(3)] if before is None else _target_of(before)
    sent = _TO_ITSELF if target == "none" else _SIGNALS
    recovery = bool(choices.pick(2))
    fault, success = choices.of(sent), choices.of((None, int(signal.SIGCONT), 10))
    in_recovery = recovery or fault is not None or success is not None
    fail = bool(choices.pick(2))
    threshold = choices.of((1, 2, 3, 5) if in_recovery else (None, None, 2, 3))
    most = choices.of((None, 1, 2, 3)) if in_recovery else None
    paces = (None, None, 0.5 * interval, 0.25 * interval, interval, 1.5 * interval)
    backoff = choices.of((0.0, 0.0, interval, 0.5 * interval, 2.5 * interval))
    limits = Limits(
        threshold=threshold,
        success_threshold=choices.of((1, 2, 3)) if in_recovery else 1,
        max_recoveries=most,
        recovery_timeout=(
            choices.of((None, interval, 2.5 * interval, 0.5 * interval, 3 * interval))
            if in_recovery
            else None
        ),
        start_period=choices.of((0.0, 0.0, interval, 2.5 * interval)),
        checks=choices.of((None, None, None, None, None, 40, 3)),
        fail=fail,
        fail_overlap_skip=fail and bool(choices.pick(2)),
        recovery=recovery,
        signal=choices.of((None, int(signal.SIGHUP), *sent)),
        fault_signal=fault,
        success_signal=success,
        spent_watch=most is not None and bool(choices.pick(2)),
        interval=interval,
        retry_interval=choices.of(paces) if threshold != 1 else None,
        recovery_interval=choices.of(paces) if in_recovery else None,
        recovery_backoff=backoff if in_recovery else 0.0,
        recovery_backoff_max=choices.of((600.0, 3 * backoff, backoff, 600.0)) or 600.0,
    )
    return Options(
        name="simulated",
        interval=interval,
        check=("check",),
        is_script=True,
        timeout=choices.of((0.5 * interval, interval, 2.5 * interval, None)),
        pid=42 if target == "pid" else None,
        pid_file="pid" if target == "pid-file" else None,
        fail="fail" if fail else None,
        recovery="recovery" if recovery else None,
        script_timeout=choices.of((None, interval, 2.0 * interval, 0.5)),
        on_killed=choices.of(("fail", "fail", "fail", "error")),
        unknown_codes=choices.of(((), (), (), (3,), (3, 137))),
        warn_codes=choices.of(((), (), (), (), (), (1,))),
        limits=limits,
    )


def _target_of(options: Options) -> str:
    if options.pid is not None:
        return "pid"
    return "none" if options.pid_file is None else "pid-file"


_Lengths = tuple[float, ...]


def _lengths(options: Options) -> _Lengths:
    """Return durations of programs: none, or such that end together with something else."""
    interval, timeout = options.interval, options.timeout or options.interval
    window = options.limits.recovery_timeout or interval
    return (0.0, 0.0, 0.0, 0.3, interval, timeout, timeout, window, 2 * interval, 3.3 * interval)


def ends_of_check(options: Options) -> tuple[Ends, ...]:
    """Return the ends that a check may have, common ones many times."""
    return _ends_of_check(_lengths(options), options.interval, options.on_killed)


@cache
def _ends_of_check(lengths: _Lengths, interval: float, on_killed: str) -> tuple[Ends, ...]:
    quick = (Ends(), Ends(1)) * 12
    slow = tuple(Ends(code, span) for span in lengths for code in (0, 1, 1))
    odd = (
        *(Ends(after=None),) * 3,
        Ends(after=None, stubborn=True),
        Ends(7, 0.0, stubborn=True),
        Ends(1, 2 * interval, stubborn=True),
        Ends(error="no memory"),
        Ends(error="no memory"),
        Ends(lost=True),
        Ends(3),
        Ends(1, stderr=b"why"),
        Ends(after=None, stderr=b"why"),
        Ends(killed=9, after=0.5 if on_killed == "fail" else 0.0),
    )
    rare = (
        Ends(error="gone", passing=False),
        Ends(after=None, stubborn=True, immortal=True),
        Ends(escapee=True),
    )
    return quick * 6 + slow * 4 + odd * 3 + rare


def ends_of_script(options: Options, *, fatal: bool) -> tuple[Ends, ...]:
    """Return the ends that a script may have; only its time limit ends one that is ``fatal``."""
    hangs = options.script_timeout is not None or fatal
    return _ends_of_script(_lengths(options), hangs=hangs)


@cache
def _ends_of_script(lengths: _Lengths, *, hangs: bool) -> tuple[Ends, ...]:
    well = tuple(Ends(code, span) for span in lengths for code in (0, 1))
    odd = (
        Ends(after=None),
        Ends(after=None, stubborn=True),
        Ends(error="no memory"),
        Ends(lost=True),
    )
    if not hangs:
        odd = odd[2:]
    killed = Ends(killed=15, after=0.5)
    gone = Ends(error="gone", passing=False)
    return well * 6 + odd * 2 + (gone, killed)
