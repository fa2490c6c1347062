"""A program on a terminal of its own."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from types import TracebackType
from typing import Self

from processes import PATIENCE


class Terminal:
    """A program that runs on a terminal of 24 lines and 80 columns; ``text`` is what it printed."""

    def __init__(self, *words: str, **environ: str) -> None:
        self._fd, inner = pty.openpty()
        # Before it runs: it may look at once.
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = self.settings()
        command = ["setsid", "--ctty", *words]
        env = os.environ | environ
        self._process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=env)
        os.close(inner)
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._fd)

    def settings(self) -> list[object]:
        """Return the settings of the terminal."""
        return [*termios.tcgetattr(self._fd)]

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def await_text(self, pattern: str) -> str:
        """All that was printed, once that has come."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text):
            left = max(0.0, end - time.monotonic())
            assert select.select([self._fd], [], [], left)[0], f"no {pattern!r} in {self.text}"
            self.text += os.read(self._fd, 65_536).decode(errors="replace")
        return self.text

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        with contextlib.suppress(OSError):  # Nobody has the other end any more.
            while part := os.read(self._fd, 65_536):
                self.text += part.decode(errors="replace")
        return self._process.wait(PATIENCE)
