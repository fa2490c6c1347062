"""Files that HEAT runs, and what keeps it from running them, in words."""

import os
import stat
from collections.abc import Callable
from enum import Enum, auto

from heat.errors import reason_of
from heat.text import escaped
from states.engine.named_tuple import NamedTuple

_MOST_INTERPRETERS = 5
"""The longest chain of scripts that run scripts which the kernel follows."""


def on_path(name: str) -> str | None:
    """Return the executable file that ``name`` means on PATH, as execvp would find it."""
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
    """It is missing, not a regular file, or out of reach."""
    MODE = auto()
    """Nobody may execute it."""
    NO_LINE = auto()
    """It does not begin with ``#!``."""
    INTERPRETER = auto()
    """The interpreter in its ``#!`` line does not work."""
    LINE_END = auto()
    """Its ``#!`` line ends in a carriage return."""
    MARK = auto()
    """A byte order mark stands before its ``#!``."""
    NOEXEC = auto()
    """Its file system is mounted noexec."""


class Unfit(NamedTuple):
    """A reason why a file cannot be executed."""

    cause: Cause
    text: str


def why_not_executable(path: str) -> str:
    """Return what keeps ``path`` from being executed; empty if HEAT sees nothing that does."""
    reason = unfit(path)
    return reason.text if reason else ""


def unfit(path: str) -> Unfit | None:
    """Return what keeps ``path`` from being executed; None if HEAT sees nothing that does."""
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
    """Return the mount point of a file whose file system is noexec; empty if it is not."""
    place = os.path.realpath(path)
    if not _is_noexec(place):
        return ""
    while not os.path.ismount(place) and _is_noexec(above := os.path.dirname(place)):
        place = above
    return place


def interpreter(path: str) -> str:
    """Return the program that runs a script, by its name on PATH; empty for a binary."""
    try:
        with open(path, "rb") as file:
            start = file.read(256)
    except OSError:
        return ""
    if not start.startswith(b"#!"):
        return "" if b"\0" in start else "sh"
    words = [os.path.basename(word) for word in os.fsdecode(start[2:].partition(b"\n")[0]).split()]
    names = [word for word in words if word not in ("env", "-S")]
    return names[0] if names else "sh"


def _is_noexec(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
    except OSError:
        return False


def _unfit_start(path: str) -> Unfit | None:
    """Return what is wrong with the ``#!`` line of an executable file."""
    start = _start(path)
    if start is None:
        return None  # A program may be unreadable; a script then fails and says so.
    if start.startswith(b"#!"):
        line, _, _ = start[2:].partition(b"\n")
        return _unfit_line(line)
    if start.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return Unfit(Cause.MARK, "it begins with a byte order mark (BOM), and not with '#!'")
    if b"\0" in start:
        return None  # A binary; only the kernel knows whether it is for this machine.
    if start.lstrip().startswith(b"#!"):
        return Unfit(Cause.NO_LINE, "its '#!' is not the very first thing in it")
    return Unfit(Cause.NO_LINE, "it has no '#!' line" if start else "it is empty")


def _start(path: str) -> bytes | None:
    """Return the beginning of a file, with its ``#!`` line; None if HEAT cannot read it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return os.read(fd, 256)
        finally:
            os.close(fd)
    except OSError:
        return None


def shebang(path: str) -> list[str]:
    """Return the words of a script's ``#!`` line; none if it has no such line."""
    start = _start(path) or b""
    return os.fsdecode(start[2:].partition(b"\n")[0]).split() if start[:2] == b"#!" else []


def interpreters(path: str, words_of: Callable[[str], list[str]] = shebang) -> list[str]:
    """Return the programs that run a script: its interpreter, what runs that, and so on."""
    programs: list[str] = []
    while len(programs) < _MOST_INTERPRETERS and (words := words_of(path)):
        path = words[0]
        programs.append(path)
        if (name := _name_for_env(words)) and (there := on_path(name)):
            path = there
            programs.append(path)
    return programs


def _name_for_env(words: list[str]) -> str:
    """Return what env(1), if it is the interpreter, looks for on PATH; empty if unclear."""
    if os.path.basename(words[0]) != "env":
        return ""
    name = next((word for word in words[1:] if word != "-S"), "")
    return "" if name[:1] == "-" or "=" in name else name


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
    if (name := _name_for_env(words)) and on_path(name) is None:
        return f"its interpreter {name} is not on PATH"
    return ""
