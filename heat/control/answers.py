"""The keys of HEAT's answers, as types, and how a client reads them; docs/protocol.md has the same.

A new key is one line here, and its value in `heat.control.views`. Times are Unix seconds,
durations are seconds, and None stands for "there is none". A key that is not required is missing
from the answers of an earlier HEAT.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, TypedDict, TypeVar, cast

from heat.control.protocol import BRIEF, Answer, NoAnswerError

T = TypeVar("T")
PUBLIC = "public"
Public = Annotated[T, PUBLIC]
"""The type of a key that `heatctl serve` shows without a token: no command line, no output."""

State = Literal["NORMAL", "FAILING", "RECOVERING", "ERROR"]
Shown = Literal["NORMAL", "FAILING", "RECOVERING", "BACKOFF", "SPENT", "ERROR", "PAUSED"]
Verdict = Literal["ok", "failed", "unknown"]
Checking = Literal["idle", "running", "waiting", "dying"]
Remedy = Literal["none", "waiting", "running", "owed", "open", "backoff", "spent"]
Pace = Literal["interval", "retry-interval", "recovery-interval"]
TimeEvent = Literal["window-closed", "backoff-ended"]


class Last(TypedDict):
    """The last check that ended, ``age`` seconds ago; a ``warning`` is also ok."""

    result: Public[Verdict]
    code: Public[int | None]
    text: str
    message: NotRequired[str | None]
    time: Public[float]
    age: Public[float]
    duration: Public[float]
    pid: Public[int | None]
    warning: Public[bool]


class Ran(TypedDict):
    """The fail or recovery script that ended last, ``age`` seconds ago."""

    code: Public[int | None]
    text: str
    message: str | None
    age: Public[float]


class Paused(TypedDict):
    """A pause; without ``until`` it lasts until somebody resumes the monitor."""

    since: Public[float]
    until: Public[float | None]
    reason: Public[str]


class Monitor(TypedDict):
    """The present condition of a monitor."""

    name: Public[str]
    check: str
    state: Public[State]
    since: Public[float]
    count: Public[int]
    threshold: Public[int | None]
    attempts: Public[int]
    max_recoveries: Public[int | None]
    last: Public[Last | None]
    last_recovery: NotRequired[Public[Ran | None]]
    last_fail: NotRequired[Public[Ran | None]]
    checking: Public[Checking]
    next: Public[float | None]
    next_text: Public[str]
    paused: Public[Paused | None]
    shown: Public[Shown]
    backoff: Public[float | None]
    spent: Public[bool]
    unknown_since: Public[float | None]
    checks: Public[int]
    skipped: Public[int]


class Result(TypedDict):
    """The last check in a brief answer; ``text`` is None where all is well."""

    result: Verdict
    age: float
    text: str | None
    message: NotRequired[str | None]
    warning: bool


class Standing(TypedDict):
    """A monitor in a brief answer, which has these keys as columns."""

    name: str
    state: State
    since: float
    count: int
    threshold: int | None
    attempts: int
    max_recoveries: int | None
    last: Result | None
    checking: Checking
    next: float | None
    next_text: str | None
    paused: Paused | None
    shown: Shown
    backoff: float | None
    spent: bool
    unknown_since: float | None
    recovery_message: NotRequired[str | None]


class Changed(TypedDict):
    """The transition to the present state."""

    before: Public[State]
    after: Public[State]
    at: Public[float]
    count: Public[int]
    reason: str


class Outage(TypedDict):
    """The outage that goes on."""

    began: Public[float]
    failures: Public[int]
    first_code: Public[int]
    first_message: NotRequired[str | None]
    last_code: Public[int]
    last_message: NotRequired[str | None]
    last_time: Public[float]


class Counted(TypedDict):
    """A window; ``of`` failures close it, or only its time if there is no such number."""

    failures: Public[int]
    of: Public[int | None]
    overdue: Public[bool]


class Window(Counted):
    """The open recovery window, which closes in this many seconds."""

    closes: Public[float | None]


Script = TypedDict(
    "Script",
    {
        "role": Public[Literal["fail", "recovery"]],
        "shown": str,
        "pid": Public[int],
        "for": Public[float],
        "left": Public[float | None],
    },
)
"""The script that runs: for how long so far, and how much of its time limit is left."""


class Target(TypedDict):
    """The process that HEAT signals, by its id or by the file that names it."""

    pid: Public[int | None]
    pid_file: str | None


class _Effect(TypedDict):
    do: Public[str]
    signal: NotRequired[Public[str]]
    option: NotRequired[Public[str]]
    attempt: NotRequired[Public[int]]
    failure: NotRequired[Public[int]]
    seconds: NotRequired[Public[float | None]]
    helped: NotRequired[Public[bool]]
    reason: NotRequired[str]


Effect = Annotated[Mapping[str, Any], _Effect]
"""One thing that HEAT would ``do``; which other keys there are depends on that."""


class Step(TypedDict):
    """An event that would come: its effects, and the monitor after it."""

    event: Public[str]
    state: Public[State]
    count: Public[int]
    passes: Public[int]
    attempts: Public[int]
    window: Public[Counted | None]
    backoff: Public[float | None]
    spent: Public[bool]
    effects: Public[Sequence[Effect]]


Steps = Sequence[Step]
MaybeSteps = Public[Steps | None]

TimeUp = TypedDict(
    "TimeUp",
    {
        "event": Public[TimeEvent],
        "in": Public[float | None],
        "seconds": Public[float | None],
        "failed": MaybeSteps,
        "passed": MaybeSteps,
        "running": MaybeSteps,
        "then": MaybeSteps,
    },
)
"""The end of a time limit, and its steps after a check that failed, passed, or still runs."""


class Turn(TypedDict):
    """The check, in a row with the same result, that changes something."""

    number: Public[int]
    steps: Public[Steps]


class Commands(TypedDict):
    """The commands of heatctl that would do something now."""

    check: Public[bool]
    pause: Public[bool]
    resume: Public[bool]
    reset: Public[bool]


class Outlook(TypedDict):
    """The future of a monitor, as HEAT's table says."""

    ended: Public[bool]
    pace: Public[Pace]
    tick: Public[float | None]
    due: Public[float | None]
    coming: MaybeSteps
    passed: MaybeSteps
    failed: MaybeSteps
    late: MaybeSteps
    still: MaybeSteps
    time: Public[TimeUp | None]
    passes: Public[Turn | None]
    failures: Public[Turn | None]
    resumed: MaybeSteps
    commands: Public[Commands]


