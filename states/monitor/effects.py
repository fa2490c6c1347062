"""Effects of a monitor's machine: values, which the program performs in order."""

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
    """Tick every ``seconds`` after the last tick; None: at the interval, in its own phase."""

    seconds: float | None


class SendSignal(NamedTuple):
    """Send ``signal`` to the target; ``option`` is the one that sets it."""

    signal: int
    option: str


class _OfFail(NamedTuple):
    """An effect that concerns one run of the fail script."""

    run: FailRun


class RunFail(_OfFail):
    """Run the fail script."""

    __slots__ = ()


class QueueFail(_OfFail):
    """Run the fail script once more, with these values, when it has ended."""

    __slots__ = ()


class DropFail(_OfFail):
    """Say that the queued run of the fail script was dropped."""

    __slots__ = ()


class BoundFail(Plain):
    """Limit the time of the running fail script, which recovery waits for."""

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
    """Open the recovery window, and report when ``seconds`` have passed; None for never."""

    seconds: float | None


class CloseWindow(Plain):
    """Close the recovery window: forget its time limit."""

    __slots__ = ()


class StartBackoff(NamedTuple):
    """Start the backoff, and report when ``seconds`` have passed: no recovery before."""

    seconds: float


class EndBackoff(Plain):
    """End the backoff: forget its time limit."""

    __slots__ = ()


class Spent(NamedTuple):
    """Say that ``attempts`` recoveries did not help, none is left, and checks go on."""

    attempts: int
    failures: int


class Recovered(NamedTuple):
    """Say that the check passes again; the outage began at ``outage_at``."""

    failures: int
    outage_at: float
    attempts: int
    helped: bool = True
    """The last recovery may have repaired it."""


class NotCounted(Plain):
    """Say that the failure does not count: the start period is not over."""

    __slots__ = ()


class WakeTarget(Plain):
    """Continue a target that HEAT stopped: no success signal will do it."""

    __slots__ = ()


class GiveUp(Reasoned):
    """Enter ERROR: record the reason, say it, stop watching."""

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
