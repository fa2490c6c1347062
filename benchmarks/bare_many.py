"""The barest loop in Python that runs many checks: no table, no logs, no configuration.

usage: bare_many.py ENTRIES SECONDS IN_FLIGHT CHECKS PROGRAM [ARG...]

Each of the ENTRIES runs PROGRAM every SECONDS, at a phase of its own, with its number for a last
argument of %d; never more than IN_FLIGHT at once. SECONDS 0 is as fast as it goes. After CHECKS,
unless that is 0, it prints checks a second, and the microseconds of processor time that each
cost here.
"""

import contextlib
import heapq
import os
import select
import signal
import sys
import time

RESET = (signal.SIGPIPE, signal.SIGXFSZ)
PIPE_SIZE = 64 * 1024


class Runner:
    """What is in flight: by its pidfd, the process id and the pipes."""

    def __init__(self) -> None:
        self.running: dict[int, tuple[int, int, int]] = {}
        self.epoll = select.epoll()
        self.null = os.open(os.devnull, os.O_RDWR)
        self.environ = dict(os.environb)

    def start(self, words: list[bytes]) -> None:
        """Start it, with a pipe each for stdout and stderr."""
        out, their_out = os.pipe()
        err, their_err = os.pipe()
        os.set_blocking(out, False)
        os.set_blocking(err, False)
        pid = os.posix_spawn(
            words[0],
            words,
            self.environ,
            file_actions=(
                (os.POSIX_SPAWN_DUP2, self.null, 0),
                (os.POSIX_SPAWN_DUP2, their_out, 1),
                (os.POSIX_SPAWN_DUP2, their_err, 2),
            ),
            setpgroup=0,
            setsigmask=(),
            setsigdef=RESET,
        )
        os.close(their_out)
        os.close(their_err)
        pidfd = os.pidfd_open(pid)
        self.epoll.register(pidfd, select.EPOLLIN)
        self.running[pidfd] = (pid, out, err)

    def wait(self, span: float) -> int:
        """Wait this long, or for the next exit; how many have ended."""
        if span != float("inf"):  # epoll counts in milliseconds, select does not
            select.select([self.epoll], [], [], span)
            span = 0
        exits = self.epoll.poll(0 if span == 0 else None)
        for pidfd, _ in exits:
            self.end(pidfd)
        return len(exits)

    def end(self, pidfd: int) -> None:
        """Kill what it left, reap it, read what it printed."""
        pid, *pipes = self.running.pop(pidfd)
        self.epoll.unregister(pidfd)
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(pidfd)
        for pipe in pipes:
            with contextlib.suppress(BlockingIOError):
                os.read(pipe, PIPE_SIZE)
            os.close(pipe)


def loop(entries: int, interval: float, in_flight: int, checks: int, words: list[bytes]) -> None:
    runner = Runner()
    numbered = words[-1] == b"%d"
    began = time.monotonic()
    due = [(began + number * interval / entries, number) for number in range(entries)]
    started = ended = 0
    while not checks or ended < checks:
        full = len(runner.running) >= in_flight or (checks and started >= checks)
        span = float("inf") if full else due[0][0] - time.monotonic()
        if span <= 0:
            when, number = due[0]
            heapq.heapreplace(due, (when + interval, number))
            runner.start([*words[:-1], b"%d" % number] if numbered else words)
            started += 1
        else:
            ended += runner.wait(span)
    wall = time.monotonic() - began
    print(f"{checks / wall:.1f} {time.process_time() / checks * 1e6:.1f}")


if __name__ == "__main__":
    loop(
        int(sys.argv[1]),
        float(sys.argv[2]),
        int(sys.argv[3]),
        int(sys.argv[4]),
        [os.fsencode(word) for word in sys.argv[5:]],
    )
