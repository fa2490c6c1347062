"""Helper processes: forks of HEAT, and modules in an interpreter of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from desk import Desk, process_name
from processes import alive, until

from heat.process import helper
from heat.process.helper import Fork
from heat.runtime.loop import Loop, RealClock


def sleep() -> None:
    time.sleep(600)


def end(fork: Fork) -> None:
    fork.kill()
    fork.reap()


def nothing(_signum: int, _frame: object) -> None:
    """Catch a signal."""


# Forks


def test_a_fork_does_its_work_and_heat_must_not_reap_it_as_a_stranger(tmp_path: Path) -> None:
    own: set[int] = set()
    fork = Fork((tmp_path / "done").touch, own)
    before = set(own)

    assert fork.reap()
    assert (tmp_path / "done").exists()
    assert (before, own) == ({fork.pid}, set())


def test_a_fork_whose_work_fails_ends_all_the_same() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    assert Fork(fail, set()).reap()


def test_a_fork_that_has_not_ended_is_reaped_later() -> None:
    own: set[int] = set()
    fork = Fork(sleep, own)

    assert not fork.reap(wait=False)
    assert own == {fork.pid}
    end(fork)
    assert own == set()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_that_stops_heat_ends_a_fork(signum: int) -> None:
    fork = Fork(sleep, set())
    os.kill(fork.pid, signum)

    assert os.WTERMSIG(os.waitpid(fork.pid, 0)[1]) == signum


def test_a_fork_keeps_signals_blocked_that_heat_has_blocked() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGTERM})
    try:
        fork = Fork(sleep, set())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    until(lambda: mask(fork.pid, "SigBlk") == {signal.SIGHUP}, "its mask")

    end(fork)


def mask(pid: int, key: str) -> set[int]:
    """Return the signals in a mask of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    bits = int(next(line for line in lines if line.startswith(f"{key}:")).split()[1], 16)
    return {signum for signum in range(1, 65) if bits >> (signum - 1) & 1}


def test_a_detached_fork_ignores_signals_and_has_its_own_session_and_no_folder() -> None:
    reader, writer = os.pipe()
    previous = signal.signal(signal.SIGTERM, nothing)
    try:
        fork = Fork(sleep, set(), {reader})
    finally:
        signal.signal(signal.SIGTERM, previous)
    until(lambda: len(os.listdir(f"/proc/{fork.pid}/fd")) == 4, "its descriptors")
    os.kill(fork.pid, signal.SIGTERM)

    assert {int(fd) for fd in os.listdir(f"/proc/{fork.pid}/fd")} == {0, 1, 2, reader}
    assert os.readlink(f"/proc/{fork.pid}/cwd") == "/"
    assert os.getsid(fork.pid) == fork.pid
    assert alive(fork.pid)
    end(fork)
    os.close(reader)
    os.close(writer)


def test_a_signal_that_the_fork_gets_too_is_reported_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[int] = []
    fork = os.fork

    def interrupted() -> int:
        pid = fork()
        os.kill(os.getpid(), signal.SIGWINCH)
        return pid

    monkeypatch.setattr(os, "fork", interrupted)
    heat = Loop(RealClock())
    heat.catch([signal.SIGWINCH], caught.append, desk)
    fd = desk.open()
    until(lambda: process_name(desk.keeper_pid()) == "heat-keeper", "its name")
    heat.heed()
    signal.signal(signal.SIGWINCH, signal.SIG_DFL)
    heat.close()
    os.close(fd)

    assert caught == [signal.SIGWINCH]


# Programs


def test_a_program_is_a_module_of_heats_own_with_words(tmp_path: Path) -> None:
    (tmp_path / "heat").mkdir()
    (tmp_path / "heat/__init__.py").write_text("raise SystemExit('another heat')")
    program = helper.program("prune", "heat.store.prune", str(tmp_path / "none"), "3600")
    done = subprocess.run(
        program.argv,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )

    assert (program.shown, program.path) == ("prune", sys.executable)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_one_file_binary_runs_itself_with_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program = helper.program("prune", "heat.store.prune", "FILE", "1")

    assert program.argv == (sys.executable, "-m", "heat.store.prune", "FILE", "1")
