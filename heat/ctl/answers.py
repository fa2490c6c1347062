"""What HEAT's answers hold: the tables of PROTOCOL.md as types, and whether all of it is there.

Times are unix seconds, lengths seconds; None stands for "no such thing".
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, cast

from heat.ctl.errors import NoAnswerError
from heat.mistakes import Mistake


class Last(TypedDict):
    """The last check that ended; ``age`` is how long ago."""

    result: Literal["ok", "failed", "unknown"]
    code: int | None
    text: str
    time: float
    age: float
    duration: float
    pid: int | None


class Paused(TypedDict):
    """A pause; ``until`` None: until it is resumed."""

    since: float
    until: float | None
    reason: str


class Monitor(TypedDict):
    """How one monitor stands."""

    name: str
    check: str
    state: Literal["NORMAL", "FAILING", "RECOVERING", "ERROR"]
    since: float
    count: int
    threshold: int | None
    attempts: int
    max_recoveries: int | None
    last: Last | None
    checking: Literal["idle", "running", "waiting", "dying"]
    next: float | None
    next_text: str
    paused: Paused | None
    checks: int
    skipped: int


class Changed(TypedDict):
    """The transition that led to the present state."""

    before: str
    after: str
    at: float
    count: int
    reason: str


class Outage(TypedDict):
    """The outage that goes on."""

    began: float
    failures: int
    first_code: int
    last_code: int
    last_time: float


class Window(TypedDict):
    """The open recovery window; ``closes`` in so many seconds, or with ``of`` failures."""

    closes: float | None
    failures: int
    of: int | None
    overdue: bool


Script = TypedDict(
    "Script",
    {
        "role": Literal["fail", "recovery"],
        "shown": str,
        "pid": int,
        "for": float,
        "left": float | None,
    },
)
"""The script that runs now: since so many seconds, and how much of its time limit is left."""


class Target(TypedDict):
    """The process that is signalled, by its id or by the file that names it."""

    pid: int | None
    pid_file: str | None


class Why(Monitor):
    """All that matters about one monitor."""

    now: float
    changed: Changed | None
    outage: Outage | None
    passes: int
    success_threshold: int
    remedy: Literal["none", "waiting", "running", "owed", "open"]
    window: Window | None
    script: Script | None
    fail_queued: bool
    target: Target | None
    frozen: int | None
    start_period: float | None
    options: Mapping[str, Any]


class About(TypedDict):
    """HEAT itself."""

    version: str
    pid: int
    started: float
    now: float
    config: str | None
    state: str | None
    log_dir: str
    monitors: int
    states: Mapping[str, int]
    paused: int
    running: int
    max_running: int
    waited: int
    longest_wait: float
    trouble: list[str]


_OF_MONITOR = Monitor.__required_keys__
_OF_WHY = Why.__required_keys__
_OF_ABOUT = About.__required_keys__


def monitors(said: Mapping[str, Any]) -> list[Monitor]:
    """What stands under ``status``, if it does. Raises NoAnswerError where something is missing."""
    found = said.get("status", [])
    each = cast("list[object]", found) if isinstance(found, list) else [found]
    return [cast(Monitor, _whole(one, _OF_MONITOR, "monitor")) for one in each]


def why(found: object) -> Why:
    """What stands under ``why``. Raises NoAnswerError where something is missing."""
    return cast(Why, _whole(found, _OF_WHY, "why"))


def about(found: object) -> About:
    """What stands under ``about``. Raises NoAnswerError where something is missing."""
    return cast(About, _whole(found, _OF_ABOUT, "about"))


def _whole(found: object, wanted: frozenset[str], what: str) -> object:
    there = cast("dict[str, Any]", found if isinstance(found, dict) else {})
    if not there.keys() >= wanted:
        missing = min(wanted - there.keys())
        told = f"Failed: HEAT's answer is not whole: {what}.{missing} is missing"
        fix = "use the heatctl that came with that HEAT"
        raise NoAnswerError(Mistake(told, fix))
    return there
