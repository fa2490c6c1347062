"""The status line: where a monitor stands, and what comes next."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from heat.config.durations import length
from heat.report.wording import moment, with_line
from heat.runtime.limiter import Limiter
from heat.text import counted, of_them_paused
from states.engine.named_tuple import NamedTuple
from states.monitor.model import State
from states.monitor.questions import backs_off, check_runs, stands

if TYPE_CHECKING:
    from heat.checks.outcome import Outcome
    from heat.monitor.monitor import Monitor
    from heat.process.run import Run


class Look(NamedTuple):
    """A look at a monitor; times in seconds from now."""

    last: "Outcome | None"
    last_age: float
    next_in: float | None
    """Until the next tick; None when there is none."""
    waits: bool
    """A check is due and has not started: it waits for its turn."""
    script: "Run | None"
    """The fail or recovery script that runs."""
    window_left: float | None
    """Until the window closes, or the backoff is over."""
    check_left: float | None
    """Until the running check must end; None without a limit."""
    began: float
    """Its first check: negative in the past."""
    watched: float
    """The start of the watching: negative."""
    unknown_since: float | None
    """The unix second since which no check has told how the service is."""


def look(monitor: "Monitor") -> Look:
    """Look at a monitor."""
    now, check, last = monitor.world.clock.now(), monitor.checks.attempt, monitor.checks.last
    return Look(
        None if last is None else last[0],
        0.0 if last is None else now - last[1],
        None if monitor.exit_code is not None else monitor.ticks.due - now,
        check_runs(monitor.model) and check is None,
        monitor.script,
        monitor.window_left,
        None if check is None or check.limit is None else check.time_left,
        -monitor.age,
        monitor.added - now,
        monitor.checks.unknown_since if monitor.model.unseen else None,
    )


def describe(monitor: "Monitor") -> str:
    """Return one line: state, count, last check and its age, next check."""
    from heat.monitor.next_check import describe_next  # noqa: PLC0415 - loaded after the first check

    model, now = monitor.model, look(monitor)
    threshold = model.limits.threshold
    of = f" (threshold {threshold})" if threshold and now.next_in is not None else ""
    parts = [
        f"{stands(model)}, {counted(model.count, 'failure')} in a row{of}",
        _last(monitor, now),
        describe_next(model, now, monitor.paused),
        counted(model.checks, "check"),
    ]
    if backs_off(model) and now.window_left is not None:
        recovery = f"recovery {model.attempts + 1}"
        parts.insert(2, f"{recovery} in {length(max(0.0, now.window_left))} at the earliest")
    if now.unknown_since is not None:
        parts.insert(2, f"unknown since {moment(now.unknown_since)}")
    if model.skipped:
        parts.append(f"{counted(model.skipped, 'tick')} skipped")
    return "; ".join(parts)


def _last(monitor: "Monitor", now: Look) -> str:
    if now.last is None:
        return "no check ended yet"
    how = "warning: " * now.last.warning + monitor.report.worded(now.last)
    return with_line(f"last check {how}, {length(now.last_age)} ago", now.last.text)


_WORST_FIRST = (State.ERROR, State.RECOVERING, State.FAILING, State.NORMAL)
_MOST_NAMES = 3


def worst_first(monitors: Mapping[str, "Monitor"], *, named: bool) -> str:
    """Count the monitors in each state, and name the worst.

    ``20 monitors: 1 ERROR (disk), 2 FAILING, 17 NORMAL, 3 of them paused``, or of a single one
    ``web: NORMAL``, ``web: NORMAL, paused``.
    """
    names: dict[State, list[str]] = {state: [] for state in _WORST_FIRST}
    for name, monitor in monitors.items():
        names[monitor.model.state].append(name)
    groups = [(state, those) for state, those in names.items() if those]
    paused = of_them_paused(monitor.paused is not None for monitor in monitors.values())
    if not named:
        still = ", paused" if paused else ""
        return ", ".join(f"{those[0]}: {state.value}{still}" for state, those in groups)
    counts = [f"{len(those)} {state.value}" for state, those in groups]
    if groups and groups[0][0] is not State.NORMAL:
        worst = groups[0][1]
        more = ", ..." if len(worst) > _MOST_NAMES else ""
        counts[0] += f" ({', '.join(worst[:_MOST_NAMES])}{more})"
    return f"{counted(len(monitors), 'monitor')}: {', '.join(counts)}{paused}"


_MOST_LINES = 20


def summary(monitors: Mapping[str, "Monitor"], limiter: Limiter, *, named: bool) -> Iterator[str]:
    """Yield the lines for SIGUSR1: of many monitors, those not well or paused have theirs."""
    if not named:
        for monitor in monitors.values():
            yield f"{monitor.setup.options.shown}: {monitor.describe()}"
        return
    states = Counter(monitor.model.state for monitor in monitors.values())
    count = ", ".join(f"{states[state]} {state.value}" for state in State if states[state])
    count += of_them_paused(monitor.paused is not None for monitor in monitors.values())
    late = f", {limiter.waited} had to wait for max-running" if limiter.waited else ""
    yield (
        f"{counted(len(monitors), 'monitor')}: {count}; "
        f"{counted(limiter.running, 'check')} running of {limiter.most} at most{late}"
    )
    listed = [
        name
        for name, monitor in monitors.items()
        if monitor.model.state is not State.NORMAL or monitor.paused is not None
    ]
    if len(monitors) <= _MOST_LINES:
        listed = list(monitors)
    for name in listed[:_MOST_LINES]:
        yield f"{name}: {monitors[name].describe()}"
    if len(listed) > _MOST_LINES:
        yield f"and {counted(len(listed) - _MOST_LINES, 'more monitor')} not NORMAL, or paused"
