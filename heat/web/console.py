"""Lines of `heatctl serve` for its operator."""

import contextlib
import os


def say(fd: int, text: str) -> None:
    """Write a line to stdout or stderr, if somebody reads there."""
    with contextlib.suppress(OSError):
        os.write(fd, f"heatctl: {text}\n".encode("utf-8", "backslashreplace"))
