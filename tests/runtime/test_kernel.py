"""The system calls that HEAT needs, and its message where the kernel refuses one."""

import errno
import os
import sys
from types import SimpleNamespace

import pytest
from place import Place

from heat.runtime import kernel

FILTER = """
import ctypes, os, struct, sys

LOAD_NUMBER, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

def instruction(code, k, then=0, other=0):
    return struct.pack("=HBBI", code, then, other, k)

refused, number = int(sys.argv[1]), int(sys.argv[2])
program = ctypes.create_string_buffer(b"".join([
    instruction(LOAD_NUMBER, 0),
    instruction(JUMP_EQUAL, refused, 0, 1),
    instruction(RETURN, FAIL | number),
    instruction(RETURN, ALLOW),
]))

class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

libc = ctypes.CDLL(None, use_errno=True)
made = Program(4, ctypes.addressof(program))
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, ctypes.get_errno()
assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(made)) == 0, ctypes.get_errno()
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Becomes a program in which a seccomp filter refuses one system call."""

CALLS = {"pidfd_open": 434, "pidfd_send_signal": 424}
"""Their numbers, on all machines."""


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_a_seccomp_filter_refuses_is_named_with_errno_and_cause(
    place: Place, call: str, number: int
) -> None:
    prefix = (sys.executable, "-c", FILTER, str(CALLS[call]), str(number))
    heat = place.heat("-i", "1h", "--count", "1", "-s", place.check(0), prefix=prefix)

    assert heat.wait() == 2
    failed = f"{call} fails with {errno.errorcode[number]} ({os.strerror(number).lower()})"
    line, hint = heat.err.read_text().splitlines()[:2]
    assert line.startswith(f"Error: {failed}, though this kernel ({os.uname().release}) has it: ")
    assert line.endswith(
        "a seccomp filter refuses it, as those of containers and of systemd units do"
    )
    assert "--security-opt seccomp=PROFILE, or SystemCallFilter=@system-service" in hint
    assert not (place.folder / "check.ran").exists()


def fail_with(monkeypatch: pytest.MonkeyPatch, number: int, release: str) -> str:
    """Return the message if pidfd_open fails so, on a kernel of this release."""

    def fails(_pid: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pidfd_open", fails)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=release))
    return kernel.refusal()


@pytest.mark.parametrize("release", ["4.18.0-553.el8_10.x86_64", "5.3.18"])
def test_an_older_kernel_gets_a_message_that_names_linux_5_4(
    monkeypatch: pytest.MonkeyPatch, release: str
) -> None:
    message = fail_with(monkeypatch, errno.ENOSYS, release)

    assert message == (
        f"HEAT needs Linux 5.4 or newer with pidfds, and this is {release}: "
        "pidfd_open fails with ENOSYS (function not implemented)"
    )


@pytest.mark.parametrize("release", ["5.4.0-150-generic", "6.18.44", "odd"])
def test_if_no_filter_is_visible_the_message_names_a_security_module_too(
    monkeypatch: pytest.MonkeyPatch, release: str
) -> None:
    monkeypatch.setattr(kernel, "_filtered", lambda: False)
    message = fail_with(monkeypatch, errno.EPERM, release)

    assert (
        f"though this kernel ({release}) has it: a seccomp filter or a security module" in message
    )
    assert "5.4" not in message.replace(release, "")


def test_a_want_of_descriptors_is_not_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    message = fail_with(monkeypatch, errno.EMFILE, "6.1.0")

    assert message.startswith(
        "pidfd_open fails with EMFILE (too many open files): HEAT cannot start"
    )
    assert "seccomp" not in message


def test_another_system_and_a_python_without_pidfds_get_messages_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert "it was built on a system older than Linux 5.4: use another Python" in kernel.refusal()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert kernel.refusal() == "HEAT needs Linux 5.4 or newer, and this is darwin"
