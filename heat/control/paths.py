"""The path of the control socket, where no option names one."""

import contextlib
import os
from collections.abc import Generator

OF_ROOT = "/run/heat/heat.sock"
_LONGEST = 107


def default_control() -> str | None:
    """Return the path for this user's HEAT; None where the system has no place for it."""
    if os.geteuid() == 0:
        return OF_ROOT
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return os.path.join(folder, "heat.sock") if folder.startswith("/") else None


@contextlib.contextmanager
def short(path: str) -> Generator[str]:
    """Yield a path to the same socket that Linux takes: it has room for 107 bytes."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def make_folder(path: str) -> None:
    """Make the folder of root's default socket, if the system has not."""
    if path == OF_ROOT:
        with contextlib.suppress(OSError):
            os.mkdir(os.path.dirname(path), 0o755)
