"""The control socket at its path: stale, taken, deleted, and in the way of other things."""

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from client import Client, client, done
from fleet import WELL, monitor
from heat_process import Heat
from place import Place
from processes import until


def single(place: Place, path: str) -> Heat:
    """A HEAT of one monitor with its socket at this path."""
    return place.heat("-i", "0.05", "--control", path, "true")


@pytest.fixture
def heat(place: Place) -> Heat:
    """A HEAT that listens."""
    heat = place.fleet(monitor("web", WELL))
    heat.await_line("web: OK")
    return heat


def mode(heat: Heat) -> str:
    return stat.filemode((heat.folder / "heat.sock").lstat().st_mode)


def test_only_its_user_may_use_the_socket(heat: Heat) -> None:
    assert mode(heat) == "srw-------"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be another user")
def test_another_user_is_refused(heat: Heat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(heat.folder)
    before = os.stat(".").st_mode
    os.chmod(".", 0o711)
    os.chmod("heat.sock", 0o666)  # As if the mode did not keep them out.
    os.seteuid(65534)
    try:
        stranger = Client(Path("heat.sock"))
    finally:
        os.seteuid(0)
        os.chmod(".", before)
    with stranger:
        answer = stranger.line()
        assert stranger.line() is None

    assert answer is not None
    assert answer["error"] == "this HEAT answers only its own user and root"


def test_heat_makes_a_deleted_socket_again(heat: Heat) -> None:
    with client(heat) as connection:
        assert connection.ask("hello")["ok"]  # Clients in the queue go with the socket.
        (heat.folder / "heat.sock").unlink()
        (heat.folder / "heat.sock.lock").unlink()
        heat.reload("0 changed")
        heat.await_news("the control socket was deleted: ")
        assert done(heat, "hello")["ok"]
        assert connection.ask("hello")["ok"]

    assert mode(heat) == "srw-------"


def test_a_second_heat_does_not_take_the_socket_of_the_first(heat: Heat) -> None:
    words = ("--control", "heat.sock", "--log-dir", "logs", "-i", "1", "true")
    (heat.folder / "logs").mkdir()
    other = Place(heat.folder).heat(*words, stderr=subprocess.PIPE)
    assert other.wait() == 2

    message = other.process.communicate()[1].decode()
    assert f"heat.sock: another HEAT, process {heat.pid}, listens there" in message
    assert "give this one --control PATH" in message


def test_heat_leaves_a_socket_to_another_program_that_listens_there(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place.folder / "its.sock"))
        other.listen()
        heat = single(place, "its.sock")

        assert heat.wait() == 2
        assert "its.sock: another program listens there" in heat.err.read_text()
    heat = single(place, "its.sock")
    with client(heat, "its.sock") as connection:
        assert connection.ask("hello")["ok"]  # Nobody listens there now.


def test_heat_takes_over_the_socket_of_a_heat_that_was_killed(place: Place) -> None:
    heat = single(place, "heat.sock")
    assert done(heat, "hello")["about"]["pid"] == heat.pid
    heat.process.kill()
    heat.wait()
    heat = single(place, "heat.sock")
    until(lambda: bool(done(heat, "hello")["about"]["pid"] == heat.pid), "the new one")

    assert heat.stop() == 0
    assert not (place.folder / "heat.sock").exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("file", "there is a file that is not a socket"),
        ("folder", "there is a file that is not a socket"),
        ("link", "there is a file that is not a socket"),
        ("missing/heat.sock", "no such file or directory"),
        ("n" * 200, "AF_UNIX path too long"),
    ],
)
def test_heat_refuses_a_path_where_it_cannot_listen(place: Place, path: str, reason: str) -> None:
    (place.folder / "file").write_text("mine")
    (place.folder / "folder").mkdir()
    (place.folder / "link").symlink_to("nowhere")
    heat = single(place, path)

    assert heat.wait() == 2
    assert heat.err.read_text().splitlines() == [
        f"Error: --control {path}: {reason}",
        "  name a path in a folder that HEAT may write to: --control PATH",
    ]
    assert (place.folder / "file").read_text() == "mine"
    assert (place.folder / "link").is_symlink()


@pytest.mark.parametrize("folder", ["f" * 120, "."])
def test_a_path_may_be_longer_than_that_of_a_socket(place: Place, folder: str) -> None:
    (place.folder / folder).mkdir(exist_ok=True)
    path = f"{folder}/{'s' * 60}"
    heat = single(place, f"./././././././././././././././././././././././{path}")
    until((place.folder / path).exists, "the socket")
    link = place.folder.parent / f"s{len(folder)}"
    link.symlink_to(place.folder / path)
    with Client(link) as connection:
        assert connection.ask("hello")["about"]["monitors"] == 1
        answer = connection.ask("reload")

    assert (answer["ok"], answer["kind"]) == (False, "refused")
    assert "has no configuration file" in answer["error"]
    assert heat.stop() == 0
    assert not (place.folder / path).exists()


def test_a_long_name_in_this_folder(place: Place) -> None:
    heat = single(place, "s" * 80)
    heat.await_line("OK", 2)

    assert (place.folder / ("s" * 80)).is_socket()
