"""The rows of the fault matrix that concern one monitor, each on real processes.

A test is named after its row: what is broken, and what HEAT does about it.
"""

import contextlib
import fcntl
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import pytest
from conftest import (
    DETAILS,
    FAILED,
    FAST,
    FIRST_AT_GATE,
    LASTING,
    NOBODY,
    PATIENCE,
    RECEIVER,
    STUBBORN,
    Heat,
    Nobody,
    Place,
    alive,
    needs_root,
    nobody_runs_heat,
    orderly,
    process_state,
    records,
    until,
)

from heat.errors import StartError
from heat.process.launcher import PosixLauncher
from heat.process.program import Program
from heat.process.run import Callbacks, Run
from heat.runtime.loop import Loop, RealClock


def open_files(heat: Heat) -> int:
    """How many descriptors HEAT holds between two checks: the fewest of many looks."""
    return min(len(os.listdir(f"/proc/{heat.pid}/fd")) for _ in range(200))


def idle_files(place: Place, heat: Heat) -> int:
    """How many descriptors HEAT holds beside those of the check that runs."""
    place.await_words("check.ran")
    # Its status line tells that the start of the check is over.
    assert "a check runs now" in heat.status()
    return len(os.listdir(f"/proc/{heat.pid}/fd")) - 3


def memory(heat: Heat, key: str) -> int:
    """A line of its /proc/PID/status, in KiB."""
    found = re.search(rf"(?m)^{key}:\s+(\d+) kB", Path(f"/proc/{heat.pid}/status").read_text())
    assert found is not None
    return int(found[1])


# 1: started with SIGCHLD ignored, TERM blocked

SIGNALS_LOST = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
"""
WITH_SIGNALS_LOST = (sys.executable, "-c", SIGNALS_LOST)


def test_01_failures_are_seen_with_sigchld_ignored(place: Place) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(1), prefix=WITH_SIGNALS_LOST)
    heat.await_line("Failed", 3)

    assert heat.stop() == 0
    assert set(heat.lines()) == {FAILED}


def test_01_programs_begin_with_plain_signals(place: Place) -> None:
    show = "grep -E 'Sig(Ign|Blk)' /proc/self/status"
    heat = place.heat(
        *("-i", FAST, "--count", "1", "--fail", place.script("fail", show)),
        *("-s", place.check(1, body=show)),
        prefix=WITH_SIGNALS_LOST,
    )

    assert heat.wait() == 1
    masks = re.findall(r"Sig\w+:\\t([0-9a-f]+)", heat.verbose())
    # The C library keeps signals 32 and 33 for itself, and has spawned programs ignore them.
    assert [int(mark, 16) & ~(3 << 31) for mark in masks] == [0] * 4


def test_01_a_check_can_be_killed_with_term_blocked(place: Place) -> None:
    body = "trap 'echo by TERM; exit 1' TERM\nwhile :; do sleep 0.01; done"
    heat = place.heat(
        *("-i", FAST, "-t", "0.3", "--count", "1", "-s", place.script("check", body)),
        prefix=WITH_SIGNALS_LOST,
    )

    assert heat.wait() == 1
    assert "> by TERM\n" in heat.verbose()


# 2: the N-th system call fails

SPAWN = "?clone3,?clone,?vfork"


def traced() -> str:
    """Why no system call can be made to fail here; empty if one can."""
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
    """The words of an strace that has a system call fail, where that is about ``path``."""
    only = ["-P", str(place.folder / path), "-P", path] if path else []
    names, _, error = call.rpartition(":")
    inject = f"inject={names}:error={error}:when={when}"
    return ["strace", "-qq", "-o", str(place.folder / "trace"), *only, "-e", inject]


@contextlib.contextmanager
def failing(place: Place, heat: Heat, call: str, when: str, path: str = "") -> Generator[Path]:
    """Have a system call of a running HEAT fail, until the block is left.

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
    """Whether strace traces it."""
    return "TracerPid:\t0\n" not in Path(f"/proc/{heat.pid}/status").read_text()


def injected(heat: Heat, trace: Path, times: int = 1) -> None:
    """Wait until so many calls have failed."""

    def happened() -> bool:
        assert heat.process.poll() is None, heat.err.read_text()
        return trace.exists() and trace.read_text().count("(INJECTED)") >= times

    until(happened, "a call that fails")


@needs_strace
@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("pipe2:EMFILE", ""),
        (f"{SPAWN}:EAGAIN", ""),
        (f"{SPAWN}:ENOMEM", ""),
        ("pidfd_open:EMFILE", ""),
        ("pidfd_open:ENOMEM", ""),
        ("epoll_ctl:ENOMEM", ""),
        ("epoll_ctl:ENOSPC", ""),
        (f"{SPAWN}:ENOSPC", ""),
        ("pipe2:EDQUOT", ""),
        ("?epoll_wait,?epoll_pwait:EINTR", ""),
        ("waitid:ECHILD", ""),
        ("kill:EPERM", ""),
        ("?select,?pselect6:ENOMEM", ""),
        ("openat:EMFILE", ""),
        ("write:ENOSPC", "heat.log"),
        ("write:EIO", "heat.verbose.log"),
        ("?newfstatat,?stat,?lstat:EIO", "heat.verbose.log"),
        ("openat:ENOSPC", "heat.check.out"),
        ("write:ENOSPC", "heat.check.out"),
        ("lseek:EIO", "heat.check.out"),
        ("pidfd_send_signal:EPERM", ""),
    ],
)
def test_02_a_system_call_that_fails_loses_no_record_and_makes_no_check_pass(
    place: Place, call: str, path: str
) -> None:
    receiver = place.receiver()
    fail = place.script("fail", "echo $HEAT_FAIL_CNT")
    heat = place.heat(
        *("-i", "0.02", "--pid", str(receiver.pid), "--fail", fail),
        *("--threshold", "1000000", "--fault-signal", "USR1"),
        *("-s", place.script("check", "exit 1")),
    )
    heat.await_line("Failed")
    for when in ("1", "2", "3"):
        with failing(place, heat, call, when, path) as trace:
            injected(heat, trace)
    with failing(place, heat, call, "1..4", path) as trace:
        injected(heat, trace, 4)
    seen = len(heat.lines())
    until(lambda: len(heat.lines()) > seen + 2, "further checks")

    assert heat.stop() == 0
    orderly(heat)
    written = records(heat.verbose())
    results = [line.partition(":")[0] for line in heat.lines()]
    assert set(results) <= {"Failed", "Unknown"}
    fails = sum(kind == "FAIL" and program == "./check" for kind, program, _ in written)
    unknown = sum(kind == "ERR" and program == "./check" for kind, program, _ in written)
    dropped = re.findall(r"stdout can be written again; (\d+) of its lines", heat.verbose())
    assert fails + unknown == len(results) + sum(map(int, dropped))
    assert heat.log().count("Exit Code 1") == fails


@needs_strace
@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("pipe2:EMFILE", ""),
        ("?epoll_create1,?epoll_create:EMFILE", ""),
        ("pidfd_open:EMFILE", ""),
        ("openat:ENOSPC", "heat.log"),
        ("write:ENOSPC", "heat.verbose.log"),
    ],
)
def test_02_a_system_call_that_fails_at_the_start_is_told_in_a_sentence(
    place: Place, call: str, path: str
) -> None:
    receiver = place.receiver()
    words = ("-i", FAST, "--count", "1", "--pid", str(receiver.pid))
    for when in ("1", "2", "3", "4"):
        there = place.inner(when)
        prefix = [*injecting(there, call, when, path), "-D"]
        heat = there.heat(*words, "-s", there.check(1), prefix=prefix)

        code = heat.wait()
        orderly(heat)
        unknown = [line for line in heat.lines() if line.startswith("Unknown: ")]
        assert code == 0 if unknown else code in {1, 2, 3}
        assert heat.lines() in ([], [FAILED], unknown)
        assert heat.err.read_text().strip()


# 3: the check hangs, ignores TERM, is stopped


