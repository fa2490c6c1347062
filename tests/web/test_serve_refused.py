"""Bad words for `heatctl serve`: exit 2 before it listens; the first line names option and value,
the next one the fix."""

import os
import re
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from heat.ctl import main as heatctl
from heat.ctl.commands.serve import USAGE
from heat.web.options import OPTIONS, Serving, parse

TOKEN = "correct-horse-battery"  # noqa: S105 - only for tests
ADDRESS = "write an address of this machine, or localhost; a name goes to --host"
BRACKETS = "write [::1]:9333, or 127.0.0.1:9333"
PORT = "write a port from 1 to 65535, or 0 for any: 127.0.0.1:9333"
PLACE = "write an address and a port: 127.0.0.1:9333"
NAME = "write it without port and path: --host heat.lan"
NEEDS = "add --token-file FILE, or listen only locally: --listen 127.0.0.1:9333"
OPEN = "can be reached from other machines, and needs a token"
WRITE = "write one: head -c 32 /dev/urandom | base64 > {file}"

MORE = "contains more than a token, which is printable ASCII without a blank"

WRONG = [
    # words, message, hint
    ("--listen 9333", "--listen '9333' is not HOST:PORT", PLACE),
    ("--listen :9333", "--listen ':9333' is not HOST:PORT", PLACE),
    ("--listen ''", "--listen '' is not HOST:PORT", PLACE),
    ("--listen 127.0.0.1:", "--listen '127.0.0.1:' has no port", PORT),
    ("--listen 127.0.0.1:http", "--listen '127.0.0.1:http' has no port", PORT),
    ("--listen 127.0.0.1:65536", "--listen '127.0.0.1:65536' has no port", PORT),
    ("--listen 127.0.0.1:-1", "--listen '127.0.0.1:-1' has no port", PORT),
    ("--listen 127.0.0.1:٣", "--listen '127.0.0.1:٣' has no port", PORT),
    ("--listen heat.lan:9333", "--listen 'heat.lan:9333' has no address", ADDRESS),
    ("--listen 127.1:9333", "--listen '127.1:9333' has no address", ADDRESS),
    ("--listen http://127.0.0.1:9333", "--listen 'http://127.0.0.1:9333' has no address", ADDRESS),
    ("--listen ::1:9333", "--listen '::1:9333' has no address", BRACKETS),
    ("--listen [127.0.0.1]:9333", "--listen '[127.0.0.1]:9333' has no address", BRACKETS),
    ("--listen [fe80::1%lo]:9333", "--listen '[fe80::1%lo]:9333' has no address", BRACKETS),
    ("--listen 0.0.0.0:9333", f"--listen '0.0.0.0:9333' {OPEN}", NEEDS),
    ("--listen [::]:9333", f"--listen '[::]:9333' {OPEN}", NEEDS),
    ("--listen 192.0.2.1:9333", f"--listen '192.0.2.1:9333' {OPEN}", NEEDS),
    ("--control ''", "--control '' is not a valid path", "name a file"),
    ("--host http://heat", "--host 'http://heat' is not a host name", NAME),
    ("--host heat:80", "--host 'heat:80' is not a host name", NAME),
    ("--host '*'", "--host '*' is not a host name", NAME),
    ("--token-file ''", "--token-file '' is not a valid path", "name a file"),
    ("--token-file gone", "--token-file 'gone' cannot be read: no such file or directory",
     "name the file of the token"),
    ("--token-file .", "--token-file '.' is not a regular file", "name the file of the token"),
    ("--token-file fifo", "--token-file 'fifo' is not a regular file",
     "name the file of the token"),
    ("--token-file open", "--token-file 'open' is open to everybody", "chmod 600 open"),
    ("--token-file empty", "--token-file 'empty' contains no token", WRITE.format(file="empty")),
    ("--token-file blank", "--token-file 'blank' contains no token", WRITE.format(file="blank")),
    ("--token-file short", "--token-file 'short' contains a token of fewer than 16 characters",
     WRITE.format(file="short")),
    ("--token-file two", f"--token-file 'two' {MORE}", WRITE.format(file="two")),
    ("--token-file huge", "--token-file 'huge' is longer than 4096 bytes",
     WRITE.format(file="huge")),
    ("--listen", "--listen needs a value", "write --listen HOST:PORT"),
    ("--listen --host a", "--listen '--host' is not HOST:PORT", PLACE),
    ("--listen localhost:1 --listen localhost:2", "--listen is given twice",
     "leave one of them out"),
    ("--lisen a:1", "--lisen is not an option of 'heatctl serve'", "did you mean --listen?"),
    ("--xyzzy", "--xyzzy is not an option of 'heatctl serve'",
     "'heatctl serve --help' lists the options"),
    ("--h", "--h is short for more than one option", "write --host or --help"),
    ("-x", "-x is not an option of 'heatctl serve'", "'heatctl serve --help' lists the options"),
    ("web", "unexpected 'web': 'heatctl serve' takes only options", "leave it out"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {
        "good": TOKEN + "\n",
        "open": TOKEN,
        "empty": "",
        "blank": " \n",
        "short": "hunter2",
        "two": f"{TOKEN} {TOKEN}",
        "huge": "x" * 4097,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o644 if name == "open" else 0o600)
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


def main(words: Sequence[str]) -> int:
    return heatctl.main(["serve", *words])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("words", "message", "hint"), WRONG, ids=[words for words, _, _ in WRONG])
def test_it_is_refused_with_a_sentence_and_the_fix(
    words: str, message: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code = main(shlex.split(words))

    out, err = capfd.readouterr()
    assert (code, out) == (2, "")
    lines = err.splitlines()
    at = lines.index(f"Error: {message}")
    assert lines[at + 1] == f"  {hint}"
    assert "'heatctl serve --help' lists the options" in lines[-1]


def test_the_help_and_the_options_agree() -> None:
    in_help = re.findall(r"^  (?:-\w, )?(--[\w-]+) ?(\S*)  ", USAGE, re.MULTILINE)

    assert dict(in_help) == {option.name: option.value for option in OPTIONS}


@pytest.mark.usefixtures("folder")
def test_all_mistakes_are_reported_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    code = main(["--listen", "x", "--token-file", "gone", "--host", "a/b", "--verbose"])

    assert code == 2
    assert capfd.readouterr().err.count("Error: ") == 4


def test_a_port_that_is_taken_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        code = main(["--listen", place, "--control", "sock"])

    assert code == 2
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == f"Error: --listen '{place}' cannot be used: address already in use"
    assert lines[1] == "  choose another port, or an address of this machine"


@pytest.mark.usefixtures("folder")
def test_an_address_of_another_machine_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    code = main(["--listen", "192.0.2.1:9333", "--token-file", "good", "--control", "sock"])

    assert code == 2
    assert "cannot be used: cannot assign requested address" in capfd.readouterr().err


def test_a_user_without_a_session_names_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)

    (diagnostic,) = parse(USAGE, []).diagnostics
    assert diagnostic.message == "Error: --control is missing, and XDG_RUNTIME_DIR is not set"
    assert diagnostic.hint == "name HEAT's socket: --control PATH"


@pytest.mark.parametrize(("user", "path"), [(0, "/run/heat/heat.sock"), (1000, "/there/heat.sock")])
def test_without_options_it_is_for_this_machine_alone(
    user: int, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/there")

    assert parse(USAGE, []).serving == Serving("127.0.0.1", 9333, path, None, ())


@pytest.mark.usefixtures("folder")
def test_all_options_are_taken() -> None:
    words = "--listen [::]:0 --control sock --token-file good --host a.b --host c"

    serving = parse(USAGE, words.split()).serving
    assert serving == Serving("::", 0, "sock", TOKEN, ("a.b", "c"))
    assert serving is not None
    assert serving.place == "[::]:0"


@pytest.mark.parametrize(
    ("listen", "place"),
    [("localhost:0", "127.0.0.1:0"), ("[::1]:80", "[::1]:80"), ("127.9.9.9:1", "127.9.9.9:1")],
)
def test_loopback_needs_no_token(listen: str, place: str) -> None:
    serving = parse(USAGE, ["--listen", listen, "--control", "sock"]).serving

    assert serving is not None
    assert serving.place == place


@pytest.mark.parametrize(
    "words", [["-h"], ["--help"], ["--listen", "x", "--help"], ["--xyz", "-h"]]
)
def test_help_is_help_with_any_other_words(words: list[str]) -> None:
    assert parse(USAGE, words).wants_help
