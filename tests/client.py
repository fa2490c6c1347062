"""A client of the control socket, as plain as can be."""

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from conftest import PATIENCE, Heat, until

Facts = dict[str, Any]


def request(do: str, **more: object) -> bytes:
    """The line that asks for it."""
    return json.dumps({"heat": 1, "do": do, **more}).encode() + b"\n"


class Client:
    """Connected to a HEAT; what it reads are the lines of its answers."""

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
        """The next line; None if HEAT has closed the connection."""
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
        found: Facts = json.loads(first)
        assert found.pop("heat") == 1
        return found

    def lines(self) -> list[Facts]:
        """All lines of an answer."""
        found: list[Facts] = []
        while not found or "ok" not in found[-1]:
            line = self.line()
            assert line is not None
            found.append(line)
        return found

    def ask(self, do: str, **more: object) -> Facts:
        """The last line of the answer."""
        self.send(request(do, **more))
        return self.lines()[-1]

    def refused(self, data: bytes) -> str:
        """What HEAT says is wrong with this."""
        self.send(data)
        told = self.lines()[-1]
        assert told["ok"] is False
        return str(told["error"])


def connected(path: Path) -> socket.socket:
    """A connection to the HEAT that listens there, or is about to."""
    there = socket.socket(socket.AF_UNIX)
    there.settimeout(PATIENCE)

    def found() -> bool:
        try:
            there.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            return False
        return True

    until(found, "a control socket")
    return there


def client(heat: Heat, name: str = "heat.sock") -> Client:
    """Connect to this HEAT."""
    return Client(heat.folder / name)


def ask(heat: Heat, do: str, **more: object) -> Facts:
    """Ask this HEAT on a connection of its own; the last line of the answer."""
    with client(heat) as there:
        return there.ask(do, **more)


def done(heat: Heat, do: str, **more: object) -> Facts:
    """Have it done."""
    told = ask(heat, do, **more)
    assert told["ok"], told
    return told


def why(heat: Heat, name: str) -> Facts:
    """All that is known of a monitor."""
    found: Facts = done(heat, "why", name=name)["why"]
    return found


def await_state(heat: Heat, name: str, state: str) -> Facts:
    """Wait until a monitor is in this state; all that is known of it then."""
    until(lambda: bool(why(heat, name)["state"] == state), f"{name} in {state}")
    return why(heat, name)
