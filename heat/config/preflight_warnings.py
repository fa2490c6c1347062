"""Warnings before a monitor starts: what is allowed, and may not be meant."""

from collections.abc import Iterator

from heat.config.options import Options
from heat.diagnostics import as_keys
from heat.errors import TargetError
from heat.process import signals
from heat.process.proc import would_end
from heat.process.target import PidFileTarget, PidTarget


def warnings_of(options: Options, pid: int | None, *, in_file: bool = False) -> Iterator[str]:
    """Word what may not be meant; ``pid`` is the target of this moment, if there is one.

    ``in_file``: with the keys of a file in the place of options.
    """
    for text in _warnings(options, pid, in_file=in_file):
        yield as_keys(text) if in_file else text


def _warnings(options: Options, pid: int | None, *, in_file: bool) -> Iterator[str]:
    if options.pid is not None and options.recovery:
        yield f"recovery may not replace process {options.pid}: use --pid-file"
    limits = options.limits
    for option, signum in (
        ("--signal", limits.signal),
        ("--fault-signal", limits.fault_signal),
        ("--success-signal", limits.success_signal),
    ):
        if signum is None or signum in signals.EXPECTED_TO_END or signum in signals.HARMLESS:
            continue
        name = signals.name(signum)
        if not options.has_target:
            if signum not in signals.HANDLED:
                setting = f'{option} = "{name}"' if in_file else f"{option} {name}"
                yield f"{setting} ends HEAT itself, its own target: use --pid or --pid-file"
        elif pid is not None and would_end(pid, signum):
            none = f'{option} = "none"' if in_file else f"'{option} none'"
            yield (
                f"process {pid} does not catch {name} ({option}) and would be ended by it: "
                f"choose another signal, or {none}"
            )


def present_target(target: object) -> int | None:
    """Return the process that a signal would go to at this moment."""
    if isinstance(target, PidTarget):
        return target.pid
    if isinstance(target, PidFileTarget):
        try:
            return target.read()
        except TargetError:
            return None
    return None
