"""Effects that a monitor wants, in their order: values, which the watch performs."""

from states.engine.named_tuple import NamedTuple
from states.monitor.events import Plain, Reasoned
from states.monitor.model import FailRun, Failure


class RunCheck(Plain):
    """Start the check."""

    __slots__ = ()


class RestartTicks(Plain):
    """Count the ticks from now: the check that follows is the first of a window."""

    __slots__ = ()


class Pace(NamedTuple):
    """Tick each ``seconds`` from the last tick on; None: at the interval, in its own phase."""

    seconds: float | None


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


class StartBackoff(NamedTuple):
    """The window closed: report when ``seconds`` have passed, until which no recovery begins."""

    seconds: float


class EndBackoff(Plain):
    """The pause between two recoveries is over: forget its time limit."""

    __slots__ = ()


class Spent(NamedTuple):
    """Say that none of ``attempts`` recoveries helped, that none is left, and that checks go on."""

    attempts: int
    failures: int


class Recovered(NamedTuple):
    """Say that the check passes again; the outage began at ``outage_at``."""

    failures: int
    outage_at: float
    attempts: int
    helped: bool = True
    """The last recovery may have done it."""


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
    | Pace
    | SendSignal
    | RunFail
    | QueueFail
    | DropFail
    | BoundFail
    | EnterRecovery
    | RunRecovery
    | OpenWindow
    | CloseWindow
    | StartBackoff
    | EndBackoff
    | Spent
    | Recovered
    | NotCounted
    | WakeTarget
    | GiveUp
)
