"""The system calls that HEAT needs, and why the kernel may refuse them."""

import errno
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from heat.errors import WANT

_OLDEST = (5, 4)


def refusal() -> str:
    """Return why HEAT cannot run on this system, and what the user can do; empty if it can."""
    if sys.platform != "linux":
        return f"HEAT needs Linux 5.4 or newer, and this is {sys.platform}"
    if not hasattr(os, "pidfd_open") or not hasattr(os, "P_PIDFD"):
        return (
            f"this Python ({sys.executable}) cannot call pidfd_open\n"
            "  it was built on a system older than Linux 5.4: use another Python"
        )
    try:
        pidfd = os.pidfd_open(os.getpid())
    except OSError as error:
        return _refused("pidfd_open", error)
    try:
        return (
            _try("waitid(P_PIDFD)", partial(_wait, pidfd))
            or _try("pidfd_send_signal", partial(signal.pidfd_send_signal, pidfd, 0))
            or _try("epoll_create1", lambda: select.epoll().close())
        )
    finally:
        os.close(pidfd)


def _wait(pidfd: int) -> None:
    with suppress(
        ChildProcessError
    ):  # HEAT is not its own child; a kernel that says so knows pidfds.
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)


def _try(call: str, attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return _refused(call, error)
    return ""


def _refused(call: str, error: OSError) -> str:
    number = error.errno or 0
    name = errno.errorcode.get(number, str(number))
    failed = f"{call} fails with {name} ({os.strerror(number).lower()})"
    release = os.uname().release
    if number in WANT:
        return f"{failed}: HEAT cannot start\n  this system is short of it: see 'ulimit -a'"
    if _version(release) < _OLDEST:
        return f"HEAT needs Linux 5.4 or newer with pidfds, and this is {release}: {failed}"
    why = f"{failed}, though this kernel ({release}) has it: "
    if _filtered():
        why += "a seccomp filter refuses it, as those of containers and of systemd units do"
    else:
        why += "a seccomp filter or a security module refuses it"
    return (
        f"{why}\n"
        "  allow what it refuses (pidfd_open and waitid among it): by a newer container runtime, "
        "--security-opt seccomp=PROFILE, or SystemCallFilter=@system-service"
    )


def _version(release: str) -> tuple[int, int]:
    numbers = release.partition("-")[0].split(".")
    try:
        return int(numbers[0]), int(numbers[1])
    except (ValueError, IndexError):
        return _OLDEST  # A release without numbers says nothing.


def _filtered() -> bool:
    """Return whether this process runs under a seccomp filter."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return any(line.split() == ["Seccomp:", "2"] for line in status)
    except OSError:
        return False
