"""The errors of HEAT; each carries a sentence to show as it is."""

import errno
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heat.diagnostics import Diagnostic

WANT = frozenset(
    {
        *(errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE),
        # Limits of a user: of epoll (max_user_watches), of namespaces, of sockets, of quota.
        *(errno.ENOSPC, errno.ENOBUFS, errno.EUSERS, errno.EDQUOT),
    }
)
"""Errors for want of resources, which say nothing about the call's object."""

TIMED_OUT = 124
"""The exit code of a program that timed out, as timeout(1) has it."""
NOT_EXECUTABLE, GONE = 126, 127
"""A shell's exit codes for a program that cannot start."""


def reason_of(error: Exception) -> str:
    """Return the system's own words for an error, in small letters, or the error itself."""
    words: str | None = getattr(error, "strerror", None)
    return words.lower() if words else str(error)


class HeatError(Exception):
    """Lines for the user; the first is the sentence."""


class CommandError(HeatError):
    """A command that cannot be carried out: diagnostics, and the exit status of its program."""

    status = 2

    def __init__(self, *diagnostics: "Diagnostic") -> None:
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics: Sequence[Diagnostic] = diagnostics


class StartRefused(HeatError):  # noqa: N818 - what it is
    """HEAT does not start: the sentence, and a hint in a second line."""


class StartError(HeatError):
    """A program could not start; ``passing`` if only for want of resources.

    Else ``code`` is a shell's exit code: `GONE`, or `NOT_EXECUTABLE`.
    """

    def __init__(self, reason: str, *, passing: bool, code: int = GONE) -> None:
        super().__init__(reason)
        self.passing = passing
        self.code = code


class TargetError(HeatError):
    """A signal could not be sent.

    ``gone`` if the process of ``--pid`` has ended, ``passing`` if HEAT lacks resources or is in
    doubt, which says nothing about the process.
    """

    def __init__(self, reason: str, *, gone: bool = False, passing: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone
        self.passing = passing


class UnwrittenError(TargetError):
    """The pid file is empty: it was truncated, and its writer has not written yet."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, passing=True)


class NotBelievedError(TargetError):
    """The pid file names a process that may be a stranger."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, passing=True)


def unforeseen(error: Exception) -> str:
    """Return an unforeseen error in a few words; the traceback goes into the log."""
    if isinstance(error, MemoryError):
        return "no memory is left: raise the limit of HEAT (ulimit -v, MemoryMax=)"
    return f"a bug of HEAT: {error!r}"
