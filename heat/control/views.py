"""The facts of HEAT and of a monitor for those who ask; the keys are in docs/protocol.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from heat.checks.outcome import Outcome
from heat.config.options import Options
from heat.monitor import outlook
from heat.monitor.ahead import ahead, coming, next_check
from heat.monitor.counters import Counters
from heat.process import signals
from heat.records import Pause
from heat.report.wording import explained
from states.monitor.model import Monitor as Model
from states.monitor.questions import (
    backs_off,
    checking,
    remedy,
    remedy_text,
    shown,
    spent,
    window,
)

if TYPE_CHECKING:
    from heat.monitor.monitor import Monitor
    from heat.monitor.status_line import Look

Facts = dict[str, Any]
FAIL, RECOVERY = "fail", "recovery"
"""The roles of scripts."""

COLUMNS = (
    "name",
    "state",
    "since",
    "count",
    "paused",
    "ok",
    "failed",
    "unknown",
    "skipped",
    "outages",
    "recoveries",
    "helped",
    "useless",
    "warnings",
    "duration",
    "buckets",
    "late",
    "latest",
    "checking",
    "last",
    "spent",
)

BRIEF = (
    "name",
    "state",
    "since",
    "count",
    "threshold",
    "attempts",
    "max_recoveries",
    "last",
    "checking",
    "next",
    "next_text",
    "paused",
    "shown",
    "backoff",
    "spent",
    "unknown_since",
    "recovery_message",
)


def of_monitor(monitor: Monitor, unix: float) -> Facts:
    """A monitor as `heatctl status` shows it."""
    return _of_monitor(monitor, monitor.look(), unix)


def _of_monitor(monitor: Monitor, look: Look, unix: float) -> Facts:
    model, limits = monitor.model, monitor.model.limits
    return {
        "name": monitor.setup.options.name,
        "check": monitor.setup.options.shown,
        "state": model.state,
        "since": _since(monitor, look, unix),
        "count": model.count,
        "threshold": limits.threshold,
        "attempts": model.attempts,
        "max_recoveries": limits.max_recoveries,
        "last": None if look.last is None else _of_check(monitor, look.last, look.last_age),
        "last_recovery": _of_ran(monitor, RECOVERY),
        "last_fail": _of_ran(monitor, FAIL),
        "checking": _checking(model, look),
        "next": _next(monitor, look),
        "next_text": coming(model, look, monitor.paused),
        "paused": of_pause(monitor.paused),
        "shown": shown(model),
        "backoff": _backoff(model, look),
        "spent": spent(model),
        "unknown_since": look.unknown_since,
        "checks": model.checks,
        "skipped": model.skipped,
    }


def brief(monitor: Monitor, unix: float) -> list[object]:
    """A monitor as a table shows it, in the order of `BRIEF`.

    ``next_text`` is there only where ``next`` is not.
    """
    look, model = monitor.look(), monitor.model
    following = _next(monitor, look)
    return [
        monitor.setup.options.name,
        model.state,
        _since(monitor, look, unix),
        model.count,
        model.limits.threshold,
        model.attempts,
        model.limits.max_recoveries,
        None if look.last is None else _briefly(monitor, look.last, look.last_age),
        _checking(model, look),
        following,
        coming(model, look, monitor.paused) if following is None else None,
        of_pause(monitor.paused),
        shown(model),
        _backoff(model, look),
        spent(model),
        look.unknown_since,
        _message_of_recovery(monitor),
    ]


def _briefly(monitor: Monitor, last: Outcome, age: float) -> list[object]:
    """Result, age, text and last line; no text where all is well, and no warning."""
    text = None if last.passed and not last.warning else _text(monitor, last)
    return [_result(last), round(age, 3), text, last.text or None]


def _message_of_recovery(monitor: Monitor) -> str | None:
    """The last line of the recovery that ended last, in this outage."""
    ran = monitor.script_results.get(RECOVERY) if monitor.model.attempts else None
    return None if ran is None else ran.text or None


def _of_ran(monitor: Monitor, role: str) -> Facts | None:
    """A script that has ended."""
    ran = monitor.script_results.get(role)
    if ran is None:
        return None
    return {
        "code": ran.code,
        "text": explained(ran.how, ran.code),
        "message": ran.text or None,
        "age": round(monitor.since(ran), 3),
    }


def _since(monitor: Monitor, look: Look, unix: float) -> float:
    """When it came to its state, or when HEAT began to watch it."""
    return round(unix + look.watched if monitor.changed is None else monitor.changed.at, 3)


def _of_check(monitor: Monitor, last: Outcome, age: float) -> Facts:
    return {
        "result": _result(last),
        "code": last.code,
        "text": _text(monitor, last),
        "message": last.text or None,
        "time": last.started,
        "age": round(age, 3),
        "duration": round(last.duration, 6),
        "pid": last.pid,
        "warning": last.warning,
    }


def _result(last: Outcome) -> str:
    return "unknown" if last.unknown else "ok" if last.passed else "failed"


def _text(monitor: Monitor, last: Outcome) -> str:
    return last.unknown or monitor.report.worded(last)


def _checking(model: Model, look: Look) -> str:
    return "waiting" if look.waits else checking(model)


def _next(monitor: Monitor, look: Look) -> float | None:
    """Seconds until the next check by the clock; None if it waits for something, or none comes."""
    following = next_check(monitor.model, look, ahead(monitor.model, look))
    return None if following is None else round(following, 3)


def _backoff(model: Model, look: Look) -> float | None:
    """Seconds until the next recovery may begin; None where none waits for its time."""
    if look.window_left is None or not backs_off(model):
        return None
    return round(max(0.0, look.window_left), 3)


def of_pause(pause: Pause | None) -> Facts | None:
    """A pause, with the names that its parts have there."""
    return None if pause is None else pause._asdict()


def why(monitor: Monitor, unix: float) -> Facts:
    """All that `heatctl why` makes its screen of."""
    look, model, options = monitor.look(), monitor.model, monitor.setup.options
    first, last = model.first_failure, model.last_failure
    began = None if first is None else round(unix - (-look.began - model.outage_at), 3)
    changed = monitor.changed
    return _of_monitor(monitor, look, unix) | {
        "now": unix,
        "changed": None
        if changed is None
        else {
            "before": changed.before,
            "after": changed.after,
            "at": round(changed.at, 3),
            "count": changed.failures,
            "reason": changed.reason,
        },
        "outage": None
        if first is None or last is None
        else {
            "began": began,
            "failures": model.count,
            "first_code": first.code,
            "first_message": first.text or None,
            "last_code": last.code,
            "last_message": last.text or None,
            "last_time": last.time,
        },
        "passes": model.passes if model.attempts else 0,
        "success_threshold": model.limits.success_threshold,
        "remedy": remedy(model),
        "remedy_text": remedy_text(model),
        "outlook": outlook.of(monitor, look),
        "window": _of_window(model, look),
        "script": _of_script(monitor, look),
        "fail_queued": model.fail_queued is not None,
        "target": {"pid": options.pid, "pid_file": options.pid_file}
        if options.has_target
        else None,
        "frozen": monitor.setup.target.owes(),
        "start_period": _start_period(model, look),
        "options": _of_options(options),
    }


def _of_window(model: Model, look: Look) -> Facts | None:
    there, left = window(model), look.window_left
    if there is None:
        return None
    return {"closes": None if left is None else round(max(0.0, left), 3), **there._asdict()}


def _of_script(monitor: Monitor, look: Look) -> Facts | None:
    run = look.script
    if run is None:
        return None
    return {
        "role": "fail" if monitor.model.fail_running else "recovery",
        "shown": run.program.shown,
        "pid": run.pid,
        "for": round(run.age, 3),
        "left": None if run.limit is None else round(run.time_left, 3),
    }


def _start_period(model: Model, look: Look) -> float | None:
    span = model.limits.start_period
    left = look.began + span
    return round(left, 3) if span and left > 0 and not model.passed_once else None


def _of_options(options: Options) -> Facts:
    """As a file names them."""
    limits = options.limits
    return {
        "script" if options.is_script else "command": list(options.check),
        "interval": options.interval,
        "timeout": options.timeout,
        "pid": options.pid,
        "pid-file": options.pid_file,
        "signal": _signal(limits.signal),
        "fail": options.fail,
        "retry-interval": limits.retry_interval,
        "unknown-codes": _codes(options.unknown_codes),
        "warn-codes": _codes(options.warn_codes),
        "fail-overlap": "skip" if limits.fail_overlap_skip else "queue",
        "threshold": limits.threshold,
        "recovery": options.recovery,
        "recovery-timeout": limits.recovery_timeout,
        "recovery-interval": limits.recovery_interval,
        "recovery-backoff": limits.recovery_backoff,
        "recovery-backoff-max": limits.recovery_backoff_max,
        "max-recoveries": limits.max_recoveries,
        "when-spent": options.when_spent,
        "success-threshold": limits.success_threshold,
        "fault-signal": _signal(limits.fault_signal),
        "success-signal": _signal(limits.success_signal),
        "script-timeout": options.script_timeout,
        "start-period": limits.start_period,
        "on-killed": options.on_killed,
        "count": limits.checks,
    }


def _codes(codes: Sequence[int]) -> str | None:
    return ",".join(map(str, codes)) or None


def _signal(signum: int | None) -> str | None:
    return None if signum is None else signals.name(signum)


def row(monitor: Monitor, counters: Counters, unix: float) -> list[object]:
    """The numbers of a monitor, in the order of the columns."""
    model, look, at = monitor.model, monitor.look(), monitor.row
    late, latest = counters.lateness(at)
    return [
        monitor.setup.options.name,
        model.state,
        _since(monitor, look, unix),
        model.count,
        int(model.paused),
        *counters.counts(at)[:3],
        model.skipped,
        *counters.counts(at)[3:],
        round(counters.duration(at), 6),
        counters.buckets(at),
        round(late, 6),
        round(latest, 6),
        int(checking(model) != "idle"),
        None if look.last is None else round(unix - look.last_age, 3),
        int(spent(model)),
    ]
