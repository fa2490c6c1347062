"""Readers of values: a text, or a value of a file, becomes what HEAT works with.

Each raises BadValueError, which says what the value is not, and what would do.
"""

import re
from collections.abc import Callable

from heat.config.durations import HOUR, LONGEST_PAST, duration, positive_duration
from heat.diagnostics import BadValueError
from heat.process import signals
from heat.text import escaped

MOST = 1_000_000_000
NAME_LENGTH = 100
LARGEST_CODE = 255

_NONE = "none"
_CODES = f"write exit codes from 1 to {LARGEST_CODE}, such as"


def limit(value: str | float) -> float | None:
    """Read a positive duration, or ``none``."""
    if value == _NONE:
        return None
    try:
        return positive_duration(value)
    except BadValueError as error:
        raise BadValueError(
            error.complaint,
            f"{error.hint}, or 'none' for no limit",
            f'{error.hint_in_file or error.hint}, or "none" for no limit',
        ) from None


def history(value: str | float) -> float:
    """Read how long to keep history."""
    span = duration(value, LONGEST_PAST)
    if span < HOUR:
        raise BadValueError("is too short", "the shortest history is 1h")
    return span


def up_to(most: int) -> Callable[[str], int]:
    """Make a reader of counts from 1."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,20}", text) or not 1 <= int(text) <= most:
            raise BadValueError("is not a count", f"write a whole number from 1 to {most}")
        return int(text)

    return read


number = up_to(MOST)


def process_id(text: str) -> int:
    """Read a process id; preflight looks for the process."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or not 1 <= int(text) <= signals.PID_MAX:
        raise BadValueError(
            "is not a process id", f"write the number of a running process, 1 to {signals.PID_MAX}"
        )
    return int(text)


def signal_or_none(text: str) -> int | None:
    """Read a signal, or ``none`` to send none."""
    return None if text.lower() == _NONE else signals.parse(text)


def exit_codes(text: str) -> tuple[int, ...]:
    """Read a list of exit codes, and sort it: ``3,4``, or ``none``."""
    return () if text == _NONE else tuple(sorted({_exit_code(part) for part in text.split(",")}))


def _exit_code(part: str) -> int:
    if not re.fullmatch(r" *[0-9]{1,20} *", part):
        complaint = f"contains '{escaped(part.strip())}', which is not an exit code"
        complaint = complaint if part.strip() else "contains an empty item"
        raise BadValueError(complaint, f"{_CODES} 3,4", f"{_CODES} [3, 4]")
    if not 1 <= (code := int(part)) <= LARGEST_CODE:
        why = "which always passes" if code == 0 else f"and the largest exit code is {LARGEST_CODE}"
        raise BadValueError(f"contains {code}, {why}", f"{_CODES} 3,4", f"{_CODES} [3, 4]")
    return code


def path(text: str) -> str:
    """Read the path of a file, which stays as it is."""
    if not text:
        raise BadValueError("is not a valid path", "name a file")
    if "\0" in text:
        raise BadValueError("is not a valid path", "leave out the NUL")
    return text


def monitor_name(text: str) -> str:
    """Read a name that is fit to be part of a file name and of a line."""
    if not text or len(text.encode("utf-8", "surrogateescape")) > NAME_LENGTH:
        raise BadValueError("is not a valid name", f"write 1 to {NAME_LENGTH} bytes")
    if "/" in text or escaped(text) != text or text.strip() != text:
        hint = "leave out '/', control characters and outer blanks"
        raise BadValueError("is not a valid name", hint)
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """Make a reader of one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise BadValueError("is not known", f"write {' or '.join(words)}")
        return text

    return read
