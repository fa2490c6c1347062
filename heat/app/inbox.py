"""News of HEAT as a whole, which the service takes when the loop's turn is over.

No part of HEAT knows the service, so each can be built whole, from parts that are finished.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from heat.process.signals import HANDLED, HARMLESS
from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from heat.control.handlers import Later
    from heat.runtime.loop import Loop


class Crashed(NamedTuple):
    """A bug in a call that belongs to no single monitor."""

    error: Exception


class SignalToSelf(NamedTuple):
    """HEAT is its own target, and has sent itself this signal."""

    signum: int


class ReloadRequested(NamedTuple):
    """A client wants the configuration read again, and waits for the result."""

    reply: Later


class AllEnded(NamedTuple):
    """All monitors have ended, and nothing of them is left."""


News = Crashed | SignalToSelf | ReloadRequested | AllEnded


class Inbox:
    """Keep news, and stop the loop for the service to take it; the owner of HEAT's own calls."""

    __slots__ = ("_loop", "_news")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._news: list[News] = []

    def crashed(self, error: Exception) -> None:
        """Post a bug."""
        self._post(Crashed(error))

    def signal_self(self, signum: int) -> bool:
        """Post a signal of HEAT's to itself; False where the kernel does as well, or nothing."""
        ignored = signum in HARMLESS or signal.getsignal(signum) == signal.SIG_IGN
        if ignored and signum not in HANDLED:
            return False
        self._post(SignalToSelf(signum))
        return True

    def reload(self, reply: Later) -> None:
        """Post a client's request."""
        self._post(ReloadRequested(reply))

    def all_ended(self) -> None:
        """Post the end of the last monitor."""
        self._post(AllEnded())

    def _post(self, news: News) -> None:
        self._news.append(news)
        self._loop.stop()

    def take(self) -> list[News]:
        """Return the news since the last time, the oldest first."""
        news, self._news = self._news, []
        return news
