"""Options that are missing, in vain, or do not go together: told before anything starts."""

import signal
from collections.abc import Iterator, Mapping
from typing import Any

from heat.config.durations import written
from heat.diagnostics import Diagnostic, of_option, shown
from heat.process import signals
from states.engine.named_tuple import NamedTuple

COMMAND = "command"
"""The command stands among the values under this name."""

DEFAULT_SIGNAL = int(signal.SIGHUP)

BAD = object()
"""Stands for a value that could not be read: given, and told already."""

_IN_RECOVERY = ("--recovery", "--fault-signal", "--success-signal")
_FOR_RECOVERY = (
    "--success-threshold",
    "--recovery-timeout",
    "--recovery-interval",
    "--recovery-backoff",
    "--recovery-backoff-max",
    "--max-recoveries",
    "--when-spent",
)
_SIGNALS = ("--signal", "--fault-signal", "--success-signal")
_SCRIPTS = ("--fail", "--recovery")
_TARGETS = ("--pid", "--pid-file")
_BACKOFFS = ("--recovery-backoff", "--recovery-backoff-max")


def missing(values: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """The options that no monitor can do without."""
    if "--interval" not in values:
        yield of_option(
            "--interval",
            "",
            "is missing",
            "say how often to check, as in -i 30",
            "say how often to check: interval = 30",
        )
    if ("--script" in values) == (COMMAND in values):
        text = "use either script or command"
        if COMMAND in values:
            hint, in_file = "leave out --script, or the command behind the options", "leave out one"
        else:
            hint = "name the check: heat -i 30 -s ./check, or heat -i 30 curl -sf URL"
            in_file = 'name the check: script = "./check", or command = ["curl", "-sf", "URL"]'
        yield Diagnostic(f"Error: {text}", hint, "", text, in_file)


class Conflict(NamedTuple):
    """An option that does not go with the others; ``in_vain`` where it merely has no effect."""

    option: str
    complaint: str
    hint: str
    in_vain: bool = True

    def diagnostic(self, value: object) -> Diagnostic:
        """The mistake it is, the option having been given this value."""
        return of_option(self.option, shown(value), self.complaint, self.hint)


def conflicts(values: Mapping[str, Any]) -> Iterator[Conflict]:
    """Options that do not go together."""
    said = {option for option, value in values.items() if value is not None}
    recovers = not said.isdisjoint(_IN_RECOVERY)
    yield from _of_pace(values, said, recovers=recovers)
    yield from _of_recovery(values, said) if recovers else _without_recovery(values, said)
    yield from _of_codes(values)
    if "--fail-overlap" in said and "--fail" not in said:
        yield Conflict(
            "--fail-overlap", "has no effect without --fail", "add --fail, or leave it out"
        )
    if "--script-timeout" in said and said.isdisjoint(_SCRIPTS):
        yield Conflict(
            "--script-timeout",
            "has no effect without a script to run",
            "add --fail or --recovery, or leave it out",
        )
    if said.issuperset(_TARGETS):
        yield Conflict("--pid", "has no effect with --pid-file", "use either --pid or --pid-file")
    for option in _SIGNALS if said.isdisjoint(_TARGETS) else ():
        if values.get(option) in signals.NEED_TARGET:
            hint = "name the process with --pid or --pid-file"
            yield Conflict(option, "needs a target", hint, in_vain=False)


def _of_pace(values: Mapping[str, Any], said: set[str], *, recovers: bool) -> Iterator[Conflict]:
    """An interval for FAILING, where no failure leads there."""
    if "--retry-interval" in said and values.get("--threshold", 1 if recovers else None) == 1:
        why = ": the first failure starts recovery at once"
        hint = "make --threshold 2 or more, or leave out --retry-interval"
        if recovers:
            hint += "; in recovery it is --recovery-interval"
        yield Conflict("--retry-interval", f"does not go with --threshold 1{why * recovers}", hint)


def _without_recovery(values: Mapping[str, Any], said: set[str]) -> Iterator[Conflict]:
    """The options that are about recovery, where nothing is done in it."""
    add = "add --recovery, --fault-signal or --success-signal"
    nothing = "has no effect without anything to do in recovery"
    if "--threshold" in said and not _acts_on_failures(values):
        hint = f"{add}, or --fail or --signal, or leave it out"
        yield Conflict("--threshold", f"{nothing} or on a failure", hint)
    for option in filter(said.__contains__, _FOR_RECOVERY):
        yield Conflict(option, nothing, f"{add}, or leave it out")


def _of_recovery(values: Mapping[str, Any], said: set[str]) -> Iterator[Conflict]:
    """The options about recovery that do not go together."""
    if "--when-spent" in said and "--max-recoveries" not in said:
        complaint = "needs --max-recoveries: without it there is always one recovery more"
        yield Conflict("--when-spent", complaint, "add --max-recoveries N, or leave it out")
    first, most = (values.get(option, 0.0) for option in _BACKOFFS)
    if BAD in {first, most} or not most:
        return
    if not first:
        complaint = "has no effect without --recovery-backoff"
        yield Conflict(_BACKOFFS[1], complaint, "add --recovery-backoff SECS, or leave it out")
    elif most < first:
        complaint = f"is shorter than --recovery-backoff, {written(first)}"
        hint = f"make it {written(first)} or longer, or --recovery-backoff shorter"
        yield Conflict(_BACKOFFS[1], complaint, hint, in_vain=False)


def _of_codes(values: Mapping[str, Any]) -> Iterator[Conflict]:
    """Exit codes that would mean two things."""
    unknown, warn = (values.get(option, ()) for option in ("--unknown-codes", "--warn-codes"))
    if BAD not in {unknown, warn} and (both := sorted({*unknown} & {*warn})):
        codes = " and ".join(map(str, both))
        complaint = f"holds {codes}, which --unknown-codes holds as well"
        yield Conflict(
            "--warn-codes", complaint, f"leave {codes} out of one of the two", in_vain=False
        )


def _acts_on_failures(values: Mapping[str, Any]) -> bool:
    """A failure runs a script or sends a signal."""
    return values.get("--fail") is not None or signal_of(values) is not None


def signal_of(values: Mapping[str, Any]) -> int | None:
    """The signal that is sent on each failure, if any."""
    has_target = not values.keys().isdisjoint(_TARGETS)
    signum: int | None = values.get("--signal", DEFAULT_SIGNAL if has_target else None)
    return signum


def threshold_of(values: Mapping[str, Any]) -> int | None:
    """The failures in a row that lead to something more, if any do."""
    recovers = any(values.get(option) is not None for option in _IN_RECOVERY)
    threshold: int | None = values.get("--threshold", 1 if recovers else None)
    return threshold if recovers or _acts_on_failures(values) else None
