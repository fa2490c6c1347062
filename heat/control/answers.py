"""The answers of HEAT: the tables of docs/protocol.md as types, and whether all of it is there.

A key that is not required is missing in the answers of an earlier HEAT.

Times are unix seconds, lengths seconds; None stands for "no such thing".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, cast

from heat.ctl.errors import NoAnswerError
from heat.diagnostics import Diagnostic


class Last(TypedDict):
    """The last check that ended, ``age`` seconds ago; one that is ok may be a ``warning``."""

    result: Literal["ok", "failed", "unknown"]
    code: int | None
    text: str
    message: NotRequired[str | None]
    time: float
    age: float
    duration: float
    pid: int | None
    warning: bool


class Ran(TypedDict):
    """A fail or recovery script that has ended, ``age`` seconds ago."""

    code: int | None
    text: str
    message: str | None
    age: float


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
    last_recovery: NotRequired[Ran | None]
    last_fail: NotRequired[Ran | None]
    checking: Literal["idle", "running", "waiting", "dying"]
    next: float | None
    next_text: str
    paused: Paused | None
    shown: str
    backoff: float | None
    spent: bool
    unknown_since: float | None
    checks: int
    skipped: int


class Result(TypedDict):
    """The last check as a table shows it; a row has a ``text`` of one that is ok as a warning."""

    result: Literal["ok", "failed", "unknown"]
    age: float
    text: str | None
    message: NotRequired[str | None]
    warning: bool


class Standing(TypedDict):
    """A monitor as a table shows it, in the order in which it comes: a part of `Monitor`."""

    name: str
    state: Literal["NORMAL", "FAILING", "RECOVERING", "ERROR"]
    since: float
    count: int
    threshold: int | None
    attempts: int
    max_recoveries: int | None
    last: Result | None
    checking: Literal["idle", "running", "waiting", "dying"]
    next: float | None
    next_text: str | None
    paused: Paused | None
    shown: str
    backoff: float | None
    spent: bool
    unknown_since: float | None
    recovery_message: NotRequired[str | None]


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
    first_message: NotRequired[str | None]
    last_code: int
    last_message: NotRequired[str | None]
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


class Counted(TypedDict):
    """The window after an event: ``of`` failures close it, None where its time does."""

    failures: int
    of: int | None
    overdue: bool


Effect = Mapping[str, Any]
"""One thing that HEAT would do, ``do``; which keys there are beside it depends on what it does."""


class Step(TypedDict):
    """An event that would come: its effects, and the monitor after it."""

    event: str
    state: Literal["NORMAL", "FAILING", "RECOVERING", "ERROR"]
    count: int
    passes: int
    attempts: int
    window: Counted | None
    backoff: float | None
    spent: bool
    effects: Sequence[Effect]


Steps = Sequence[Step]

TimeUp = TypedDict(
    "TimeUp",
    {
        "event": Literal["window-closed", "backoff-ended"],
        "in": float | None,
        "seconds": float | None,
        "failed": Steps | None,
        "passed": Steps | None,
        "running": Steps | None,
        "then": Steps | None,
    },
)
"""The end of a time limit, and what it does if the latest check has failed, passed, or runs."""


class Turn(TypedDict):
    """The check, of those in a row with the same result, that changes something."""

    number: int
    steps: Steps


class Outlook(TypedDict):
    """Things that would be, as HEAT's table says."""

    ended: bool
    pace: Literal["interval", "retry-interval", "recovery-interval"]
    tick: float | None
    due: float | None
    coming: Steps | None
    passed: Steps | None
    failed: Steps | None
    late: Steps | None
    still: Steps | None
    time: TimeUp | None
    passes: Turn | None
    failures: Turn | None
    resumed: Steps | None
    commands: Mapping[Literal["check", "pause", "resume", "reset"], bool]


class Why(Monitor):
    """All that matters about one monitor."""

    now: float
    changed: Changed | None
    outage: Outage | None
    passes: int
    success_threshold: int
    remedy: Literal["none", "waiting", "running", "owed", "open", "backoff", "spent"]
    remedy_text: str
    window: Window | None
    script: Script | None
    fail_queued: bool
    target: Target | None
    frozen: int | None
    start_period: float | None
    options: Mapping[str, Any]
    outlook: Outlook


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


_BRIEF = tuple(Standing.__annotations__)
_OF_RESULT = ("result", "age", "text", "message")
_OF_MONITOR = Monitor.__required_keys__
_OF_WHY = Why.__required_keys__
_OF_ABOUT = About.__required_keys__


def monitors(said: Mapping[str, Any]) -> list[Monitor]:
    """The value under ``status``, if any. Raises NoAnswerError where something is missing."""
    found = said.get("status", [])
    each = cast("list[object]", found) if isinstance(found, list) else [found]
    return [cast(Monitor, _whole(one, _OF_MONITOR, "monitor")) for one in each]


def standings(said: Mapping[str, Any]) -> Iterator[Standing]:
    """The rows of a line of a brief answer. Raises NoAnswerError where something is missing.

    A HEAT that does not know of brief answers gives whole ones, which do as well.
    """
    if "status" in said:
        yield from cast("list[Standing]", monitors(said))
    if "columns" in said:
        columns = _named(_BRIEF, said["columns"], "columns")
        if any(name != column for name, column in columns.items() if column is not None):
            raise _not_whole("columns are other ones")
    for row in said.get("rows", ()):
        there = _named(_BRIEF, row, "row")
        if there["last"] is not None:
            last = there["last"] = _named(_OF_RESULT, there["last"], "row.last")
            last["warning"] = last["result"] == "ok" and last["text"] is not None
        yield cast(Standing, there)


def _named(names: Sequence[str], values: object, what: str) -> dict[str, Any]:
    """The values by their names; an earlier HEAT does not know of the last one."""
    there = cast("list[object]", values if isinstance(values, list) else [])
    if len(there) < len(names) - 1:
        raise _not_whole(f"{what} is too short")
    return dict(zip(names, [*there, None], strict=False))


def why(found: object) -> Why:
    """The value under ``why``. Raises NoAnswerError where something is missing."""
    return cast(Why, _whole(found, _OF_WHY, "why"))


def about(found: object) -> About:
    """The value under ``about``. Raises NoAnswerError where something is missing."""
    return cast(About, _whole(found, _OF_ABOUT, "about"))


def _whole(found: object, wanted: frozenset[str], what: str) -> object:
    there = cast("dict[str, Any]", found if isinstance(found, dict) else {})
    if not there.keys() >= wanted:
        raise _not_whole(f"{what}.{min(wanted - there.keys())} is missing")
    return there


def _not_whole(why: str) -> NoAnswerError:
    told = f"Failed: HEAT's answer is not whole: {why}"
    return NoAnswerError(Diagnostic(told, "use the heatctl that came with that HEAT"))