HANGING = {
    "hangs": ("exec sleep 600", 0),
    "ignores TERM": ("trap '' TERM\nwhile :; do sleep 0.05; done", 2),
    "stopped": ("kill -STOP $$", 0),
    "stopped, ignores TERM": ("trap '' TERM\nkill -STOP $$\nwhile :; do sleep 0.05; done", 2),
    "its child ignores TERM": (
        "(trap '' TERM; while :; do sleep 0.05; done) & echo $! > pid\nwait",
        2,
    ),
}
"""How a check hangs, and the seconds after its timeout at which it is gone at the earliest."""


def test_03_a_check_that_hangs_has_failed_at_its_timeout_and_is_gone_2_s_later(
    place: Place,
) -> None:
    heats: dict[str, tuple[Place, Heat]] = {}
    began: dict[str, float] = {}
    for name, (body, _) in HANGING.items():
        there = place.inner(name)
        check = there.check(0, body=f"[ $n -gt 0 ] || {{ echo $$ > pid\n{body}\n}}")
        words = ("-i", FAST, "-t", "1", "--on-killed", "error", "--json", "-s", check)
        began[name] = time.monotonic()
        heats[name] = there, there.heat(*words)
    gone: dict[str, float] = {}

    def all_gone() -> bool:
        for name, (there, heat) in heats.items():
            failed = "failed" in heat.out.read_text()
            if failed and name not in gone and not alive(int(there.words("pid")[0])):
                gone[name] = time.monotonic()
        return len(gone) == len(HANGING)

    until(all_gone, "the end of the checks")
    for name, (there, heat) in heats.items():
        # The timeout is for the first check; the machine may be too slow for a later one.
        there.await_words("check.ran", 2)

        assert heat.stop() == 0
        first = heat.objects()[0]
        assert (first["result"], first["code"]) == ("failed", 124)
        assert 1 <= first["duration"] < 1 + PATIENCE
        assert gone[name] - began[name] >= 1 + HANGING[name][1]
        assert heat.verbose().count("[Timed out after 1 s]") >= 1


def test_03_no_second_check_starts_while_the_first_one_dies(place: Place) -> None:
    check = place.script(
        "check",
        "[ -e lock ] && echo overlap >> bad\n: > lock\necho $$ >> pids\ntrap '' TERM\n"
        "while [ -e lock ]; do sleep 0.02; done",
    )
    heat = place.heat("-i", FAST, "-t", "0.1", "-s", check)
    heat.await_line("Timed out")
    status = heat.status()
    (place.folder / "lock").unlink()
    place.await_words("pids", 2)
    (place.folder / "lock").unlink()

    assert heat.stop() == 0
    assert "1 check" in status
    assert not (place.folder / "bad").exists()


# 4: a grandchild keeps the pipe; escapes


def test_04_a_grandchild_that_keeps_the_pipe_delays_no_verdict(place: Place) -> None:
    check = place.script("check", "sleep 600 & echo $! > pid\necho said >&2\nexit 1")
    heat = place.heat("-i", "1h", "--json", "-s", check)
    heat.await_line("failed")
    pid = int(place.words("pid")[0])
    until(lambda: not alive(pid), "the end of the grandchild")

    assert heat.stop() == 0
    (told,) = heat.objects()
    assert told["code"] == 1
    assert told["duration"] < 5
    assert "FAIL : ./check :\n> said\n> [Exit Code 1]\n" in heat.verbose()


def test_04_a_grandchild_that_escapes_costs_neither_a_verdict_nor_a_descriptor(
    place: Place,
) -> None:
    check = place.check(
        1,
        body="setsid sh -c 'echo $$ >> pids; : > escaped; exec sleep 600' &\n"
        "until [ -e escaped ]; do sleep 0.01; done\nrm escaped",
    )
    heat = place.heat("-i", FAST, "-s", check)
    heat.await_line("Failed", 12)  # Each of the last 0.2 s still has its own.
    files = open_files(heat)
    heat.await_line("Failed", 60)
    until(lambda: open_files(heat) <= files + 1, "no more descriptors than before")

    assert heat.stop() == 0
    assert set(heat.lines()) == {FAILED}
    for pid in place.await_words("pids"):
        place.adopt(int(pid))
    first = place.words("check.ran")[0]
    said = f"./check (process {first}) has ended, but a process that it started has left"
    assert said in heat.news()[0]
    assert f"ERR : heat :\n> {said}" in heat.verbose()
    assert heat.verbose().count("has left its process group") == 1


def test_04_a_grandchild_that_floods_the_pipe_delays_no_verdict(place: Place) -> None:
    check = place.script(
        "check",
        "setsid sh -c 'echo $$ > pid; exec yes' &\nuntil [ -s pid ]; do sleep 0.01; done\nexit 1",
    )
    heat = place.heat("-i", "1h", "-s", check)
    heat.await_line("Failed")

    assert heat.stop() == 0
    orderly(heat)
    until(lambda: not alive(int(place.await_words("pid")[0])), "the end of the grandchild")


# 5: a check that cannot be killed


@pytest.fixture
def stubborn(place: Place) -> Path:
    """A copy of setpriv that anybody runs as root, so that nobody may kill what it starts."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a program that another user cannot kill")
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    place.folder.chmod(0o777)
    path = place.folder / "stubborn"
    shutil.copy(setpriv, path)
    path.chmod(0o4755)
    command = [*NOBODY, "./stubborn", "--reuid", "0", "id", "-u"]
    done = subprocess.run(command, cwd=place.folder, capture_output=True, check=False)
    if done.stdout != b"0\n":
        pytest.skip(f"setuid programs do not work here: {done.stderr.decode()}")
    if not nobody_runs_heat():
        pytest.skip("nobody may not run this Python")
    return path


def unkillable(place: Place, *words: str) -> tuple[Heat, int]:
    """HEAT as nobody, with a check that is root's; the pid of that."""
    place.folder.chmod(0o777)
    for name in ("stdout", "stderr"):
        (place.folder / name).touch()
    check = ("../stubborn", "--reuid", "0", "sh", "-c", LASTING)
    heat = place.heat("-i", FAST, *words, "--", *check, prefix=NOBODY)
    return heat, place.adopt(int(place.await_words("pids")[0]))


@pytest.mark.usefixtures("stubborn")
def test_05_a_check_that_cannot_be_killed_is_said_once_and_neither_started_again_nor_waited_for(
    place: Place,
) -> None:
    # All at once: each takes four seconds.
    goes_on, ends, was_told_to_end = (place.inner(name) for name in ("1", "2", "3"))
    told, of_told = unkillable(was_told_to_end)
    told.signal(signal.SIGTERM)
    # Until setpriv is another user, the check can be killed: on a busy machine that takes a while.
    heat, pid = unkillable(goes_on, "-t", "1")
    ending, of_ending = unkillable(ends, "-t", "1")

    ending.await_news("may not be signalled")
    assert ending.stop() == 0
    assert told.wait() == 0
    for each, check in ((ending, of_ending), (told, of_told)):
        assert alive(check)
        assert each.err.read_text().count("may not be signalled") == 1

    heat.await_news("may not be signalled")
    status = heat.status()
    os.kill(pid, signal.SIGKILL)
    goes_on.adopt(int(goes_on.await_words("pids", 2)[1]))

    assert heat.err.read_text().count(f"(process {pid}) runs as another user") == 1
    assert "; 1 check; " in status
    assert "ticks skipped" in status
    os.kill(int(goes_on.words("pids")[1]), signal.SIGKILL)
    heat.stop()
    orderly(heat)


# 6: a flood of output


def test_06_a_gigabyte_of_output_is_cut_and_takes_no_memory(place: Place) -> None:
    flood = "head -c 1000000000 /dev/zero; head -c 20000000 /dev/urandom >&2; echo; echo end"
    check = place.check(1, body=f"[ $n = 0 ] || {{ {flood}; }}")
    heat = place.heat("-i", FAST, "-t", "none", "-s", check)
    heat.await_line("Failed")
    before = memory(heat, "VmHWM")
    heat.await_line("Failed", 2)
    until(lambda: heat.verbose().count("[Exit Code 1]") >= 2, "the record")
    after = memory(heat, "VmHWM")

    assert heat.stop() == 0
    written = records(heat.verbose())
    (flooded,) = [lines for kind, _, lines in written if kind == "FAIL" and len(lines) > 1][:1]
    marks = [line for line in flooded if re.fullmatch(r"\[\d+ bytes cut here\]", line)]
    assert len(marks) == 2
    assert sum(int(mark[1:].split()[0]) for mark in marks) > 1_019_000_000
    assert flooded[0].startswith(r"\x00\x00")
    assert flooded[-1] == "[Exit Code 1]"
    assert "end" in flooded
    assert after - before < 4096