_Settings = TypedDict(
    "_Settings",
    {
        "script": Sequence[str],
        "command": Sequence[str],
        "interval": Public[float | None],
        "timeout": Public[float | None],
        "pid": Public[int | None],
        "pid-file": str | None,
        "signal": Public[str | None],
        "fail": str | None,
        "retry-interval": Public[float | None],
        "unknown-codes": Public[str | None],
        "warn-codes": Public[str | None],
        "fail-overlap": Public[str],
        "threshold": Public[int | None],
        "recovery": str | None,
        "recovery-timeout": Public[float | None],
        "recovery-interval": Public[float | None],
        "recovery-backoff": Public[float],
        "recovery-backoff-max": Public[float],
        "max-recoveries": Public[int | None],
        "when-spent": Public[str],
        "success-threshold": Public[int],
        "fault-signal": Public[str | None],
        "success-signal": Public[str | None],
        "script-timeout": Public[float | None],
        "start-period": Public[float],
        "on-killed": Public[str],
        "count": Public[int | None],
    },
    total=False,
)
Settings = Annotated[Mapping[str, Any], _Settings]
"""The options of a monitor, by their names in a configuration file."""


class Why(Monitor):
    """Everything that matters about one monitor."""

    now: Public[float]
    changed: Public[Changed | None]
    outage: Public[Outage | None]
    passes: Public[int]
    success_threshold: Public[int]
    remedy: Public[Remedy]
    remedy_text: Public[str]
    window: Public[Window | None]
    script: Public[Script | None]
    fail_queued: Public[bool]
    target: Public[Target | None]
    frozen: Public[int | None]
    start_period: Public[float | None]
    options: Public[Settings]
    outlook: Public[Outlook]


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


def monitors(answer: Answer) -> list[Monitor]:
    """Return the monitors of a line. Raises NoAnswerError where a key is missing."""
    value = answer.get("status", [])
    objects = cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast(Monitor, _whole(each, Monitor, "monitor")) for each in objects]


def standings(answer: Answer) -> Iterator[Standing]:
    """Yield the monitors of a line of a brief answer. Raises NoAnswerError.

    A HEAT that does not know of brief answers gives whole ones, which do as well.
    """
    if "status" in answer:
        yield from cast("list[Standing]", monitors(answer))
    if "columns" in answer:
        columns = _named(BRIEF, answer["columns"], "columns")
        if any(name != column for name, column in columns.items() if column is not None):
            raise _not_whole("columns are other ones")
    for row in answer.get("rows", ()):
        standing = _named(BRIEF, row, "row")
        if standing["last"] is not None:
            last = standing["last"] = _named(_RESULT, standing["last"], "row.last")
            last["warning"] = last["result"] == "ok" and last["text"] is not None
        yield cast(Standing, standing)


def why(answer: Answer) -> Why:
    """Return what HEAT says of a monitor. Raises NoAnswerError where a key is missing."""
    return cast(Why, _whole(answer.get("why"), Why, "why"))


def about(answer: Answer) -> About:
    """Return what HEAT says of itself. Raises NoAnswerError where a key is missing."""
    return cast(About, _whole(answer.get("about"), About, "about"))


_RESULT = ("result", "age", "text", "message")


def _named(names: Sequence[str], values: object, what: str) -> dict[str, Any]:
    """Return the values by their names; an earlier HEAT does not know of the last one."""
    row = cast("list[object]", values if isinstance(values, list) else [])
    if len(row) < len(names) - 1:
        raise _not_whole(f"{what} is too short")
    return dict(zip(names, [*row, None], strict=False))


def _whole(value: object, kind: Any, what: str) -> object:  # noqa: ANN401 - a TypedDict
    facts = cast("dict[str, Any]", value if isinstance(value, dict) else {})
    required: frozenset[str] = kind.__required_keys__
    if not facts.keys() >= required:
        raise _not_whole(f"{what}.{min(required - facts.keys())} is missing")
    return facts


def _not_whole(reason: str) -> NoAnswerError:
    message = f"HEAT's answer is not whole: {reason}"
    return NoAnswerError(message, "use the heatctl that came with that HEAT")
