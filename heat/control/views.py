"""The facts of HEAT and of a monitor for those who ask; the keys are in docs/protocol.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from heat.config.options import Options
from heat.monitor import outlook
from heat.monitor.ahead import ahead, coming, next_check
from heat.monitor.counters import Tallies
from heat.process import signals
from heat.records import Pause
from heat.report.monitor_report import Checked, explained
from states.monitor.model import Monitor
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
    from heat.monitor.status_line import Look
    from heat.monitor.watch import Watch

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


def of_monitor(watch: Watch, unix: float) -> Facts:
    """A monitor as `heatctl status` shows it."""
    return _of_monitor(watch, watch.look(), unix)


def _of_monitor(watch: Watch, look: Look, unix: float) -> Facts:
    monitor, limits = watch.monitor, watch.monitor.limits
    return {
        "name": watch.parts.options.name,
        "check": watch.parts.options.shown,
        "state": monitor.state,
        "since": _since(watch, look, unix),
        "count": monitor.count,
        "threshold": limits.threshold,
        "attempts": monitor.attempts,
        "max_recoveries": limits.max_recoveries,
        "last": None if look.last is None else _of_check(watch, look.last, look.last_age),
        "last_recovery": _of_ran(watch, RECOVERY),
        "last_fail": _of_ran(watch, FAIL),
        "checking": _checking(monitor, look),
        "next": _next(watch, look),
        "next_text": coming(monitor, look, watch.paused),
        "paused": of_pause(watch.paused),
        "shown": shown(monitor),
        "backoff": _backoff(monitor, look),
        "spent": spent(monitor),
        "unknown_since": look.unknown_since,
        "checks": monitor.checks,
        "skipped": monitor.skipped,
    }


def brief(watch: Watch, unix: float) -> list[object]:
    """A monitor as a table shows it, in the order of `BRIEF`.

    ``next_text`` is there only where ``next`` is not.
    """
    look, monitor = watch.look(), watch.monitor
    following = _next(watch, look)
    return [
        watch.parts.options.name,
        monitor.state,
        _since(watch, look, unix),
        monitor.count,
        monitor.limits.threshold,
        monitor.attempts,
        monitor.limits.max_recoveries,
        None if look.last is None else _briefly(watch, look.last, look.last_age),
        _checking(monitor, look),
        following,
        coming(monitor, look, watch.paused) if following is None else None,
        of_pause(watch.paused),
        shown(monitor),
        _backoff(monitor, look),
        spent(monitor),
        look.unknown_since,
        _message_of_recovery(watch),
    ]


def _briefly(watch: Watch, last: Checked, age: float) -> list[object]:
    """Result, age, text and last line; no text where all is well, and no warning."""
    text = None if last.passed and not last.warning else _text(watch, last)
    return [_result(last), round(age, 3), text, last.text or None]


def _message_of_recovery(watch: Watch) -> str | None:
    """The last line of the recovery that ended last, in this outage."""
    ran = watch.ran.get(RECOVERY) if watch.monitor.attempts else None
    return None if ran is None else ran.text or None


def _of_ran(watch: Watch, role: str) -> Facts | None:
    """A script that has ended."""
    ran = watch.ran.get(role)
    if ran is None:
        return None
    return {
        "code": ran.code,
        "text": explained(ran.how, ran.code),
        "message": ran.text or None,
        "age": round(watch.age(ran), 3),
    }


def _since(watch: Watch, look: Look, unix: float) -> float:
    """When it came to its state, or when HEAT began to watch it."""
    return round(unix + look.watched if watch.changed is None else watch.changed.at, 3)


def _of_check(watch: Watch, last: Checked, age: float) -> Facts:
    return {
        "result": _result(last),
        "code": last.code,
        "text": _text(watch, last),
        "message": last.text or None,
        "time": last.started,
        "age": round(age, 3),
        "duration": round(last.duration, 6),
        "pid": last.pid,
        "warning": last.warning,
    }


def _result(last: Checked) -> str:
    return "unknown" if last.unknown else "ok" if last.passed else "failed"


def _text(watch: Watch, last: Checked) -> str:
    return last.unknown or watch.worded(last)


def _checking(monitor: Monitor, look: Look) -> str:
    return "waiting" if look.waits else checking(monitor)


def _next(watch: Watch, look: Look) -> float | None:
    """Seconds until the next check by the clock; None if it waits for something, or none comes."""
    following = next_check(watch.monitor, look, ahead(watch.monitor, look))
    return None if following is None else round(following, 3)


def _backoff(monitor: Monitor, look: Look) -> float | None:
    """Seconds until the next recovery may begin; None where none waits for its time."""
    if look.window_left is None or not backs_off(monitor):
        return None
    return round(max(0.0, look.window_left), 3)


def of_pause(pause: Pause | None) -> Facts | None:
    """A pause, with the names that its parts have there."""
    return None if pause is None else pause._asdict()


def why(watch: Watch, unix: float) -> Facts:
    """All that `heatctl why` makes its screen of."""
    look, monitor, options = watch.look(), watch.monitor, watch.parts.options
    first, last = monitor.first_failure, monitor.last_failure
    began = None if first is None else round(unix - (-look.began - monitor.outage_at), 3)
    changed = watch.changed
    return _of_monitor(watch, look, unix) | {
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
            "failures": monitor.count,
            "first_code": first.code,
            "first_message": first.text or None,
            "last_code": last.code,
            "last_message": last.text or None,
            "last_time": last.time,
        },
        "passes": monitor.passes if monitor.attempts else 0,
        "success_threshold": monitor.limits.success_threshold,
        "remedy": remedy(monitor),
        "remedy_text": remedy_text(monitor),
        "outlook": outlook.of(watch, look),
        "window": _of_window(monitor, look),
        "script": _of_script(watch, look),
        "fail_queued": monitor.fail_queued is not None,
        "target": {"pid": options.pid, "pid_file": options.pid_file}
        if options.has_target
        else None,
        "frozen": watch.parts.target.owes(),
        "start_period": _start_period(monitor, look),
        "options": _of_options(options),
    }


def _of_window(monitor: Monitor, look: Look) -> Facts | None:
    there, left = window(monitor), look.window_left
    if there is None:
        return None
    return {"closes": None if left is None else round(max(0.0, left), 3), **there._asdict()}


def _of_script(watch: Watch, look: Look) -> Facts | None:
    run = look.script
    if run is None:
        return None
    return {
        "role": "fail" if watch.monitor.fail_running else "recovery",
        "shown": run.program.shown,
        "pid": run.pid,
        "for": round(run.age, 3),
        "left": None if run.limit is None else round(run.time_left, 3),
    }


def _start_period(monitor: Monitor, look: Look) -> float | None:
    span = monitor.limits.start_period
    left = look.began + span
    return round(left, 3) if span and left > 0 and not monitor.passed_once else None


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


def row(watch: Watch, tallies: Tallies, unix: float) -> list[object]:
    """The numbers of a monitor, in the order of the columns."""
    monitor, look, at = watch.monitor, watch.look(), watch.row
    late, latest = tallies.lateness(at)
    return [
        watch.parts.options.name,
        monitor.state,
        _since(watch, look, unix),
        monitor.count,
        int(monitor.paused),
        *tallies.counts(at)[:3],
        monitor.skipped,
        *tallies.counts(at)[3:],
        round(tallies.duration(at), 6),
        tallies.buckets(at),
        round(late, 6),
        round(latest, 6),
        int(checking(monitor) != "idle"),
        None if look.last is None else round(unix - look.last_age, 3),
        int(spent(monitor)),
    ]