def test_06_binary_output_reaches_no_terminal_and_no_log_as_it_is(place: Place) -> None:
    output = bytes(range(256)) + "\u202e\u2028\u2029\u2066\u061c\u0085 grün\n".encode()
    (place.folder / "output").write_bytes(output)
    heat = place.heat(
        "-i", FAST, "--count", "1", "-s", place.script("check", "cat output >&2; exit 1")
    )

    assert heat.wait() == 1
    for name in ("heat.log", "heat.verbose.log", "stdout", "stderr"):
        text = (place.folder / name).read_bytes().decode()
        assert all(c == "\n" or c.isprintable() for c in text), name
    said = heat.log()
    for shown in (r"\x00", r"\x1b", r"\x7f", r"\x80", r"\xff", r"\u202e", r"\u2028", "grün"):
        assert shown in said


# 7: forged records

FORGED = (
    "1671306485 : ERR : heat :\n> all is lost\n"
    "\n> x\n1671306485: OK\n"
    "a\r1671306485 : ERR : heat :\r> b\n"
    "c\x0b1671306485 : ERR : heat :\x0c\x1c\x1d\x1e\x85\u2028\u2029d\n"
    "\x9b2J\x1b[2J\x1b]0;title\x07\u202edrowssap\n"
    "1671306485 : ERR : heat :"
)


def test_07_no_output_makes_a_record_of_its_own(place: Place) -> None:
    (place.folder / "forged").write_text(FORGED, newline="")
    fail = place.script("fail", "cat forged")
    heat = place.heat(
        *("-i", FAST, "--count", "1", "--fail", fail),
        *("-s", place.script("check", "cat forged; cat forged >&2; exit 1")),
    )

    assert heat.wait() == 1
    lines = FORGED.count("\n") + 1
    said = [each for each in records(heat.verbose()) if each[1] != "heat"]
    assert [(kind, program, len(told)) for kind, program, told in said] == [
        ("FAIL", "./check", 2 * lines + 1),
        ("INFO", "./fail", lines),
    ]
    assert " : ERR : heat" not in re.sub("(?m)^> .*$", "", heat.verbose())
    logged = heat.log()
    assert logged.count("\n") == lines
    assert len(re.findall(r"(?m)^\d{10}: .*$", logged)) == lines
    assert len(heat.lines()) == 1


def test_07_no_argument_makes_a_record_of_its_own(place: Place) -> None:
    forged = "exit 1\n1671306485 : ERR : heat :\n> all is lost\r\x1b[2J"
    heat = place.heat("-i", FAST, "--count", "1", "sh", "-c", forged)

    assert heat.wait() == 1
    written = records(heat.verbose())
    assert [kind for kind, _, _ in written].count("ERR") == 0
    assert any(r"exit 1\n1671306485" in program for _, program, _ in written)


EVIL = "p\n1671306485 : ERR : heat :\n> all is lost\r\x1b[2J"
SHOWN = r"p\n1671306485 : ERR : heat :\n> all is lost\r\x1b[2J"
"""A path, and how it may reach a reader."""


def test_07_no_path_of_a_pid_file_makes_a_record_of_its_own(place: Place) -> None:
    heat = place.heat("-i", FAST, "--pid-file", EVIL, "-s", place.check(1))

    assert heat.wait() == 3
    assert SHOWN in heat.news()[-1]
    assert "\x1b" not in heat.err.read_text() + heat.verbose()
    errors = [lines for kind, _, lines in records(heat.verbose()) if kind == "ERR"]
    assert len(errors) == 2
    assert all(SHOWN in line for lines in errors for line in lines)


def test_07_no_folder_of_logs_makes_a_record_of_its_own(place: Place) -> None:
    folder = place.folder / EVIL
    folder.mkdir()
    check, gate = place.check(1, body=FIRST_AT_GATE), place.gate("gate")
    script = place.script("fail", "true")
    heat = place.heat(
        *("-i", "1h", "--count", "1", "--log-dir", EVIL, "--fail", script, "-s", check)
    )
    place.await_words("check.ran")
    shutil.rmtree(folder)
    gate.open()

    assert heat.wait() == 1
    told = heat.err.read_text()
    assert "\x1b" not in told + heat.out.read_text()
    for name in ("heat.log", "heat.verbose.log"):
        assert f"heat: cannot write {SHOWN}/{name}: " in told
    assert f"heat: cannot write {SHOWN}/heat.check.out: " in told


def test_07_no_interpreter_makes_a_record_of_its_own(place: Place) -> None:
    gate = place.gate("gate")
    heat = place.heat("-i", FAST, "-s", place.check(1, body=FIRST_AT_GATE))
    place.await_words("check.ran")
    (place.folder / "check").unlink()
    place.script("check", "exit 0", interpreter="/no/such\x1b[2J")
    gate.open()

    assert heat.wait() == 3
    assert r"its interpreter /no/such\x1b[2J does not exist" in heat.news()[-1]
    assert "\x1b" not in heat.err.read_text() + heat.verbose()


# 8: spawn fails for want of resources


LIMITED = """
import resource, sys
pid, limit, most = map(int, sys.argv[1:])
resource.prlimit(pid, limit, (most, resource.prlimit(pid, limit)[1]))
"""


def starved(place: Place, heat: Heat, limit: int, most: int, prefix: tuple[str, ...] = ()) -> None:
    """Hold HEAT to ``most`` of a resource, see it say so and go on, and let it loose again."""

    def limited(soft: int) -> None:
        words = (str(heat.pid), str(limit), str(soft))
        subprocess.run([*prefix, sys.executable, "-c", LIMITED, *words], check=True)

    usual = resource.prlimit(heat.pid, limit)[0] if not prefix else resource.getrlimit(limit)[0]
    seen = len(heat.lines())
    limited(most)
    heat.await_line("Unknown: ", 3)
    limited(usual)
    until(lambda: heat.lines()[-1] == FAILED, "a check that runs again")
    results = [line.partition(":")[0] for line in heat.lines()[seen:]]

    assert set(results) == {"Failed", "Unknown"}
    assert heat.stop() == 0
    orderly(heat)
    unknown = [line for line in heat.lines() if line.startswith("Unknown")]
    told = [lines for kind, _, lines in records(heat.verbose()) if kind == "ERR"]
    assert [f"Unknown: {lines[0]}" for lines in told] == unknown
    # The last one may have been stopped with HEAT.
    assert len(place.words("check.ran")) - heat.lines().count(FAILED) in {0, 1}


def test_08_without_processes_a_check_is_unknown_and_the_next_tick_tries_again(
    place: Place,
) -> None:
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if not nobody_runs_heat():
            pytest.skip("root has no limit of processes, and nobody may not run this Python")
        prefix = NOBODY
        place.folder.chmod(0o777)
    heat = place.heat("-i", FAST, "-s", place.check(1), prefix=prefix)
    heat.await_line("Failed")

    starved(place, heat, resource.RLIMIT_NPROC, 0, prefix)


def test_08_without_descriptors_a_check_is_unknown_and_the_next_tick_tries_again(
    place: Place,
) -> None:
    gate = place.gate("gate")
    check = place.check(1, body=FIRST_AT_GATE)
    heat = place.heat("-i", FAST, "-s", check)
    idle = idle_files(place, heat)
    gate.open()

    starved(place, heat, resource.RLIMIT_NOFILE, idle)


def test_08_without_descriptors_heat_tells_how_it_stands_all_the_same(place: Place) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(0))
    heat.await_line("OK")
    usual = resource.prlimit(heat.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, (0, usual[1]))
    heat.signal(signal.SIGUSR1)
    heat.await_news("NORMAL, 0 failures in a row")
    resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, usual)

    assert heat.stop() == 0
    orderly(heat)


