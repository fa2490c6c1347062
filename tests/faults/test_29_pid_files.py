"""Row 29: a pid file of another user, or that others may write."""

import os
import signal
import sys
from pathlib import Path

import pytest
from heat_process import FAST, orderly
from pid_files import SHOWN, Named, believed, of, process_with_pid_file, refused
from place import Place
from processes import NOBODY, needs_root, until

from heat.errors import NotBelievedError
from heat.process import pid_file
from heat.process.target import NoTarget, PidFileTarget

OTHER, GROUP = 65534, 8
SERVICE = """
trap 'echo HUP >> got' HUP
echo $$ > pid
: > got
while :; do sleep 0.02; done
"""
"""Writes its own pid file, and the signals that it gets."""


@pytest.fixture
def named(place: Place) -> Named:
    return process_with_pid_file(place)


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
    place: Place, named: Named
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
    named: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    named: Named, monkeypatch: pytest.MonkeyPatch
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


def test_a_link_of_proc_leads_where_no_name_does(named: Named) -> None:
    receiver, path, _ = named
    with path.open("rb") as held:
        path.unlink()  # As what is in the /proc/PID/root of a container has no name here.
        believed(of(Path(f"/proc/self/fd/{held.fileno()}")), receiver)


@needs_root
def test_a_folder_of_another_user_may_hold_a_pid_file_of_roots(place: Place, named: Named) -> None:
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
    named: Named, mode: int, group: int, owner: int, who: str
) -> None:
    receiver, path, target = named
    os.chown(path, owner, group)
    path.chmod(mode)

    if who:
        refused(target, f"may be written to by {who}, who could name any process", "chmod go-w ")
    else:
        believed(target, receiver)


@needs_root
def test_a_pid_file_with_a_second_name_names_nobody_to_root(named: Named) -> None:
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
