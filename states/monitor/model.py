"""A monitor with the counts that its rules keep, and the states of its four regions.

Times are values; nothing here reads a clock. Members of enumerations are strings because strings
hash quickly.
"""

from enum import StrEnum

from states.engine.named_tuple import NamedTuple
from states.monitor.limits import Limits


class State(StrEnum):
    """The public state of the watched thing; ERROR is terminal."""

    NORMAL = "NORMAL"
    FAILING = "FAILING"
    RECOVERING = "RECOVERING"
    ERROR = "ERROR"


class Stage(StrEnum):
    """The state, with RECOVERING in six stages.

    WAITING: for a running fail script. REPAIRING: the recovery script runs. OWED: it could not
    be started for lack of resources. OPEN: the recovery window is open. BACKOFF: the window has
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
"""The state of each stage."""


class Check(StrEnum):
    """The check slot: a check that timed out has failed, and is DYING until it is gone.

    In SCHEDULED and AT_ONCE a check runs; the one AT_ONCE closes no window. DUE: a check is dying,
    and another starts as soon as it is gone.
    """

    IDLE = "idle"
    SCHEDULED = "scheduled"
    AT_ONCE = "at once"
    DYING = "dying"
    DUE = "due"


class Fail(StrEnum):
    """The fail script. LOST: none runs, and one must still run after a restart."""

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

    ``text`` is the last line that it had printed by then. A check that failed because it could not
    be started has no pid.
    """

    code: int
    pid: int | None
    time: int
    text: str = ""


class FailRun(NamedTuple):
    """One run of the fail script: the failure, its count, and the state then."""

    failure: Failure
    failures: int
    state: State


UNSEEN = 3
"""Unknown results in a row after which the monitor counts as unseen."""


class Monitor:
    """The states and counts of one watched thing."""

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
        """Checks started, with those that could not run."""
        self.skipped = 0
        """Ticks that started no check, with missed ones; without those after ``--count``."""
        self.passed_once = False
        self.last_check_failed = False
        self.unknowns = 0
        """Consecutive checks without a result."""
        self.count = 0
        """Consecutive failures of this outage."""
        self.passes = 0
        """Consecutive passes since the last failure of this window."""
        self.first_failure: Failure | None = None
        self.last_failure: Failure | None = None
        self.outage_at = 0.0
        """Start of the outage, in seconds since the monitor's start."""
        self.fail_run: FailRun | None = None
        """The run of the fail script in progress; None while there is none."""
        self.fail_queued: FailRun | None = None
        self.attempts = 0
        """Recoveries in this outage."""
        self.window_failures = 0
        self.overdue = False
        """The time of the window or backoff is up; the next failed check ends it."""
        self.backoff: float | None = None
        """Length of the backoff in seconds, during one."""
        self.error_due: str | None = None
        """Reason for ERROR, which follows once the recovery script and the pause have ended."""

    @property
    def state(self) -> State:
        """The public state."""
        return STATES[self.stage]

    @property
    def paused(self) -> bool:
        """True while it is paused: no checks and no effects."""
        return self.pause is Pause.PAUSED

    @property
    def unseen(self) -> bool:
        """True if its condition is unknown: the last checks had no result."""
        return self.unknowns >= UNSEEN

    @property
    def fail_running(self) -> bool:
        """True while the fail script runs."""
        return self.fail_run is not None