def test_08_however_few_descriptors_are_left_no_started_check_is_lost(place: Place) -> None:
    gate = place.gate("gate")
    heat = place.heat(
        *("-i", "0.02", "--fail", place.script("fail", "true"), "--recovery"),
        *(place.script("recover", "true"), "--threshold", "3"),
        *("-s", place.check(1, body=FIRST_AT_GATE)),
    )
    idle = idle_files(place, heat)
    gate.open()
    heat.await_line("Failed")
    usual = resource.prlimit(heat.pid, resource.RLIMIT_NOFILE)

    def results() -> int:
        """No check runs while a recovery script waits for its descriptors."""
        return len(heat.lines()) + heat.err.read_text().count("tries again at the next tick")

    for most in range(idle - 1, idle + 7):
        resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, (most, usual[1]))
        seen = results()
        until(lambda seen=seen: results() > seen + 5, "results")
        resource.prlimit(heat.pid, resource.RLIMIT_NOFILE, usual)
        seen = heat.lines().count(FAILED)
        until(lambda seen=seen: heat.lines().count(FAILED) > seen + 1, "checks that run again")

    assert heat.stop() == 0
    orderly(heat)
    assert {line.partition(":")[0] for line in heat.lines()} == {"Failed", "Unknown"}


@needs_strace
def test_08_a_target_is_not_stopped_without_the_descriptor_that_it_takes_to_wake_it(
    place: Place,
) -> None:
    gate = place.gate("gate")
    receiver = place.receiver()
    heat = place.heat(
        *("-i", FAST, "--pid", str(receiver.pid), "--signal", "none", "--fault-signal", "STOP"),
        *("--recovery-timeout", "1h", "-s", place.check(1, body=FIRST_AT_GATE)),
    )
    place.await_words("check.ran")
    with failing(place, heat, "?fcntl,?dup:EMFILE", "1..3") as trace:
        until(lambda: attached(heat), "strace")
        gate.open()
        injected(heat, trace)
        heat.await_news(f"cannot be sent to process {receiver.pid}: too many open files")
    heat.await_line("Failed", 3)

    assert process_state(receiver.pid) in {"S", "R"}
    assert heat.stop() == 0
    orderly(heat)


@needs_strace
def test_08_a_recovery_script_that_cannot_be_started_is_tried_again(place: Place) -> None:
    gate = place.gate("gate")
    recovery = place.script("recover", "echo $HEAT_FAIL_CNT >> recovered")
    heat = place.heat(
        *("-i", FAST, "--recovery", recovery, "--recovery-timeout", "1h", "--count", "2"),
        *("-s", place.check(1, 0, body=FIRST_AT_GATE)),
    )
    place.await_words("check.ran")
    with failing(place, heat, f"{SPAWN}:EAGAIN", "1..2") as trace:
        until(lambda: attached(heat), "strace")
        gate.open()
        injected(heat, trace, 2)
        heat.await_news("HEAT tries again at the next tick", 2)

    assert heat.wait() == 0
    orderly(heat)
    assert place.words("recovered") == ["1"]
    assert heat.lines() == [FAILED, "OK"]


@needs_strace
def test_08_a_configuration_is_read_again_though_its_reader_cannot_be_watched_at_once(
    place: Place,
) -> None:
    monitor = '[monitor.web]\nscript = "./check"\ninterval = "{}"\n'
    place.check(0)
    heat = place.fleet(monitor.format("1h"))
    heat.await_file("heat.verbose.log", "watching 1 monitor")
    with failing(place, heat, "epoll_ctl:ENOSPC", "1") as trace:
        until(lambda: attached(heat), "strace")
        place.write_config(monitor.format("2h"))
        heat.signal(signal.SIGHUP)
        injected(heat, trace)
    heat.await_news("0 monitors added, 1 changed, 0 removed")

    assert heat.stop() == 0
    orderly(heat)


def test_08_a_check_that_is_being_written_is_unknown(place: Place) -> None:
    check = place.script("check", "exit 1")
    with (place.folder / "check").open("ab"):
        with pytest.raises(OSError, match=r"Text file busy") as caught:
            subprocess.run([check], cwd=place.folder, check=False)
        if caught.value.errno is None:
            pytest.skip("this kernel runs files that are open for writing")
        heat = place.heat("-i", FAST, "-s", check)
        heat.await_line("Unknown: ./check cannot be started: text file busy", 2)
    heat.await_line("Failed")

    assert heat.stop() == 0


# 9: a script vanishes, loses its x bit


def unlink(path: Path) -> None:
    path.unlink()


def unfit(path: Path) -> None:
    path.chmod(0o644)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def no_interpreter(path: Path) -> None:
    path.write_text("#!/no/such/interpreter\n")


SPOILT = pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (unlink, "no such file"),
        (unfit, "it is not executable"),
        (folder_instead, "it is a directory"),
        (no_interpreter, "/no/such/interpreter does not exist"),
    ],
    ids=["vanishes", "loses its x bit", "becomes a folder", "loses its interpreter"],
)


@SPOILT
def test_09_a_check_that_can_no_longer_be_started_is_an_error_that_names_it(
    place: Place, spoil: Callable[[Path], None], why: str
) -> None:
    gate = place.gate("gate")
    heat = place.heat("-i", FAST, "-s", place.check(1, body=": < gate"))
    place.await_words("check.ran")
    spoil(place.folder / "check")
    gate.open()

    assert heat.wait() == 3
    assert heat.lines() == [FAILED]
    assert heat.news()[-1].startswith("heat: error: ./check cannot be started: ")
    assert why in heat.news()[-1]
    assert records(heat.verbose())[-1][0] == "ERR"
    assert why in records(heat.verbose())[-1][2][0]


@SPOILT
def test_09_a_recovery_script_that_can_no_longer_be_started_is_an_error_that_names_it(
    place: Place, spoil: Callable[[Path], None], why: str
) -> None:
    gate = place.gate("gate")
    heat = place.heat(
        *("-i", FAST, "--recovery", place.script("recover", "true")),
        *("-s", place.check(1, body=": < gate")),
    )
    place.await_words("check.ran")
    spoil(place.folder / "recover")
    gate.open()

    assert heat.wait() == 3
    assert heat.news()[-1].startswith("heat: error: ./recover cannot be started: ")
    assert why in heat.news()[-1]


# 10: killed from outside


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_10_a_check_killed_from_outside_is_an_error_at_once(
    place: Place, signum: signal.Signals
) -> None:
    heat = checking(place)
    pid = int(place.words("pids")[0])
    os.kill(pid, signum)

    assert heat.wait() == 3
    said = f"check ./check (process {pid}) was killed by {signum.name}, and not by HEAT"
    assert said in heat.news()[-1]
    assert heat.lines() == [f"Failed: Killed by {signum.name}, {DETAILS}"]


def test_10_a_recovery_script_killed_from_outside_is_an_error_at_once(place: Place) -> None:
    heat = recovery_script(place)
    pid = int(place.words("pids")[0])
    os.kill(pid, signal.SIGKILL)

    assert heat.wait() == 3
    said = f"recovery script ./recover (process {pid}) was killed by SIGKILL, and not by HEAT"
    assert said in heat.news()[-1]
    assert "'--on-killed fail' takes that for its end, and goes on" in heat.news()[-1]
    assert ("FAIL", "./recover", ["[killed by SIGKILL]"]) in records(heat.verbose())


def test_10_a_recovery_script_killed_from_outside_has_ended_where_that_is_asked_for(
    place: Place,
) -> None:
    heat = recovery_script(place, "--on-killed", "fail")
    os.kill(int(place.words("pids")[0]), signal.SIGKILL)
    heat.await_news("recovery script ./recover ended: Exit Code 137 (killed by SIGKILL), after ")
    heat.await_line("Failed: ", 2)

    assert ("FAIL", "./recover", ["[killed by SIGKILL]"]) in records(heat.verbose())
    assert heat.stop() == 0


