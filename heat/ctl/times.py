"""Moments in words, for people; HEAT itself speaks in unix seconds."""

from functools import lru_cache
from time import localtime, strftime


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
