"""HEAT killed again and again while it works: is everything as it was before?

    python -m tests.kills --seed 7 --kills 500

HEAT watches one service, whose results a seed decides. For each recovery its target is stopped,
and continued after it; the fail and the recovery script record that they run. SIGKILL ends HEAT at
random moments, most of them just after it has written something; with strace, some are in the
middle of a crucial system call. HEAT is started again. Seen from outside,

- HEAT goes on in the state, and with the count, that its file had when it was killed;
- each change of state in the file begins where the one before it ended;
- no two scripts run at once, not even of two HEATs, and HEAT knows the one that runs;
- HEAT knows a target that is stopped, and continues it in the end;
- the file is whole, and a pause is still a pause.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from heat.store.snapshot import decode
from states.monitor.snapshot import Snapshot

PATIENCE = 30.0
MONITOR = "web"
TURNS = 500

CHECK = f"""read -r n < turn
n=$(( (n + 1) % {TURNS} ))
echo $n > turn
[ ! -e bad/$n ]"""

BEGIN = """(set -C; : > running) 2>&- || echo "$0 with $(cat running)" >> two
echo "$0 $$" > running
echo "$0" >> began"""
END = """rm running
echo "$0" >> ended"""

TAKES = "sleep $(( $$ % 4 / 3 )).0$(( $$ % 8 ))1"
"""One time in four longer than a restart."""

SCRIPTS = {
    "check": CHECK,
    "fail": f"{BEGIN}\n{END}",
    "recover": f"{BEGIN}\n{TAKES}\n[ $(( $$ % 2 )) = 0 ] || exec ./other\n{END}",
    "other": f"sleep 0.02\nset -- ./recover\n{END.replace('$0', '$1')}",
}

CONFIG = """
[monitor.web]
script = "./check"
interval = 0.02
threshold = 2
recovery-timeout = 0.05
fail = "./fail"
recovery = "./recover"
recovery-backoff = 0.03
recovery-backoff-max = 0.06
pid = {}
signal = "none"
fault-signal = "STOP"
success-signal = "CONT"
"""


STRACE = shutil.which("strace")
CALLS = {"pwrite64": 150, "pidfd_open": 50, "pidfd_send_signal": 6}
"""HEAT writes, has started a program, signals its target; how often until it is restarted."""


class Last(NamedTuple):
    """The content of the file when HEAT was killed."""

    state: str
    failures: int
    paused: bool
    frozen: bool
    stage: str
    scripts: tuple[str, ...]
    """Those that may run."""


class BrokenError(Exception):
    """A property of HEAT does not hold."""


def must(holds: object, what: str) -> None:
    """Hold."""
    if not holds:
        raise BrokenError(what)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE
    while not holds():
        must(time.monotonic() < end, f"never came: {what}")
        time.sleep(0.001)


class Ground:
    """A folder with all that HEAT needs to be killed in, and the target."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)  # noqa: S311 - to be the same each time
        self.moments: Counter[str] = Counter()
        for name, body in SCRIPTS.items():
            (folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (folder / name).chmod(0o755)
        (folder / "turn").write_text("0\n")
        (folder / "bad").mkdir()
        turn = 0
        while turn < TURNS:
            turn += self.chance.randrange(1, 6)
            for _ in range(self.chance.choice((1, 2, 3, 8))):
                (folder / f"bad/{turn}").touch()
                turn += 1
        self.target = subprocess.Popen(["sleep", "1000000"])
        (folder / "heat.toml").write_text(CONFIG.format(self.target.pid))
        self.heat: subprocess.Popen[bytes] | None = None
        self.doomed = False

    # HEAT

    def start(self, *, doomed: bool = False) -> None:
        """Start HEAT, and wait until it answers; if it is doomed it may be killed by then."""
        words = (sys.executable, "-m", "heat", "--config", "heat.toml", "--control", "heat.sock")
        with (self.folder / "stderr").open("wb") as err:
            self.heat = subprocess.Popen(
                [*(self._doom() if doomed else ()), *words],
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=err,
            )
        self.doomed = doomed
        until(self._answers, "an answer")

    def _doom(self) -> list[str]:
        """Return the words of an strace that kills HEAT at a system call."""
        call, most = self.chance.choice(list(CALLS.items()))
        kill = f"inject={call}:signal=KILL:when={self.chance.randrange(1, most)}"
        return [STRACE or "", "-D", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", kill]

    def dead(self) -> bool:
        """It was killed, by a system call."""
        return self.heat is None or (self.doomed and self.heat.poll() == -signal.SIGKILL)

    def _answers(self) -> bool:
        if self.dead():
            return True
        must(self.heat is not None and self.heat.poll() is None, f"HEAT ended: {self.errors()}")
        with suppress(OSError):
            self.ask("hello")
            return True
        return False

    def errors(self) -> str:
        """Return the troubles that HEAT has printed."""
        return (self.folder / "stderr").read_text()

    def ask(self, do: str, **more: object) -> dict[str, Any]:
        """The last line of the answer."""
        with socket.socket(socket.AF_UNIX) as there, suppress(BrokenPipeError):
            there.settimeout(PATIENCE)
            there.connect(str(self.folder / "heat.sock"))
            there.sendall(json.dumps({"heat": 1, "do": do, **more}).encode() + b"\n")
            there.shutdown(socket.SHUT_WR)
            with there.makefile("rb") as answer:
                line: dict[str, Any] = json.loads(answer.readlines()[-1])
                return line
        raise ConnectionError

    def kill(self) -> None:
        """Kill it, now."""
        heat = self.heat
        if heat is not None and not self.dead():
            must(heat.poll() is None, f"HEAT ended: {self.errors()}")
            heat.kill()
            heat.wait()

    # Looking

    def stopped(self) -> bool:
        """The target is stopped."""
        stat = Path(f"/proc/{self.target.pid}/stat").read_bytes()
        return stat.rpartition(b")")[2].split()[0] == b"T"

    def copy(self) -> sqlite3.Connection:
        """The state file as it is now; to look into the file itself would mend its log."""
        there = self.folder / "copy"
        shutil.rmtree(there, ignore_errors=True)
        there.mkdir()
        for name in ("heat.state-wal", "heat.state"):
            with suppress(FileNotFoundError):
                shutil.copy(self.folder / name, there / name)
        return sqlite3.connect(there / "heat.state")

    def last(self) -> Last:
        """Read the file; it must be whole, and its rows must fit together."""
        with closing(self.copy()) as db:
            must(db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "a whole file")
            (memory,) = db.execute("SELECT memory FROM monitors").fetchone()
            changes = db.execute("SELECT before, after FROM transitions ORDER BY id").fetchall()
            (paused,) = db.execute("SELECT count(*) FROM pauses WHERE ended IS NULL").fetchone()
            open_ = db.execute("SELECT count(*) FROM outages WHERE ended IS NULL").fetchone()
            held = {row[0] for row in db.execute("SELECT role FROM held")}
        known = Snapshot() if memory is None else decode(memory).snapshot
        state = known.state.value
        here = "NORMAL"
        for before, after in changes:
            must(before == here, f"a change from {here}, not {before}")
            here = after
        must(here == state, f"the last change led to {here}, and it is {state}")
        must(open_ == (int(state != "NORMAL"),), f"{open_} outages go on in {state}")
        scripts = "./recover" * known.repairing, "./fail" * (known.fail_run is not None)
        frozen = "frozen" in held
        return Last(state, known.failures, bool(paused), frozen, known.stage.value, scripts)

    def lines(self, name: str) -> list[str]:
        """Return the lines that the scripts have written."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    # One kill

    def kill_once(self) -> None:
        """Let HEAT work, kill it, check the file, and start it again."""
        chance = self.chance
        if self.doomed:
            end = time.monotonic() + 3.0
            while not self.dead() and time.monotonic() < end:
                time.sleep(0.001)
            self.moments["in a system call"] += self.dead()
            self.kill()
        elif chance.random() < 0.15:
            self._pause_and_kill()
        else:
            if chance.random() < 0.1:
                time.sleep(chance.uniform(0, 0.2))
            else:
                self._await_writing(chance.randrange(1, 12))
            self.kill()
        must(not self.lines("two"), f"scripts at once: {self.lines('two')}")
        running = self.lines("running")
        last = self.last()
        for line in running:
            must(line.split()[0] in last.scripts, f"{line} runs, and nobody knows: {last}")
        must(last.frozen or not self.stopped(), f"stopped, and nobody knows: {last}")
        self.moments[f"{last.stage}{', paused' if last.paused else ''}"] += 1
        time.sleep(chance.choice((0, 0, 0.03, 0.1)))
        self.start(doomed=STRACE is not None and chance.random() < 0.5)
        if self.dead():
            return
        goes_on = f"goes on where it was: {last.state}, {last.failures} failure"
        if (last.state, last.failures) != ("NORMAL", 0):
            must(goes_on in self.errors(), f"{last}, but: {self.errors()}")
        if last.paused and not self.doomed:
            self._still_paused(last)

    def _await_writing(self, times: int) -> None:
        """Wait until HEAT has written to its file this many times."""
        log = self.folder / "heat.state-wal"
        end = time.monotonic() + 1.0
        for _ in range(times):
            before = log.stat().st_mtime_ns
            while log.stat().st_mtime_ns == before and time.monotonic() < end:
                pass
        if self.chance.random() < 0.2:
            time.sleep(self.chance.uniform(0, 0.002))

    def _pause_and_kill(self) -> None:
        answer = self.ask("pause", name=MONITOR, seconds=self.chance.choice((None, 600)))
        must(answer["ok"], f"no pause: {answer}")
        self.kill()
        must(self.last().paused, "the pause was not written")

    def _still_paused(self, last: Last) -> None:
        why = self.ask("why", name=MONITOR)["why"]
        must(why["paused"], "the pause was forgotten")
        must((why["state"], why["count"]) == last[:2], f"{why} after {last}")
        self.ask("resume", name=MONITOR)

    def finish(self) -> None:
        """Let all become well, and stop HEAT in order."""
        self.kill()
        self.start()
        if self.ask("why", name=MONITOR)["why"]["paused"]:
            self.ask("resume", name=MONITOR)
        shutil.rmtree(self.folder / "bad")
        until(lambda: self.ask("why", name=MONITOR)["why"]["state"] == "NORMAL", "NORMAL")
        until(lambda: len(self.lines("began")) == len(self.lines("ended")), "the scripts' end")
        must(not self.stopped(), "the target is still stopped")
        if self.heat is not None:
            self.heat.terminate()
            must(self.heat.wait(PATIENCE) == 0, f"its end: {self.errors()}")
        must(not self.stopped(), "the target is still stopped")
        must(not self.lines("two"), f"scripts at once: {self.lines('two')}")
        last = self.last()
        must(last[:5] == ("NORMAL", 0, False, False, "NORMAL"), f"at the end: {last}")
        must("Traceback" not in (self.folder / "heat.verbose.log").read_text(), "no bug of HEAT")

    def clean(self) -> None:
        """Leave nothing behind."""
        for process in (self.heat, self.target):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()


def run(folder: Path, seed: int, kills: int) -> Counter[str]:
    """Kill it this often; return how often in which state. Raises BrokenError."""
    ground = Ground(folder, seed)
    try:
        ground.start()
        for _ in range(kills):
            ground.kill_once()
        ground.finish()
    finally:
        ground.clean()
    return ground.moments


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=500)
    words = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="heat-kills-"))
    began = time.monotonic()
    try:
        moments = run(folder, words.seed, words.kills)
    except BrokenError as error:
        print(f"seed {words.seed}, in {folder}: {error}")
        return 1
    shutil.rmtree(folder)
    print(f"{words.kills} kills in {time.monotonic() - began:.0f} s, all as it was; killed in:")
    for where, times in moments.most_common():
        print(f"{times:6} {where}")
    return 0


if __name__ == "__main__":
    os.environ.pop("HEAT_NAME", None)
    sys.exit(main())