def test_10_a_fail_script_killed_from_outside_is_a_record(place: Place) -> None:
    heat = fail_script(place, "--count", "1")
    os.kill(int(place.words("pids")[0]), signal.SIGKILL)

    assert heat.wait() == 1
    assert ("FAIL", "./fail", ["[killed by SIGKILL]"]) in records(heat.verbose())


def test_10_a_killed_grandchild_is_an_ordinary_failure(place: Place) -> None:
    check = place.script("check", "sh -c 'kill -9 $$'")
    heat = place.heat("-i", FAST, "--count", "1", "-s", check)

    assert heat.wait() == 1
    assert heat.lines() == [f"Failed: Exit Code 137, {DETAILS}"]


# 11: the target exits, is a zombie, its pid is reused


def watching_a_target(place: Place) -> tuple[Heat, subprocess.Popen[bytes]]:
    target = place.spawn(["sleep", "600"])
    heat = place.heat(
        "-i", "1h", "--pid", str(target.pid), "--signal", "TERM", "-s", place.check(0)
    )
    heat.await_line("OK")
    return heat, target


def test_11_a_target_that_exits_is_an_error_at_that_moment(place: Place) -> None:
    heat, target = watching_a_target(place)
    target.kill()
    target.wait()

    assert heat.wait() == 3
    assert heat.news()[-1] == f"heat: error: target {target.pid} (--pid) has ended; HEAT stops"
    assert ("ERR", "heat", [f"target {target.pid} (--pid) has ended"]) in records(heat.verbose())


def test_11_a_target_that_becomes_a_zombie_has_ended(place: Place) -> None:
    heat, target = watching_a_target(place)
    os.kill(target.pid, signal.SIGKILL)

    assert heat.wait() == 3
    assert process_state(target.pid) == "Z"


def test_11_a_target_that_ends_during_the_recovery_script_lets_that_end_first(
    place: Place,
) -> None:
    gate = place.gate("gate")
    target = place.spawn(["sleep", "600"])
    recovery = place.script("recover", "echo begun >> told\n: < gate\necho ended >> told")
    heat = place.heat(
        *("-i", FAST, "--pid", str(target.pid), "--signal", "none", "--recovery", recovery),
        *("--fault-signal", "KILL", "-s", place.check(1)),
    )
    place.await_words("told")
    until(lambda: process_state(target.pid) == "Z", "the target's end")

    assert "no check ended yet" not in heat.status()
    assert heat.process.poll() is None
    gate.open()
    assert heat.wait() == 3
    assert place.words("told") == ["begun", "ended"]
    assert heat.lines() == [FAILED]


def test_11_a_zombie_of_a_pid_file_is_not_signalled(place: Place) -> None:
    target = place.spawn(["true"])
    until(lambda: process_state(target.pid) == "Z", "a zombie")
    (place.folder / "pid").write_text(str(target.pid))
    heat = place.heat("-i", FAST, "--pid-file", "pid", "-s", place.check(1))

    assert heat.wait() == 3
    assert "has ended and is a zombie" in heat.news()[-1]


# Runs as the first process of a new pid namespace: argv is python, -m, heat, its words.
REUSED = """
import os, signal, subprocess, sys, time
def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)
def begun(name, pid=None):
    out = open(name, "wb")
    return subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=out)
def ready(name):
    until(lambda: b"ready" in open(name, "rb").read())
target = begun("target")
ready("target")
words = [word.replace("TARGET", str(target.pid)) for word in sys.argv[2:]]
heat = subprocess.Popen(words)
until(lambda: os.path.exists("check.ran"))
heat.send_signal(signal.SIGSTOP)
target.kill()
target.wait()
for _ in range(100):
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(target.pid - 1))
    stranger = begun("stranger")
    if stranger.pid == target.pid:
        break
    stranger.kill()
    stranger.wait()
else:
    sys.exit(99)
ready("stranger")
open("go", "w").close()
heat.send_signal(signal.SIGCONT)
code = heat.wait(30)
stranger.kill()
stranger.wait()
sys.exit(code)
"""


@needs_root
def test_11_a_stranger_with_the_target_s_pid_is_not_signalled(place: Place) -> None:
    namespace = ("unshare", "--pid", "--fork", "--mount-proc")
    probe = "test -w /proc/sys/kernel/ns_last_pid"
    if subprocess.run([*namespace, "sh", "-c", probe], check=False).returncode != 0:
        pytest.skip("no pid namespace in which process ids can be chosen")
    check = place.check(1, body="while [ ! -e go ]; do sleep 0.01; done")
    heat = place.heat(
        *("-i", FAST, "--pid", "TARGET", "--signal", "USR1", "--fault-signal", "USR2"),
        *("-s", check),
        prefix=(*namespace, sys.executable, "-c", REUSED, RECEIVER),
    )
    code = heat.wait()
    if code == 99:
        pytest.skip("the process id did not come back")

    assert code == 3
    assert place.words("stranger") == ["ready"]
    assert "(--pid) has ended" in heat.err.read_text()


# 12: the fail script is slower than the ticks


def test_12_fail_scripts_slower_than_the_ticks_never_run_together(place: Place) -> None:
    fail = place.script(
        "fail",
        "mkdir lock || echo overlap >> bad\necho $HEAT_FAIL_CNT >> told\nsleep 0.15\nrmdir lock",
    )
    heat = place.heat("-i", "0.02", "--count", "25", "--fail", fail, "-s", place.check(1))

    assert heat.wait() == 1
    assert not (place.folder / "bad").exists()
    told = [int(word) for word in place.words("told")]
    assert told == sorted(set(told))
    assert told[0] == 1
    assert told[-1] == 25
    assert len(told) < 25


# 13: recovery starts a daemon


@pytest.mark.parametrize("which", ["--fail", "--recovery"])
def test_13_a_service_that_a_script_starts_lives_on_through_the_script_s_end_and_heat_s(
    place: Place, which: str
) -> None:
    script = place.script(
        "script",
        "if [ ! -e pid ]; then\n"
        "(while :; do echo still here; echo beat >> beats; sleep 0.02; done) &\n"
        "echo $! > pid\nfi\necho started",
    )
    heat = place.heat("-i", FAST, which, script, "-s", place.check(1, 0))
    pid = place.adopt(int(place.await_words("pid")[0]))
    heat.await_line("OK", 2)
    until(lambda: heat.verbose().count("still here") > 3, "its output in the log")

    assert heat.stop() == 0
    beats = len(place.words("beats"))
    place.await_words("beats", beats + 5)
    assert alive(pid)
    assert "still here" in heat.log("heat.check.out")
    records(heat.verbose())


def test_13_a_service_in_the_same_group_outlives_a_killed_heat(place: Place) -> None:
    recovery = place.script("recover", "sleep 600 & echo $! > pid")
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(1, 0))
    pid = place.adopt(int(place.await_words("pid")[0]))
    heat.await_line("OK")
    heat.signal(signal.SIGKILL)

    assert heat.wait() == -signal.SIGKILL
    assert alive(pid)


def test_13_what_a_service_goes_on_printing_does_not_grow_unseen(place: Place) -> None:
    recovery = place.script(
        "recover",
        "(while :; do head -c 300000 /dev/zero | tr '\\0' x; echo; sleep 0.01; done) &\n"
        "echo $! > pid",
    )
    heat = place.heat("-i", FAST, "--recovery", recovery, "-s", place.check(1, 0))
    place.adopt(int(place.await_words("pid")[0]))
    out = place.folder / "heat.check.out"
    shrunk = 0
    size = 0

    def emptied() -> bool:
        nonlocal shrunk, size
        before, size = size, out.stat().st_size if out.exists() else 0
        shrunk += size < before
        return shrunk >= 3

    until(emptied, "the file emptied three times")

    assert heat.stop() == 0
    records(heat.verbose())
    assert "bytes cut here]" in heat.verbose()


# 14: a result exactly at a deadline


def test_14_a_result_at_the_deadline_is_one_verdict(place: Place) -> None:
    heat = place.heat("-i", "0.01", "-t", "0.06", "--count", "25", "--json", "sleep", "0.058")
    code = heat.wait()

    told = heat.objects()
    assert len(told) == 25
    assert {(each["result"], each["code"]) for each in told} <= {("ok", 0), ("failed", 124)}
    assert len({each["pid"] for each in told}) == 25
    assert code == (told[-1]["result"] == "failed")
    fails = heat.verbose().count("[Timed out after 0.06 s]")
    assert fails == sum(each["code"] == 124 for each in told)


