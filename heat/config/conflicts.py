"""Options that are missing, have no effect, or do not go together; found before anything starts."""

import signal
from collections.abc import Iterator, Mapping
from typing import Any

from heat.config.durations import written
from heat.config.schema import BAD, COMMAND, OPTIONS, RECOVERY
from heat.diagnostics import Diagnostic, of_option, shown
from heat.process import signals
from states.engine.named_tuple import NamedTuple

DEFAULT_SIGNAL = int(signal.SIGHUP)

_SIGNALS = ("--signal", "--fault-signal", "--success-signal")
_TARGETS = ("--pid", "--pid-file")
_NEEDY = [option for option in OPTIONS if option.needs]
_BACKOFF, _BACKOFF_MAX = "--recovery-backoff", "--recovery-backoff-max"


def missing(values: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """List what every monitor needs, and this one lacks."""
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
    """An option that does not go with the others; ``idle`` if it merely has no effect."""

    option: str
    complaint: str
    hint: str
    idle: bool = True

    def diagnostic(self, value: object) -> Diagnostic:
        """Return the mistake that this is, if the option has this value."""
        return of_option(self.option, shown(value), self.complaint, self.hint)


def conflicts(values: Mapping[str, Any]) -> Iterator[Conflict]:
    """List the options that do not go together."""
    present = {option for option, value in values.items() if value is not None}
    yield from _of_pace(values, present)
    yield from _without_effect(values, present)
    yield from _of_backoff(values)
    yield from _of_codes(values)
    if present.issuperset(_TARGETS):
        yield Conflict("--pid", "has no effect with --pid-file", "use either --pid or --pid-file")
    for option in _SIGNALS if present.isdisjoint(_TARGETS) else ():
        if values.get(option) in signals.NEED_TARGET:
            hint = "name the process with --pid or --pid-file"
            yield Conflict(option, "needs a target", hint, idle=False)


def _of_pace(values: Mapping[str, Any], present: set[str]) -> Iterator[Conflict]:
    """Refuse an interval for FAILING where no failure leads there."""
    recovers = _recovers(values)
    if "--retry-interval" in present and values.get("--threshold", 1 if recovers else None) == 1:
        why = ": the first failure starts recovery at once"
        hint = "make --threshold 2 or more, or leave out --retry-interval"
        if recovers:
            hint += "; in recovery it is --recovery-interval"
        yield Conflict("--retry-interval", f"does not go with --threshold 1{why * recovers}", hint)


def _without_effect(values: Mapping[str, Any], present: set[str]) -> Iterator[Conflict]:
    """List the options that do nothing without another, which is missing."""
    active = {**values, "--signal": signal_of(values)}
    for option in _NEEDY:
        unmet = (need for need in option.needs if not any(map(active.get, need.options)))
        if option.name in present and (need := next(unmet, None)):
            yield Conflict(option.name, need.complaint, need.hint)


def _of_backoff(values: Mapping[str, Any]) -> Iterator[Conflict]:
    """Refuse a longest backoff that is shorter than the first one."""
    first, most = values.get(_BACKOFF), values.get(_BACKOFF_MAX)
    if first and most and BAD not in {first, most} and most < first:
        complaint = f"is shorter than {_BACKOFF}, {written(first)}"
        hint = f"make it {written(first)} or longer, or {_BACKOFF} shorter"
        yield Conflict(_BACKOFF_MAX, complaint, hint, idle=False)


def _of_codes(values: Mapping[str, Any]) -> Iterator[Conflict]:
    """Refuse exit codes that would mean two things."""
    unknown, warn = (values.get(option, ()) for option in ("--unknown-codes", "--warn-codes"))
    if BAD not in {unknown, warn} and (both := sorted({*unknown} & {*warn})):
        codes = " and ".join(map(str, both))
        complaint = f"contains {codes}, which --unknown-codes contains too"
        hint = f"leave {codes} out of one of the two"
        yield Conflict("--warn-codes", complaint, hint, idle=False)


def _recovers(values: Mapping[str, Any]) -> bool:
    """Tell if there is anything to do in recovery."""
    return any(values.get(option) is not None for option in RECOVERY.options)


def signal_of(values: Mapping[str, Any]) -> int | None:
    """Return the signal that is sent on each failure, if any."""
    has_target = not values.keys().isdisjoint(_TARGETS)
    signum: int | None = values.get("--signal", DEFAULT_SIGNAL if has_target else None)
    return signum


def threshold_of(values: Mapping[str, Any]) -> int | None:
    """Return how many failures in a row lead to more than a record, if any do."""
    recovers = _recovers(values)
    threshold: int | None = values.get("--threshold", 1 if recovers else None)
    reacts = recovers or values.get("--fail") is not None or signal_of(values) is not None
    return threshold if reacts else None
