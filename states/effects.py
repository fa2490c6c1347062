"""What the machine wants done: values, in order; the watch performs them."""

from typing import NamedTuple

from states.model import FailRun, Failure


class RunCheck(NamedTuple):
    """Start the check."""


class RestartTicks(NamedTuple):
    """Count the ticks from now: the check that follows is the first of a window."""


class SendSignal(NamedTuple):
    """Send ``signal`` to the target; ``option`` is the one that asked for it."""

    signal: int
    option: str


class RunFail(NamedTuple):
    """Run the fail script."""

    run: FailRun


class QueueFail(NamedTuple):
    """The fail script runs already: one more run, with these values, follows it."""

    run: FailRun


class DropFail(NamedTuple):
    """The queued run of the fail script will not be."""

    run: FailRun


class BoundFail(NamedTuple):
    """Recovery waits for the running fail script: give it a limit if it has none."""


class EnterRecovery(NamedTuple):
    """Say that recovery number ``attempt`` of this outage begins."""

    attempt: int
    failures: int


class RunRecovery(NamedTuple):
    """Run the recovery script; ``first`` and ``last`` are failures of this outage."""

    first: Failure
    last: Failure
    failures: int
    attempt: int


class OpenWindow(NamedTuple):
    """The recovery window opens; report when ``seconds`` have passed, None for never."""

    seconds: float | None


class CloseWindow(NamedTuple):
    """The recovery window is over: forget its time limit."""


class Recovered(NamedTuple):
    """Say that the check passes again; the outage began at ``outage_at``."""

    failures: int
    outage_at: float
    attempts: int


class NotCounted(NamedTuple):
    """Say that the failure does not count: the start period is not over."""


class GiveUp(NamedTuple):
    """ERROR: write it down, say it, stop."""

    reason: str


Effect = (
    RunCheck
    | RestartTicks
    | SendSignal
    | RunFail
    | QueueFail
    | DropFail
    | BoundFail
    | EnterRecovery
    | RunRecovery
    | OpenWindow
    | CloseWindow
    | Recovered
    | NotCounted
    | GiveUp
)