# 15: clock stepped, HEAT stopped and continued


def test_15_ticks_that_a_stopped_heat_missed_are_skipped_and_counted(place: Place) -> None:
    heat = place.heat("-i", "0.1", "-s", place.check(0))
    heat.await_line("OK", 2)
    heat.signal(signal.SIGSTOP)
    until(lambda: process_state(heat.pid) == "T", "the stop")
    ran = len(place.words("check.ran"))
    time.sleep(0.75)
    assert len(place.words("check.ran")) <= ran + 1
    heat.signal(signal.SIGCONT)
    heat.await_line("OK", ran + 2)
    found = re.search(r"; (\d+) checks; (\d+) ticks skipped", heat.status())

    assert heat.stop() == 0
    assert found is not None
    assert int(found[2]) >= 6
    orderly(heat)


STEPPED = """
import os, sys, time
real = time.time
time.time = lambda: real() + (float(open("step").read()) if os.path.exists("step") else 0)
sys.argv[:4] = ["heat"]
from heat.app.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("step", [3600, -3600])
def test_15_a_stepped_wall_clock_shifts_no_tick(place: Place, step: int) -> None:
    heat = place.heat("-i", "0.1", "-s", place.check(1), prefix=(sys.executable, "-c", STEPPED))
    heat.await_line("Failed", 3)
    began = time.monotonic()
    (place.folder / "written").write_text(str(step))
    (place.folder / "written").rename(place.folder / "step")
    before = len(heat.lines())
    heat.await_line("Failed", before + 5)
    ran = len(heat.lines())
    took = time.monotonic() - began
    status = heat.status()

    assert heat.stop() == 0
    orderly(heat)
    # Ticks are an interval apart; a loop on the wall clock would have run 36,000 at once.
    assert ran - before <= took / 0.1 + 3
    assert took >= 0.3
    times = [int(word) for word in re.findall(r"(?m)^(\d+): ", heat.out.read_text())]
    assert abs(times[-1] - times[0] - step) < 600
    assert "next check in 0" in status or "a check runs now" in status


# 16: disk full then freed; log directory removed; rotated


@needs_root
def test_16_a_full_disk_is_said_once_and_written_again_when_there_is_room(place: Place) -> None:
    (place.folder / "logs").mkdir()
    mount = 'mount -t tmpfs -o size=64k none logs && exec "$@"'
    namespace = ("unshare", "--mount", "sh", "-c")
    probe = [*namespace, "mount -t tmpfs -o size=64k none logs"]
    if subprocess.run(probe, cwd=place.folder, check=False).returncode != 0:
        pytest.skip("no mount namespace")
    much = "x" * 500
    heat = place.heat(
        *("-i", FAST, "--log-dir", "logs", "-s", place.check(1, body=f"echo $n {much} >&2")),
        prefix=(*namespace, mount, "sh"),
    )
    heat.await_line("Failed", 2)
    logs = Path(f"/proc/{heat.pid}/root{place.folder}/logs")
    ballast = logs / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    # Each log has what is left of its last page before there is no room.
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"cannot write logs/{name}: no space left on device")
    seen = len(heat.lines())
    heat.await_line("Failed", seen + 5)
    ballast.unlink()
    for name in ("heat.log", "heat.verbose.log"):
        heat.await_news(f"logs/{name} can be written again; nothing was lost")
    verbose, failures = logs / "heat.verbose.log", logs / "heat.log"
    until(lambda: "can be written again" in verbose.read_text(), "the records")
    with failures.open() as kept_failures, verbose.open() as kept_verbose:
        assert heat.stop() == 0
        logged, written = kept_failures.read(), records(kept_verbose.read())

    count = len(heat.lines())
    assert heat.err.read_text().count("cannot write") == 2
    assert [line.split()[1] for line in logged.splitlines()] == list(map(str, range(count)))
    fails = [lines for kind, program, lines in written if (kind, program) == ("FAIL", "./check")]
    assert fails == [[f"{n} {much}", "[Exit Code 1]"] for n in range(count)]
    orderly(heat)


@pytest.mark.parametrize("hup", [False, True], ids=["", "and SIGHUP meanwhile"])
def test_16_a_removed_log_folder_is_said_once_and_used_again_when_it_is_back(
    place: Place, *, hup: bool
) -> None:
    logs = place.folder / "logs"
    logs.mkdir()
    fail = place.script("fail", "echo failed")
    heat = place.heat(
        *("-i", FAST, "--log-dir", "logs", "--fail", fail, "-s", place.check(1)),
    )
    heat.await_line("Failed", 2)
    # What a script leaves behind may be made between our listing and our removing.
    logs.rename(place.folder / "old")
    heat.await_news("cannot write logs/heat.log: no such file or directory")
    heat.await_news("cannot write logs/heat.verbose.log: no such file or directory")
    if hup:
        heat.signal(signal.SIGHUP)
        heat.status()
    seen = len(heat.lines())
    heat.await_line("Failed", seen + 3)
    logs.mkdir()
    heat.await_news("logs/heat.log can be written again; nothing was lost")
    heat.await_news("logs/heat.verbose.log can be written again; nothing was lost")

    assert heat.stop() == 0
    orderly(heat)
    assert heat.err.read_text().count("cannot write") == 3
    assert heat.err.read_text().count("cannot write logs/heat.check.out") == 1
    both = heat.log("old/heat.log") + heat.log("logs/heat.log")
    assert both.count("Exit Code 1") == len(heat.lines())
    written = records(heat.log("old/heat.verbose.log")) + records(heat.log("logs/heat.verbose.log"))
    fails = [lines for kind, program, lines in written if (kind, program) == ("FAIL", "./check")]
    assert len(fails) == len(heat.lines())


@pytest.mark.parametrize("way", ["moved, SIGHUP", "moved", "deleted", "copytruncate"])
def test_16_a_rotated_log_is_followed(place: Place, way: str) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(1))
    kept = 0
    for turn in range(3):
        seen = len(heat.lines()) if heat.out.exists() else 0
        heat.await_line("Failed", seen + 2)
        for name in ("heat.log", "heat.verbose.log"):
            log = place.folder / name
            until(log.exists, name)
            if way == "copytruncate":
                log.write_bytes(b"")
            elif way == "deleted":
                log.unlink()
            else:
                log.rename(place.folder / f"{name}.{turn}")
        if way == "moved, SIGHUP":
            heat.signal(signal.SIGHUP)
    heat.await_line("Failed", len(heat.lines()) + 2)

    assert heat.stop() == 0
    orderly(heat)
    now = heat.log()
    assert now
    assert "\0" not in now + heat.verbose()
    if way.startswith("moved"):
        every = now + "".join(heat.log(f"heat.log.{turn}") for turn in range(3))
        assert every.count("Exit Code 1") == len(heat.lines())
        written = [records(heat.log(f"heat.verbose.log.{turn}")) for turn in range(3)]
        for kind, program, lines in sum(written, records(heat.verbose())):
            kept += (kind, program, lines) == ("FAIL", "./check", ["[Exit Code 1]"])
        assert kept == len(heat.lines())


@pytest.mark.parametrize("instead", ["folder", "fifo", "link", "second name"])
def test_16_a_log_that_becomes_something_else_is_said_and_left_alone(
    place: Place, instead: str
) -> None:
    heat = place.heat("-i", FAST, "-s", place.check(1))
    heat.await_line("Failed")
    log, aside = place.folder / "heat.log", place.folder / "aside"
    victim = place.folder / "victim"
    victim.write_text("mine\n")
    log.rename(aside)
    if instead == "folder":
        log.mkdir()
    elif instead == "fifo":
        os.mkfifo(log)
    elif instead == "link":
        log.symlink_to(victim)
    else:
        log.hardlink_to(victim)
    heat.await_news("cannot write heat.log: ")
    heat.await_line("Failed", len(heat.lines()) + 2)
    if instead == "folder":
        log.rmdir()
    else:
        log.unlink()
    heat.await_news("heat.log can be written again; nothing was lost")

    assert heat.stop() == 0
    orderly(heat)
    assert victim.read_text() == "mine\n"
    assert (heat.log("aside") + heat.log()).count("Exit Code 1") == len(heat.lines())


# 17: stdout closed, head -1, a reader that never reads


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_17_heat_runs_with_standard_descriptors_closed(place: Place, closed: str) -> None:
    heat = place.heat(
        *("-i", FAST, "--count", "3", "-s", place.check(1, body="echo out; echo err >&2")),
        prefix=("sh", "-c", f'exec "$@" {closed}', "sh"),
    )

    assert heat.wait() == 1
    assert heat.log().count(": err\n") == 3
    assert heat.log().count("\n") == 3
    fails = [lines for kind, _, lines in records(heat.verbose()) if kind == "FAIL"]
    assert fails == [["out", "err", "[Exit Code 1]"]] * 3


def test_17_a_reader_that_goes_away_is_said_and_the_watching_goes_on(place: Place) -> None:
    reader, writer = os.pipe()
    first = place.folder / "first"
    with first.open("wb") as out:
        head = place.spawn(["head", "-1"], stdin=reader, stdout=out)
    os.close(reader)
    heat = place.heat("-i", FAST, "-s", place.check(1), stdout=writer)
    os.close(writer)
    assert head.wait(timeout=PATIENCE) == 0
    heat.await_news("stdout was closed by its reader")
    place.await_words("check.ran", 6)

    assert heat.stop() == 0
    assert first.read_text().endswith(f": {FAILED}\n")
    assert heat.err.read_text().count("stdout was closed") == 1
    assert heat.log().count("Exit Code 1") >= 5


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_17_a_reader_that_never_reads_does_not_hold_heat_up(place: Place, stream: str) -> None:
    receiver = place.receiver()
    reader, writer = os.pipe()
    size = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    # Room for a line or two.
    os.write(writer, bytes(size - 200))
    words = ("-i", FAST, "--pid", str(receiver.pid), "-s", place.check(1))
    heat = (
        place.heat(*words, stdout=writer)
        if stream == "stdout"
        else place.heat(*words, stderr=writer)
    )
    os.close(writer)
    ran = place.await_words("check.ran", 6)
    until(lambda: f"cannot write to {stream}: nobody reads it" in heat.verbose(), "the news")
    os.set_blocking(reader, False)
    while True:
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 65536)
        if f"{stream} can be written again; " in heat.verbose():
            break
        time.sleep(0.01)

    assert heat.stop() == 0
    os.close(reader)
    assert len(ran) >= 6
    orderly(heat)


def test_17_a_terminal_that_nobody_reads_does_not_hold_heat_up(place: Place) -> None:
    master, slave = os.openpty()
    words = ("-i", "0.01", "--json", "--name", "x" * 64, "-s", place.check(0))
    heat = place.heat(*words, stdout=slave, stderr=slave)
    until(lambda: "cannot write to stdout: nobody reads it" in heat.verbose(), "the news")
    place.await_words("check.ran", len(place.words("check.ran")) + 10)

    assert os.get_blocking(slave)
    assert heat.stop() == 0
    os.close(master)
    os.close(slave)


def test_17_a_full_disk_behind_stdout_does_not_stop_the_watching(place: Place) -> None:
    with open("/dev/full", "wb") as full:
        heat = place.heat("-i", FAST, "--count", "4", "-s", place.check(1), stdout=full)

    assert heat.wait() == 1
    assert heat.err.read_text().count("cannot write to stdout: no space left on device") == 1
    assert heat.log().count("Exit Code 1") == 4


# 18: TERM, INT, HUP, USR1 in each state; a second TERM


def normal(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-s", place.check(0))
    heat.await_line("OK")
    return heat


def checking(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-s", place.script("check", LASTING))
    place.await_words("pids")
    return heat


def failing_state(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-s", place.check(1))
    heat.await_line("Failed")
    return heat


def fail_script(place: Place, *words: str) -> Heat:
    fail = place.script("fail", LASTING)
    heat = place.heat("-i", "1h", "--fail", fail, *words, "-s", place.check(1))
    place.await_words("pids")
    return heat


def recovery_script(place: Place, *words: str) -> Heat:
    recovery = place.script("recover", LASTING)
    heat = place.heat("-i", "1h", "--recovery", recovery, *words, "-s", place.check(1))
    place.await_words("pids")
    return heat


def window(place: Place) -> Heat:
    heat = place.heat(
        *("-i", "1h", "--recovery", place.script("recover", "true")),
        *("--recovery-timeout", "1h", "-s", place.check(1)),
    )
    heat.await_line("Failed", 2)
    return heat


def waiting(place: Place) -> Heat:
    heat = place.heat(
        *("-i", "1h", "--fail", place.script("fail", LASTING)),
        *("--recovery", place.script("recover", "true"), "-s", place.check(1)),
    )
    heat.await_news("recovery waits for the fail script")
    place.await_words("pids")
    return heat


def dying(place: Place) -> Heat:
    heat = place.heat("-i", "1h", "-t", "0.3", "-s", place.script("check", STUBBORN))
    heat.await_line("Timed out")
    return heat


def in_error(place: Place) -> Heat:
    heat = place.heat(
        *("-i", FAST, "--fail", place.script("fail", LASTING), "--pid-file", "none"),
        *("-s", place.check(1)),
    )
    heat.await_news("heat: error: ")
    return heat


IN_EACH_STATE = pytest.mark.parametrize(
    "begin",
    [
        *(normal, checking, failing_state, fail_script, recovery_script, window, waiting, dying),
    ],
    ids=lambda begin: begin.__name__,
)


def ended_well(place: Place, heat: Heat, name: str) -> None:
    """Nothing that HEAT has started is left, and the logs tell all."""
    for pid in place.words("pids"):
        assert not alive(int(pid))
    orderly(heat)
    assert any(name in lines[0] for _, _, lines in records(heat.verbose()))
    assert any(line.startswith(f"heat: {name}") for line in heat.news())


@IN_EACH_STATE
def test_18_term_stops_what_runs_and_exits_0(place: Place, begin: Callable[[Place], Heat]) -> None:
    heat = begin(place)

    assert heat.stop() == 0
    ended_well(place, heat, "SIGTERM")


@IN_EACH_STATE
def test_18_hup_and_usr1_change_nothing_and_int_exits_130(
    place: Place, begin: Callable[[Place], Heat]
) -> None:
    heat = begin(place)
    (place.folder / "heat.verbose.log").rename(place.folder / "old")
    heat.signal(signal.SIGHUP)
    heat.await_file("heat.verbose.log")
    status = heat.status()
    assert heat.process.poll() is None
    heat.signal(signal.SIGINT)

    assert heat.wait() == 130
    ended_well(place, heat, "SIGINT")
    assert re.match(r"heat: .*: (NORMAL|FAILING|RECOVERING), \d failures? in a row", status)
    assert "watching every" in heat.log("old")


@IN_EACH_STATE
def test_18_a_second_term_is_harmless(place: Place, begin: Callable[[Place], Heat]) -> None:
    heat = begin(place)
    heat.signal(signal.SIGTERM)
    heat.await_news("heat: SIGTERM")
    heat.signal(signal.SIGTERM)

    assert heat.wait() == 0
    ended_well(place, heat, "SIGTERM")


def test_18_a_second_term_kills_at_once_what_ignores_the_first(place: Place) -> None:
    took = 2.0
    # A busy machine may be slow once, and not each time.
    for attempt in range(1, 9):
        heat = place.heat("-i", "1h", "-s", place.script("check", STUBBORN))
        pid = int(place.await_words("pids", attempt)[-1])
        began = time.monotonic()
        heat.signal(signal.SIGTERM)
        heat.await_news("heat: SIGTERM", attempt)
        heat.signal(signal.SIGTERM)
        assert heat.wait() == 0
        took = time.monotonic() - began
        assert not alive(pid)
        if took < 1.9:
            break

    assert took < 1.9


def test_18_one_term_waits_for_what_ignores_it(place: Place) -> None:
    stubborn = "trap 'echo heard >> told' TERM\necho $$ >> pids\nwhile :; do sleep 0.02; done"
    heat = place.heat("-i", "1h", "-s", place.script("check", stubborn))
    pid = int(place.await_words("pids")[0])
    began = time.monotonic()

    assert heat.stop() == 0
    assert time.monotonic() - began >= 2.0
    assert place.words("told") == ["heard"]
    assert not alive(pid)


PENDING = """
import os, signal, sys
signum = int(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, [signum])
os.kill(os.getpid(), signum)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("signum", "where", "text"),
    [
        (signal.SIGHUP, "heat.verbose.log", "> logs opened anew"),
        (signal.SIGUSR1, "stderr", "0 failures in a row"),
    ],
)
def test_18_a_signal_that_comes_before_heat_can_act_on_it_is_kept(
    place: Place, signum: int, where: str, text: str
) -> None:
    prefix = (sys.executable, "-c", PENDING, str(int(signum)))
    heat = place.heat("-i", "1h", "-s", place.check(0), prefix=prefix)
    heat.await_file(where, text)

    assert heat.stop() == 0


