"""The programs' deeds in a rehearsal: ``0,1x5,timeout,1@3s,killed,unknown`` as values."""

import re
import signal
from typing import NamedTuple

from heat.config.durations import duration
from heat.diagnostics import BadValueError
from heat.process import signals
from heat.rehearsal.programs import Ends

MOST = 10_000
"""Checks of one rehearsal."""
LARGEST_CODE = 255
_RESULT = re.compile(r"([^x@]+)(?:x([0-9]{1,9}))?(?:@([^x]*))?(?:x([0-9]{1,9}))?")
_UNKNOWN = "it cannot be started for want of resources (as --results says)"
_FORMS = "write 0, 7, timeout, killed or unknown; 1x5 for five times 1, 1@3s for 3 seconds until 1"


class Plot(NamedTuple):
    """The programs' deeds, and when it ends; times in seconds, None where nothing says."""

    results: tuple[Ends, ...]
    recovery: Ends = Ends()
    fail: Ends = Ends()
    works_after: int | None = None
    """So many recovery scripts have to end until the check passes."""
    until: float | None = None


def results(text: str) -> tuple[Ends, ...]:
    """The results of the checks, one after the other."""
    found: list[Ends] = []
    for word in text.split(","):
        one, times = _result(word.strip())
        if len(found) + times > MOST:
            raise BadValueError(f"is more than {MOST} checks", f"write at most {MOST}")
        found += [one] * times
    return tuple(found)


def _result(word: str) -> tuple[Ends, int]:
    taken = _RESULT.fullmatch(word)
    if taken is None or (taken[2] and taken[4]):
        raise BadValueError(f"holds '{word}', which is no result", _FORMS)
    what, times = taken[1], int(taken[2] or taken[4] or 1)
    if times < 1:
        raise BadValueError(f"holds '{word}', which is no time at all", "write 1x1 or more")
    ends = ending(what)
    if taken[3] is not None:
        if ends.after is None or ends.error:
            raise BadValueError(
                f"holds '{word}', but '{what}' has no length of its own",
                f"write {what} alone",
            )
        ends = ends._replace(after=_span(taken[3], word))
    return ends, times


def _span(text: str, word: str) -> float:
    try:
        return duration(text)
    except BadValueError as error:
        raise BadValueError(f"holds '{word}', where '{text}' {error}", error.hint) from None


def ending(what: str) -> Ends:
    """One result: an exit code, ``timeout``, ``killed``, ``killed:TERM`` or ``unknown``."""
    if what == "timeout":
        return Ends(after=None)
    if what == "unknown":
        return Ends(error=_UNKNOWN)
    if re.fullmatch(r"[0-9]{1,9}", what):
        if int(what) > LARGEST_CODE:
            raise BadValueError(f"holds '{what}', which is no exit code", "write 0 to 255")
        return Ends(int(what))
    name, colon, signum = what.partition(":")
    if name == "killed":
        return Ends(killed=signals.parse(signum) if colon else int(signal.SIGKILL))
    raise BadValueError(f"holds '{what}', which is no result", _FORMS)


def exit_of_script(text: str) -> Ends:
    """How a recovery script ends."""
    if text == "unknown":
        raise BadValueError("is no end of a script", "write an exit code, timeout or killed")
    return ending(text)
