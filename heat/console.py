"""stdout and stderr: lines as they happen, a turn of the loop at a time.

No reader can hold HEAT up: a line is dropped, and counted, when it is not read; a stream
whose reader is gone is given up. Both are said once on the other stream, and the watching
goes on.
"""

import os
import select
import stat
from collections.abc import Callable, Iterator, Sequence

_ATOMIC = 4096
"""A pipe that polls writable takes this much without blocking."""


class Stream:
    """One of the two; ``said`` is told, once, what is wrong with it."""

    def __init__(self, fd: int, name: str, said: Callable[[str], None]) -> None:
        self._fd = fd
        self._name = name
        self._said = said
        self._poll: select.poll | None = None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            self._poll = select.poll()
            self._poll.register(fd, select.POLLOUT)
        self._dropped = 0
        self._trouble = ""
        self._closed = False
        self._lines: list[bytes] = []
        self.colour = (
            os.isatty(fd) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )

    def line(self, text: str) -> None:
        """Have one line written at the next ``flush``."""
        if not self._closed:
            self._lines.append(text.encode("utf-8", "backslashreplace")[: _ATOMIC - 1] + b"\n")

    def flush(self) -> None:
        """Write the lines that came since the last time, or drop them."""
        while self._lines:
            lines, self._lines = self._lines, []
            for some in _chunks(lines):
                self._write(some)

    def _write(self, lines: Sequence[bytes]) -> None:
        if self._closed:
            return
        try:
            if self._poll is not None and not self._poll.poll(0):
                self._drop(len(lines), "nobody reads it")
                return
            os.write(self._fd, b"".join(lines))
        except BlockingIOError:
            self._drop(len(lines), "nobody reads it")
        except BrokenPipeError:
            self._closed = True
            self._said(f"{self._name} was closed by its reader; HEAT goes on without it")
        except OSError as error:
            self._drop(len(lines), str(error.strerror).lower())
        else:
            self._whole_again()

    def _drop(self, lines: int, why: str) -> None:
        self._dropped += lines
        if not self._trouble:
            self._trouble = why
            self._said(f"cannot write to {self._name}: {why}; its lines are dropped until it can")

    def _whole_again(self) -> None:
        if self._trouble:
            dropped, self._dropped, self._trouble = self._dropped, 0, ""
            self._said(f"{self._name} can be written again; {dropped} of its lines were dropped")


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
    """What HEAT prints: a result a check on stdout, all the rest on stderr."""

    def __init__(self, unix: Callable[[], float], recorded: Callable[[str], None]) -> None:
        self._unix = unix
        self._recorded = recorded
        self._out = Stream(1, "stdout", self.trouble)
        self._err = Stream(2, "stderr", recorded)

    def result(self, text: str, colour: str = "") -> None:
        """One line on stdout; ``colour`` is for the part behind the time, on a terminal."""
        self._out.line(_painted(text, colour) if self._out.colour else text)

    def news(self, text: str, colour: str = "") -> None:
        """One line on stderr, with the time in front."""
        line = f"{int(self._unix())}: {text}"
        self._err.line(_painted(line, colour) if self._err.colour else line)

    def flush(self) -> None:
        """Write what was printed in this turn of the loop."""
        self._out.flush()
        self._err.flush()

    def trouble(self, text: str) -> None:
        """A fault of HEAT's surroundings: on stderr, and on record."""
        self.news(f"heat: {text}", RED)
        self._recorded(text)


GREEN, YELLOW, RED, BLUE = "32", "33", "31", "34"


def _painted(text: str, colour: str) -> str:
    if not colour:
        return text
    time, _, rest = text.partition(": ")
    return f"{time}: \x1b[{colour}m{rest}\x1b[0m"
