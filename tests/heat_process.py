"""A HEAT that runs in a process of its own, and what it has written."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from processes import PATIENCE, until

FAST = "0.05"
DETAILS = "details in heat.log"
FAILED = f"Failed: Exit Code 1, {DETAILS}"


class Heat:
    """One HEAT process in a folder of its own; its lines are read as they come."""

    def __init__(
        self, folder: Path, words: Sequence[str], prefix: Sequence[str] = (), **popen: object
    ) -> None:
        self.folder = folder
        self.out = folder / "stdout"
        self.err = folder / "stderr"
        with self.out.open("ab") as out, self.err.open("ab") as err:
            streams: dict[str, object] = {"stdout": out, "stderr": err}
            streams.update(popen)
            command = [*prefix, sys.executable, "-m", "heat", *words]
            self.process = subprocess.Popen(command, cwd=folder, **streams)  # type: ignore[call-overload]

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def lines(self) -> list[str]:
        """The lines of stdout so far, without the time in front."""
        return [line.partition(": ")[2] for line in self.out.read_text().splitlines()]

    def objects(self) -> list[dict[str, Any]]:
        """The objects that ``--json`` has printed so far."""
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def news(self) -> list[str]:
        """The lines of stderr so far, without the time in front."""
        return [line.partition(": ")[2] for line in self.err.read_text().splitlines()]

    def log(self, name: str = "heat.log") -> str:
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return ""

    def verbose(self) -> str:
        return self.log("heat.verbose.log")

    def await_line(self, text: str, times: int = 1) -> None:
        until(lambda: self.out.read_text().count(text) >= times, f"{text!r} on stdout")

    def await_news(self, text: str, times: int = 1) -> None:
        until(
            lambda: self.err.read_text().count(text) >= times,
            f"{text!r} on stderr, which is {self.err.read_text()!r}",
        )

    def await_file(self, name: str, text: str = "") -> None:
        until(
            lambda: text in self.log(name) and (self.folder / name).exists(), f"{text!r} in {name}"
        )

    def signal(self, signum: int) -> None:
        self.process.send_signal(signum)

    def status(self) -> str:
        """The status line that SIGUSR1 asks for."""

        def lines() -> list[str]:
            # Not those of an outage as it happens.
            return [line for line in self.news() if re.match("heat: .* in a row", line)]

        before = len(lines())
        self.signal(signal.SIGUSR1)
        until(lambda: len(lines()) > before, "the status line")
        return lines()[-1]

    def skipped(self) -> int:
        """Return the number of ticks that it has skipped."""
        number = re.search(r"(\d+) ticks? skipped", self.status())
        return int(number[1]) if number else 0

    def reload(self, result: str) -> str:
        """Have it read its configuration again; return its line about the result."""
        before = self.err.read_text().count("was read again")
        self.signal(signal.SIGHUP)
        self.await_news("was read again", before + 1)
        line = [line for line in self.news() if "was read again" in line][-1]
        assert result in line, line
        return line

    def wait(self) -> int:
        """Wait for its exit status; -9 and the like for a signal."""
        return int(self.process.wait(timeout=PATIENCE))

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()


def orderly(heat: Heat) -> None:
    """Hold that HEAT met nothing that it has not provided for."""
    output = heat.err.read_text() + heat.verbose()
    assert "Traceback" not in output
    assert "a bug of HEAT" not in output


def records(text: str) -> list[tuple[str, str, list[str]]]:
    """Return type, program and lines of each record; fail on anything but whole records."""
    written: list[tuple[str, str, list[str]]] = []
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("> "):
            written[-1][2].append(line[2:])
        else:
            head = re.fullmatch(r"\d{10,} : (INFO|FAIL|ERR) : (.+) :", line)
            assert head is not None, line
            written.append((head[1], head[2], []))
    assert all(lines for _, _, lines in written)
    return written


def open_files(heat: Heat) -> int:
    """Count the descriptors that HEAT holds between two checks: the fewest of many looks."""
    return min(len(os.listdir(f"/proc/{heat.pid}/fd")) for _ in range(200))


def memory(heat: Heat, key: str) -> int:
    """Return a line of its /proc/PID/status, in KiB."""
    line = re.search(rf"(?m)^{key}:\s+(\d+) kB", Path(f"/proc/{heat.pid}/status").read_text())
    assert line is not None
    return int(line[1])


def without_times(text: str) -> str:
    """The same with T for the unix second that begins a line."""
    return re.sub(r"(?m)^\d{10,}(?=:| :)", "T", text)


def without_pids(text: str) -> str:
    """The same with P for each process id that HEAT tells."""
    return re.sub(r"process \d+", "process P", without_times(text))


def hints(text: str) -> dict[str, str]:
    """The HEAT_ variables of a script that printed its environment."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, _, value in pairs if key.startswith("HEAT_")}