def with_target(place: Place) -> Heat:
    target = place.spawn(["sleep", "600"])
    (place.folder / "pids").write_text(f"{target.pid}\n")
    heat = place.heat("-i", "1h", "--pid", str(target.pid), "-s", place.check(0))
    heat.await_line("OK")
    return heat


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.parametrize("begin", [checking, fail_script, recovery_script, with_target])
def test_18_what_ends_together_with_heat_is_not_judged(
    place: Place, begin: Callable[[Place], Heat], signum: int, code: int
) -> None:
    heat = begin(place)
    program = int(place.words("pids")[0])
    heat.signal(signal.SIGSTOP)
    until(lambda: process_state(heat.pid) == "T", "the stop")
    os.kill(program, signal.SIGTERM)
    until(lambda: not alive(program), "the end of the program")
    heat.signal(signum)
    heat.signal(signal.SIGCONT)

    assert heat.wait() == code
    assert not any("Killed" in line for line in heat.lines())
    assert "error" not in heat.err.read_text()
    assert "killed by" not in heat.verbose()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_18_in_error_a_signal_ends_the_wait_for_the_fail_script(
    place: Place, signum: signal.Signals
) -> None:
    heat = in_error(place)
    place.await_words("pids")
    heat.signal(signal.SIGHUP)
    status = heat.status()
    heat.signal(signum)

    assert heat.wait() == 3
    assert "ERROR, 1 failure in a row" in status
    ended_well(place, heat, signum.name)


