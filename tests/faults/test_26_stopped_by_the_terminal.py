"""Row 26: a program that asks the terminal is stopped for it, and HEAT says so."""

import os
import re
import signal
import sys
from collections.abc import Iterator

import pytest
from heat_process import Heat, orderly
from place import Place
from processes import alive, process_state, until

ON_TERMINAL = """
import fcntl, os, signal, subprocess, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.setsid()
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
background = sys.argv[2] == "background"
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
if background:
    attributes = termios.tcgetattr(int(sys.argv[1]))
    attributes[3] |= termios.TOSTOP
    termios.tcsetattr(int(sys.argv[1]), termios.TCSANOW, attributes)

def begin():
    if background:
        os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)

child = subprocess.Popen(sys.argv[3:], preexec_fn=begin)
print(child.pid, file=open("heat.pid", "w"), flush=True)
raise SystemExit(child.wait())
"""
"""Starts HEAT in a session with that terminal, as a shell does: in the foreground or not."""

ASKS = "read -r word < /dev/tty"
SETS = "stty -echo < /dev/tty"
SIGNALS = [pytest.param(ASKS, "TTIN", id="reads"), pytest.param(SETS, "TTOU", id="sets")]


class Terminal:
    """A terminal, and how to start HEAT on it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.master, self.slave = os.openpty()

    def heat(self, *words: str, where: str = "foreground", **popen: object) -> Heat:
        """A HEAT that has it as its controlling terminal."""
        os.set_inheritable(self.slave, True)
        prefix = (sys.executable, "-c", ON_TERMINAL, str(self.slave), where)
        return self._place.heat(*words, prefix=prefix, pass_fds=(self.slave,), **popen)

    def heat_pid(self) -> int:
        """The process id of HEAT itself."""
        return int(self._place.await_words("heat.pid")[0])

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(place: Place) -> Iterator[Terminal]:
    made = Terminal(place)
    yield made
    place.clean()
    made.close()


def stopped(shown: str, pid: int, name: str) -> str:
    return (
        f"{shown} (process {pid}) is stopped: it waits for the terminal (SIG{name}), "
        "which is not its own; "
    )


FIX = (
    ". Have it ask nothing (sudo -n, ssh -o BatchMode=yes), "
    "or start HEAT without a terminal (setsid)"
)


@pytest.mark.parametrize(("body", "name"), SIGNALS)
def test_a_check_that_asks_the_terminal_is_told_so_and_its_timeout_too(
    place: Place, terminal: Terminal, body: str, name: str
) -> None:
    heat = terminal.heat("-i", "0.2", "-t", "0.7", "--count", "2", "-s", place.check(0, body=body))

    assert heat.wait() == 1
    orderly(heat)
    how = "Timed out after 0.7 s (stopped: it waited for the terminal)"
    assert heat.lines() == [f"Failed: {how}, details in heat.log"] * 2
    first = int(place.words("check.ran")[0])
    message = stopped("check ./check", first, name) + "it is killed 0.7 s after its start" + FIX
    assert [line for line in heat.news() if "terminal" in line] == [message]
    assert f"> [{how}]" in heat.verbose()
    assert f"(nothing on stderr) {how}" in heat.log()


def test_a_child_that_asks_the_terminal_has_its_whole_check_stopped_and_told(
    place: Place, terminal: Terminal
) -> None:
    heat = terminal.heat(
        "-i", "1h", "-t", "0.7", "--count", "1", "-s", place.check(0, body=f"({ASKS})")
    )

    assert heat.wait() == 1
    assert "(stopped: it waited for the terminal)" in heat.lines()[0]


@pytest.mark.parametrize("role", ["fail", "recovery"])
def test_a_script_without_a_time_limit_that_asks_the_terminal_is_told(
    place: Place, terminal: Terminal, role: str
) -> None:
    script = place.script("script", f"echo $$ >> pids\n{ASKS}")
    heat = terminal.heat("-i", "1h", f"--{role}", script, "-s", place.check(1))
    heat.await_news("it waits for the terminal")
    pid = int(place.words("pids")[0])

    message = stopped(f"{role} script ./script", pid, "TTIN")
    assert f"{message}it has no time limit, and HEAT waits for it{FIX}" in heat.news()
    os.kill(terminal.heat_pid(), signal.SIGTERM)
    assert heat.wait() == 0
    assert not alive(pid)


def test_a_check_that_was_let_go_on_and_hangs_then_has_just_timed_out(place: Place) -> None:
    hangs = "kill -TTIN $$\necho on >> on\nexec sleep 600"
    heat = place.heat("-i", "1h", "-t", "3", "--count", "1", "-s", place.check(0, body=hangs))
    heat.await_news("it waits for the terminal")
    os.kill(int(place.words("check.ran")[0]), signal.SIGCONT)
    place.await_words("on")

    assert heat.wait() == 1
    assert heat.lines() == ["Failed: Timed out after 3 s, details in heat.log"]


def test_heat_in_the_background_writes_to_a_terminal_that_stops_who_does(
    place: Place, terminal: Terminal
) -> None:
    heat = terminal.heat(
        *("-i", "0.1", "-s", place.check(0)),
        where="background",
        stdout=terminal.slave,
        stderr=terminal.slave,
    )
    read = b""
    while read.count(b"OK") < 3:
        read += os.read(terminal.master, 4096)

    assert re.match(rb"\d+: OK\r\n", read)
    assert process_state(terminal.heat_pid()) in {"S", "R"}
    os.kill(terminal.heat_pid(), signal.SIGTERM)
    until(lambda: heat.process.poll() is not None, "HEAT's end")
    assert heat.wait() == 0
