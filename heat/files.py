"""Whether a file can be executed, and if not, why, in words that name the cause."""

import os
import stat


def on_path(name: str) -> str | None:
    """The executable file that ``name`` means on PATH, as execvp would find it."""
    if "/" in name:
        return name
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def why_not_executable(path: str) -> str:
    """What keeps ``path`` from being executed; empty if nothing that can be seen does."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "it is a dangling link" if os.path.islink(path) else "no such file"
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error).lower()
    if stat.S_ISDIR(mode):
        return "it is a directory"
    if not stat.S_ISREG(mode):
        return "it is not a regular file"
    if not os.access(path, os.X_OK):
        return "it is not executable" if mode & 0o111 == 0 else "permission denied"
    return why_no_interpreter(path)


def why_no_interpreter(path: str) -> str:
    """What is wrong with the ``#!`` line of an executable file; empty if nothing is."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""  # Executable and not readable: a program may be, a script says so itself.
    try:
        start = os.read(fd, 256)
    finally:
        os.close(fd)
    if start.startswith(b"#!"):
        line, _, _ = start[2:].partition(b"\n")
        return _why_bad_line(line)
    if b"\0" in start:
        return ""  # A binary; whether it is one of this machine, the kernel knows.
    return "it has no '#!' line" if start else "it is empty"


def _why_bad_line(line: bytes) -> str:
    interpreter, *arguments = os.fsdecode(line).split() or [""]
    if line.endswith(b"\r"):
        return f"its '#!' line ends in a carriage return: {interpreter}\\r"
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
