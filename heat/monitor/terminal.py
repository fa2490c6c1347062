"""A program of a monitor that a signal stopped, as it asked the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heat.process.signals import OF_TERMINAL

if TYPE_CHECKING:
    from heat.checks.ports import Attempt
    from heat.monitor.monitor import Monitor
    from heat.process.run import Run


def program(monitor: Monitor, pid: int) -> Attempt | Run | None:
    """Return the check or the script that this process leads."""
    runs = monitor.script, monitor.checks.attempt
    return next((run for run in runs if run is not None and run.pid == pid), None)


def program_stopped(monitor: Monitor, pid: int, signum: int | None) -> None:
    """Note that this signal has stopped a program, or, None, that it continues."""
    run = program(monitor, pid)
    if run is None or run.timed_out or run.stopped:
        return
    run.terminal = signum in OF_TERMINAL
    if signum is not None and run.terminal:
        script = "fail script" if monitor.model.fail_running else "recovery script"
        what = "check" if run is monitor.checks.attempt else script
        monitor.report.waits_for_terminal(what, run, signum)
