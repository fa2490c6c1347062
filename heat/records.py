"""Records of a monitor's past: its last change of state, its pause. Unix seconds."""

from states.engine.named_tuple import NamedTuple
from states.monitor.model import State

RESET = "reset"
"""The reason of a change of state that somebody made by hand."""


class Changed(NamedTuple):
    """A change of state: its time, the failures in a row, and the reason."""

    before: State
    after: State
    at: float
    failures: int
    reason: str

    @property
    def begins_outage(self) -> bool:
        """All was well before it."""
        return self.before is State.NORMAL and self.after is not State.ERROR


def reset(now: float) -> Changed:
    """Return the change by which somebody brought a monitor out of ERROR."""
    return Changed(State.ERROR, State.NORMAL, now, 0, RESET)


class Pause(NamedTuple):
    """A pause: no checks and no effects until then, or, if None, until somebody resumes."""

    since: float
    until: float | None
    reason: str


class ScriptResult(NamedTuple):
    """A script that has ended: its exit code, how it ended, the last line that it printed."""

    code: int | None
    how: str
    text: str
    ended: float
    """On the monotonic clock."""
