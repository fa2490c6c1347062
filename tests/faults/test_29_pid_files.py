"""Row 29: a pid file of another user, stale, empty for a moment, NUL-padded.

No stranger is signalled, and nothing of it ends HEAT.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from heat_process import FAST, Heat, orderly
from place import Place, Receiver
from processes import NOBODY, needs_root, until
from virtual import VirtualWorld

from heat.errors import NotBelievedError, TargetError, UnwrittenError
from heat.process import pid_file
from heat.process.target import NoTarget, PidFileTarget
from heat.rehearsal.world import Ends
from states.monitor.model import State

OTHER, GROUP = 65534, 8
SHOWN = "--pid-file pid"
SERVICE = """
trap 'echo HUP >> got' HUP
echo $$ > pid
: > got
while :; do sleep 0.02; done
"""
"""Writes its own pid file, and the signals that it gets."""


def of(path: Path) -> PidFileTarget:
    return PidFileTarget(str(path), NoTarget(lambda _signum: False))


@pytest.fixture
def named(place: Place) -> tuple[Receiver, Path, PidFileTarget]:
    """A process of root's, its pid file, and the target that this is."""
    receiver = place.receiver()
    path = place.folder / "pid"
    path.write_text(f"{receiver.pid}\n")
    return receiver, path, of(path)


Given = tuple[Receiver, Path, PidFileTarget]


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def refused(target: PidFileTarget, *said: str) -> None:
    """Nothing is sent, and that says nothing about the process; nothing is left open."""
    before = descriptors()
    with pytest.raises(NotBelievedError) as caught:
        target.send(signal.SIGUSR1)
    assert caught.value.passing
    assert not caught.value.gone
    for text in said:
        assert text in str(caught.value)
    assert target.doubt() == str(caught.value)
    assert descriptors() == before


def believed(target: PidFileTarget, receiver: Receiver) -> None:
    before, opened = receiver.signals().count("USR1"), descriptors()

    assert target.send(signal.SIGUSR1) == receiver.pid
    receiver.await_signal("USR1", before + 1)
    assert target.doubt() == ""
    assert descriptors() == opened


# Of another user


@needs_root
def test_a_service_of_another_user_with_its_own_pid_file_gets_its_signals(place: Place) -> None:
    there = place.inner("service")
    os.chown(there.folder, OTHER, OTHER)
    service = there.spawn([*NOBODY, "sh", "-c", SERVICE])
    until((there.folder / "got").exists, "the service")
    assert (there.folder / "pid").stat().st_uid == OTHER
    heat = place.heat("-i", FAST, "--pid-file", "service/pid", "-s", place.check(1))

    until(lambda: there.words("got").count("HUP") >= 2, "two signals")
    assert heat.stop() == 0
    assert f"sent HUP to {service.pid} (--signal)" in heat.news()
    assert "warning" not in heat.err.read_text()
    orderly(heat)


@needs_root
def test_a_pid_file_of_another_user_makes_root_signal_no_process_but_his(place: Place) -> None:
    stranger = place.receiver()
    (place.folder / "pid").write_text(f"{stranger.pid}\n")
    os.chown(place.folder / "pid", OTHER, -1)
    heat = place.heat("-i", FAST, "--pid-file", "pid", "-s", place.check(1))

    heat.await_news("HUP was not sent (--signal): ", 3)  # It goes on though nothing recovers.
    assert heat.stop() == 0
    assert stranger.signals() == []
    why = (
        f"{SHOWN} belongs to user nobody ({OTHER}), and process {stranger.pid} to user root (0): "
        "only a process of the user who writes the file is signalled (chown -h root pid, if root "
        "writes it)"
    )
    assert f"heat: warning: {why}" in heat.news()
    assert f"> HUP was not sent (--signal): {why}\n" in heat.verbose()
    orderly(heat)


@needs_root
def test_a_link_of_another_user_to_a_pid_file_of_roots_counts_as_his(
    place: Place, named: Given
) -> None:
    receiver, path, target = named
    believed(target, receiver)
    real = path.rename(place.folder / "real")
    path.symlink_to(real)
    believed(target, receiver)
    os.chown(path, OTHER, -1, follow_symlinks=False)

    refused(target, f"belongs to user nobody ({OTHER})", "to user root (0)")


