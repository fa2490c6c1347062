"""System calls of HEAT that are made to fail, by strace."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from heat_process import Heat
from place import Place
from processes import PATIENCE, until

SPAWN = "?clone3,?clone,?vfork"


def traced() -> str:
    """Return why strace cannot make a system call fail here; empty if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "-e", "inject=dup3:error=EIO:when=1..2", "true"],
        capture_output=True,
        check=False,
    )
    return "" if done.returncode == 0 else f"strace may not trace: {done.stderr.decode()}"


needs_strace = pytest.mark.skipif(bool(traced()), reason=traced() or "strace works")


def injecting(place: Place, call: str, when: str, path: str) -> list[str]:
    """Return the words of an strace that makes a system call about ``path`` fail."""
    only = ["-P", str(place.folder / path), "-P", path] if path else []
    names, _, error = call.rpartition(":")
    inject = f"inject={names}:error={error}:when={when}"
    return ["strace", "-qq", "-o", str(place.folder / "trace"), *only, "-e", inject]


@contextlib.contextmanager
def failing(place: Place, heat: Heat, call: str, when: str, path: str = "") -> Generator[Path]:
    """Make a system call of a running HEAT fail, until the block is left.

    No further call may be due to fail by then: a strace that goes away in the middle of one
    leaves it with ENOSYS.
    """
    trace = place.folder / "trace"
    trace.unlink(missing_ok=True)
    words = [*injecting(place, call, when, path), "-p", str(heat.pid)]
    strace = place.spawn(words, stderr=subprocess.DEVNULL)
    try:
        yield trace
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(timeout=PATIENCE)


def attached(heat: Heat) -> bool:
    """Tell if strace traces it."""
    return "TracerPid:\t0\n" not in Path(f"/proc/{heat.pid}/status").read_text()


def injected(heat: Heat, trace: Path, times: int = 1) -> None:
    """Wait until this many calls have failed."""

    def happened() -> bool:
        assert heat.process.poll() is None, heat.err.read_text()
        return trace.exists() and trace.read_text().count("(INJECTED)") >= times

    until(happened, "a call that fails")
