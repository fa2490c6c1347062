"""The history of a monitor as an object, for `heatctl history --json` and `heatctl serve`."""

from typing import TypedDict

from heat.control.answers import Public
from heat.store.outages import Account, Outage, Recovery


class PastRecovery(TypedDict):
    """A recovery; None for what nobody knows yet."""

    attempt: Public[int]
    began: Public[float]
    ended: Public[float | None]
    duration: Public[float | None]
    code: Public[int | None]
    how: str | None
    helped: Public[bool | None]
    useless: Public[bool]
    well_after: Public[float | None]
    message: str | None


class PastOutage(TypedDict):
    """An outage, and the number of the recovery that helped."""

    began: Public[float]
    ended: Public[float | None]
    length: Public[float]
    failures: Public[int]
    ending: Public[str | None]
    helped: Public[int | None]
    first_code: Public[int | None]
    first_message: str | None
    last_code: Public[int | None]
    last_message: str | None
    recoveries: Public[list[PastRecovery]]


class PastPause(TypedDict):
    """A pause."""

    began: float
    ended: float | None
    until: float | None
    reason: str


History = TypedDict(
    "History",
    {
        "monitor": Public[str],
        "from": Public[float],
        "to": Public[float],
        "watched": Public[float],
        "down": Public[float],
        "well": Public[float | None],
        "mean_time_to_repair": Public[float | None],
        "flaps": Public[int],
        "outages": Public[list[PastOutage]],
        "pauses": list[PastPause],
    },
)
"""A monitor's outages between two moments; ``well`` is a share, from 0 to 1."""


def as_object(account: Account) -> History:
    """Return an account as an object."""
    now = account.span.ended
    return {
        "monitor": account.name,
        "from": account.span.began,
        "to": now,
        "watched": account.watched,
        "down": account.down,
        "well": account.well,
        "mean_time_to_repair": account.mean_time_to_repair,
        "flaps": account.flaps,
        "outages": [_outage(each, now) for each in account.outages],
        "pauses": [
            {"began": each.began, "ended": each.ended, "until": each.until, "reason": each.reason}
            for each in account.pauses
        ],
    }


def _outage(outage: Outage, now: float) -> PastOutage:
    helper = outage.helper
    return {
        "began": outage.began,
        "ended": outage.ended,
        "length": outage.length(now),
        "failures": outage.failures,
        "ending": outage.ending,
        "helped": None if helper is None else helper.attempt,
        "first_code": outage.first.code,
        "first_message": outage.first.message,
        "last_code": outage.last.code,
        "last_message": outage.last.message,
        "recoveries": [_recovery(each) for each in outage.recoveries],
    }


def _recovery(recovery: Recovery) -> PastRecovery:
    return {
        "attempt": recovery.attempt,
        "began": recovery.began,
        "ended": recovery.ended,
        "duration": None if recovery.ended is None else recovery.ended - recovery.began,
        "code": recovery.code,
        "how": recovery.how,
        "helped": recovery.helped,
        "useless": recovery.useless,
        "well_after": recovery.well_after,
        "message": recovery.message,
    }
