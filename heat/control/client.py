"""The client's end of the control socket: blocking, with time limits and bounded answers."""

import contextlib
import os
import pwd
import socket
import stat
import time
from collections.abc import Generator, Iterator, Mapping
from types import TracebackType
from typing import Self

from heat.control import codec
from heat.control.paths import OF_ROOT, default_control, short
from heat.ctl.errors import CtlError, NoAnswerError
from heat.diagnostics import Diagnostic
from heat.text import escaped, seconds

PATIENCE = 10.0
"""Seconds without a byte after which HEAT is taken not to answer."""
_PART = 262_144


class Client:
    """One connection to HEAT. Raises NoAnswerError where none answers."""

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
        """Hang up."""
        self._socket.close()

    def ask(
        self, do: str, keys: Mapping[str, object] | None = None
    ) -> Generator[codec.Answer, None, None]:
        """Send a request; the lines of the answer as they come, the last one included.

        Raises NoAnswerError, and RefusedError where HEAT does not do it.
        """
        line = codec.request(do, **(keys or {}))
        # Who closes at once may have said why: that is read before the failure is told.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(line, socket.MSG_NOSIGNAL)
        for part in self._lines():
            said = codec.answer(part)
            yield said
            if codec.last(said):
                return

    def last(self, do: str, keys: Mapping[str, object] | None = None) -> codec.Answer:
        """Send a request; the last line of the answer, which carries the result."""
        said: codec.Answer = {}
        for each in self.ask(do, keys):
            said = each
        return said

    def _lines(self) -> Iterator[bytes]:
        # The patience is for silence; this is for a trickle that never ends.
        end = time.monotonic() + 6 * self._patience
        rest = b""
        while len(rest) <= codec.LONGEST_LINE:
            *whole, rest = (rest + self._receive(end)).split(b"\n")
            yield from whole
        told = f"Failed: {self._shown()} sends a line without an end, which is no answer of HEAT's"
        raise NoAnswerError(Diagnostic(told, "name HEAT's own socket with --control PATH"))

    def _receive(self, end: float) -> bytes:
        try:
            part = self._socket.recv(_PART)
        except TimeoutError:
            raise self._silent() from None
        except OSError as error:
            raise self._cut_off(str(error.strerror).lower()) from None
        if not part:
            raise self._cut_off("it closed the connection")
        if time.monotonic() > end:
            raise self._silent()
        return part

    def _shown(self) -> str:
        return escaped(self._path)

    def _silent(self) -> NoAnswerError:
        waited = seconds(self._patience)
        told = f"Failed: HEAT at {self._shown()} takes the request and does not answer ({waited} s)"
        hint = (
            "it may be stopped or starved: look at its process with 'ps', and at heat.verbose.log"
        )
        return NoAnswerError(Diagnostic(told, hint))

    def _cut_off(self, why: str) -> NoAnswerError:
        told = f"Failed: HEAT at {self._shown()} has not answered to the end: {why}"
        return NoAnswerError(
            Diagnostic(told, "it may be ending, or have too many clients: try again")
        )


def connect(control: str | None, patience: float = PATIENCE) -> Client:
    """The HEAT at the path of --control, or where HEAT listens by default."""
    path = control or default_control()
    if path is None:
        told = "Failed: heatctl does not know which HEAT to ask: XDG_RUNTIME_DIR is not set"
        raise NoAnswerError(Diagnostic(told, "name its socket with --control PATH"))
    return Client(path, patience)


def _not_connected(path: str, error: OSError | ValueError) -> CtlError:
    """Why there is no connection, and what can be done."""
    shown = escaped(path)
    told = f"Failed: no HEAT answers at {shown}"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return NoAnswerError(Diagnostic(f"{told}: there is no such socket", _where_else(path)))
    if isinstance(error, PermissionError):
        return NoAnswerError(Diagnostic(f"{told}: permission denied", _whose(path)))
    if isinstance(error, ConnectionRefusedError):
        if not _is_socket(path):
            hint = "name HEAT's socket with --control PATH"
            return NoAnswerError(Diagnostic(f"{told}: it is no socket", hint))
        why = "nobody listens there any more: that HEAT has ended or was killed"
        return NoAnswerError(Diagnostic(f"{told}: {why}", "start it again"))
    if isinstance(error, (TimeoutError, BlockingIOError)):
        hint = "it may be stopped or starved: look at its process with 'ps'"
        return NoAnswerError(Diagnostic(f"{told}: it takes no more connections", hint))
    why = str(getattr(error, "strerror", None) or error).lower()
    return NoAnswerError(Diagnostic(f"{told}: {why}", "name HEAT's socket with --control PATH"))


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
