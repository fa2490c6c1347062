"""Files that HEAT runs: what keeps it from that, in words."""

import os
import stat
from collections.abc import Callable
from enum import Enum, auto

from heat.errors import reason_of
from heat.text import escaped
from states.engine.named_tuple import NamedTuple

_MOST_INTERPRETERS = 5
"""The kernel follows no longer chain of scripts that run scripts."""


def on_path(name: str) -> str | None:
    """The executable file that ``name`` means on PATH, as execvp would find it."""
    if "/" in name:
        return name
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


class Cause(Enum):
    """A kind of thing that keeps a file from being executed; each has its own remedy."""

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
    """Tell what keeps ``path`` from being executed; empty if nothing that can be seen does."""
    found = unfit(path)
    return found.text if found else ""


def unfit(path: str) -> Unfit | None:
    """Find what keeps ``path`` from being executed; None if nothing that can be seen does."""
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
    """Tell what is wrong with the ``#!`` line of an executable file."""
    start = _start(path)
    if start is None:
        return None  # Executable and not readable: a program may be, a script says so itself.
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


def _start(path: str) -> bytes | None:
    """Read the beginning of a file, with its ``#!`` line; None if it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return os.read(fd, 256)
        finally:
            os.close(fd)
    except OSError:
        return None


def shebang(path: str) -> list[str]:
    """The words of a script's ``#!`` line; none if it has no such line."""
    start = _start(path) or b""
    return os.fsdecode(start[2:].partition(b"\n")[0]).split() if start[:2] == b"#!" else []


def interpreters(path: str, words_of: Callable[[str], list[str]] = shebang) -> list[str]:
    """Name the programs that run a script: its interpreter, what that one is run by, and so on."""
    found: list[str] = []
    while len(found) < _MOST_INTERPRETERS and (words := words_of(path)):
        path = words[0]
        found.append(path)
        if (wanted := _wanted_of_env(words)) and (there := on_path(wanted)):
            path = there
            found.append(path)
    return found


def _wanted_of_env(words: list[str]) -> str:
    """Name what env(1) looks for on PATH, where it is the interpreter; empty if it is not clear."""
    if os.path.basename(words[0]) != "env":
        return ""
    wanted = next((word for word in words[1:] if word != "-S"), "")
    return "" if wanted[:1] == "-" or "=" in wanted else wanted


def _unfit_line(line: bytes) -> Unfit | None:
    words = os.fsdecode(line).split() or [""]
    if line.endswith(b"\r"):
        why = f"its '#!' line ends in a carriage return: {words[0]}\\r"
        return Unfit(Cause.LINE_END, escaped(why))
    why = _why_no_interpreter(words)
    return Unfit(Cause.INTERPRETER, escaped(why)) if why else None


def _why_no_interpreter(words: list[str]) -> str:
    interpreter = words[0]
    if not interpreter:
        return "its '#!' line names no interpreter"
    if not os.path.exists(interpreter):
        return f"its interpreter {interpreter} does not exist"
    if not os.path.isfile(interpreter) or not os.access(interpreter, os.X_OK):
        place = noexec(interpreter)
        why = f": {place} is mounted noexec" if place else ""
        return f"its interpreter {interpreter} is not executable{why}"
    if (wanted := _wanted_of_env(words)) and on_path(wanted) is None:
        return f"its interpreter {wanted} is not on PATH"
    return ""
