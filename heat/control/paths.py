"""Where things are when nobody says: the control socket."""

import contextlib
import os
from collections.abc import Generator

OF_ROOT = "/run/heat/heat.sock"
_LONGEST = 107


def default_control() -> str | None:
    """The control socket of this user's HEAT; None where the system has no place for it."""
    if os.geteuid() == 0:
        return OF_ROOT
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return os.path.join(folder, "heat.sock") if folder.startswith("/") else None


@contextlib.contextmanager
def short(path: str) -> Generator[str]:
    """The same socket by a path that the system takes; Linux has room for 107 bytes."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def make_place(path: str) -> None:
    """Make the folder of the usual socket of root, where the system has not."""
    if path == OF_ROOT:
        with contextlib.suppress(OSError):
            os.mkdir(os.path.dirname(path), 0o755)
