"""stdout and stderr: lines as they happen, written at the end of each turn of the loop.

No reader can hold HEAT up. HEAT drops and counts lines that nobody reads, and gives up a stream
whose reader is gone. It says so once, on the other stream, and goes on watching.
"""

import os
import select
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from heat.errors import reason_of
from heat.report.logfile import Soon

_ATOMIC = 4096
"""Bytes that a pipe which polls writable takes without blocking."""
_LONGEST = _ATOMIC - 16
"""Bytes of a line, without its end and its colour."""
_MARK = 32
"""More bytes than the mark of a cut has."""
_PTMX = os.makedev(5, 2)
"""The device that gives another terminal each time it is opened."""


class Stream:
    """One of the two; calls ``report``, once, when it cannot be written."""

    def __init__(self, fd: int, name: str, report: Callable[[str], None], soon: Soon) -> None:
        self._way = _way(fd)
        self._soon = soon
        self._name = name
        self._report = report
        self._dropped = 0
        self._trouble = ""
        self._closed = False
        self._lines: list[bytes] = []
        self._rest = b""
        """The rest of a line that was begun: HEAT ends it before it writes another one."""
        self.colour = (
            os.isatty(fd) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def line(self, text: str, colour: str = "") -> None:
        """Write one line at the end of the turn; ``colour`` is for terminals."""
        if not self._closed:
            data = _cut(text.encode("utf-8", "backslashreplace"))
            if colour and self.colour:
                data = _painted(data, colour.encode())
            if not self._lines:
                self._soon(self.flush)
            self._lines.append(data + self._way.line_end)

    def flush(self) -> None:
        """Write the lines since the last call, or drop them."""
        lines, self._lines = self._lines, []
        if len(lines) == 1 or (self._rest and not lines):
            self._write(lines)
        else:
            for chunk in _chunks(lines):
                self._write(chunk)

    def _write(self, lines: Sequence[bytes]) -> None:
        if self._closed:
            return
        whole = left = self._rest + b"".join(lines)
        try:
            while left:
                left = left[self._way.write(left) :]
        except BlockingIOError:
            self._drop(whole, left, "nobody reads it")
        except (BrokenPipeError, ConnectionResetError):
            self._closed = True
            self._report(f"{self._name} was closed by its reader; HEAT goes on without it")
        except OSError as error:
            self._drop(whole, left, reason_of(error))
        else:
            self._rest = b""
            self._whole_again()

    def _drop(self, whole: bytes, left: bytes, why: str) -> None:
        """Keep the rest of a line that was begun, and drop the lines after it."""
        end, at, stop = self._way.line_end, len(whole) - len(left), len(self._rest)
        if at > stop:  # It may have been cut within its end.
            stop = whole.index(end, max(stop, at - len(end))) + len(end)
        self._rest = whole[at:stop]
        self._dropped += whole.count(end, stop)
        if not self._trouble:
            self._trouble = why
            self._report(f"cannot write to {self._name}: {why}; its lines are dropped until it can")

    def _whole_again(self) -> None:
        if self._trouble:
            dropped, self._dropped, self._trouble = self._dropped, 0, ""
            self._report(f"{self._name} can be written again; {dropped} of its lines were dropped")

    def close(self) -> None:
        """Close what it opened; the descriptor itself stays open."""
        self._closed = True
        self._way.close()


class Way:
    """A way to write to a descriptor that never waits for its reader.

    ``write`` writes as much as fits, and returns the number of bytes. Raises OSError.
    """

    __slots__ = ("close", "line_end", "write")

    def __init__(
        self,
        write: Callable[[bytes], int],
        close: Callable[[], object],
        line_end: bytes = b"\n",
    ) -> None:
        self.write = write
        self.close = close
        self.line_end = line_end


def _way(fd: int) -> Way:
    about = os.fstat(fd)
    if stat.S_ISREG(about.st_mode):
        return Way(partial(os.write, fd), _nothing)
    if stat.S_ISSOCK(about.st_mode):
        return _way_of_socket(fd)
    terminal = os.isatty(fd)
    if stat.S_ISFIFO(about.st_mode) or (terminal and about.st_rdev != _PTMX):
        # A terminal that polls writable may still take less than a line. O_NONBLOCK on ``fd``
        # itself would change it for the shell as well.
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            own = os.open(f"/proc/self/fd/{fd}", flags)
        except OSError:
            pass  # It may be another user's.
        else:
            return Way(partial(os.write, own), partial(os.close, own))
    # A terminal takes at least one byte. It makes two of a line feed, but not of a VT.
    most, line_end = (1, b"\r\v") if terminal else (_ATOMIC, b"\n")
    poll = select.poll()
    poll.register(fd, select.POLLOUT)

    def write(data: bytes) -> int:
        if not poll.poll(0):
            raise BlockingIOError
        return os.write(fd, data[:most])

    return Way(write, _nothing, line_end)


def _way_of_socket(fd: int) -> Way:
    import socket

    there = socket.socket(fileno=os.dup(fd))

    def write(data: bytes) -> int:
        return there.send(data, socket.MSG_DONTWAIT)

    return Way(write, there.close)


def _nothing() -> None:
    """Do nothing: there is nothing to close."""


def _chunks(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield whole lines, as many at a time as a pipe takes."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > _ATOMIC:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield chunk


class Console:
    """The lines that HEAT prints: the result of each check on stdout, everything else on stderr.

    Lines for the ``journal`` begin with a priority instead of the time, which journald knows.
    """

    def __init__(
        self,
        unix: Callable[[], float],
        recorded: Callable[[str], None],
        soon: Soon,
        *,
        journal: bool = False,
    ) -> None:
        self._unix = unix
        self._recorded = recorded
        self._journal = journal
        self._out = Stream(1, "stdout", self.trouble, soon)
        self._err = Stream(2, "stderr", recorded, soon)

    def result(self, text: str, colour: str = "", at: int | None = None) -> None:
        """Print one line on stdout; ``colour`` is for the part after the time, on a terminal.

        ``at`` is that time, None for a line that contains its own.
        """
        if at is None:
            self._out.line(text)
        elif self._journal:
            self._out.line(f"<{_OF_RESULTS[colour]}>{text}")
        else:
            self._out.line(f"{at}: {text}", colour)

    def news(self, text: str, colour: str = "") -> None:
        """Print one line on stderr, with the time in front."""
        if self._journal:
            self._err.line(f"<{_OF_NEWS[colour]}>{text}")
        else:
            self._err.line(f"{int(self._unix())}: {text}", colour)

    def close(self) -> None:
        """Write the lines that are left, and close the streams."""
        self._out.flush()
        self._err.flush()
        self._out.close()
        self._err.close()

    def trouble(self, text: str) -> None:
        """Report a fault of HEAT's surroundings, on stderr and on record."""
        self.news(f"heat: {text}", RED)
        self._recorded(text)


GREEN, YELLOW, RED, BLUE = "32", "33", "31", "34"

_ERROR, _WARNING, _NOTICE, _INFO = 3, 4, 5, 6
"""Priorities of sd-daemon(3)."""
_OF_RESULTS = {GREEN: _INFO, YELLOW: _WARNING, RED: _WARNING}
"""The priorities of results: a failed check is not an error of HEAT."""
_OF_NEWS = {"": _INFO, GREEN: _NOTICE, BLUE: _NOTICE, YELLOW: _WARNING, RED: _ERROR}


def for_journal(text: str) -> str:
    """Return an error for journald: each line with its priority."""
    return "".join(f"<{_ERROR}>{line}\n" for line in text.splitlines() if line)


def _painted(line: bytes, colour: bytes) -> bytes:
    time, _, rest = line.partition(b": ")
    return b"%b: \x1b[%bm%b\x1b[0m" % (time, colour, rest)


def _cut(line: bytes) -> bytes:
    """Return the line, or the beginning of a long one and a mark with the number of bytes cut."""
    if len(line) <= _LONGEST:
        return line
    start = line[: _LONGEST - _MARK].decode("utf-8", "ignore").encode()
    return b"%b [%d bytes cut here]" % (start, len(line) - len(start))
