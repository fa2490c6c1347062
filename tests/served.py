"""`heatctl serve` as a process, beside a double of HEAT, and what a client says to it."""

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

from conftest import PATIENCE, until

TOKEN = "correct-horse-battery"  # noqa: S105 - of tests alone
PROGRAM = "import sys; from heat.ctl.commands.serve import main; sys.exit(main(sys.argv[1:]{more}))"


GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
"""The head of a request, but for its end."""


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def found(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.found["error"]


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

    def get(self, path: str, method: str = "GET", **headers: str) -> Got:
        """What is answered to this; underscores in the names of headers are hyphens."""
        with contextlib.closing(self.connection()) as connection:
            plain = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=plain)
            return read(connection)

    def tell(self, path: str) -> Got:
        """What is answered to this with the token."""
        return self.get(path, Authorization=f"Bearer {TOKEN}")

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def raw(self, data: bytes) -> bytes:
        """All that comes back when this is sent, until the connection is closed."""
        with self.connect() as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(data)
            return everything(client)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def holds(self, client: socket.socket) -> bool:
        """Its end of this connection is not closed; the kernel may still be sending."""
        ends = f":{self.port:04X} 0100007F:{client.getsockname()[1]:04X}"
        entries = Path("/proc/net/tcp").read_text().splitlines()
        inodes = [entry.split()[9] for entry in entries if ends in entry]
        return any(inode != "0" for inode in inodes)

    def memory(self) -> int:
        """Bytes that it holds now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def read(connection: http.client.HTTPConnection) -> Got:
    """The answer on a connection."""
    answer = connection.getresponse()
    return Got(answer.status, dict(answer.getheaders()), answer.read())


def everything(client: socket.socket) -> bytes:
    """All that still comes on a connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while data := client.recv(1 << 16):
            found += data
    return found


def status(answer: bytes) -> int:
    """The status in an answer."""
    return int(answer.split(b" ", 2)[1])


def with_token(folder: Path) -> list[str]:
    """The words that have a server ask for the token."""
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "token").chmod(0o600)
    return ["--token-file", str(folder / "token")]


@contextlib.contextmanager
def served(folder: Path, *words: str, program: str = "") -> Generator[Served]:
    """A server, as long as this lasts."""
    server = Served(folder, words, program)
    try:
        yield server
        if server.process.poll() is None:
            assert server.stop() == 0
    finally:
        server.process.kill()
        server.process.wait()
    assert "Traceback" not in server.news(), server.news()
