"""The target: the process that was meant, and no other."""

import os
import signal
from pathlib import Path

import pytest
from conftest import Place, alive, descriptors_left, until

import heat.process.target
from heat.diagnostics import BadValueError
from heat.errors import TargetError
from heat.process import signals
from heat.process.proc import has_ended, proc_stat, would_end
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


def test_a_pid_file_is_read_anew_for_each_signal(place: Place) -> None:
    first, second = place.receiver("first"), place.receiver("second")
    file = place.folder / "pid"
    target = PidFileTarget(str(file), NoTarget(nobody))
    for receiver in (first, second):
        file.write_text(f"{receiver.pid}\n")

        assert target.send(signal.SIGUSR2) == receiver.pid
        receiver.await_signal("USR2")


@pytest.mark.parametrize(
    ("content", "said"),
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
def test_a_pid_file_that_names_nobody(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "pid"
    if content is not None:
        file.write_text(content)

    with pytest.raises(TargetError, match=said) as caught:
        PidFileTarget(str(file), NoTarget(nobody)).send(signal.SIGTERM)
    assert not caught.value.gone


def test_a_pid_file_that_is_no_file_does_not_block(tmp_path: Path) -> None:
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


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("signum", [signal.SIGSTOP, signal.SIGTSTP])
def test_what_was_stopped_is_woken(place: Place, signum: int) -> None:
    # In a group of its own, with its parent outside: TSTP stops no orphaned group.
    process = place.spawn(["sleep", "600"], process_group=0)
    target = PidTarget(process.pid)
    target.send(signum)
    until(lambda: state_of(process.pid) == "T", "the stop")

    assert target.wake() == process.pid
    until(lambda: state_of(process.pid) == "S", "the wake")
    assert target.wake() is None
    os.close(target.pidfd)


def test_what_was_continued_is_not_woken_again(place: Place) -> None:
    process = place.spawn(["sleep", "600"])
    target = PidTarget(process.pid)
    target.send(signal.SIGSTOP)
    target.send(signal.SIGCONT)

    assert target.wake() is None
    os.close(target.pidfd)


def test_a_frozen_process_is_woken_though_another_took_its_place(place: Place) -> None:
    old, new = (place.spawn(["sleep", "600"]) for _ in range(2))
    file = place.folder / "pid"
    target = PidFileTarget(str(file), NoTarget(nobody))
    file.write_text(str(old.pid))
    target.send(signal.SIGSTOP)
    until(lambda: state_of(old.pid) == "T", "the stop")
    file.write_text(str(new.pid))
    target.send(signal.SIGCONT)

    until(lambda: state_of(old.pid) == "S", "the wake of the old one")
    assert target.wake() is None


def test_a_frozen_process_that_has_ended_is_owed_nothing(place: Place) -> None:
    process = place.spawn(["sleep", "600"])
    target = PidTarget(process.pid)
    target.send(signal.SIGSTOP)
    process.kill()
    process.wait()

    assert not alive(process.pid)
    assert target.wake() is None
    os.close(target.pidfd)


def test_whether_a_signal_would_end_a_process(place: Place) -> None:
    receiver = place.receiver()
    sleeper = place.spawn(["sleep", "600"])

    assert not would_end(receiver.pid, signal.SIGUSR1)
    assert would_end(sleeper.pid, signal.SIGUSR1)
    assert not would_end(4194304, signal.SIGUSR1)


@pytest.mark.parametrize("number", sorted(signal.valid_signals()))
def test_every_signal_of_the_system_is_known_by_number_and_name(number: int) -> None:
    name = signals.name(number)

    assert signals.parse(str(int(number))) == number
    assert {signals.parse(word) for word in (name, f"SIG{name}", name.lower())} == {number}


def test_real_time_signals_from_both_ends() -> None:
    assert signals.parse("RTMIN") == signal.SIGRTMIN
    assert signals.parse("sigrtmax-1") == signal.SIGRTMAX - 1
    assert signals.name(signal.SIGRTMIN) == "RTMIN"
    with pytest.raises(BadValueError):
        signals.parse("RTMIN+99")


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


def test_a_process_that_cannot_be_looked_at_for_want_of_descriptors_has_not_ended() -> None:
    with descriptors_left(0), pytest.raises(OSError, match="Too many open files"):
        has_ended(os.getpid())
