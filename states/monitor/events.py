"""Events of a monitor, named in the past tense: the machine decides what follows.

``at`` is seconds since the monitor's start on the monotonic clock, ``time`` is a unix second.
"""

from states.engine.named_tuple import NamedTuple
from states.monitor.limits import Limits
from states.monitor.model import FailRun, Failure


class Plain(NamedTuple):
    """An event or effect without fields; one base for all is quicker to load."""


class Reasoned(NamedTuple):
    """An event or effect with the reason for ERROR."""

    reason: str


class Tick(NamedTuple):
    """A tick came; a busy machine missed ``missed`` ticks before it."""

    missed: int = 0


class CheckDue(Plain):
    """A recovery window opened: a check is due at once (raised by the machine itself)."""

    __slots__ = ()


class CheckPassed(Plain):
    """The check exited 0."""

    __slots__ = ()


class CheckFailed(NamedTuple):
    """The check failed ``at`` seconds after the monitor's start; ``dying`` if it timed out."""

    failure: Failure
    at: float = 0.0
    dying: bool = False


class CheckUnknown(Plain):
    """The check could not run for lack of resources, or its result was lost."""

    __slots__ = ()


class CheckKilled(Reasoned):
    """A signal that HEAT did not send ended the check (``--on-killed error``)."""

    __slots__ = ()


class CheckImpossible(Reasoned):
    """The check cannot be started any more: the file is gone, or not executable."""

    __slots__ = ()


class CheckGone(Plain):
    """A check that timed out has ended at last."""

    __slots__ = ()


class FailEnded(Plain):
    """The fail script ended in some way, or could not be started."""

    __slots__ = ()


class RecoveryDue(Plain):
    """RECOVERING was entered (raised by the machine itself)."""

    __slots__ = ()


class RecoveryEnded(Plain):
    """The recovery script exited, or its timeout killed it."""

    __slots__ = ()


class RecoveryDelayed(Plain):
    """The recovery script could not be started for lack of resources."""

    __slots__ = ()


class RecoveryKilled(Reasoned):
    """A signal that HEAT did not send ended the recovery script."""

    __slots__ = ()


class RecoveryImpossible(Reasoned):
    """The recovery script cannot be started any more: the file is gone, or not executable."""

    __slots__ = ()


class WindowClosed(Plain):
    """``--recovery-timeout`` seconds have passed since the window opened."""

    __slots__ = ()


class BackoffEnded(Plain):
    """The backoff between two recoveries is over."""

    __slots__ = ()


class TargetGone(Reasoned):
    """The target of ``--pid`` ended."""

    __slots__ = ()


class TargetMissing(Reasoned):
    """A signal was due and the target of ``--pid-file`` was not there."""

    __slots__ = ()


class WatchBroke(Reasoned):
    """HEAT's own handling of this monitor has a bug."""

    __slots__ = ()


class LimitsChanged(NamedTuple):
    """The configuration was read again and has changed for this monitor."""

    limits: Limits


class Paused(Plain):
    """An operator paused the monitor: no checks and no effects for a while."""

    __slots__ = ()


class Resumed(Plain):
    """The pause is over, or HEAT was restarted and goes on where it was."""

    __slots__ = ()


class CheckAsked(Plain):
    """An operator wants a check now."""

    __slots__ = ()


class Reset(Plain):
    """An operator wants the outage forgotten."""

    __slots__ = ()


class FailLost(Plain):
    """HEAT was killed before it had started the fail script."""

    __slots__ = ()


class RecoveryLost(Plain):
    """HEAT was killed before it had started the recovery script."""

    __slots__ = ()


class FailWanted(NamedTuple):
    """The fail script must run for a failure (announced by the stage)."""

    run: FailRun


class LostFailWanted(Plain):
    """A run that was queued before the restart is due (announced by the stage)."""

    __slots__ = ()


class QueueDropped(Plain):
    """The queued run of the fail script is cancelled (announced by the stage)."""

    __slots__ = ()


ANNOUNCED = (FailWanted, LostFailWanted, QueueDropped)
"""Events from one region to another; they never come out as effects."""

Event = (
    Tick
    | CheckDue
    | CheckPassed
    | CheckFailed
    | CheckUnknown
    | CheckKilled
    | CheckImpossible
    | CheckGone
    | FailEnded
    | RecoveryDue
    | RecoveryEnded
    | RecoveryDelayed
    | RecoveryKilled
    | RecoveryImpossible
    | WindowClosed
    | BackoffEnded
    | TargetGone
    | TargetMissing
    | WatchBroke
    | LimitsChanged
    | Paused
    | Resumed
    | CheckAsked
    | Reset
    | FailLost
    | RecoveryLost
)
