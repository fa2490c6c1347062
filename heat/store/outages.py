"""The account of a history: outages, what each recovery did, share of time well. Pure.

Moments are unix seconds, lengths seconds; None stands for "not over", or "not known".
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

HOUR = 3_600.0


class Span(NamedTuple):
    """From a moment to a later one."""

    began: float
    ended: float

    @property
    def length(self) -> float:
        """How long it is."""
        return self.ended - self.began


class Recovery(NamedTuple):
    """One run; ``well_after``: from its end to the check that passed."""

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
        """It exits 0 and does not help."""
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
        """How long it lasted, or has lasted by now."""
        return (now if self.ended is None else self.ended) - self.began

    @property
    def helper(self) -> Recovery | None:
        """The recovery that helped."""
        return next((each for each in self.recoveries if each.helped), None)


class Pause(NamedTuple):
    """No checks in it; ``until`` is when it should have ended by itself, None for never."""

    began: float
    ended: float | None
    until: float | None = None
    reason: str = ""

    def span(self, now: float) -> Span:
        """The time that it has taken by now."""
        return Span(self.began, now if self.ended is None else self.ended)


class Life(NamedTuple):
    """All that is on record of a monitor: since when it is there, outages, pauses and flaps."""

    name: str
    began: float
    ended: float | None
    outages: Sequence[Outage] = ()
    pauses: Sequence[Pause] = ()
    leaves: Sequence[float] = ()
    """When it left NORMAL."""


class Account(NamedTuple):
    """The account of a life within a span of time."""

    name: str
    asked: Span
    outages: Sequence[Outage]
    pauses: Sequence[Pause]
    watched: float
    """HEAT ran and the monitor was there and not paused."""
    down: float
    """Of the time watched, that within outages."""
    mean_time_to_repair: float | None
    """Of the outages that a pass has ended."""
    flaps: int
    """How often it left NORMAL in the last hour."""

    @property
    def well(self) -> float | None:
        """The share of the time watched that was well; None if it was never watched."""
        return 1 - self.down / self.watched if self.watched > 0 else None

    @property
    def goes_on(self) -> bool:
        """It is not well now."""
        return any(each.ended is None for each in self.outages)

    @property
    def recoveries(self) -> Sequence[Recovery]:
        """All of them."""
        return [each for outage in self.outages for each in outage.recoveries]


def account(life: Life, sessions: Iterable[Span], asked: Span) -> Account:
    """Sum up a life; ``sessions`` are the times in which HEAT ran."""
    there = Span(life.began, asked.ended if life.ended is None else life.ended)
    end = asked.ended
    paused = joined(each.span(end) for each in life.pauses)
    watched = minus(within(within(joined(sessions), asked), there), paused)
    outages = [
        each
        for each in life.outages
        if (each.ended is None or each.ended >= asked.began) and each.began <= end
    ]
    times = joined(Span(each.began, end if each.ended is None else each.ended) for each in outages)
    well = minus(watched, times)
    repaired = [each.length(end) for each in outages if each.ending == "passed"]
    return Account(
        name=life.name,
        asked=asked,
        outages=outages,
        pauses=[each for each in life.pauses if each.span(end).ended >= asked.began],
        watched=total(watched),
        down=total(watched) - total(well),
        mean_time_to_repair=sum(repaired) / len(repaired) if repaired else None,
        flaps=sum(end - HOUR < moment <= end for moment in life.leaves),
    )


def total(spans: Iterable[Span]) -> float:
    """How long they are together."""
    return sum(each.length for each in spans)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same times in their order, with none told twice."""
    found: list[Span] = []
    for each in sorted(spans):
        if each.ended <= each.began:
            continue
        if found and each.began <= found[-1].ended:
            found[-1] = Span(found[-1].began, max(found[-1].ended, each.ended))
        else:
            found.append(each)
    return found


def within(spans: Iterable[Span], limits: Span) -> list[Span]:
    """The parts of them within the limits."""
    cut = (Span(max(s.began, limits.began), min(s.ended, limits.ended)) for s in spans)
    return [each for each in cut if each.began < each.ended]


def minus(spans: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    """The parts of them in none of the others; both as `joined` gives them."""
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


# As JSON
