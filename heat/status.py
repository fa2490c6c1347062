"""The status line: where a monitor stands, and what comes next."""

from heat.text import counted, seconds
from states.model import CheckSlot, Monitor, Remedy, State

_NEXT = {
    Remedy.WAITING: "next check when the fail and the recovery script have ended",
    Remedy.RUNNING: "next check when the recovery script has ended",
    Remedy.OWED: "the recovery script is tried again at the next tick",
}


def describe(monitor: Monitor, last: str, last_age: float, next_in: float) -> str:
    """State, count, last check and its age, next check; times in seconds."""
    threshold = monitor.limits.threshold
    of = f" (threshold {threshold})" if threshold and monitor.state is not State.ERROR else ""
    parts = [
        f"{monitor.state.value}, {counted(monitor.count, 'failure')} in a row{of}",
        f"last check {last}, {seconds(round(last_age, 1))} s ago" if last else "no check ended yet",
    ]
    if monitor.check is CheckSlot.RUNNING:
        parts.append("a check runs now")
    else:
        in_time = f"next check in {seconds(round(max(0.0, next_in), 1))} s"
        parts.append(_NEXT.get(monitor.remedy, in_time))
    parts.append(counted(monitor.checks, "check"))
    if monitor.skipped:
        parts.append(f"{counted(monitor.skipped, 'tick')} skipped")
    return "; ".join(parts)
