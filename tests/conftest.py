"""What real-process tests share: scripts, a target that tells its signals, HEAT itself."""

import contextlib
import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

# Without compiled modules each HEAT takes twice as long to start, and each worker reads all tests
# again.
sys.dont_write_bytecode = False

from hypothesis import settings  # noqa: E402 - it is compiled, too

pytest_plugins = ("hermetic", "skips")

# An example that takes long is taken on a busy machine, and is no mistake.
settings.register_profile("heat", deadline=None)
settings.load_profile("heat")

# As root, HEAT refuses what a group may write to: with a umask of 002, every file here.
os.umask(0o022)

PATIENCE = 30.0
"""Seconds after which an event that has to come is taken as missing; no test waits for it."""

COVERED = "COVERAGE_PROCESS_CONFIG" in os.environ
"""The tests are run to learn what of HEAT they run."""

SHARING = {"test_server", "test_serve", "test_serve_hostile", "test_serve_http", "test_wheel"}
"""The tests of these files share a HEAT, a server or a wheel, which takes long to make."""

FAST = "0.05"
DETAILS = "details in heat.log"
FAILED = f"Failed: Exit Code 1, {DETAILS}"

LASTING = "echo $$ >> pids\nexec sleep 600"
STUBBORN = "trap '' TERM\necho $$ >> pids\nwhile :; do sleep 0.02; done"
"""Scripts that do not end, and tell their process ids in ``pids``."""
FIRST_AT_GATE = "[ $n -gt 0 ] || : < gate"
"""The body of a check whose first run waits at the gate of that name."""

NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
"""What runs a program as another user."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def nobody_runs_heat() -> bool:
    """HEAT can be run as nobody."""
    words = [*NOBODY, sys.executable, "-c", "import heat"]
    return subprocess.run(words, check=False).returncode == 0


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


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for an event that cannot wake us: a file that another process writes."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.002)


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    return process_state(pid) not in {"", "Z", "X"}


def process_state(pid: int) -> str:
    """The letter of a process's state in /proc; empty if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    return stat.rpartition(b")")[2].split()[0].decode()


@contextlib.contextmanager
def descriptors_left(count: int) -> Generator[None]:
    """Let this process open so many more descriptors, and no further one."""
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(count + 1)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for fd in taken:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[-1], hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Nobody:
    """Whose calls nobody expects to crash."""

    def crashed(self, error: Exception) -> None:
        raise error


TURN_AT_GATE = "until read -r _ < gate; do :; done"
"""Waits to be let through, and is so alone: the next one may come while the gate is open."""


class Gate:
    """A FIFO at which a script waits, ``: < NAME``, until it is let through."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)

    def open(self) -> None:
        """Let through who waits, or the next one who comes."""

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

        def told() -> list[str]:
            # Not what is said of an outage as it happens.
            return [line for line in self.news() if re.match("heat: .* in a row", line)]

        before = len(told())
        self.signal(signal.SIGUSR1)
        until(lambda: len(told()) > before, "the status line")
        return told()[-1]

    def skipped(self) -> int:
        """How many ticks it has skipped."""
        found = re.search(r"(\d+) ticks? skipped", self.status())
        return int(found[1]) if found else 0

    def reload(self, told: str) -> str:
        """Have it read its configuration again; its line that says how that went."""
        before = self.err.read_text().count("was read again")
        self.signal(signal.SIGHUP)
        self.await_news("was read again", before + 1)
        line = [line for line in self.news() if "was read again" in line][-1]
        assert told in line, line
        return line

    def wait(self) -> int:
        """Wait for its exit status; -9 and the like for a signal."""
        return int(self.process.wait(timeout=PATIENCE))

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()


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
        """The lines of a file that a script writes, once there are so many."""
        until(lambda: len(self.words(name)) >= count, f"{count} lines in {name}")
        return self.words(name)

    def gate(self, name: str) -> Gate:
        """A gate in the folder."""
        return Gate(self.folder / name)

    def adopt(self, pid: int) -> int:
        """Have a process ended with the test that is no child of ours; returns its pid."""
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
        """What of HEAT was run is known at its own end alone."""
        for heat in self._heats:
            if heat.process.poll() is None:
                heat.signal(signal.SIGCONT)
                heat.signal(signal.SIGTERM)
        for heat in self._heats:
            with contextlib.suppress(subprocess.TimeoutExpired):
                heat.process.wait(timeout=4)


def orderly(heat: Heat) -> None:
    """Nothing that HEAT has not provided for came to light."""
    told = heat.err.read_text() + heat.verbose()
    assert "Traceback" not in told
    assert "a bug of HEAT" not in told


def records(text: str) -> list[tuple[str, str, list[str]]]:
    """Type, program and lines of each record; fails on anything that is no whole record."""
    found: list[tuple[str, str, list[str]]] = []
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("> "):
            found[-1][2].append(line[2:])
        else:
            head = re.fullmatch(r"\d{10,} : (INFO|FAIL|ERR) : (.+) :", line)
            assert head is not None, line
            found.append((head[1], head[2], []))
    assert all(lines for _, _, lines in found)
    return found


class Receiver:
    """A target: its pid, and the signals that it got."""

    def __init__(self, pid: int, path: Path) -> None:
        self.pid = pid
        self.path = path

    def signals(self) -> list[str]:
        return self.path.read_text().splitlines()[1:]

    def await_signal(self, name: str, times: int = 1) -> None:
        until(lambda: self.signals().count(name) >= times, f"signal {name}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Of ``-n auto``: tests wait for processes half of their time, so two for each core."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 2 * len(os.sched_getaffinity(0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of ``-n``: tests that share a server are run by one worker, all others by any."""
    if config.getoption("dist") != "load":
        return None
    scheduler: Any = import_module("xdist.scheduler")

    class Sharing(scheduler.LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if Path(file).stem in SHARING else nodeid

    return Sharing(config, log)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder to run HEAT in."""
    there = Place(tmp_path)
    try:
        yield there
    finally:
        there.clean()