def test_18_a_burst_of_signals_is_taken_as_it_comes(place: Place) -> None:
    heat = place.heat("-i", "0.02", "-s", place.check(1, 0))
    heat.await_line("OK")
    for _ in range(100):
        heat.signal(signal.SIGHUP)
        heat.signal(signal.SIGUSR1)
    heat.await_line("OK", heat.out.read_text().count("OK") + 3)

    assert heat.stop() == 0
    orderly(heat)


# 20: two HEATs on one log


def test_20_two_heats_on_one_log_tear_no_record(place: Place) -> None:
    def check(name: str) -> str:
        lines = "".join(f"echo {name}; echo {name} >&2; " for _ in range(20))
        return place.script(name, f"{lines}exit 1")

    heats = [
        place.heat("-i", "0.01", "--count", "30", "-s", check(name)) for name in ("aaa", "bbb")
    ]

    assert [heat.wait() for heat in heats] == [1, 1]
    written = records(heats[0].verbose())
    for name in ("aaa", "bbb"):
        fails = [lines for _, program, lines in written if program == f"./{name}"]
        assert fails == [[name] * 40 + ["[Exit Code 1]"]] * 30
    logged = re.findall(r"(?m)^\d{10,}: (aaa|bbb)$", heats[0].log())
    assert len(logged) == heats[0].log().count("\n") == 2 * 30 * 20
    blocks = "".join(word[0] for word in logged)
    assert re.fullmatch("(a{20}|b{20})+", blocks)


def test_20_heats_started_at_once_on_a_new_log_lose_no_record(place: Place) -> None:
    heats = [place.heat("-i", FAST, "--count", "1", "--name", f"n{n}", "false") for n in range(8)]

    assert [heat.wait() for heat in heats] == [1] * 8
    assert heats[0].log().count("Exit Code 1") == 8
    kinds = [kind for kind, _, _ in records(heats[0].verbose())]
    assert kinds.count("FAIL") == 8


# 21: many exits at once


def test_21_of_five_hundred_exits_at_once_each_status_is_right(place: Place) -> None:
    count = 500
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 3 * count + 100:
        pytest.skip(f"needs {3 * count + 100} descriptors, and {most} are allowed")
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    if processes != resource.RLIM_INFINITY and processes < count + 500:
        pytest.skip(f"needs {count} processes, and {processes} are allowed")
    gate = place.gate("gate")
    script = place.script("waits", f": < {gate.path}\necho $1 >&2\nexit $1")
    loop = Loop(RealClock())
    launcher = PosixLauncher(loop, os.environb)
    ended: dict[int, list[tuple[int | None, int | None]]] = {}
    gone: list[Run] = []

    def note_ended(number: int, run: Run) -> None:
        ended.setdefault(number, []).append((run.status.code, run.status.signal))
        assert run.output().stderr.kept == f"{number % 256}\n".encode()

    def note_gone(run: Run) -> None:
        gone.append(run)
        if len(gone) == count:
            loop.stop()

    def unkilled(run: Run) -> None:
        raise AssertionError(run.pid)

    def start(number: int) -> Run:
        words = (script, str(number % 256))
        program = Program(script, str(place.folder / "waits"), words)
        told = Callbacks(partial(note_ended, number), note_gone, unkilled)
        return Run((RealClock(), loop, launcher), program, None, told, Nobody())

    resource.setrlimit(resource.RLIMIT_NOFILE, (min(3 * count + 500, most), most))
    runs: list[Run] = []
    try:
        try:
            runs.extend(start(number) for number in range(count))
        except StartError as error:
            for run in runs:
                os.kill(run.pid, signal.SIGKILL)
            pytest.skip(f"this machine does not let {count} programs run at once: {error}")
        gate.open()
        opened = os.open(gate.path, os.O_RDWR)
        loop.run()
        os.close(opened)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
        launcher.close()
        loop.close()

    assert ended == {number: [(number % 256, None)] for number in range(count)}
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, runs[0].pid, os.WEXITED)


# kill -9 of each; days of running


@pytest.mark.parametrize("what", ["check", "recovery script"])
def test_19_a_killed_heat_leaves_whole_logs_and_the_next_one_goes_on(
    place: Place, what: str
) -> None:
    begin = checking if what == "check" else recovery_script
    heat = begin(place)
    pid = place.adopt(int(place.words("pids")[0]))
    heat.signal(signal.SIGKILL)
    assert heat.wait() == -signal.SIGKILL
    records(heat.verbose())
    again = place.heat("-i", FAST, "--count", "2", "false")

    assert again.wait() == 1
    assert alive(pid)
    assert [kind for kind, program, _ in records(again.verbose()) if program == "false"] == [
        *("FAIL", "FAIL")
    ]


def test_00_many_checks_leave_no_descriptor_no_zombie_and_no_memory(place: Place) -> None:
    fail = place.script("fail", "true")
    heat = place.heat(
        "-i", "5ms", "--fail", fail, "-t", "0.5", "-s", place.script("check", "echo x; exit 1")
    )
    heat.await_line("Failed", 40)
    files, before = open_files(heat), memory(heat, "VmRSS")
    heat.await_line("Failed", 240)
    until(lambda: open_files(heat) <= files + 1, "no more descriptors than before")
    after = memory(heat, "VmRSS")
    children = Path(f"/proc/{heat.pid}/task/{heat.pid}/children")
    found = len(children.read_text().split()) if children.exists() else 0

    assert heat.stop() == 0
    orderly(heat)
    assert found <= 3  # A check, a script, the keeper.
    assert after - before < 1024
    assert stat.S_ISREG((place.folder / "heat.log").stat().st_mode)
