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
    MARK = auto()
    """A byte order mark stands before its ``#!``."""
    NOEXEC = auto()
    """Nothing on its file system is executed."""


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
    return _unfit_start(path) if os.access(path, os.X_OK) else _not_permitted(path, mode)


def _not_permitted(path: str, mode: int) -> Unfit:
    if place := noexec(path):
        return Unfit(Cause.NOEXEC, f"{escaped(place)} is mounted noexec")
    if mode & 0o111 == 0:
        return Unfit(Cause.MODE, "it is not executable")
    return Unfit(Cause.FILE, "permission denied")


def noexec(path: str) -> str:
    """Where the file system of a file is mounted that executes nothing; empty if it does."""
    place = os.path.realpath(path)
    if not _is_noexec(place):
        return ""
    while not os.path.ismount(place) and _is_noexec(above := os.path.dirname(place)):
        place = above
    return place


def interpreter(path: str) -> str:
    """The program that runs a script, by the name it has on PATH; empty for a binary."""
    try:
        with open(path, "rb") as file:
            start = file.read(256)
    except OSError:
        return ""
    if not start.startswith(b"#!"):
        return "" if b"\0" in start else "sh"
    words = [os.path.basename(word) for word in os.fsdecode(start[2:].partition(b"\n")[0]).split()]
    named = [word for word in words if word not in ("env", "-S")]
    return named[0] if named else "sh"


def _is_noexec(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
    except OSError:
        return False


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
    if start.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return Unfit(Cause.MARK, "it begins with a byte order mark (BOM), and not with '#!'")
    if b"\0" in start:
        return None  # A binary; whether it is one of this machine, the kernel knows.
    if start.lstrip().startswith(b"#!"):
        return Unfit(Cause.NO_LINE, "its '#!' is not the very first thing in it")
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
        place = noexec(interpreter)
        why = f": {place} is mounted noexec" if place else ""
        return f"its interpreter {interpreter} is not executable{why}"
    if os.path.basename(interpreter) == "env":
        wanted = next((word for word in arguments if word != "-S"), "")
        if wanted and wanted[0] != "-" and "=" not in wanted and on_path(wanted) is None:
            return f"its interpreter {wanted} is not on PATH"
    return ""
