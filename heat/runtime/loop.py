"""One thread, one epoll: due times, descriptors, and the signals that HEAT gets.

Nothing polls: a loop with nothing due sleeps until a descriptor wakes it. epoll's timeout
counts in whole milliseconds, while ``select()`` on the epoll descriptor is exact to a
thousandth of its span; so the loop spends the last part of a long sleep, and the whole of a
short one, there. But then it takes a second call to learn what is ready: right after a start,
when an exit is what comes next, the loop spends only the last millisecond there.

A turn takes what is ready, then one call that is due: exits come first, and a crowd of due
checks holds up the reaction to a failed one by no more than one start.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from heat.runtime.scheduler import DueCall, Scheduler

if TYPE_CHECKING:
    from heat.runtime.ports import Owner

Call = Callable[[], object]

_EXACT, _EXACT_AFTER_START = 0.05, 0.0012
_LONGEST_SLEEP = 86_400.0
"""Some kernels' and libraries' timeouts overflow above 24.8 days."""
_ATTENTIVE_SLEEP = 1.0
_PAUSE = 0.5
"""Seconds by which HEAT wakes too late if it did not run; a busy machine takes fewer."""
_AGAIN = 1.0
"""Seconds until HEAT tries again to watch what it could not for want of resources."""
_MOST_READY = 16
"""Descriptors that one turn takes, so that its output waits for a short while only."""


class RealClock:
    """The clocks of this machine."""

    now = staticmethod(time.monotonic)
    unix = staticmethod(time.time)


class Loop:
    """The loop: it calls what is ready and what is due, until it is stopped.

    An exception goes to the owner of the call that raised it, and the loop goes on.
    """

    def __init__(self, clock: RealClock) -> None:
        self.now = clock.now
        self._epoll = select.epoll()
        self._agenda = Scheduler()
        self._ready: dict[int, DueCall] = {}
        self._forgotten: set[int] = set()
        """Forgotten in this turn: their events are old, even if a new file has the number."""
        self._soon: list[Call] = []
        self._running = True
        self._started = False
        """The last turn made a call that was due, which most often starts a check."""
        self.attentive = 0
        """The number of programs that run: with any, no sleep is longer than a second, so that
        HEAT sees a pause of its own."""
        self.lost = 0.0
        """Seconds in which HEAT did not run: it was stopped, or its machine or container was.

        Never too few, and less than a second too many while HEAT is attentive.
        """
        self._awake = self._asleep = 0.0
        """The time at which the last turn began, and the longest that it meant to sleep."""
        self._wakeup: tuple[int, int] | None = None
        self._signals: DueCall | None = None
        self.at = self._agenda.add

    def pending(self) -> int:
        """Return the number of calls to come, cancelled ones included."""
        return len(self._agenda)

    def watch(self, fd: int, ready: Call, owner: Owner, *, patient: bool = False) -> None:
        """Call ``ready`` each time ``fd`` can be read, until `forget`.

        Raises OSError, such as for want of resources; a ``patient`` watch begins later instead.
        """
        due = DueCall(ready, owner)
        try:
            self._epoll.register(fd, select.EPOLLIN)
        except OSError:
            if not patient:
                raise
            self.at(self.now() + _AGAIN, partial(self._watch_later, fd, due), owner)
        self._ready[fd] = due

    def _watch_later(self, fd: int, due: DueCall) -> None:
        if self._ready.get(fd) is not due:
            return  # It was forgotten.
        try:
            self._epoll.register(fd, select.EPOLLIN)
        except OSError:
            self.at(self.now() + _AGAIN, partial(self._watch_later, fd, due), due.owner)

    def await_writing(self, fd: int, *, reading: bool, writing: bool) -> None:
        """Call for a watched ``fd`` when it can be read, written, or either."""
        events = (select.EPOLLIN if reading else 0) | (select.EPOLLOUT if writing else 0)
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Watch ``fd`` no longer; call this before you close it."""
        del self._ready[fd]
        self._forgotten.add(fd)
        try:  # noqa: SIM105 - the quick way, once for each check
            self._epoll.unregister(fd)
        except OSError:
            pass  # Closing it will do.

    def soon(self, call: Call) -> None:
        """Call once at the end of this turn, after every reaction to what was ready."""
        self._soon.append(call)

    def end_turn(self) -> None:
        """Make the calls that wait for the end of the turn."""
        while self._soon:
            calls, self._soon = self._soon, []
            for call in calls:
                call()

    def catch(self, signums: Iterable[int], caught: Callable[[int], None], owner: Owner) -> None:
        """Report these signals from the loop, never from within a handler."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        self._wakeup = (reader, writer)

        def read() -> None:
            with contextlib.suppress(BlockingIOError):
                for signum in os.read(reader, 4096):
                    caught(signum)

        self.watch(reader, read, owner)
        self._signals = self._ready[reader]
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for signum in signums:
            signal.signal(signum, _handled)

    def heed(self) -> None:
        """Report the signals that have come, before anybody judges what came with them."""
        if self._signals is not None:
            _call(self._signals)

    def run(self) -> None:
        """Run until a call of ``stop``; return at once if that came before."""
        take, now, ready, forgotten = self._agenda.take, self.now, self._ready, self._forgotten
        self._awake = now()
        while self._running:
            forgotten.clear()
            events = self._wait()
            at = now()
            if (since := at - self._awake) > self._asleep + _PAUSE:
                self.lost += since
            self._awake = at
            for fd, _ in events:
                if fd not in forgotten and (call := ready.get(fd)) is not None:
                    _call(call)
            due = take(now()) if self._running else None
            self._started = due is not None
            if due is not None:
                _call(due)
            if self._soon:
                self.end_turn()
        self._running = True

    def _wait(self) -> list[tuple[int, int]]:
        due = self._agenda.next()
        span = _LONGEST_SLEEP if due is None else due - self.now()
        if self.attentive and span > _ATTENTIVE_SLEEP:
            span = _ATTENTIVE_SLEEP
        self._asleep = max(0.0, span)
        exact = _EXACT_AFTER_START if self._started and span < _EXACT else _EXACT
        if span > exact:
            return self._epoll.poll(min(span, _LONGEST_SLEEP) - exact, _MOST_READY)
        if span > 0:
            try:
                select.select([self._epoll], [], [], span)
            except OSError:  # No memory even for that: a millisecond late will do.
                return self._epoll.poll(span, _MOST_READY)
        return self._epoll.poll(0, _MOST_READY)

    def stop(self) -> None:
        """Return from ``run`` after this turn, which makes no more calls that are due."""
        self._running = False

    def close(self) -> None:
        """Close the loop's own descriptors."""
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for fd in self._wakeup:
                os.close(fd)
        self._epoll.close()


def _call(due: DueCall) -> None:
    try:
        if due.call is not None:
            due.call()
    except Exception as error:  # noqa: BLE001 - a bug in one monitor must not stop the others
        due.owner.crashed(error)


def _handled(_signum: int, _frame: object) -> None:
    """Do nothing: the wakeup descriptor has carried the signal."""
