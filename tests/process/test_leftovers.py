"""Leftovers: what a check leaves behind is found and ended, what a script leaves lives on."""

import errno
import os
import signal
import time
from pathlib import Path

import pytest
from bench import Bench
from place import Place
from processes import alive, until

from heat.process.child import PosixChild
from heat.process.program import Status


def test_a_grandchild_that_keeps_the_pipe_does_not_delay_the_verdict(bench: Bench) -> None:
    began = time.monotonic()
    run = bench.sh("sleep 600 & echo $!; exit 1")

    assert run.status == Status(1)
    assert time.monotonic() - began < 20
    left = int(bench.outputs[0].stdout.data)
    until(lambda: not alive(left), "the end of what the check left behind")


def test_a_child_that_escaped_does_not_delay_the_verdict_either(bench: Bench) -> None:
    run = bench.sh("setsid sleep 600 & echo $!; exit 1")

    assert run.status == Status(1)
    escaped = int(bench.outputs[0].stdout.data)
    os.kill(escaped, signal.SIGKILL)


LEFT = "sh -c 'echo $$ >left; exec sleep 600' & until [ -s left ]; do sleep 0.01; done"


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        (f"setsid {LEFT}", True),
        (f"setsid {LEFT}; echo out", True),
        (f"setsid {LEFT}; echo err >&2; exit 1", True),
        (f"setsid {LEFT.replace(' &', ' >/dev/null 2>&1 &')}", False),
        (LEFT, False),
        (f"{LEFT}; kill $(cat left); wait", False),
        ("echo out; echo err >&2", False),
    ],
)
def test_a_process_that_left_the_group_of_a_check_is_seen_by_the_pipe_it_holds(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch, line: str, *, reported: bool
) -> None:
    monkeypatch.chdir(place.folder)
    run = bench.sh(line)

    for pid in place.words("left"):
        place.adopt(int(pid))
    assert bench.left == [(run, [])] * reported


def test_a_process_that_left_the_group_of_a_check_that_timed_out_is_seen_too(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    run = bench.sh(f"setsid {LEFT}; trap 'exit 1' TERM; while :; do sleep 0.1; done", timeout=0.5)

    place.adopt(int(place.await_words("left")[0]))
    assert bench.verdicts == ["timed out", "gone"]
    assert bench.left == [(run, [])]


def test_heat_does_not_look_twice_at_a_check_that_leaves_nothing_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    real = os.killpg

    def killpg(pid: int, signum: int) -> None:
        looks.append(signum)
        real(pid, signum)

    monkeypatch.setattr(os, "killpg", killpg)
    bench.sh("exit 1")
    bench.sh("echo out; echo err >&2")

    assert looks == [signal.SIGTERM, signal.SIGTERM]


@pytest.mark.parametrize("new", [True, False], ids=["by the pidfd", "before Linux 6.9"])
def test_what_is_left_of_a_group_is_killed_though_it_holds_no_output(
    bench: Bench, place: Place, monkeypatch: pytest.MonkeyPatch, *, new: bool
) -> None:
    send = signal.pidfd_send_signal

    def old(pidfd: int, signum: int, info: None = None, flags: int = 0) -> None:
        if flags:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        send(pidfd, signum, info, flags)

    monkeypatch.setattr(PosixChild, "by_pidfd", True)
    if not new:
        monkeypatch.setattr(signal, "pidfd_send_signal", old)
    monkeypatch.chdir(place.folder)
    bench.sh(
        "sh -c 'trap \"\" TERM; echo $$ >left; while :; do sleep 0.01; done' >/dev/null 2>&1 &\n"
        "until [ -s left ]; do sleep 0.01; done"
    )

    assert not alive(place.adopt(int(place.words("left")[0])))
    assert PosixChild.by_pidfd is new
    assert bench.left == []


def test_what_a_script_leaves_behind_lives_on(bench: Bench, tmp_path: Path) -> None:
    ticks, pid = tmp_path / "ticks", tmp_path / "pid"
    line = f"(while :; do echo x >>{ticks}; echo y; sleep 0.01; done) & echo $! >{pid}"
    run = bench.run("/bin/sh", "-c", line, script=True)
    service = int(pid.read_text())
    try:
        until(ticks.exists, "the service's first work")
        size = ticks.stat().st_size
        until(lambda: ticks.stat().st_size > size + 10, "the service's work")

        assert run.status == Status(0)
        assert alive(service)
        assert bench.script_output.read_text().startswith("y\n")
    finally:
        os.kill(service, signal.SIGKILL)
