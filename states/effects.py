"""The machine's wishes: values, in order; the watch performs them."""

from states.model import FailRun, Failure, Plain, Reasoned
from states.values import NamedTuple


class RunCheck(Plain):
    """Start the check."""

    __slots__ = ()


class RestartTicks(Plain):
    """Count the ticks from now: the check that follows is the first of a window."""

    __slots__ = ()


class SendSignal(NamedTuple):
    """Send ``signal`` to the target; ``option`` is the one that asked for it."""

    signal: int
    option: str


class _OfFail(NamedTuple):
    """An effect that concerns one run of the fail script."""

    run: FailRun


class RunFail(_OfFail):
    """Run the fail script."""

    __slots__ = ()


class QueueFail(_OfFail):
    """The fail script runs already: one more run, with these values, follows it."""

    __slots__ = ()


class DropFail(_OfFail):
    """The queued run of the fail script will not be."""

    __slots__ = ()


class BoundFail(Plain):
    """Recovery waits for the running fail script: give it a limit if it has none."""

    __slots__ = ()


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


class CloseWindow(Plain):
    """The recovery window is over: forget its time limit."""

    __slots__ = ()


class Recovered(NamedTuple):
    """Say that the check passes again; the outage began at ``outage_at``."""

    failures: int
    outage_at: float
    attempts: int


class NotCounted(Plain):
    """Say that the failure does not count: the start period is not over."""

    __slots__ = ()


class WakeTarget(Plain):
    """Continue a target that HEAT has stopped: no success will do it."""

    __slots__ = ()


class GiveUp(Reasoned):
    """ERROR: write it down, say it, stop."""

    __slots__ = ()


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
    | WakeTarget
    | GiveUp
)
