"""Signals by name and number, as far as this system knows them."""

import re
import signal

from heat.diagnostics import BadValueError

PID_MAX = 4_194_304
"""The largest process id that Linux can be set to use."""
_VALID = {int(number) for number in signal.valid_signals()}
_NAMES = {name: int(number) for name, number in signal.Signals.__members__.items()}
_RANGE = {"RTMIN": signal.SIGRTMIN, "RTMAX": signal.SIGRTMAX}

STOPPING = frozenset({signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
NEED_TARGET = STOPPING | {signal.SIGKILL}
OF_TERMINAL = frozenset({signal.SIGTTIN, signal.SIGTTOU})
"""Sent to a process that uses a terminal whose foreground is another group."""
HARMLESS = STOPPING | {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
"""Signals whose default action does not end a process."""
EXPECTED_TO_END = frozenset({signal.SIGKILL, signal.SIGTERM})
STOP_HEAT = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
HANDLED = STOP_HEAT | {signal.SIGHUP, signal.SIGUSR1}
"""The signals that HEAT itself acts on."""
_FAULTS = {
    *(signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL),
    *(signal.SIGSEGV, signal.SIGSYS, signal.SIGTRAP),
}
"""Sent by the kernel, or by abort(), to a broken program, at the instruction that broke it.

A handler of Python's would run after that instruction, so never: it would fail for ever. The CONT
that HEAT then owes, the next HEAT with the same state file sends.
"""
ENDING = frozenset(signal.valid_signals()) - HARMLESS - HANDLED - _FAULTS - {signal.SIGKILL}
"""The signals that end HEAT, once it has ended what runs and sent the CONT that it owes."""


def parse(text: str) -> int:
    """Return ``USR1``, ``SIGUSR1``, ``usr1``, ``10`` or ``RTMIN+1`` as a number."""
    word = text.upper()
    if re.fullmatch(r"[0-9]{1,3}", word):
        number = int(word)
    elif match := re.fullmatch(r"(?:SIG)?(RTMIN|RTMAX)(?:([+-])([0-9]{1,2}))?", word):
        base, sign, offset = match.groups()
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


def may_signal(pidfd: int) -> bool:
    """Return whether this user may signal a process; true of one that has ended."""
    try:
        signal.pidfd_send_signal(pidfd, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        pass
    return True


_OF_SHELLS = {126: "not executable", 127: "command not found"}


def meaning(code: int) -> str:
    """Return the meaning that shells give to an exit code; empty if it has none."""
    if code - 128 in _VALID:
        return f"killed by SIG{name(code - 128)}"
    return _OF_SHELLS.get(code, "")


def worded(code: int) -> str:
    """Return the exit code and its meaning: ``127 (command not found)``."""
    means = meaning(code)
    return f"{code} ({means})" if means else str(code)


def name(number: int) -> str:
    """Return ``USR1`` for 10, and ``RTMIN+1`` for a real-time signal."""
    if signal.SIGRTMIN <= number <= signal.SIGRTMAX:
        above = number - signal.SIGRTMIN
        return f"RTMIN+{above}" if above else "RTMIN"
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)  # One that the C library keeps for itself.
