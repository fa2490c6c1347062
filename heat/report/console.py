"""stdout and stderr: lines as they happen, a turn of the loop at a time.

No reader can hold HEAT up: a line is dropped, and counted, when it is not read; a stream
whose reader is gone is given up. Both are said once on the other stream, and the watching
goes on.
"""

import os
import select
import stat
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from heat.errors import reason_of
from heat.report.logfile import Soon

_ATOMIC = 4096
"""A pipe that polls writable takes this much without blocking."""
_LONGEST = _ATOMIC - 16
"""Bytes of a line, without its end and what paints it."""
_MARK = 32
"""More than the mark of a cut is long."""
_PTMX = os.makedev(5, 2)
"""Whoever opens it gets another terminal each time."""


class Stream:
    """One of the two; ``said`` is told, once, what is wrong with it."""

    def __init__(self, fd: int, name: str, said: Callable[[str], None], soon: Soon) -> None:
        self._way = _way(fd)
        self._soon = soon
        self._name = name
        self._said = said
        self._dropped = 0
        self._trouble = ""
        self._closed = False
        self._lines: list[bytes] = []
        self._rest = b""
        """Of a line that was begun: it is ended before another one is written."""
        self.colour = (
            os.isatty(fd) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def line(self, text: str, colour: str = "") -> None:
        """Have one line written at the end of the turn; ``colour`` is for terminals."""
        if not self._closed:
            data = _cut(text.encode("utf-8", "backslashreplace"))
            if colour and self.colour:
                data = _painted(data, colour.encode())
            if not self._lines:
                self._soon(self.flush)
            self._lines.append(data + self._way.line_end)

    def flush(self) -> None:
        """Write the lines that came since the last time, or drop them."""
        lines, self._lines = self._lines, []
        if len(lines) == 1 or (self._rest and not lines):
            self._write(lines)
        else:
            for some in _chunks(lines):
                self._write(some)

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
            self._said(f"{self._name} was closed by its reader; HEAT goes on without it")
        except OSError as error:
            self._drop(whole, left, reason_of(error))
        else:
            self._rest = b""
            self._whole_again()

    def _drop(self, whole: bytes, left: bytes, why: str) -> None:
        """Keep the rest of a line that was begun, and drop those that come after it."""
        end, at, stop = self._way.line_end, len(whole) - len(left), len(self._rest)
        if at > stop:  # It may have been cut within its end.
            stop = whole.index(end, max(stop, at - len(end))) + len(end)
        self._rest = whole[at:stop]
        self._dropped += whole.count(end, stop)
        if not self._trouble:
            self._trouble = why
            self._said(f"cannot write to {self._name}: {why}; its lines are dropped until it can")

    def _whole_again(self) -> None:
        if self._trouble:
            dropped, self._dropped, self._trouble = self._dropped, 0, ""
            self._said(f"{self._name} can be written again; {dropped} of its lines were dropped")

    def close(self) -> None:
        """Give back what it took; the descriptor itself stays open."""
        self._closed = True
        self._way.close()


class Way:
    """How to write to a descriptor and never wait for who reads it.

    ``write`` writes what is taken at once, and returns how many bytes. Raises OSError.
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
        # That a terminal polls writable tells nothing of how much it takes; and O_NONBLOCK
        # on ``fd`` itself would be the shell's as well.
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            anew = os.open(f"/proc/self/fd/{fd}", flags)
        except OSError:
            pass  # It may be another user's.
        else:
            return Way(partial(os.write, anew), partial(os.close, anew))
    # One byte is what a terminal is sure to take; it makes two of a line feed, but not of VT.
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
    """Nothing was opened."""


def _chunks(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Whole lines, as many at a time as a pipe takes."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > _ATOMIC:
            yield some
            some, size = [], 0
        some.append(line)
        size += len(line)
    if some:
        yield some


class Console:
    """The lines that HEAT prints: a result a check on stdout, all the rest on stderr.

    For the ``journal`` a priority stands in front, and not the time, which journald knows.
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
        """One line on stdout; ``colour`` is for the part behind the time, on a terminal.

        ``at`` is that time, None for a line that has its own within.
        """
        if at is None:
            self._out.line(text)
        elif self._journal:
            self._out.line(f"<{_OF_RESULTS[colour]}>{text}")
        else:
            self._out.line(f"{at}: {text}", colour)

    def news(self, text: str, colour: str = "") -> None:
        """One line on stderr, with the time in front."""
        if self._journal:
            self._err.line(f"<{_OF_NEWS[colour]}>{text}")
        else:
            self._err.line(f"{int(self._unix())}: {text}", colour)

    def close(self) -> None:
        """Write what is left, and give back what was taken for it."""
        self._out.flush()
        self._err.flush()
        self._out.close()
        self._err.close()

    def trouble(self, text: str) -> None:
        """A fault of HEAT's surroundings: on stderr, and on record."""
        self.news(f"heat: {text}", RED)
        self._recorded(text)


GREEN, YELLOW, RED, BLUE = "32", "33", "31", "34"

_ERROR, _WARNING, _NOTICE, _INFO = 3, 4, 5, 6
"""Priorities of sd-daemon(3)."""
_OF_RESULTS = {GREEN: _INFO, YELLOW: _WARNING, RED: _WARNING}
"""A failed check is no error of HEAT's."""
_OF_NEWS = {"": _INFO, GREEN: _NOTICE, BLUE: _NOTICE, YELLOW: _WARNING, RED: _ERROR}


def for_journal(text: str) -> str:
    """The reasons not to start, as journald takes them: each line with its priority."""
    return "".join(f"<{_ERROR}>{line}\n" for line in text.splitlines() if line)


def _painted(line: bytes, colour: bytes) -> bytes:
    time, _, rest = line.partition(b": ")
    return b"%b: \x1b[%bm%b\x1b[0m" % (time, colour, rest)


def _cut(line: bytes) -> bytes:
    """A line that is not too long, or its beginning and a mark that counts what is gone."""
    if len(line) <= _LONGEST:
        return line
    kept = line[: _LONGEST - _MARK].decode("utf-8", "ignore").encode()
    return b"%b [%d bytes cut here]" % (kept, len(line) - len(kept))
