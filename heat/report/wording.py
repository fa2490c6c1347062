"""Words for checks, scripts and moments that several reports share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from heat.process import signals
from heat.process.output import together
from heat.process.program import Output
from heat.report.console import BLUE, GREEN, RED, YELLOW
from heat.text import lines, seconds
from states.monitor.model import State

if TYPE_CHECKING:
    from heat.checks.ports import Attempt
    from heat.records import Pause

COLOURS = {
    State.NORMAL: GREEN,
    State.FAILING: YELLOW,
    State.RECOVERING: BLUE,
    State.ERROR: RED,
}
"""As in the diagram."""
STOPPED = " (stopped: it waited for the terminal)"


def until(pause: Pause) -> str:
    """Tell how long a pause lasts, in local time."""
    if pause.until is None:
        return "until it is resumed"
    return f"until {moment(pause.until)}"


def moment(unix: float) -> str:
    """Return a date and time in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix))


def explained(ending: str, code: int | None) -> str:
    """Tell how a program ended, with what that means if it is an exit code."""
    known = code is not None and ending == f"Exit Code {code}"
    return f"Exit Code {signals.worded(code)}" if known and code is not None else ending


def with_line(text: str, line: str) -> str:
    """Return a text about a program, and the last line of that if there is one."""
    return f"{text}: {line}" if line else text


def ending(run: Attempt) -> str:
    """Tell how a program ended, in a word or two."""
    if run.stopped:
        return "stopped with HEAT"
    if run.timed_out:
        return f"Timed out after {seconds(round(run.limit or 0, 3))} s" + STOPPED * run.terminal
    if run.status.signal is not None:
        return f"killed by SIG{signals.name(run.status.signal)}"
    if run.status.code is None:
        return "its exit code is lost"
    return f"Exit Code {run.status.code}"


def lines_of(output: Output) -> list[str]:
    """Return the lines of stdout, then those of stderr."""
    stdout, stderr = together(output.stdout, output.stderr)
    return lines(stdout) + lines(stderr)
