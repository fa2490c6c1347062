"""Signals by name and number, as far as this system knows them."""

import re
import signal

from heat.mistakes import BadValueError

_VALID = {int(number) for number in signal.valid_signals()}
_NAMES = {name: int(number) for name, number in signal.Signals.__members__.items()}
_RANGE = {"RTMIN": signal.SIGRTMIN, "RTMAX": signal.SIGRTMAX}

STOPPING = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
NEED_TARGET = STOPPING | {signal.SIGKILL}
HARMLESS = STOPPING | {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
"""Signals whose default action does not end a process."""
EXPECTED_TO_END = frozenset({signal.SIGKILL, signal.SIGTERM})
HANDLED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1})
"""What HEAT itself acts on."""


def parse(text: str) -> int:
    """``USR1``, ``SIGUSR1``, ``usr1``, ``10`` or ``RTMIN+1`` as a number."""
    word = text.upper()
    if re.fullmatch(r"[0-9]{1,3}", word):
        number = int(word)
    elif found := re.fullmatch(r"(?:SIG)?(RTMIN|RTMAX)(?:([+-])([0-9]{1,2}))?", word):
        base, sign, offset = found.groups()
        number = int(_RANGE[base]) + int(f"{sign or '+'}{offset or 0}")
        if not signal.SIGRTMIN <= number <= signal.SIGRTMAX:
            number = 0
    else:
        number = _NAMES.get(word) or _NAMES.get("SIG" + word, 0) if word.isascii() else 0
    if number not in _VALID:
        raise BadValueError(
            "is not a signal of this system",
            "name one such as HUP, USR1, 10 or RTMIN+1; 'kill -l' lists them",
        )
    return number


def name(number: int) -> str:
    """``USR1`` for 10; ``RTMIN+1`` for a real-time signal."""
    if signal.SIGRTMIN <= number <= signal.SIGRTMAX:
        above = number - signal.SIGRTMIN
        return f"RTMIN+{above}" if above else "RTMIN"
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)  # One of the C library's own.
