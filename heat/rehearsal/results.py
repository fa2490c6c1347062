"""The results of programs as somebody writes them: ``0,1x5,timeout,1@3s,killed,unknown``."""

import re
import signal
from typing import NamedTuple

from heat.config.durations import duration
from heat.diagnostics import BadValueError
from heat.process import signals
from heat.rehearsal.programs import Ends

MOST = 10_000
"""The checks of one rehearsal."""
LARGEST_CODE = 255
_RESULT = re.compile(r"([^x@]+)(?:x([0-9]{1,9}))?(?:@([^x]*))?(?:x([0-9]{1,9}))?")
_UNKNOWN = "it cannot be started for want of resources (as --results says)"
_FORMS = "write 0, 7, timeout, killed or unknown; 1x5 for five times 1, 1@3s for 3 seconds until 1"


class Plot(NamedTuple):
    """The course of a rehearsal: how the programs go, and when it ends."""

    results: tuple[Ends, ...]
    recovery: Ends = Ends()
    fail: Ends = Ends()
    works_after: int | None = None
    """The number of recovery scripts after which the check passes; None for never."""
    until: float | None = None
    """The second in which it ends; None: with the last result."""


def results(text: str) -> tuple[Ends, ...]:
    """Return the results of the checks, one after the other. Raises BadValueError."""
    ends: list[Ends] = []
    for word in text.split(","):
        one, times = _result(word.strip())
        if len(ends) + times > MOST:
            raise BadValueError(f"is more than {MOST} checks", f"write at most {MOST}")
        ends += [one] * times
    return tuple(ends)


def _result(word: str) -> tuple[Ends, int]:
    match = _RESULT.fullmatch(word)
    if match is None or (match[2] and match[4]):
        raise BadValueError(f"holds '{word}', which is not a result", _FORMS)
    what, times = match[1], int(match[2] or match[4] or 1)
    if times < 1:
        raise BadValueError(f"holds '{word}', which is not even once", "write 1x1 or more")
    ends = ending(what)
    if match[3] is not None:
        if ends.after is None or ends.error:
            raise BadValueError(
                f"holds '{word}', but '{what}' has no length of its own",
                f"write only {what}",
            )
        ends = ends._replace(after=_span(match[3], word))
    return ends, times


def _span(text: str, word: str) -> float:
    try:
        return duration(text)
    except BadValueError as error:
        raise BadValueError(f"holds '{word}', where '{text}' {error}", error.hint) from None


def ending(what: str) -> Ends:
    """Read a result: an exit code, ``timeout``, ``killed``, ``killed:TERM`` or ``unknown``."""
    if what == "timeout":
        return Ends(after=None)
    if what == "unknown":
        return Ends(error=_UNKNOWN)
    if re.fullmatch(r"[0-9]{1,9}", what):
        if int(what) > LARGEST_CODE:
            raise BadValueError(f"holds '{what}', which is not an exit code", "write 0 to 255")
        return Ends(int(what))
    name, colon, signum = what.partition(":")
    if name == "killed":
        return Ends(killed=signals.parse(signum) if colon else int(signal.SIGKILL))
    raise BadValueError(f"holds '{what}', which is not a result", _FORMS)


def exit_of_script(text: str) -> Ends:
    """Read the end of a recovery script. Raises BadValueError."""
    if text == "unknown":
        raise BadValueError("is not an end of a script", "write an exit code, timeout or killed")
    return ending(text)
