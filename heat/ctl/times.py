"""Moments of local time, for people; HEAT itself counts unix seconds."""

from functools import lru_cache
from time import localtime, strftime


@lru_cache(maxsize=1024)
def stamp(moment: float) -> str:
    """Return ``2026-11-22T10:47:37``: one word of a table."""
    return strftime("%Y-%m-%dT%H:%M:%S", localtime(moment))


def clock(moment: float, now: float) -> str:
    """Return ``10:47:37``, with the date in front if that is not today."""
    return _formatted(moment, now, "%Y-%m-%d %H:%M:%S")


def brief(moment: float, now: float) -> str:
    """Return ``10:47:37``, or ``Nov 21 10:47`` if that is not today."""
    return _formatted(moment, now, "%b %d %H:%M")


def _formatted(moment: float, now: float, of_other_days: str) -> str:
    there, here = localtime(moment), localtime(now)
    same_day = there[:3] == here[:3]
    return strftime("%H:%M:%S" if same_day else of_other_days, there)
