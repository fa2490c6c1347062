"""The blocking client: its connection, and its words when nobody answers."""

import os
import pwd
import socket
from pathlib import Path

import pytest
from talker import Raw, Talker, facts

from heat.control import answers, paths, protocol
from heat.control.client import Client, connect
from heat.control.protocol import NoAnswerError
from heat.ctl.main import main


def test_several_requests_go_over_one_connection(tmp_path: Path) -> None:
    with Talker(tmp_path / "s", facts("a"), facts("b")), Client(f"{tmp_path}/s") as client:
        names = [each["name"] for line in client.ask("status") for each in answers.monitors(line)]
        why = client.last("why", {"name": "b"})["why"]

    assert names == ["a", "b"]
    assert why["name"] == "b"


BROKEN = [
    # the bytes of an answer, the message of heatctl, and its hint
    (b"", "did not finish its answer: it closed the connection", "try again"),
    (b'{"heat": 1, "status"', "did not finish its answer", "try again"),
    (b'{"heat": 1, "status": [{}]}\n', "is not whole: monitor.attempts is missing", "heatctl that"),
    (b'{"heat": 1, "status": 7}\n', "is not whole: monitor.attempts is missing", "heatctl that"),
    (b'{"heat": 1, "columns": 7}\n', "is not whole: columns is too short", "heatctl that"),
    (b'{"heat": 1, "columns": [%s]}\n' % b",".join([b"1"] * 16), "columns are other ones", "that"),
    (b'{"heat": 1, "rows": [["web"]]}\n', "is not whole: row is too short", "heatctl that"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "is not HEAT: 'SSH-2.0-OpenSSH_9.2\\r'", "--control PATH"),
    (b"\xff\xfe\x00\n", "what answers is not HEAT", "--control PATH"),
    (b"[1, 2]\n", "what answers is not HEAT: '[1, 2]'", "--control PATH"),
    (b"{}\n", "what answers is not HEAT", "--control PATH"),
    (b"[" * 100_000 + b"\n", "what answers is not HEAT", "--control PATH"),
    (b'{"heat": 2, "hello": 1}\n', "HEAT speaks version 2 of the protocol", "heatctl that came"),
    (b'{"heat": 1, "ok": false, "error": "too many", "fix": "wait"}\n', "too many", "wait"),
]


@pytest.mark.parametrize(("data", "message", "hint"), BROKEN, ids=[each[1] for each in BROKEN])
def test_heatctl_explains_a_broken_answer(
    data: bytes, message: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Raw(tmp_path / "s", data):
        code = main(["status", "--control", f"{tmp_path}/s"])

    out, err = capsys.readouterr()
    assert code == (2 if "too many" in message else 3)
    assert out == ""
    assert message in err.splitlines()[0]
    assert hint in err.splitlines()[1]


def test_a_client_waits_only_so_long_for_a_heat_that_hangs(tmp_path: Path) -> None:
    with (
        Raw(tmp_path / "s", b'{"heat": 1', hangs=True),
        Client(f"{tmp_path}/s", 0.05) as client,
        pytest.raises(NoAnswerError, match=r"does not answer \(0\.05 s\)"),
    ):
        client.last("hello")


def test_a_line_without_an_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LONGEST_LINE", 1000)
    with (
        Raw(tmp_path / "s", b"x" * 5000, hangs=True),
        Client(f"{tmp_path}/s") as client,
        pytest.raises(NoAnswerError, match="a line without an end"),
    ):
        client.last("hello")


def test_a_full_backlog_is_explained(tmp_path: Path) -> None:
    path = f"{tmp_path}/s"
    with socket.socket(socket.AF_UNIX) as full:
        full.bind(path)
        full.listen(0)
        first = Client(path, 0.05)
        with pytest.raises(NoAnswerError, match="takes no more connections"):
            Client(path, 0.05)
        first.close()


def error_at(path: str) -> str:
    with pytest.raises(NoAnswerError) as caught:
        connect(path)
    return str(caught.value)


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    assert error_at(f"{tmp_path}/none").splitlines() == [
        f"Failed: no HEAT answers at {tmp_path}/none: there is no such socket",
        "  is HEAT running? It listens with --config, or where --control says",
    ]


def test_a_socket_where_nobody_listens(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(f"{tmp_path}/s")

    assert "nobody listens there any more" in error_at(f"{tmp_path}/s")


def test_a_path_of_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "it is not a socket" in error_at(f"{tmp_path}/file")
    assert "there is no such socket" in error_at(f"{tmp_path}/file/s")


def test_a_path_that_no_socket_can_have(tmp_path: Path) -> None:
    assert "path too long" in error_at(f"{tmp_path}/{'x' * 200}")
    assert "no HEAT answers at a\\x00b" in error_at("a\0b")


def test_the_path_of_a_socket_may_be_deep(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    (tmp_path / "short").symlink_to(deep)
    with Talker(tmp_path / "short" / "s"), Client(f"{deep}/s") as client:
        assert client.last("hello")["ok"] is True
    assert "there is no such socket" in error_at(f"{deep}/s")


def test_permission_denied_names_the_owner_of_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "s").touch()
    monkeypatch.setattr(socket.socket, "connect", denied)

    error = error_at(f"{tmp_path}/s")
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert "permission denied" in error
    whose = (
        "it is root's: sudo heatctl" if me == "root" else f"it is of the user {me}: sudo -u {me}"
    )
    assert whose in error
    assert "ask as the user that HEAT runs as" in error_at(f"{tmp_path}/none")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_users_socket_is_out_of_reach(tmp_path: Path) -> None:
    path = tmp_path / "s"
    pid = -1
    with Talker(path):
        path.chmod(0o600)
        pid = os.fork()
        if not pid:
            os.seteuid(65_534)
            try:
                error_at(os.fspath(path))
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)

    assert status == 0


def test_the_default_is_roots_or_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.default_control() == "/run/heat/heat.sock"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert paths.default_control() == "/run/user/1000/heat.sock"
    for none in ("", "relative"):
        monkeypatch.setenv("XDG_RUNTIME_DIR", none)
        assert paths.default_control() is None
    with pytest.raises(NoAnswerError, match="XDG_RUNTIME_DIR is not set"):
        connect(None)


def test_the_hint_points_another_user_to_the_heat_of_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.fspath(tmp_path))
    monkeypatch.setattr("heat.control.client.OF_ROOT", f"{tmp_path}/root")
    assert "name another socket with --control PATH" in error_at(f"{tmp_path}/heat.sock")

    (tmp_path / "root").touch()
    assert "sudo heatctl" in error_at(f"{tmp_path}/heat.sock")


@pytest.mark.parametrize("kind", ["busy", "too-slow", "forbidden", "bug"])
@pytest.mark.parametrize(
    "command",
    ["status", "status --json", "why web", "check web", "pause web", "resume web", "reset web",
     "reload", "history", "history web --json"],
)  # fmt: skip
def test_every_command_without_an_answer_exits_3(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Talker(tmp_path / "s", facts("web")) as heat:
        heat.refusal = {"ok": False, "kind": kind, "error": "64 clients", "fix": "ask fewer"}
        code = main(["--control", f"{tmp_path}/s", *command.split()])

    out, err = capsys.readouterr()
    assert (code, out) == (3, "")
    assert err == "Failed: HEAT does not answer: 64 clients\n  ask fewer\n"
