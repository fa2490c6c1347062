"""Whether a file can be executed, and if not, why, in words that name the cause."""

import contextlib
import os
import stat
from enum import Enum, auto

from heat.errors import reason_of
from heat.text import escaped
from states.values import NamedTuple


def on_path(name: str) -> str | None:
    """The executable file that ``name`` means on PATH, as execvp would find it."""
    if "/" in name:
        return name
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def shut(fd: int) -> None:
    """Close ``fd``, whatever a network file system says of it: it is closed all the same."""
    with contextlib.suppress(OSError):
        os.close(fd)


class Cause(Enum):
    """What kind of thing keeps a file from being executed; each has its own remedy."""

    FILE = auto()
    """It is missing, no regular file, or out of reach."""
    MODE = auto()
    """Nobody may execute it."""
    NO_LINE = auto()
    """No ``#!`` begins it."""
    INTERPRETER = auto()
    """Its ``#!`` line names none that works."""
    LINE_END = auto()
    """Its ``#!`` line ends in a carriage return."""


class Unfit(NamedTuple):
    """Why a file cannot be executed."""

    cause: Cause
    text: str


def why_not_executable(path: str) -> str:
    """What keeps ``path`` from being executed; empty if nothing that can be seen does."""
    found = unfit(path)
    return found.text if found else ""


def unfit(path: str) -> Unfit | None:
    """What keeps ``path`` from being executed; None if nothing that can be seen does."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        why = "it is a dangling link" if os.path.islink(path) else "no such file"
        return Unfit(Cause.FILE, why)
    except (OSError, ValueError) as error:
        return Unfit(Cause.FILE, reason_of(error))
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
        return Unfit(Cause.FILE, f"it is {kind}")
    if not os.access(path, os.X_OK):
        if mode & 0o111 == 0:
            return Unfit(Cause.MODE, "it is not executable")
        return Unfit(Cause.FILE, "permission denied")
    return _unfit_start(path)


def _unfit_start(path: str) -> Unfit | None:
    """What is wrong with the ``#!`` line of an executable file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None  # Executable and not readable: a program may be, a script says so itself.
    try:
        start = os.read(fd, 256)
    finally:
        os.close(fd)
    if start.startswith(b"#!"):
        line, _, _ = start[2:].partition(b"\n")
        return _unfit_line(line)
    if b"\0" in start:
        return None  # A binary; whether it is one of this machine, the kernel knows.
    return Unfit(Cause.NO_LINE, "it has no '#!' line" if start else "it is empty")


def _unfit_line(line: bytes) -> Unfit | None:
    interpreter, *arguments = os.fsdecode(line).split() or [""]
    if line.endswith(b"\r"):
        why = f"its '#!' line ends in a carriage return: {interpreter}\\r"
        return Unfit(Cause.LINE_END, escaped(why))
    why = _why_no_interpreter(interpreter, arguments)
    return Unfit(Cause.INTERPRETER, escaped(why)) if why else None


def _why_no_interpreter(interpreter: str, arguments: list[str]) -> str:
    if not interpreter:
        return "its '#!' line names no interpreter"
    if not os.path.exists(interpreter):
        return f"its interpreter {interpreter} does not exist"
    if not os.path.isfile(interpreter) or not os.access(interpreter, os.X_OK):
        return f"its interpreter {interpreter} is not executable"
    if os.path.basename(interpreter) == "env":
        wanted = next((word for word in arguments if word != "-S"), "")
        if wanted and wanted[0] != "-" and "=" not in wanted and on_path(wanted) is None:
            return f"its interpreter {wanted} is not on PATH"
    return ""
