"""The sum of a rehearsal, in sentences: the outages, the first remedy, what ran how often."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from heat.rehearsal.play import Played
from heat.rehearsal.timeline import Entry
from heat.text import counted, seconds


class Outage(NamedTuple):
    """A time from the first failure that counts to NORMAL; ``end`` is None if it goes on."""

    began: float
    end: float | None
    remedy: Entry | None
    """The first recovery script or fault signal in it."""


class Account(NamedTuple):
    """The outages of a rehearsal, and the numbers of runs, signals and skipped ticks."""

    outages: Sequence[Outage]
    checks: int
    fails: int
    recoveries: int
    signals: Mapping[str, int]
    """The numbers by name, in the order in which HEAT first sent them."""
    skipped: int


def account(played: Played) -> Account:
    """Add a rehearsal up."""
    entries = played.entries
    spans = [(e.began or 0.0, e.at) for e in entries if e.kind == "recovered"]
    outages = [Outage(began, end, _remedy(entries, began, end)) for began, end in spans]
    if played.outage_at is not None:
        began = round(played.outage_at, 6)
        outages.append(Outage(began, None, _remedy(entries, began, played.end)))
    return Account(
        outages,
        sum(entry.kind == "check" for entry in entries),
        sum(_starts(entry, "fail") for entry in entries),
        sum(_starts(entry, "recovery") for entry in entries),
        Counter(str(entry.about["signal"]) for entry in entries if _is_sent(entry)),
        played.skipped,
    )


def _starts(entry: Entry, kind: str) -> bool:
    return entry.kind == kind and "env" in entry.about


def _is_sent(entry: Entry) -> bool:
    return entry.kind == "signal" and "signal" in entry.about


def _remedy(entries: Sequence[Entry], began: float, end: float) -> Entry | None:
    """Return the first action that was to end an outage."""
    within = [entry for entry in entries if began <= entry.at <= end]
    for entry in within:
        is_fault = _is_sent(entry) and entry.about["option"] == "--fault-signal"
        if is_fault or _starts(entry, "recovery"):
            return entry
    return None


def sentences(played: Played) -> Iterator[str]:
    """Yield the sum in words."""
    total = account(played)
    if not total.outages:
        yield "There was no outage."
    for number, outage in enumerate(total.outages, 1):
        yield _of_outage(outage, played, number if len(total.outages) > 1 else None)
    yield from _often(total, played.end)
    if played.exit_code is not None:
        yield f"HEAT ended in {played.stands}, with exit status {played.exit_code}."
    else:
        yield f"It ends in {played.stands}."


def _of_outage(outage: Outage, played: Played, number: int | None) -> str:
    which = "The outage" if number is None else f"Outage {number}"
    began, end = _span(outage.began), outage.end
    if end is None:
        text = f"{which} began at {began} and was not over after {_span(played.end - outage.began)}"
    else:
        text = f"{which} lasted {_span(end - outage.began)}, from {began} to {_span(end)}"
    if outage.remedy is None:
        return f"{text}; no remedy was tried."
    after = outage.remedy.at - outage.began
    when = f"{_span(after)} after the first failure" if after else "with the first failure"
    what = outage.remedy.text.split(" (")[0].removesuffix(" runs")
    return f"{text}; the first remedy came {when}: {what}."


def _often(total: Account, end: float) -> Iterator[str]:
    ran = [f"the check ran {_times(total.checks)}"]
    if total.fails:
        ran.append(f"the fail script {_times(total.fails)}")
    if total.recoveries:
        ran.append(f"the recovery script {_times(total.recoveries)}")
    skipped = total.skipped
    left_out = "" if not skipped else f"; {counted(skipped, 'tick')} came to nothing"
    yield f"In {_span(end)} {_listed(ran)}{left_out}."
    if total.signals:
        sent = [f"{name} {_times(often)}" for name, often in total.signals.items()]
        yield f"Signals sent: {_listed(sent)}."


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _span(span: float) -> str:
    return f"{seconds(round(span, 3))} s"
