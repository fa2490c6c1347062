"""The keys that may be read without a token: no command line, no output of a check. Pure.

The control socket denies these to other users; HTTP on this machine is open to each of them. Keys
are listed that may be told, not those that may not: one that HEAT learns later is kept back until
somebody has looked at it.
"""

from collections.abc import Mapping
from typing import Any, Union, cast

Shape = Mapping[str, Union["Shape", None]]
"""Keys that may be told; None for a single value, a shape for an object or a list of them."""


def _keys(names: str) -> Shape:
    return dict.fromkeys(names.split())


MONITOR: Shape = {
    **_keys("name state since count threshold attempts max_recoveries checking next next_text"),
    **_keys("checks skipped shown backoff spent unknown_since"),
    "last": _keys("result code time age duration pid warning"),
    "last_recovery": _keys("code age"),
    "last_fail": _keys("code age"),
    "paused": _keys("since until reason"),
}
_STEP: Shape = {
    **_keys("event state count passes attempts backoff spent"),
    "window": _keys("failures of overdue"),
    "effects": _keys("do signal option attempt failure seconds helped"),
}
_TURN: Shape = {"number": None, "steps": _STEP}
_OUTLOOK: Shape = {
    **_keys("ended pace tick due"),
    **dict.fromkeys(("coming", "passed", "failed", "late", "still", "resumed"), _STEP),
    "time": {
        **_keys("event in seconds"),
        **dict.fromkeys(("failed", "passed", "running", "then"), _STEP),
    },
    "passes": _TURN,
    "failures": _TURN,
    "commands": _keys("check pause resume reset"),
}

WHY: Shape = {
    **_keys("now passes success_threshold remedy fail_queued frozen start_period"),
    "remedy_text": None,
    "outlook": _OUTLOOK,
    "changed": _keys("before after at count"),
    "outage": _keys("began failures first_code last_code last_time"),
    "window": _keys("closes failures of overdue"),
    "script": _keys("role pid for left"),
    "target": _keys("pid"),
    "options": _keys(
        "interval timeout pid signal fail-overlap threshold recovery-timeout max-recoveries "
        "success-threshold fault-signal success-signal script-timeout start-period on-killed count "
        "retry-interval unknown-codes warn-codes recovery-interval recovery-backoff "
        "recovery-backoff-max when-spent"
    ),
}
"""Beside the keys of `MONITOR`."""

HISTORY: Shape = {
    **_keys("monitor from to watched down well mean_time_to_repair flaps"),
    "outages": {
        **_keys("began ended length failures ending helped first_code last_code"),
        "recoveries": _keys("attempt began ended duration code helped useless well_after"),
    },
}


def redacted(found: object, shape: Shape) -> Any:  # noqa: ANN401 - values of all kinds
    """Keep of an object, or of each in a list, what may be told."""
    if isinstance(found, list):
        return [redacted(each, shape) for each in cast("list[object]", found)]
    if not isinstance(found, dict):
        return None
    facts = cast("dict[str, object]", found)
    return {key: _value(value, shape[key]) for key, value in facts.items() if key in shape}


def _value(value: object, shape: Shape | None) -> object:
    if shape is not None:
        return redacted(value, shape)
    return None if isinstance(value, dict | list) else value
