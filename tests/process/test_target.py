"""The target: the process that was meant, and no other."""

import os
import signal
from pathlib import Path

import pytest
from place import Place
from processes import descriptors_left

import heat.process.target
from heat.errors import TargetError
from heat.process import signals
from heat.process.proc import proc_stat
from heat.process.target import NoTarget, PidFileTarget, PidTarget, open_process


def nobody(signum: int) -> bool:
    raise AssertionError(signum)


def test_a_signal_reaches_the_process(place: Place) -> None:
    receiver = place.receiver()
    target = PidTarget(receiver.pid)

    assert target.send(signal.SIGUSR1) == receiver.pid
    receiver.await_signal("USR1")
    os.close(target.pidfd)


def test_a_target_that_has_ended_is_gone(place: Place) -> None:
    process = place.spawn(["sleep", "600"])
    target = PidTarget(process.pid)
    process.kill()
    process.wait()

    with pytest.raises(TargetError, match="has ended") as caught:
        target.send(signal.SIGTERM)
    assert caught.value.gone
    os.close(target.pidfd)


def test_a_pid_file_is_read_again_for_each_signal(place: Place) -> None:
    first, second = place.receiver("first"), place.receiver("second")
    file = place.folder / "pid"
    target = PidFileTarget(str(file), NoTarget(nobody))
    for receiver in (first, second):
        file.write_text(f"{receiver.pid}\n")

        assert target.send(signal.SIGUSR2) == receiver.pid
        receiver.await_signal("USR2")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: no such file"),
        ("", "is empty: its writer has not written the process id yet"),
        ("\0\0\0\0\n", "is empty"),
        ("x\n", "holds no process id, but 'x'"),
        ("\x1b[2J", "holds no process id, but '\\\\x1b\\[2J'"),
        (
            f"no such thing {'x' * 99}",
            f"holds no process id, but 'no such thing {'x' * 26}\\.\\.\\.'",
        ),
        ("0\n", "holds no process id"),
        ("-1\n", "holds no process id"),
        ("1 2\n", "holds no process id"),
        ("99999999999999999999\n", "holds no process id"),
        ("٣\n", "holds no process id"),
        ("4194304\n", "process 4194304 does not exist"),
    ],
)
def test_a_pid_file_that_names_nobody(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "pid"
    if content is not None:
        file.write_text(content)

    with pytest.raises(TargetError, match=reason) as caught:
        PidFileTarget(str(file), NoTarget(nobody)).send(signal.SIGTERM)
    assert not caught.value.gone


def test_a_pid_file_that_is_not_a_regular_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")

    with pytest.raises(TargetError, match="not a regular file"):
        PidFileTarget(str(tmp_path / "pid"), NoTarget(nobody)).send(signal.SIGTERM)


def test_a_pid_file_that_names_heat_itself(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    got: list[int] = []

    def handled(signum: int) -> bool:
        got.append(signum)
        return True

    assert PidFileTarget(str(tmp_path / "pid"), NoTarget(handled)).send(15) == os.getpid()
    assert got == [15]


def test_heat_named_by_a_pid_file_is_neither_stopped_nor_killed(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    target = PidFileTarget(str(tmp_path / "pid"), NoTarget(nobody))

    for signum in sorted(signals.NEED_TARGET):
        name = signals.name(signum)
        with pytest.raises(TargetError, match=f"names HEAT itself, which {name} would ") as caught:
            target.send(signum)
        assert not caught.value.passing
        assert not caught.value.gone


def test_without_a_target_unhandled_signals_go_to_heat_through_the_kernel() -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda signum, _: got.append(signum))
    try:
        NoTarget(lambda _: False).send(signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)

    assert got == [signal.SIGUSR2]


def test_a_process_that_is_reaped_while_it_is_looked_at_does_not_exist(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = place.spawn(["sleep", "600"])

    def look_and_reap(pid: int) -> object:
        fields = proc_stat(pid)
        process.kill()
        process.wait()
        return fields

    monkeypatch.setattr(heat.process.target, "proc_stat", look_and_reap)

    with pytest.raises(TargetError, match=f"process {process.pid} does not exist"):
        open_process(process.pid)


@pytest.mark.parametrize("count", [0, 1])
def test_a_want_of_descriptors_says_nothing_about_the_process_of_a_pid_file(
    place: Place, count: int
) -> None:
    receiver = place.receiver()
    file = place.folder / "pid"
    file.write_text(str(receiver.pid))
    target = PidFileTarget(str(file), NoTarget(nobody))

    with (
        descriptors_left(count),
        pytest.raises(TargetError, match="too many open files") as caught,
    ):
        target.send(signal.SIGSTOP)
    assert caught.value.passing
    with descriptors_left(2):
        target.send(signal.SIGSTOP)
    assert target.wake() == receiver.pid


def test_a_want_of_descriptors_says_nothing_about_the_process_of_a_pid(place: Place) -> None:
    receiver = place.receiver()
    target = PidTarget(receiver.pid)

    with descriptors_left(0), pytest.raises(TargetError, match="too many open files") as caught:
        target.send(signal.SIGSTOP)
    assert caught.value.passing
    target.send(signal.SIGUSR1)
    receiver.await_signal("USR1")
    os.close(target.pidfd)
