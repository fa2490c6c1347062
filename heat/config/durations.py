"""Durations: read as people write them, and written as people read them. Elsewhere, seconds.

One grammar for every option, key and query: a number of seconds (``30``, ``0.5``), or numbers
with units, the largest first (``500ms``, ``5m``, ``1h30m``).
"""

import re
from collections.abc import Iterator, Mapping

from heat.diagnostics import BadValueError
from heat.text import seconds

MINUTE, HOUR, DAY, WEEK = 60.0, 3_600.0, 86_400.0, 604_800.0
LONGEST = 366 * DAY
"""The longest duration: a longer one is a slip of the finger."""
LONGEST_PAST = 3_650 * DAY
"""The longest that HEAT keeps history, and looks back."""
SHORTEST = 0.001

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15})"
_UNITS = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": 1.0}
_AS_WRITTEN = {unit: size for unit, size in _UNITS.items() if unit != "w"}
"""Without weeks: 90d, and not 12w6d."""
_IN_WORDS = {" d": DAY, " h": HOUR, " min": MINUTE, " s": 1.0}
_WRITTEN = "".join(f"(?:{_NUMBER}{unit})?" for unit in (*_UNITS, "ms"))
_EXAMPLES = ("500ms", "30s", "5m", "2h", "1d", "1w", "1h30m")


def duration(value: str | float, longest: float = LONGEST) -> float:
    """Return the seconds. Raises BadValueError."""
    span = _seconds(value, longest)
    if span is None:
        quoted = ", ".join(f'"{each}"' for each in _EXAMPLES)
        raise BadValueError(
            "is not a duration",
            f"write seconds, or numbers with units: 30, 0.5, {', '.join(_EXAMPLES)}",
            f"write seconds, or text with units: 30, 0.5, {quoted}",
        )
    if span and span < SHORTEST:
        raise BadValueError("is too short", "the shortest duration is 1ms")
    if span > longest:
        raise BadValueError("is too long", f"the longest duration is {longest / DAY:.0f}d")
    return span


def _seconds(value: str | float, longest: float) -> float | None:
    if not isinstance(value, str):
        # nan is not 0 or more, either, and a huge int would not fit into a float.
        return float(min(value, 2 * longest)) if value >= 0 else None
    if re.fullmatch(_NUMBER, value):
        return float(value)
    match = re.fullmatch(_WRITTEN, value)
    if match is None or not value:
        return None
    *parts, milliseconds = (float(part or 0) for part in match.groups())
    # Divided, not multiplied: 700ms is 0.7, and not 0.7000000000000001.
    whole = sum(part * unit for part, unit in zip(parts, _UNITS.values(), strict=True))
    return whole + milliseconds / 1000


def positive_duration(value: str | float, longest: float = LONGEST) -> float:
    """Return the seconds of a duration above 0. Raises BadValueError."""
    span = duration(value, longest)
    if span <= 0:
        raise BadValueError(
            "is not a positive duration",
            "write more than 0, such as 0.5, 500ms, 30s or 5m",
            'write more than 0, such as 0.5, "500ms", "30s" or "5m"',
        )
    return span


def duration_back(value: str | float) -> float:
    """Return the seconds to look back. Raises BadValueError."""
    return positive_duration(value, LONGEST_PAST)


def written(span: float) -> str:
    """Return a duration as an option takes it, to the millisecond: ``0.5``, ``95``, ``1h30m``."""
    return seconds(span) if span < _IN_SECONDS else "".join(_parts_of(span, _AS_WRITTEN))


def exact(span: float) -> str:
    """Return a duration for a message, to the millisecond: ``0.5 s``, ``95 s``, ``1 h 30 min``."""
    if span < _IN_SECONDS:
        return f"{seconds(span)} s"
    return " ".join(_parts_of(span, _IN_WORDS))


def _parts_of(span: float, units: Mapping[str, float]) -> Iterator[str]:
    rest = round(span * 1000)
    for unit, size in units.items():
        number, rest = divmod(rest, round(size * 1000)) if size > 1 else (rest / 1000, 0)
        if number:
            yield f"{seconds(number)}{unit}"


_IN_MILLISECONDS = 0.0995
_IN_TENTHS = 9.95
_IN_SECONDS = 120
_IN_MINUTES = 2 * 3_600
_IN_HOURS = 2 * 86_400


def _parts(whole: int) -> tuple[int, str, int, str]:
    """Return the two largest parts of a few minutes or more: number and unit of each."""
    if whole < _IN_MINUTES:
        return whole // 60, "min", whole % 60, "s"
    if whole < _IN_HOURS:
        return whole // 3_600, "h", whole % 3_600 // 60, "min"
    return whole // 86_400, "d", whole % 86_400 // 3_600, "h"


def length(span: float) -> str:
    """Return ``20 ms``, ``4.2 s``, ``95 s``, ``12 min 30 s``, ``3 h 5 min`` or ``2 d 4 h``."""
    if 0 < span < _IN_MILLISECONDS:
        return f"{max(1, round(span * 1000))} ms"
    if span < _IN_TENTHS:
        return f"{max(0.0, span):.1f}".removesuffix(".0") + " s"
    whole = round(span)
    if whole < _IN_SECONDS:
        return f"{whole} s"
    number, unit, rest, smaller = _parts(whole)
    return f"{number} {unit} {rest} {smaller}" if rest else f"{number} {unit}"


def short(span: float) -> str:
    """Return ``4.2s``, ``95s``, ``12m30s``, ``3h05m`` or ``2d04h``: one word of a table."""
    if 0 <= span < _IN_TENTHS:
        return f"{span:.1f}s"
    whole = max(0, round(span))
    if whole < _IN_SECONDS:
        return f"{whole}s"
    number, unit, rest, smaller = _parts(whole)
    return f"{number}{unit[0]}{rest:02d}{smaller[0]}"
