"""The machine's knowledge: states, events, limits, and the monitor with its counts.

Events are named in the past tense: the world says what happened, the machine decides what
follows. Times are values: ``at`` is seconds since the monitor's start on the monotonic
clock, ``time`` is a unix second; nothing here reads a clock.
"""

from enum import Enum, StrEnum

from states.values import NamedTuple


class State(StrEnum):
    """How the watched thing is; ERROR is terminal. Strings, as their hash is quick."""

    NORMAL = "NORMAL"
    FAILING = "FAILING"
    RECOVERING = "RECOVERING"
    ERROR = "ERROR"


class CheckSlot(Enum):
    """The state of the check: a timed-out one has failed, and is DYING until it is gone."""

    IDLE = "idle"
    RUNNING = "running"
    DYING = "dying"


class Remedy(Enum):
    """How far the recovery of this entry of RECOVERING has come.

    WAITING: for a running fail script. RUNNING: the recovery script runs. OWED: it could
    not be started for want of resources. OPEN: the recovery window is open.
    """

    NONE = "none"
    WAITING = "waiting"
    RUNNING = "running"
    OWED = "owed"
    OPEN = "open"


class Failure(NamedTuple):
    """One failed check: its exit code, its pid, and the unix second in which it failed.

    ``text`` is the last line that it had printed by then.
    """

    code: int
    pid: int
    time: int
    text: str = ""


class FailRun(NamedTuple):
    """The failure that a run of the fail script is told, its count, the state then."""

    failure: Failure
    failures: int
    state: State


class Plain(NamedTuple):
    """An event or effect whose name says all; one named tuple for all is quicker to load."""


class Reasoned(NamedTuple):
    """A reason that leads to ERROR, or may, as it is given then."""

    reason: str


class Tick(NamedTuple):
    """A due time came; ``missed`` ones before it were passed over by a busy machine."""

    missed: int = 0


class CheckDue(Plain):
    """A recovery window opened: a check is due at once (raised by the machine itself)."""

    __slots__ = ()


class CheckPassed(Plain):
    """The check exited 0."""

    __slots__ = ()


class CheckFailed(NamedTuple):
    """The check failed ``at`` seconds after the start; ``dying`` if it timed out."""

    failure: Failure
    at: float = 0.0
    dying: bool = False


class CheckUnknown(Plain):
    """The check could not be run for want of resources, or its result was lost."""

    __slots__ = ()


class CheckKilled(Reasoned):
    """A signal that HEAT did not send ended the check (``--on-killed error``)."""

    __slots__ = ()


class CheckImpossible(Reasoned):
    """The check can no longer be started: gone, or not executable."""

    __slots__ = ()


class CheckGone(Plain):
    """A timed-out check is dead at last."""

    __slots__ = ()


class FailEnded(Plain):
    """The fail script ended, in whatever way, or could not be started."""

    __slots__ = ()


class RecoveryDue(Plain):
    """RECOVERING was entered (raised by the machine itself)."""

    __slots__ = ()


class RecoveryEnded(Plain):
    """The recovery script exited, or was killed by its own timeout."""

    __slots__ = ()


class RecoveryDelayed(Plain):
    """The recovery script could not be started for want of resources."""

    __slots__ = ()


class RecoveryKilled(Reasoned):
    """A signal that HEAT did not send ended the recovery script."""

    __slots__ = ()


class RecoveryImpossible(Reasoned):
    """The recovery script can no longer be started: gone, or not executable."""

    __slots__ = ()


class WindowClosed(Plain):
    """``--recovery-timeout`` seconds have passed since the window opened."""

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
    """The configuration was read again, and is another one for this monitor."""

    limits: "Limits"


class Paused(Plain):
    """Somebody wants no checks and no effects for a while."""

    __slots__ = ()


class Resumed(Plain):
    """The pause is over, or HEAT was started anew and goes on where it was."""

    __slots__ = ()


class CheckAsked(Plain):
    """Somebody wants a check now."""

    __slots__ = ()


class Reset(Plain):
    """Somebody wants the outage forgotten."""

    __slots__ = ()


class FailLost(Plain):
    """HEAT was killed before the fail script that it was about to run began."""

    __slots__ = ()


class RecoveryLost(Plain):
    """HEAT was killed before the recovery script that it was about to run began."""

    __slots__ = ()


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


class Limits(NamedTuple):
    """The numbers and choices that the rules look at; times in seconds, None is "no limit"."""

    threshold: int | None = None
    success_threshold: int = 1
    max_recoveries: int | None = None
    recovery_timeout: float | None = None
    start_period: float = 0.0
    checks: int | None = None
    fail: bool = False
    fail_overlap_skip: bool = False
    recovery: bool = False
    signal: int | None = None
    fault_signal: int | None = None
    success_signal: int | None = None
    spent_watch: bool = False
    """``--when-spent watch``: checks go on when no recovery is left."""
    retry_interval: float | None = None
    recovery_interval: float | None = None
    recovery_backoff: float = 0.0
    recovery_backoff_max: float = 600.0


class Monitor:
    """One watched thing: its state and the counts that the rules keep."""

    __slots__ = (
        "at_once",
        "attempts",
        "check",
        "check_owed",
        "checks",
        "count",
        "error_due",
        "fail_queued",
        "fail_run",
        "first_failure",
        "last_check_failed",
        "last_failure",
        "limits",
        "outage_at",
        "overdue",
        "passed_once",
        "passes",
        "paused",
        "remedy",
        "skipped",
        "state",
        "window_failures",
    )

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = State.NORMAL
        self.check = CheckSlot.IDLE
        self.checks = 0
        """Checks started, those that could not be run included."""
        self.skipped = 0
        """Ticks that started no check, missed ones included; not those after ``--count``."""
        self.passed_once = False
        self.last_check_failed = False
        self.count = 0
        """Consecutive failures of this outage."""
        self.passes = 0
        """Consecutive passes since the last failure, in this window."""
        self.first_failure: Failure | None = None
        self.last_failure: Failure | None = None
        self.outage_at = 0.0
        """When the outage began, in seconds since the monitor's start."""
        self.fail_run: FailRun | None = None
        """The failure that the running fail script was told; None while none runs."""
        self.fail_queued: FailRun | None = None
        self.remedy = Remedy.NONE
        self.attempts = 0
        """Entries of RECOVERING in this outage."""
        self.window_failures = 0
        self.at_once = False
        """The check of the moment is the one at once, which never closes a window."""
        self.check_owed = False
        self.overdue = False
        """The window's time is up; the next failed check closes it."""
        self.paused = False
        self.error_due: str | None = None
        """Why ERROR follows, once the recovery script has ended and the pause is over."""

    @property
    def fail_running(self) -> bool:
        """The fail script runs."""
        return self.fail_run is not None
