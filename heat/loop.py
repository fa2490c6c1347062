"""One thread, one selector: due times, descriptors, and the signals HEAT gets.

Nothing polls: a loop with nothing due sleeps until a descriptor wakes it. epoll's timeout
counts in whole milliseconds, so the last two before a due time are spent in ``select()``
on the epoll descriptor, which is exact.
"""

import heapq
import os
import select
import selectors
import signal
import time
from collections.abc import Callable, Iterable

Call = Callable[[], object]

_EXACT = 0.002
_LONGEST_SLEEP = 86_400.0
"""Some kernels' and libraries' timeouts overflow above 24.8 days."""


class RealClock:
    """The clocks of this machine."""

    now = staticmethod(time.monotonic)
    unix = staticmethod(time.time)


class DueCall:
    """A timer of the loop; cancelled, it is dropped when its time comes."""

    __slots__ = ("call",)

    def __init__(self, call: Call) -> None:
        self.call: Call | None = call

    def cancel(self) -> None:
        """Let it not come."""
        self.call = None


class Loop:
    """Calls what is due and what is ready, until it is stopped."""

    def __init__(self, clock: RealClock) -> None:
        self._now = clock.now
        self._selector = selectors.EpollSelector()
        self._epoll = getattr(self._selector, "fileno")()  # noqa: B009 - not in the stubs' base class
        self._due: list[tuple[float, int, DueCall]] = []
        self._ready: dict[int, DueCall] = {}
        self._order = 0
        self._cancelled_bound = 1024
        self._running = True
        self._wakeup: tuple[int, int] | None = None

    def at(self, when: float, call: Call) -> DueCall:
        """Call once the clock has reached ``when``; equal times in the order they came."""
        due = DueCall(call)
        self._order += 1
        if len(self._due) >= self._cancelled_bound:
            self._drop_cancelled()
        heapq.heappush(self._due, (when, self._order, due))
        return due

    def _drop_cancelled(self) -> None:
        self._due = [entry for entry in self._due if entry[2].call is not None]
        heapq.heapify(self._due)
        self._cancelled_bound = max(1024, 2 * len(self._due))

    def pending(self) -> int:
        """How many calls are held, cancelled ones included."""
        return len(self._due)

    def watch(self, fd: int, ready: Call) -> None:
        """Call ``ready`` each time ``fd`` can be read, until it is forgotten."""
        due = DueCall(ready)
        self._selector.register(fd, selectors.EVENT_READ, due)
        self._ready[fd] = due

    def forget(self, fd: int) -> None:
        """Watch ``fd`` no longer; to be called before it is closed."""
        self._ready.pop(fd).cancel()
        self._selector.unregister(fd)

    def catch(self, signums: Iterable[int], caught: Callable[[int], None]) -> None:
        """Report these signals from the loop, never from within a handler."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        self._wakeup = (reader, writer)

        def read() -> None:
            for signum in os.read(reader, 4096):
                caught(signum)

        self.watch(reader, read)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for signum in signums:
            signal.signal(signum, _handled)

    def run(self) -> None:
        """Run until ``stop`` is called; return at once if it was called before."""
        now = self._now
        while self._running:
            for key, _ in self._wait():
                # One event of a batch may have forgotten the descriptor of a later one.
                ready = key.data.call
                if ready is not None:
                    ready()
            heap = self._due
            while heap and heap[0][0] <= now():
                due = heapq.heappop(heap)[2]
                if due.call is not None:
                    due.call()
                    heap = self._due
        self._running = True

    def _wait(self) -> list[tuple[selectors.SelectorKey, int]]:
        heap = self._due
        while heap and heap[0][2].call is None:
            heapq.heappop(heap)
        span = heap[0][0] - self._now() if heap else _LONGEST_SLEEP
        if span <= 0:
            return self._selector.select(0)
        if span > _EXACT:
            return self._selector.select(min(span, _LONGEST_SLEEP) - _EXACT)
        select.select([self._epoll], [], [], span)
        return self._selector.select(0)

    def stop(self) -> None:
        """Return from ``run`` after this turn."""
        self._running = False

    def close(self) -> None:
        """Give the descriptors back."""
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for fd in self._wakeup:
                os.close(fd)
        self._selector.close()


def _handled(_signum: int, _frame: object) -> None:
    """The wakeup descriptor has carried the news already."""
