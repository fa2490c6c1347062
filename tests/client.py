"""A client of the control socket for tests, as plain as can be."""

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from heat_process import Heat
from processes import PATIENCE, until

Facts = dict[str, Any]


def request(do: str, **more: object) -> bytes:
    """Return the line of a request."""
    return json.dumps({"heat": 1, "do": do, **more}).encode() + b"\n"


class Client:
    """A connection to a HEAT, which reads the lines of its answers."""

    def __init__(self, path: Path) -> None:
        self.socket = connected(path)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def line(self) -> Facts | None:
        """Return the next line; None if HEAT has closed the connection."""
        while b"\n" not in self._read:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self._read
                return None
            self._read += data
        first, _, self._read = self._read.partition(b"\n")
        line: Facts = json.loads(first)
        assert line.pop("heat") == 1
        return line

    def lines(self) -> list[Facts]:
        """Return all lines of an answer."""
        lines: list[Facts] = []
        while not lines or "ok" not in lines[-1]:
            line = self.line()
            assert line is not None
            lines.append(line)
        return lines

    def ask(self, do: str, **more: object) -> Facts:
        """Return the last line of the answer."""
        self.send(request(do, **more))
        return self.lines()[-1]

    def refused(self, data: bytes) -> str:
        """Return the error with which HEAT refuses this."""
        self.send(data)
        answer = self.lines()[-1]
        assert answer["ok"] is False
        return str(answer["error"])


def connected(path: Path) -> socket.socket:
    """Connect to the HEAT that listens there, or is about to."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(PATIENCE)

    def connect() -> bool:
        try:
            client.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            return False
        return True

    until(connect, "a control socket")
    return client


def client(heat: Heat, name: str = "heat.sock") -> Client:
    """Connect to this HEAT."""
    return Client(heat.folder / name)


def ask(heat: Heat, do: str, **more: object) -> Facts:
    """Return the last line of this HEAT's answer, on a connection of its own."""
    with client(heat) as connection:
        return connection.ask(do, **more)


def done(heat: Heat, do: str, **more: object) -> Facts:
    """Return the last line of an answer that must not be a refusal."""
    answer = ask(heat, do, **more)
    assert answer["ok"], answer
    return answer


def why(heat: Heat, name: str) -> Facts:
    """Return everything that HEAT knows of a monitor."""
    facts: Facts = done(heat, "why", name=name)["why"]
    return facts


def await_state(heat: Heat, name: str, state: str) -> Facts:
    """Wait until a monitor is in this state, and return what HEAT then knows of it."""
    until(lambda: bool(why(heat, name)["state"] == state), f"{name} in {state}")
    return why(heat, name)


def numbers(heat: Heat, name: str) -> Facts:
    """Return the numbers of a monitor by the names of their columns."""
    with client(heat) as connection:
        connection.send(request("metrics"))
        first, *lines = connection.lines()
    (row,) = [row for line in lines for row in line.get("rows", ()) if row[0] == name]
    return dict(zip(first["columns"], row, strict=True))
