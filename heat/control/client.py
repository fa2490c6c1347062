"""A blocking client of the control socket, with time limits and bounded answers."""

import contextlib
import os
import pwd
import socket
import stat
import time
from collections.abc import Generator, Iterator, Mapping
from types import TracebackType
from typing import Self

from heat.control import protocol
from heat.control.paths import OF_ROOT, default_control, short
from heat.control.protocol import Answer, NoAnswerError
from heat.text import escaped, seconds

PATIENCE = 10.0
"""Seconds without a byte after which a client gives up."""
_PIECE = 262_144


class Client:
    """A connection to HEAT. Raises NoAnswerError where none listens."""

    def __init__(self, path: str, patience: float = PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(patience)
        try:
            with short(path) as there:
                self._socket.connect(there)
        except (OSError, ValueError) as error:
            self._socket.close()
            raise _not_connected(path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def ask(self, do: str, keys: Mapping[str, object] | None = None) -> Generator[Answer]:
        """Send a request, and yield the lines of the answer as they come, up to the last one.

        Raises NoAnswerError, and RefusedError where HEAT refuses it.
        """
        request = protocol.request(do, **(keys or {}))
        # HEAT may close at once and say why: that is read before the failure is reported.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(request, socket.MSG_NOSIGNAL)
        for line in self._lines():
            answer = protocol.decode(line)
            yield answer
            if protocol.is_last(answer):
                return

    def last(self, do: str, keys: Mapping[str, object] | None = None) -> Answer:
        """Send a request, and return the last line of the answer, which has the result."""
        *_, answer = self.ask(do, keys)
        return answer

    def _lines(self) -> Iterator[bytes]:
        # `_patience` bounds a silence; this bounds a trickle that never ends.
        end = time.monotonic() + 6 * self._patience
        rest = b""
        while len(rest) <= protocol.LONGEST_LINE:
            *lines, rest = (rest + self._receive(end)).split(b"\n")
            yield from lines
        message = f"{escaped(self._path)} sends a line without an end, which HEAT never does"
        raise NoAnswerError(message, "name HEAT's own socket with --control PATH")

    def _receive(self, end: float) -> bytes:
        try:
            data = self._socket.recv(_PIECE)
        except TimeoutError:
            raise self._silent() from None
        except OSError as error:
            raise self._cut_off(str(error.strerror).lower()) from None
        if not data:
            raise self._cut_off("it closed the connection")
        if time.monotonic() > end:
            raise self._silent()
        return data

    def _silent(self) -> NoAnswerError:
        waited = seconds(self._patience)
        return NoAnswerError(
            f"HEAT at {escaped(self._path)} takes the request and does not answer ({waited} s)",
            "it may be stopped or starved: look at its process with 'ps', and at heat.verbose.log",
        )

    def _cut_off(self, reason: str) -> NoAnswerError:
        return NoAnswerError(
            f"HEAT at {escaped(self._path)} did not finish its answer: {reason}",
            "it may be ending, or have too many clients: try again",
        )


def connect(control: str | None, patience: float = PATIENCE) -> Client:
    """Connect to the HEAT at the path of --control, or at the default path."""
    path = control or default_control()
    if path is None:
        raise NoAnswerError(
            "heatctl does not know which HEAT to ask: XDG_RUNTIME_DIR is not set",
            "name its socket with --control PATH",
        )
    return Client(path, patience)


def _not_connected(path: str, error: OSError | ValueError) -> NoAnswerError:
    """Say why there is no connection, and what can be done."""
    reason = str(getattr(error, "strerror", None) or error).lower()
    hint = "name HEAT's socket with --control PATH"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        reason, hint = "there is no such socket", _where_else(path)
    elif isinstance(error, PermissionError):
        reason, hint = "permission denied", _whose(path)
    elif isinstance(error, ConnectionRefusedError) and not _is_socket(path):
        reason = "it is not a socket"
    elif isinstance(error, ConnectionRefusedError):
        reason = "nobody listens there any more: that HEAT has ended or was killed"
        hint = "start it again"
    elif isinstance(error, (TimeoutError, BlockingIOError)):
        reason = "it takes no more connections"
        hint = "it may be stopped or starved: look at its process with 'ps'"
    return NoAnswerError(f"no HEAT answers at {escaped(path)}: {reason}", hint)


def _where_else(path: str) -> str:
    hint = "is HEAT running? It listens with --config, or where --control says"
    if path == default_control():
        hint += "; name another socket with --control PATH"
        if path != OF_ROOT and os.path.exists(OF_ROOT):
            hint = f"root's HEAT listens at {OF_ROOT}: sudo heatctl ..."
    return hint


def _whose(path: str) -> str:
    try:
        owner = pwd.getpwuid(os.stat(path).st_uid).pw_name
    except (OSError, KeyError):
        return "ask as the user that HEAT runs as, or as root"
    if owner == "root":
        return "it is root's: sudo heatctl ..."
    return f"it is of the user {owner}: sudo -u {owner} heatctl ..., or ask as root"


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
