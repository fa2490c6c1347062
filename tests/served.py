"""`heatctl serve` as a process, in front of a double of HEAT, and its HTTP client."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from processes import PATIENCE, until

TOKEN = "correct-horse-battery"  # noqa: S105 - only for tests
PROGRAM = "import sys; from heat.ctl.commands.serve import main; sys.exit(main(sys.argv[1:]{more}))"


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
"""The head of a request, but for its end."""


class Response(NamedTuple):
    """The response to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.json["error"]


class Served:
    """One `heatctl serve`, on a port that was free."""

    def __init__(self, folder: Path, words: Sequence[str], program: str = "") -> None:
        self._out = folder / "serve.out"
        self._err = folder / "serve.err"
        code = program or PROGRAM.format(more="")
        command = [sys.executable, "-c", code, "--control", str(folder / "heat.sock"), *words]
        if "--listen" not in words:
            command += ["--listen", "127.0.0.1:0"]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err)
        until(lambda: self.process.poll() is not None or b"\n" in self._out.read_bytes(), "a line")
        self.port = int(self._out.read_text().partition("/metrics")[0].rpartition(":")[2])

    def news(self) -> str:
        return self._err.read_text()

    def get(self, path: str, method: str = "GET", **headers: str) -> Response:
        """Return the response; underscores in the names of headers are hyphens."""
        with contextlib.closing(self.connection()) as connection:
            plain = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=plain)
            return read(connection)

    def ask(self, path: str) -> Response:
        """Return the response to a request with the token."""
        return self.get(path, Authorization=f"Bearer {TOKEN}")

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def raw(self, data: bytes) -> bytes:
        """Return what comes back for this, until the connection is closed."""
        with self.connect() as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(data)
            return everything(client)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def holds(self, client: socket.socket) -> bool:
        """Tell if its end of this connection is open; the kernel may still be sending."""
        ends = f":{self.port:04X} 0100007F:{client.getsockname()[1]:04X}"
        entries = Path("/proc/net/tcp").read_text().splitlines()
        inodes = [entry.split()[9] for entry in entries if ends in entry]
        return any(inode != "0" for inode in inodes)

    def memory(self) -> int:
        """The bytes that it holds now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def read(connection: http.client.HTTPConnection) -> Response:
    """Read the response on a connection."""
    got = connection.getresponse()
    return Response(got.status, dict(got.getheaders()), got.read())


def everything(client: socket.socket) -> bytes:
    """Return what still comes on a connection."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := client.recv(1 << 16):
            received += data
    return received


def status(answer: bytes) -> int:
    """Return the status of a response."""
    return int(answer.split(b" ", 2)[1])


def with_token(folder: Path) -> list[str]:
    """Return the words that make a server ask for the token."""
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "token").chmod(0o600)
    return ["--token-file", str(folder / "token")]


@contextlib.contextmanager
def served(folder: Path, *words: str, program: str = "") -> Generator[Served]:
    """Run a server as long as this lasts."""
    server = Served(folder, words, program)
    try:
        yield server
        if server.process.poll() is None:
            assert server.stop() == 0
    finally:
        server.process.kill()
        server.process.wait()
    assert "Traceback" not in server.news(), server.news()
