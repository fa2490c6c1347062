"""A monitor with the counts that its rules keep, and the states of its four regions.

Times are values; nothing here reads a clock. Members of enumerations are strings, as their hash
is quick.
"""

from enum import StrEnum

from states.engine.named_tuple import NamedTuple
from states.monitor.limits import Limits


class State(StrEnum):
    """How the watched thing is, for everybody to see; ERROR is terminal."""

    NORMAL = "NORMAL"
    FAILING = "FAILING"
    RECOVERING = "RECOVERING"
    ERROR = "ERROR"


class Stage(StrEnum):
    """The same, with what RECOVERING consists of.

    WAITING: for a running fail script. REPAIRING: the recovery script runs. OWED: it could not
    be started for want of resources. OPEN: the recovery window is open. BACKOFF: the window
    closed, and the next recovery is not due yet. SPENT: no recovery is left, checks go on.
    """

    NORMAL = "NORMAL"
    FAILING = "FAILING"
    WAITING = "WAITING"
    REPAIRING = "REPAIRING"
    OWED = "OWED"
    OPEN = "OPEN"
    BACKOFF = "BACKOFF"
    SPENT = "SPENT"
    ERROR = "ERROR"


IN_RECOVERY = (
    Stage.WAITING,
    Stage.REPAIRING,
    Stage.OWED,
    Stage.OPEN,
    Stage.BACKOFF,
    Stage.SPENT,
)
STATES = {stage: State(stage) for stage in Stage if stage not in IN_RECOVERY} | dict.fromkeys(
    IN_RECOVERY, State.RECOVERING
)
"""The state that a stage is part of."""


class Check(StrEnum):
    """The check: one that timed out has failed, and is DYING until it is gone.

    SCHEDULED and AT_ONCE run: one that is AT_ONCE closes no window. DUE: one is dying, and
    another starts as soon as it is gone.
    """

    IDLE = "idle"
    SCHEDULED = "scheduled"
    AT_ONCE = "at once"
    DYING = "dying"
    DUE = "due"


class Fail(StrEnum):
    """The fail script. LOST: none runs, and one is still to be run after a restart."""

    IDLE = "idle"
    RUNNING = "running"
    QUEUED = "queued"
    LOST = "lost"


class Pause(StrEnum):
    """PAUSED: no checks and no effects."""

    ACTIVE = "active"
    PAUSED = "paused"


class Failure(NamedTuple):
    """One failed check: its exit code, its pid, and the unix second in which it failed.

    ``text`` is the last line that it had printed by then. One that could not be started, and failed
    by that, has no pid.
    """

    code: int
    pid: int | None
    time: int
    text: str = ""


class FailRun(NamedTuple):
    """The failure that a run of the fail script is told, its count, the state then."""

    failure: Failure
    failures: int
    state: State


UNSEEN = 3
"""Unknown results in a row after which nobody knows how the watched thing is."""


class Monitor:
    """One watched thing: the states of its regions, and the counts that the rules keep."""

    __slots__ = (
        "attempts",
        "backoff",
        "check",
        "checks",
        "count",
        "error_due",
        "fail",
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
        "pause",
        "skipped",
        "stage",
        "unknowns",
        "window_failures",
    )

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.stage = Stage.NORMAL
        self.check = Check.IDLE
        self.fail = Fail.IDLE
        self.pause = Pause.ACTIVE
        self.checks = 0
        """Checks started, those that could not be run included."""
        self.skipped = 0
        """Ticks that started no check, missed ones included; not those after ``--count``."""
        self.passed_once = False
        self.last_check_failed = False
        self.unknowns = 0
        """Consecutive checks that said nothing."""
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
        self.attempts = 0
        """Entries of RECOVERING in this outage."""
        self.window_failures = 0
        self.overdue = False
        """The time of the window, or of the backoff, is up; the next failed check ends it."""
        self.backoff: float | None = None
        """Seconds of the pause before the next recovery, while there is one."""
        self.error_due: str | None = None
        """Why ERROR follows, once the recovery script has ended and the pause is over."""

    @property
    def state(self) -> State:
        """How the watched thing is."""
        return STATES[self.stage]

    @property
    def paused(self) -> bool:
        """No checks and no effects."""
        return self.pause is Pause.PAUSED

    @property
    def unseen(self) -> bool:
        """Nobody knows how the watched thing is: the last checks said nothing."""
        return self.unknowns >= UNSEEN

    @property
    def fail_running(self) -> bool:
        """The fail script runs."""
        return self.fail_run is not None
