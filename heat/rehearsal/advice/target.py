"""Advice on the target, and on signals to it."""

import signal

from heat.config.options import Options
from heat.process import signals
from heat.rehearsal.advice.remark import Advice, remark
from heat.text import escaped


def stopped_target(options: Options) -> Advice:
    """Advise on a STOP for the process that the check may ask."""
    signum = options.limits.fault_signal
    if signum is None or signum not in signals.STOPPING or not options.has_target:
        return
    name = signals.name(signum)
    yield remark(
        "--fault-signal",
        f"'{name}'",
        f"stops {_target(options)}: where {options.shown} asks that process, no check "
        "can pass until somebody continues it",
        "have --recovery send CONT to it, or let the check ask something else",
    )
    if options.limits.success_signal != signal.SIGCONT:
        yield remark(
            "--fault-signal",
            f"'{name}'",
            "is not followed by CONT: after a recovery that succeeds, the process stays "
            "stopped until HEAT ends",
            "add --success-signal CONT",
        )


def stopping_signal(options: Options) -> Advice:
    """Advise on a STOP that nothing continues."""
    signum = options.limits.signal
    if signum is not None and signum in signals.STOPPING and options.has_target:
        yield remark(
            "--signal",
            f"'{signals.name(signum)}'",
            f"stops {_target(options)} at a failure, and a check that passes again "
            "before recovery sends nothing: it stays stopped",
            "use --fault-signal STOP with --success-signal CONT",
        )


def signal_ends_target(options: Options) -> Advice:
    """Advise on a signal that ends a target of --pid."""
    limits = options.limits
    if options.pid is None:
        return
    for option, signum in (
        ("--signal", limits.signal),
        ("--fault-signal", limits.fault_signal),
        ("--success-signal", limits.success_signal),
    ):
        if signum is not None and signum in signals.EXPECTED_TO_END:
            yield remark(
                option,
                f"'{signals.name(signum)}'",
                f"ends process {options.pid}, and a target of --pid that has ended is an error: "
                "HEAT gives up",
                "name it with --pid-file, so that another may take its place",
            )


def target_replaced(options: Options) -> Advice:
    """Advise on a recovery that may replace a target of --pid."""
    if options.pid is not None and options.recovery is not None:
        yield remark(
            "--pid",
            f"'{options.pid}'",
            "may not be replaced by --recovery: when that process ends, HEAT gives up",
            "use --pid-file if the recovery script starts the process again",
        )


def _target(options: Options) -> str:
    if options.pid is not None:
        return f"process {options.pid}"
    return f"the process of {escaped(options.pid_file or '')}"
