"""Lengths and moments in words, for people; HEAT itself speaks in seconds."""

from functools import lru_cache
from time import localtime, strftime

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_IN_MILLISECONDS = 0.0995
_IN_TENTHS = 9.95
_IN_SECONDS = 120
_IN_MINUTES = 2 * _HOUR
_IN_HOURS = 2 * _DAY


def _parts(whole: int) -> tuple[int, str, int, str]:
    """The two largest parts of a length of some minutes or more: number and unit of each."""
    if whole < _IN_MINUTES:
        return whole // _MINUTE, "min", whole % _MINUTE, "s"
    if whole < _IN_HOURS:
        return whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min"
    return whole // _DAY, "d", whole % _DAY // _HOUR, "h"


def length(span: float) -> str:
    """``20 ms``, ``4.2 s``, ``95 s``, ``12 min 30 s``, ``3 h 5 min``, ``2 d 4 h``."""
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
    """``4.2s``, ``95s``, ``12m30s``, ``3h05m``, ``2d04h``: one word of a table."""
    if 0 <= span < _IN_TENTHS:
        return f"{span:.1f}s"
    whole = max(0, round(span))
    if whole < _IN_SECONDS:
        return f"{whole}s"
    number, unit, rest, smaller = _parts(whole)
    return f"{number}{unit[0]}{rest:02d}{smaller[0]}"


@lru_cache(maxsize=1024)
def stamp(moment: float) -> str:
    """``2026-11-22T10:47:37``, local time: one word of a table."""
    return strftime("%Y-%m-%dT%H:%M:%S", localtime(moment))


def clock(moment: float, now: float) -> str:
    """``10:47:37``, local time; with the date where that is not today's."""
    return _told(moment, now, "%Y-%m-%d %H:%M:%S")


def brief(moment: float, now: float) -> str:
    """``10:47:37``, local time; where that is not today's, ``Nov 21 10:47``."""
    return _told(moment, now, "%b %d %H:%M")


def _told(moment: float, now: float, of_other_days: str) -> str:
    there, here = localtime(moment), localtime(now)
    same_day = there[:3] == here[:3]
    return strftime("%H:%M:%S" if same_day else of_other_days, there)
