"""Refusals on the control socket, as docs/protocol.md has them."""

from enum import StrEnum
from typing import Any

from heat.errors import HeatError


class Kind(StrEnum):
    """The kind of a refusal, for programs; the text beside it is for people."""

    BAD_REQUEST = "bad-request"
    VERSION = "version"
    UNKNOWN_MONITOR = "unknown-monitor"
    REFUSED = "refused"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    TOO_SLOW = "too-slow"
    BUG = "bug"


class RefusedError(HeatError):
    """A request that cannot be met: why not, and what would do."""

    def __init__(self, error: str, hint: str = "", kind: Kind = Kind.REFUSED) -> None:
        super().__init__(error)
        self.hint = hint
        self.kind = kind


def refused(error: str, hint: str = "", kind: Kind = Kind.REFUSED) -> dict[str, Any]:
    """The one line of such an answer."""
    return {"ok": False, "kind": kind, "error": error, "fix": hint}
