"""A test's folder: its scripts, its HEATs and its targets, which end with the test."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from heat_process import Heat
from processes import until

COVERED = "COVERAGE_PROCESS_CONFIG" in os.environ
"""The tests are run to learn what of HEAT they run."""
LASTING = "echo $$ >> pids\nexec sleep 600"
STUBBORN = "trap '' TERM\necho $$ >> pids\nwhile :; do sleep 0.02; done"
"""Scripts that do not end, and tell their process ids in ``pids``."""
FIRST_AT_GATE = "[ $n -gt 0 ] || : < gate"
"""The body of a check whose first run waits at the gate of that name."""
TURN_AT_GATE = "until read -r _ < gate; do :; done"
"""Waits at the gate and passes once: the next one may come while the gate is open."""
RECEIVER = """
import signal
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
print("ready", flush=True)
while True:
    number = signal.sigwait(signal.valid_signals())
    known = number in signal.Signals.__members__.values()
    name = signal.Signals(number).name if known else f"RTMIN+{number - signal.SIGRTMIN}"
    print(name.removeprefix("SIG"), flush=True)
"""
"""Of signals that wait at once, the one with the lowest number is taken first, and only once."""


class Gate:
    """A FIFO at which a script waits, ``: < NAME``, until the gate opens."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)

    def open(self) -> None:
        """Let the script that waits, or the next one that comes, pass."""

        def opened() -> bool:
            try:
                fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                return False
            with contextlib.suppress(BrokenPipeError):  # It has gone through already.
                os.write(fd, b"\n")
            os.close(fd)
            return True

        until(opened, f"somebody at the gate {self.path.name}")


class Place:
    """A test's folder: writes scripts, starts HEATs and targets, and cleans up after all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._adopted: list[int] = []
        self._heats: list[Heat] = []
        self._inner: list[Place] = []

    def inner(self, name: str) -> "Place":
        """A folder in this one, for another HEAT that runs at the same time."""
        (self.folder / name).mkdir()
        there = Place(self.folder / name)
        self._inner.append(there)
        return there

    def script(self, name: str, body: str, interpreter: str = "/bin/sh") -> str:
        """An executable script in the folder; returns ./name."""
        path = self.folder / name
        path.write_text(f"#!{interpreter}\n{body}\n")
        path.chmod(0o755)
        return f"./{name}"

    def check(self, *codes: int, name: str = "check", body: str = "") -> str:
        """A check that exits with these codes in turn, with the last one from then on.

        Its process ids are in NAME.ran; ``body`` runs before it exits.
        """
        return self.script(
            name,
            f"""n=0
if [ -e {name}.ran ]; then while read -r _; do n=$((n + 1)); done < {name}.ran; fi
echo $$ >> {name}.ran
{body}
set -- {" ".join(map(str, codes))}
while [ $n -gt 0 ] && [ $# -gt 1 ]; do shift; n=$((n - 1)); done
exit $1""",
        )

    def words(self, name: str) -> list[str]:
        """The whole lines of a file that a script writes; none if it is not there yet."""
        path = self.folder / name
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def await_words(self, name: str, count: int = 1) -> list[str]:
        """Wait for this many lines of a file that a script writes; return all of them."""
        until(lambda: len(self.words(name)) >= count, f"{count} lines in {name}")
        return self.words(name)

    def gate(self, name: str) -> Gate:
        """A gate in the folder."""
        return Gate(self.folder / name)

    def adopt(self, pid: int) -> int:
        """Kill a process that is not our child at the end of the test; return its pid."""
        with contextlib.suppress(ProcessLookupError):
            self._adopted.append(os.pidfd_open(pid))
        return pid

    def heat(self, *words: str, prefix: Sequence[str] = (), **popen: object) -> Heat:
        """Start HEAT in the folder, by way of ``prefix`` where that is given.

        It never listens at the usual place: another test's would, or the machine's own.
        """
        if "--config" in words and "--control" not in words:
            words = ("--control", "heat.sock", *words)
        heat = Heat(self.folder, words, prefix, **popen)
        self._processes.append(heat.process)
        self._heats.append(heat)
        return heat

    def write_config(self, text: str, name: str = "heat.toml") -> None:
        """A configuration file, put in place as an editor does: whole, at once."""
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.rename(self.folder / name)

    def fleet(self, text: str, *words: str, prefix: Sequence[str] = (), **popen: object) -> Heat:
        """Start HEAT with this configuration."""
        self.write_config(text)
        return self.heat("--config", "heat.toml", *words, prefix=prefix, **popen)

    def spawn(self, command: Sequence[str], **popen: object) -> subprocess.Popen[bytes]:
        """Start another process, which is ended with the test."""
        process = subprocess.Popen(command, cwd=self.folder, **popen)  # type: ignore[call-overload]
        self._processes.append(process)
        return process  # type: ignore[no-any-return]

    def receiver(self, name: str = "received") -> "Receiver":
        """A process that writes down the signals it gets."""
        path = self.folder / name
        with path.open("wb") as out:
            process = self.spawn([sys.executable, "-I", "-S", "-c", RECEIVER], stdout=out)
        until(lambda: "ready" in path.read_text(), "the receiver")
        return Receiver(process.pid, path)

    def clean(self) -> None:
        for there in self._inner:
            there.clean()
        if COVERED:
            self._stop_heats()
        for process in self._processes:
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    # What a HEAT runs does not end with it when that is killed.
                    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
                    for child in children.read_text().split():
                        self.adopt(int(child))
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                    process.kill()
                process.wait()
        for pidfd in self._adopted:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)
        self._adopted.clear()  # Some tests clean before they give back what is below the folder.

    def _stop_heats(self) -> None:
        """End HEAT in order: only then it writes down what of it was run."""
        for heat in self._heats:
            if heat.process.poll() is None:
                heat.signal(signal.SIGCONT)
                heat.signal(signal.SIGTERM)
        for heat in self._heats:
            with contextlib.suppress(subprocess.TimeoutExpired):
                heat.process.wait(timeout=4)


class Receiver:
    """A target: its pid, and the signals that it got."""

    def __init__(self, pid: int, path: Path) -> None:
        self.pid = pid
        self.path = path

    def signals(self) -> list[str]:
        return self.path.read_text().splitlines()[1:]

    def await_signal(self, name: str, times: int = 1) -> None:
        until(lambda: self.signals().count(name) >= times, f"signal {name}")
