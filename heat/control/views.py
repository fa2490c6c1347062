"""Views of a monitor for the control socket: `heat.control.answers` has their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from heat.checks.outcome import Outcome
from heat.config.options import Options
from heat.control import outlook
from heat.monitor.counters import Counters
from heat.monitor.next_check import describe_next, events_before, seconds_until
from heat.process import signals
from heat.records import Changed, Pause
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
    from heat.control import answers
    from heat.monitor.monitor import Monitor
    from heat.monitor.status_line import Look

FAIL, RECOVERY = "fail", "recovery"
"""The roles of scripts."""


def condition(monitor: Monitor, unix: float) -> answers.Monitor:
    """Return a monitor as `heatctl status --json` prints it."""
    return _condition(monitor, monitor.look(), unix)


def _condition(monitor: Monitor, look: Look, unix: float) -> answers.Monitor:
    model, limits = monitor.model, monitor.model.limits
    return {
        "name": monitor.setup.options.name,
        "check": monitor.setup.options.shown,
        "state": cast("answers.State", model.state),
        "since": _since(monitor, look, unix),
        "count": model.count,
        "threshold": limits.threshold,
        "attempts": model.attempts,
        "max_recoveries": limits.max_recoveries,
        "last": None if look.last is None else _last(monitor, look.last, look.last_age),
        "last_recovery": _ran(monitor, RECOVERY),
        "last_fail": _ran(monitor, FAIL),
        "checking": _checking(model, look),
        "next": _next(monitor, look),
        "next_text": describe_next(model, look, monitor.paused),
        "paused": pause(monitor.paused),
        "shown": cast("answers.Shown", shown(model)),
        "backoff": _backoff(model, look),
        "spent": spent(model),
        "unknown_since": look.unknown_since,
        "checks": model.checks,
        "skipped": model.skipped,
    }


def brief(monitor: Monitor, unix: float) -> list[object]:
    """Return a monitor as a table shows it, in the order of `heat.control.protocol.BRIEF`.

    ``next_text`` is None unless ``next`` is.
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
        None if look.last is None else _brief_last(monitor, look.last, look.last_age),
        _checking(model, look),
        following,
        describe_next(model, look, monitor.paused) if following is None else None,
        pause(monitor.paused),
        shown(model),
        _backoff(model, look),
        spent(model),
        look.unknown_since,
        _recovery_message(monitor),
    ]


def _brief_last(monitor: Monitor, last: Outcome, age: float) -> list[object]:
    """Return result, age, text and last line; without a text if all is well."""
    text = None if last.passed and not last.warning else _text(monitor, last)
    return [_verdict(last), round(age, 3), text, last.text or None]


def _recovery_message(monitor: Monitor) -> str | None:
    """Return the last line of this outage's latest recovery."""
    ran = monitor.script_results.get(RECOVERY) if monitor.model.attempts else None
    return None if ran is None else ran.text or None


def _ran(monitor: Monitor, role: str) -> answers.Ran | None:
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
    """Return when it came to its state, or when HEAT began to watch it."""
    return round(unix + look.watched if monitor.changed is None else monitor.changed.at, 3)


def _last(monitor: Monitor, last: Outcome, age: float) -> answers.Last:
    return {
        "result": _verdict(last),
        "code": last.code,
        "text": _text(monitor, last),
        "message": last.text or None,
        "time": last.started,
        "age": round(age, 3),
        "duration": round(last.duration, 6),
        "pid": last.pid,
        "warning": last.warning,
    }


def _verdict(last: Outcome) -> answers.Verdict:
    return "unknown" if last.unknown else "ok" if last.passed else "failed"


def _text(monitor: Monitor, last: Outcome) -> str:
    return last.unknown or monitor.report.worded(last)


def _checking(model: Model, look: Look) -> answers.Checking:
    return "waiting" if look.waits else cast("answers.Checking", checking(model))


def _next(monitor: Monitor, look: Look) -> float | None:
    """Return the seconds until the next check by the clock; None if the clock starts none."""
    following = seconds_until(monitor.model, look, events_before(monitor.model, look))
    return None if following is None else round(following, 3)


def _backoff(model: Model, look: Look) -> float | None:
    """Return the seconds until the next recovery may begin; None if there is no backoff."""
    if look.window_left is None or not backs_off(model):
        return None
    return round(max(0.0, look.window_left), 3)


def pause(pause: Pause | None) -> answers.Paused | None:
    """Return a pause as an object."""
    if pause is None:
        return None
    return {"since": pause.since, "until": pause.until, "reason": pause.reason}


def why(monitor: Monitor, unix: float) -> answers.Why:
    """Return what `heatctl why` needs for its screen."""
    look, model, options = monitor.look(), monitor.model, monitor.setup.options
    return {
        **_condition(monitor, look, unix),
        "now": unix,
        "changed": _changed(monitor.changed),
        "outage": _outage(model, look, unix),
        "passes": model.passes if model.attempts else 0,
        "success_threshold": model.limits.success_threshold,
        "remedy": cast("answers.Remedy", remedy(model)),
        "remedy_text": remedy_text(model),
        "outlook": outlook.view(monitor, look),
        "window": _window(model, look),
        "script": _script(monitor, look),
        "fail_queued": model.fail_queued is not None,
        "target": {"pid": options.pid, "pid_file": options.pid_file}
        if options.has_target
        else None,
        "frozen": monitor.setup.target.owes(),
        "start_period": _start_period(model, look),
        "options": _settings(options),
    }


def _changed(changed: Changed | None) -> answers.Changed | None:
    if changed is None:
        return None
    return {
        "before": cast("answers.State", changed.before),
        "after": cast("answers.State", changed.after),
        "at": round(changed.at, 3),
        "count": changed.failures,
        "reason": changed.reason,
    }


def _outage(model: Model, look: Look, unix: float) -> answers.Outage | None:
    first, last = model.first_failure, model.last_failure
    if first is None or last is None:
        return None
    return {
        "began": round(unix + look.began + model.outage_at, 3),
        "failures": model.count,
        "first_code": first.code,
        "first_message": first.text or None,
        "last_code": last.code,
        "last_message": last.text or None,
        "last_time": last.time,
    }


def _window(model: Model, look: Look) -> answers.Window | None:
    counted, left = outlook.counted(window(model)), look.window_left
    if counted is None:
        return None
    return {"closes": None if left is None else round(max(0.0, left), 3), **counted}


def _script(monitor: Monitor, look: Look) -> answers.Script | None:
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


def _settings(options: Options) -> answers.Settings:
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


def numbers(monitor: Monitor, counters: Counters, unix: float) -> list[object]:
    """Return the numbers for a scrape, in the order of `heat.control.protocol.Numbers`."""
    model, look, at = monitor.model, monitor.look(), monitor.row
    late, latest = counters.lateness(at)
    counts = counters.counts(at)
    return [
        monitor.setup.options.name,
        model.state,
        _since(monitor, look, unix),
        model.count,
        int(model.paused),
        *counts[:3],
        model.skipped,
        *counts[3:],
        round(counters.duration(at), 6),
        counters.buckets(at),
        round(late, 6),
        round(latest, 6),
        int(checking(model) != "idle"),
        None if look.last is None else round(unix - look.last_age, 3),
        int(spent(model)),
    ]