@needs_root
def test_a_link_that_is_put_there_between_look_and_use_counts_as_his(
    named: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, path, _ = named
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, OTHER, OTHER)
    link, real = theirs / "pid", os.open

    def opened(name: str, *more: int) -> int:
        """Put the link there as soon as it was seen that nothing is, and take it away again."""
        if name != str(link):
            return real(name, *more)
        link.symlink_to(path)
        os.chown(link, OTHER, OTHER, follow_symlinks=False)
        try:
            return real(name, *more)
        finally:
            link.unlink()

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(NotBelievedError, match="is another file at each look"):
        of(link).send(signal.SIGUSR1)
    assert receiver.signals() == []


def test_a_pid_file_that_is_replaced_while_it_is_looked_at_is_looked_at_again(
    named: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, path, target = named
    real = os.read
    looks: list[int] = []

    def read(fd: int, most: int) -> bytes:
        looks.append(fd)
        if len(looks) == 1:
            new = path.with_name("new")
            new.write_text(f"{receiver.pid}\n")
            new.replace(path)
        return real(fd, most)

    monkeypatch.setattr(pid_file.os, "read", read)
    assert target.send(signal.SIGUSR1) == receiver.pid
    assert len(looks) == 2


def test_a_link_of_proc_leads_where_no_name_does(named: Given) -> None:
    receiver, path, _ = named
    with path.open("rb") as held:
        path.unlink()  # As what is in the /proc/PID/root of a container has no name here.
        believed(of(Path(f"/proc/self/fd/{held.fileno()}")), receiver)


@needs_root
def test_a_folder_of_another_user_may_hold_a_pid_file_of_roots(place: Place, named: Given) -> None:
    receiver, _, target = named
    os.chown(place.folder, OTHER, OTHER)
    place.folder.chmod(0o777)

    believed(target, receiver)


@needs_root
@pytest.mark.parametrize(
    ("users", "takes"),
    [((OTHER, 0, 0), True), ((0, OTHER, 0), False), ((0, 0, OTHER), True), ((OTHER,) * 3, True)],
)
def test_a_process_is_his_if_he_could_signal_it_himself(
    place: Place,
    users: tuple[int, int, int],
    takes: bool,  # noqa: FBT001 - of the table
) -> None:
    program = f"import os; os.setresuid{users}; print(flush=True); import time; time.sleep(600)"
    ready = place.folder / "ready"
    with ready.open("wb") as out:
        process = place.spawn([sys.executable, "-c", program], stdout=out)
    until(lambda: ready.stat().st_size > 0, "its change of user")
    path = place.folder / "pid"
    path.write_text(f"{process.pid}")
    os.chown(path, OTHER, -1)

    if takes:
        assert of(path).send(signal.SIGCONT) == process.pid
    else:
        refused(of(path), f"process {process.pid} to user root (0)")


@needs_root
@pytest.mark.parametrize(
    ("mode", "group", "owner", "who"),
    [
        (0o664, 0, 0, ""),
        (0o664, GROUP, 0, "group mail (8)"),
        (0o666, 0, 0, "anybody"),
        (0o646, 0, OTHER, "anybody"),
        (0o644, GROUP, 0, ""),
    ],
)
def test_a_pid_file_that_others_may_write_names_nobody_to_root(
    named: Given, mode: int, group: int, owner: int, who: str
) -> None:
    receiver, path, target = named
    os.chown(path, owner, group)
    path.chmod(mode)

    if who:
        refused(target, f"may be written to by {who}, who could name any process", "chmod go-w ")
    else:
        believed(target, receiver)


@needs_root
def test_a_pid_file_with_a_second_name_names_nobody_to_root(named: Given) -> None:
    _, path, target = named
    path.with_name("other").hardlink_to(path)

    refused(target, "has a second name (a hard link), and HEAT runs as root")


def test_heat_itself_is_believed_by_the_same_rule(place: Place) -> None:
    got: list[int] = []

    def handled(signum: int) -> bool:
        got.append(signum)
        return True

    path = place.folder / "pid"
    path.write_text(str(os.getpid()))
    target = PidFileTarget(str(path), NoTarget(handled))
    assert target.send(signal.SIGTERM) == os.getpid()
    os.utime(path, (0, 0))

    refused(target, f"s older than process {os.getpid()}")
    assert got == [signal.SIGTERM]


# Left behind


def aged(path: Path, pid: int, span: float) -> None:
    """Make the file so many seconds older than the process."""
    ticks = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    ahead = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    written = ahead + ticks / os.sysconf("SC_CLK_TCK") - span
    os.utime(path, (written, written))


def test_a_pid_file_that_was_left_behind_ends_no_stranger(place: Place) -> None:
    stranger = place.receiver()
    path = place.folder / "pid"
    path.write_text(f"{stranger.pid}\n")
    aged(path, stranger.pid, 3600)
    heat = place.heat("-i", FAST, "--pid-file", "pid", "-s", place.check(1))

    heat.await_news("HUP was not sent (--signal): ", 3)
    assert stranger.signals() == []
    why = (
        f"{SHOWN} is 3600 s older than process {stranger.pid}, so it was left behind by another "
        "one that had this number (if that is wrong: touch pid)"
    )
    assert f"heat: warning: {why}" in heat.news()
    assert f"> HUP was not sent (--signal): {why}\n" in heat.verbose()

    os.utime(path)
    stranger.await_signal("HUP")
    assert heat.stop() == 0
    orderly(heat)


@pytest.mark.parametrize("span", [-86400.0, 0.0, pid_file.OLDER - 1])
def test_a_pid_file_that_is_about_as_old_as_its_process_is_believed(
    named: Given, span: float
) -> None:
    receiver, path, target = named
    aged(path, receiver.pid, span)

    believed(target, receiver)


def test_a_pid_file_that_is_some_seconds_older_than_its_process_is_not(named: Given) -> None:
    receiver, path, target = named
    aged(path, receiver.pid, pid_file.OLDER + 1)

    refused(target, f"is 6 s older than process {receiver.pid}")


@pytest.fixture
def step_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let this process see a clock that was set since, as it was noted when HEAT began."""
    real = pid_file.clock_ahead
    pid_file.clock_ahead_at_first()
    return lambda span: monkeypatch.setattr(pid_file, "clock_ahead", lambda: real() + span)


@pytest.mark.parametrize("span", [86400.0, -86400.0])
def test_a_clock_that_was_set_while_heat_runs_makes_no_pid_file_stale(
    named: Given, step_clock: Callable[[float], None], span: float
) -> None:
    receiver, _, target = named
    step_clock(span)

    believed(target, receiver)


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_clock_that_was_put_forward_since_the_boot_makes_no_pid_file_in_run_stale(
    named: Given, monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    """A machine without a battery for its clock boots in the past; a file in memory cannot."""
    receiver, path, target = named
    ahead = pid_file.clock_ahead() + time.clock_gettime(time.CLOCK_BOOTTIME) + 86400.0
    monkeypatch.setattr(pid_file, "clock_ahead", lambda: ahead)
    monkeypatch.setattr(pid_file, "clock_ahead_at_first", lambda: ahead)
    monkeypatch.setattr(pid_file, "is_in_memory", {path.stat().st_dev: in_memory}.get)

    if in_memory:
        believed(target, receiver)
    else:
        refused(target, f"s older than process {receiver.pid}")


@needs_root
def test_a_file_system_in_memory_is_known(tmp_path: Path) -> None:
    command = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        'mount -t tmpfs none . || exit 77; exec "$@"',
        "sh",
    ]
    program = (
        "import os; from heat.process.pid_file import is_in_memory; "
        "print(is_in_memory(os.stat(%r).st_dev))"
    )
    mounted = [
        subprocess.run(
            [*command, sys.executable, "-c", program % place],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        ) for place in (str(tmp_path), "/proc")
    ]  # fmt: skip
    if mounted[0].returncode in (1, 77):
        pytest.skip(f"nothing can be mounted here: {mounted[0].stderr}")

    assert [done.stdout for done in mounted] == ["True\n", "False\n"]


# What is in it


@pytest.mark.parametrize(
    "written",
    [
        b"%d",
        b"%d\0\0\0\0",
        b"%d\n\0\0\0\0",
        b"\xef\xbb\xbf%d\r\n",
        b"\n%d\n",
        b"\n\n \t %d \t\n",
        b"000%d\n",
        b"%d\n/var/lib/postgresql\n5432\n",
        b"%d" + b"\0" * 8000,
    ],
)
def test_a_pid_is_read_whatever_stands_around_it(named: Given, written: bytes) -> None:
    receiver, path, target = named
    path.write_bytes(written % receiver.pid)

    believed(target, receiver)


@pytest.mark.parametrize("written", [b"", b"\n", b"\0\0\0\0", b" \r\n\0", b"\xef\xbb\xbf"])
def test_an_empty_pid_file_is_not_written_yet(named: Given, written: bytes) -> None:
    _, path, target = named
    path.write_bytes(written)

    with pytest.raises(UnwrittenError, match="is empty") as caught:
        target.send(signal.SIGUSR1)
    assert caught.value.passing


# Empty for a moment

EMPTY = UnwrittenError("--pid-file pid is empty")
LEFT_OUT = "was not sent ({}): --pid-file pid is empty"
TARGET = ("--pid-file=pid",)
FAILS = Ends(code=1)


def world(
    *words: str, checks: Iterable[Ends], recoveries: Iterable[Ends] = (Ends(),)
) -> VirtualWorld:
    """A watch whose pid file is empty."""
    there = VirtualWorld(*TARGET, *words, checks=checks, recoveries=recoveries)
    there.target_error = EMPTY
    return there


def test_an_empty_pid_file_is_looked_at_again_a_moment_later() -> None:
    there = world(checks=[FAILS, Ends()]).run_until(0.05)
    assert there.printed[-1].endswith("Failed: Exit Code 1, details in heat.log")
    there.target_error = None

    assert there.run_until(5).times("HUP") == [0.1]
    assert "was not sent" not in "".join(there.printed)


def test_and_then_at_a_tick_and_meanwhile_that_is_said() -> None:
    there = world(checks=[FAILS, Ends(after=3)]).run_until(5)

    said = [line for line in there.printed if "not sent" in line]
    assert said == [f"(HUP {LEFT_OUT.format('--signal')}; it is looked at again at the next tick)"]
    there.target_error = None
    assert there.run_until(15).times("HUP") == [10]


def test_what_it_says_then_is_taken_as_it_would_have_been() -> None:
    there = world(checks=[FAILS, Ends()]).run_until(0.05)
    there.target_error = TargetError("process 42 does not exist")
    there.run_until(5)

    assert there.monitor.model.state is State.ERROR  # Nothing recovers.
    assert there.done


def test_one_that_stays_empty_is_said_and_ends_nothing() -> None:
    there = world(checks=[FAILS, Ends()]).run_until(35)

    said = [line for line in there.printed if "not sent" in line]
    assert len(said) == 2
    assert said[-1] == f"(HUP {LEFT_OUT.format('--signal')})"
    assert there.monitor.model.state is State.NORMAL
    assert not there.done


def test_a_later_signal_takes_its_place_which_is_said() -> None:
    there = world("--success-signal=CONT", checks=[FAILS, FAILS, Ends()]).run_until(0.05)
    there.target_error = None
    there.monitor.pause(None, "")
    there.run_until(5)

    assert there.times("HUP") == []  # No effects in a pause.
    assert [line for line in there.printed if "not sent" in line] == [
        f"(HUP {LEFT_OUT.format('--signal')})"
    ]


def test_a_fault_signal_never_hits_what_the_recovery_has_started() -> None:
    words = ("--signal=none", "--fault-signal=KILL", "--recovery=./recover")
    window = "--recovery-timeout=1h"
    quick = world(*words, window, checks=[FAILS], recoveries=[Ends(after=0.05)]).run_until(0.07)
    slow = world(*words, checks=[FAILS, Ends()], recoveries=[Ends(after=30)]).run_until(5)
    for there in (quick, slow):
        there.target_error = None
        there.run_until(60)

        assert there.times("KILL") == []
        assert any(f"KILL {LEFT_OUT.format('--fault-signal')}" in line for line in there.printed)


def test_a_fault_signal_goes_out_late_while_the_recovery_runs() -> None:
    words = ("--signal=none", "--fault-signal=TERM", "--recovery=./recover")
    there = world(*words, checks=[FAILS, Ends()], recoveries=[Ends(after=3)]).run_until(0.05)
    there.target_error = None

    assert there.run_until(5).times("TERM") == [0.1]


def test_heat_lives_on_while_the_pid_file_is_empty_and_signals_once_it_is_not(
    place: Place,
) -> None:
    receiver = place.receiver()
    path = place.folder / "pid"
    path.touch()
    heat: Heat = place.heat("-i", "0.3", "--pid-file", "pid", "-s", place.check(1))

    heat.await_news("is empty: who writes it has not written the process id yet", 2)
    path.write_text(f"{receiver.pid}\n")
    receiver.await_signal("HUP")
    assert heat.stop() == 0
    orderly(heat)
