"""The protocol of the control socket: requests and answers as lines, columns, refusals.

docs/protocol.md describes it for people, and a test compares the two. `heat.control.answers` has
the keys of the answers as types: a watching HEAT does not load those.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, cast

from heat.diagnostics import Diagnostic
from heat.errors import CommandError
from heat.text import escaped
from states.engine.named_tuple import NamedTuple

VERSION = 1
LONGEST_REQUEST = 65_536
LONGEST_LINE = 4_194_304
"""Bytes, including the newline; HEAT's own lines are far shorter."""

Answer = Mapping[str, Any]
"""One line of an answer."""

BRIEF = (
    *("name", "state", "since", "count", "threshold", "attempts", "max_recoveries", "last"),
    *("checking", "next", "next_text", "paused", "shown", "backoff", "spent", "unknown_since"),
    "recovery_message",
)
"""The columns of a brief answer; `heat.control.answers.Standing` has their types."""


class Numbers(NamedTuple):
    """The numbers of a monitor, for a scrape."""

    name: str
    state: str
    since: float
    failures: int
    paused: int
    ok: int
    failed: int
    unknown: int
    skipped: int
    outages: int
    recoveries: int
    helped: int
    useless: int
    warnings: int
    duration: float
    buckets: Sequence[int]
    late: float
    latest: float
    checking: int
    last: float | None
    spent: int


NUMBERS = tuple("count" if field == "failures" else field for field in Numbers._fields)
"""The columns of numbers: a tuple has a ``count`` of its own."""


class Kind(StrEnum):
    """The kind of a refusal, for programs; the text with it is for people."""

    BAD_REQUEST = "bad-request"
    VERSION = "version"
    UNKNOWN_MONITOR = "unknown-monitor"
    REFUSED = "refused"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    TOO_SLOW = "too-slow"
    BUG = "bug"


_NO_ANSWER = {Kind.BUSY, Kind.TOO_SLOW, Kind.FORBIDDEN, Kind.BUG}
"""Refusals that are about HEAT and not about the request."""


class RequestError(CommandError):
    """A request without its answer: the reason, and what helps, if that is known."""

    word = "Error"

    def __init__(self, message: str, hint: str = "", mistakes: Iterable[Diagnostic] = ()) -> None:
        super().__init__(Diagnostic(f"{self.word}: {message}", hint), *mistakes)
        self.message = message
        self.hint = hint


class RefusedError(RequestError):
    """HEAT understands a request and refuses it; ``mistakes`` are those of a file."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        kind: str = Kind.REFUSED,
        mistakes: Iterable[Diagnostic] = (),
    ) -> None:
        super().__init__(message, hint, mistakes)
        self.kind = kind


class NoAnswerError(RequestError):
    """No HEAT answers, or not in a way that can be understood."""

    word = "Failed"
    status = 3


# HEAT's side

_encode = json.JSONEncoder(separators=(",", ":")).encode


def encode(answer: Answer) -> bytes:
    """Write one line of an answer."""
    return _encode({"heat": VERSION, **answer}).encode() + b"\n"


def refusal(message: str, hint: str = "", kind: str = Kind.REFUSED) -> dict[str, Any]:
    """Return the only line of such an answer."""
    return {"ok": False, "kind": kind, "error": message, "fix": hint}


def parse(line: bytes) -> dict[str, Any]:
    """Read a request. Raises RefusedError."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        hint = "write one object a line"
        raise RefusedError("the request is not a JSON object", hint, Kind.BAD_REQUEST) from None
    request = cast("dict[str, Any]", value if isinstance(value, dict) else {})
    if not isinstance(request.get("do"), str):
        message = "the request does not say what to do"
        raise RefusedError(message, '{"heat": 1, "do": "hello"}', Kind.BAD_REQUEST)
    if request.get("heat") != VERSION:
        message = f"this HEAT speaks version {VERSION} of the protocol"
        hint = f'begin with "heat": {VERSION}, or use the heatctl that came with this HEAT'
        raise RefusedError(message, hint, Kind.VERSION)
    return request


# The client's side

_decode = json.JSONDecoder().decode


def request(do: str, **keys: object) -> bytes:
    """Write a request. Raises CommandError where it is longer than HEAT takes."""
    line = json.dumps({"heat": VERSION, "do": do, **keys}).encode() + b"\n"
    if len(line) > LONGEST_REQUEST:
        message = f"Error: the request is longer than HEAT takes: {len(line)} bytes"
        hint = f"name fewer monitors at a time; HEAT takes {LONGEST_REQUEST} bytes"
        raise CommandError(Diagnostic(message, hint))
    return line


def decode(line: bytes) -> Answer:
    """Read a line of an answer. Raises NoAnswerError, or RefusedError if it is a refusal."""
    try:
        value: object = _decode(line.decode())
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or "heat" not in value:
        raise _not_heat(line)
    answer = cast("dict[str, Any]", value)
    if answer["heat"] != VERSION:
        raise NoAnswerError(
            f"HEAT speaks version {escaped(str(answer['heat'])[:20])} of the protocol",
            f"this heatctl speaks {VERSION}: use the heatctl that came with that HEAT",
        )
    if answer.get("ok") is False:
        raise _refused(answer)
    return answer


def is_last(answer: Answer) -> bool:
    """Tell if this is the last line of its answer."""
    return answer.get("ok") is True


def _refused(answer: Answer) -> RequestError:
    message = escaped(str(answer.get("error") or "HEAT refuses it and does not say why"))
    hint = escaped(str(answer.get("fix") or ""))
    kind = str(answer.get("kind") or "")
    if kind in _NO_ANSWER:
        return NoAnswerError(f"HEAT does not answer: {message}", hint or "try again")
    return RefusedError(message, hint, kind, map(_mistake, answer.get("mistakes") or ()))


def _mistake(text: object) -> Diagnostic:
    """Take apart a mistake in a file: its message, and a hint in the line below."""
    message, _, hint = str(text).partition("\n")
    return Diagnostic(escaped(message), escaped(hint.strip()))


def _not_heat(line: bytes) -> NoAnswerError:
    shown = escaped(line[:60].decode("utf-8", "backslashreplace").rstrip("\n"))
    more = "..." if len(line) > len(shown) + 1 else ""
    message = f"what answers is not HEAT: '{shown}{more}'"
    return NoAnswerError(message, "name HEAT's own socket with --control PATH")
