"""The account of a history: outages, what each recovery did, share of time well. Pure.

Moments are unix seconds, lengths seconds; None stands for "not over", or "not known".
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

HOUR = 3_600.0


class Span(NamedTuple):
    """A time from one moment to a later one."""

    began: float
    ended: float

    @property
    def length(self) -> float:
        """Return its length."""
        return self.ended - self.began


class Recovery(NamedTuple):
    """One run of the recovery script; ``well_after``: from its end to the check that passed."""

    helped: bool | None
    attempt: int
    began: float
    ended: float | None
    code: int | None
    how: str | None
    well_after: float | None
    message: str | None = None
    """Its last line."""

    @property
    def useless(self) -> bool:
        """It exited 0 and did not help."""
        return self.helped is False and self.code == 0


class Failed(NamedTuple):
    """A failed check of an outage: its exit code and last line, as far as they are on record."""

    code: int | None = None
    message: str | None = None


class Outage(NamedTuple):
    """From the first failure to what ended it: ``passed``, ``reset`` or ``removed``."""

    began: float
    ended: float | None
    failures: int
    attempts: int
    ending: str | None
    recoveries: Sequence[Recovery] = ()
    first: Failed = Failed()
    last: Failed = Failed()

    def length(self, now: float) -> float:
        """Return its length so far, or altogether."""
        return (now if self.ended is None else self.ended) - self.began

    @property
    def helper(self) -> Recovery | None:
        """The recovery that helped, if one did."""
        return next((each for each in self.recoveries if each.helped), None)


class Pause(NamedTuple):
    """A pause, with no checks; ``until`` is when it was to end by itself, None for never."""

    began: float
    ended: float | None
    until: float | None = None
    reason: str = ""

    def span(self, now: float) -> Span:
        """Return the time it has taken by now."""
        return Span(self.began, now if self.ended is None else self.ended)


class Life(NamedTuple):
    """All that is on record of a monitor, from when it was added to when it was removed."""

    name: str
    began: float
    ended: float | None
    outages: Sequence[Outage] = ()
    pauses: Sequence[Pause] = ()
    leaves: Sequence[float] = ()
    """The moments at which it left NORMAL."""


class Account(NamedTuple):
    """The account of a life within a span of time."""

    name: str
    span: Span
    outages: Sequence[Outage]
    pauses: Sequence[Pause]
    watched: float
    """Seconds in which HEAT ran and the monitor was there and not paused."""
    down: float
    """Seconds of these within outages."""
    mean_time_to_repair: float | None
    """Of the outages that a pass has ended."""
    flaps: int
    """The number of times it left NORMAL in the last hour."""

    @property
    def well(self) -> float | None:
        """The share of the time watched that was well; None if it was never watched."""
        return 1 - self.down / self.watched if self.watched > 0 else None

    @property
    def goes_on(self) -> bool:
        """An outage goes on now."""
        return any(each.ended is None for each in self.outages)

    @property
    def recoveries(self) -> Sequence[Recovery]:
        """The recoveries of all outages."""
        return [each for outage in self.outages for each in outage.recoveries]


def account(life: Life, sessions: Iterable[Span], span: Span) -> Account:
    """Sum up a life; ``sessions`` are the times in which HEAT ran."""
    there = Span(life.began, span.ended if life.ended is None else life.ended)
    end = span.ended
    paused = joined(each.span(end) for each in life.pauses)
    watched = minus(within(within(joined(sessions), span), there), paused)
    outages = [
        each
        for each in life.outages
        if (each.ended is None or each.ended >= span.began) and each.began <= end
    ]
    times = joined(Span(each.began, end if each.ended is None else each.ended) for each in outages)
    well = minus(watched, times)
    repaired = [each.length(end) for each in outages if each.ending == "passed"]
    return Account(
        name=life.name,
        span=span,
        outages=outages,
        pauses=[each for each in life.pauses if each.span(end).ended >= span.began],
        watched=total(watched),
        down=total(watched) - total(well),
        mean_time_to_repair=sum(repaired) / len(repaired) if repaired else None,
        flaps=sum(end - HOUR < moment <= end for moment in life.leaves),
    )


def total(spans: Iterable[Span]) -> float:
    """Return their total length."""
    return sum(each.length for each in spans)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Sort spans, and join those that overlap."""
    result: list[Span] = []
    for each in sorted(spans):
        if each.ended <= each.began:
            continue
        if result and each.began <= result[-1].ended:
            result[-1] = Span(result[-1].began, max(result[-1].ended, each.ended))
        else:
            result.append(each)
    return result


def within(spans: Iterable[Span], limits: Span) -> list[Span]:
    """Return the parts of the spans within the limits."""
    cut = (Span(max(s.began, limits.began), min(s.ended, limits.ended)) for s in spans)
    return [each for each in cut if each.began < each.ended]


def minus(spans: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """Return the parts of the spans outside all others; both as `joined` returns them."""
    left: list[Span] = []
    for each in spans:
        began = each.began
        for other in others:
            if other.ended <= began or other.began >= each.ended:
                continue
            if other.began > began:
                left.append(Span(began, other.began))
            began = other.ended
        if began < each.ended:
            left.append(Span(began, each.ended))
    return left
