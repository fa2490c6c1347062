"""The messages to systemd where HEAT is one of its services: sd_notify, in datagrams.

Loaded only where ``$NOTIFY_SOCKET`` is set. Nothing is waited for: what a full socket does
not take is sent again a second later, and a socket that is gone does not stop the watching.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from heat.monitor.status_line import worst_first
from heat.report.reporter import HeatReport, Reporter

if TYPE_CHECKING:
    from heat.monitor.monitor import Monitor
    from heat.runtime.ports import Clock, Owner, Timer, Timers

_PAUSE = 1.0
"""Seconds between two looks at the states, and between two tries at a full socket."""
_AT_ONCE = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class Systemd:
    """Tells systemd how it goes; ``status`` makes the sentence that ``systemctl status`` shows."""

    def __init__(
        self,
        environ: Mapping[str, str],
        world: tuple[Clock, Timers],
        status: Callable[[], str],
        owner: Owner,
    ) -> None:
        self._address = _address(environ["NOTIFY_SOCKET"])
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._clock, self._timers = world
        self._status = status
        self._owner = owner
        self._owed: dict[str, str] = {}
        """The variables still to be sent, the oldest first; of one variable only the latest."""
        self._again: Timer | None = None
        self._look: Timer | None = None
        self._next_look = 0.0
        self._said = ""
        self._ending = False
        self._half = watchdog_span(environ) / 2
        if self._half:
            self._mind_watchdog()

    def ready(self) -> None:
        """HEAT watches; it has been started, or has read its configuration again."""
        if not self._ending:
            self._say("READY", "1")
            self._look_now()

    def reloading(self) -> None:
        """HEAT reads its configuration again; systemd tells by the time for which signal."""
        if not self._ending:
            self._say("RELOADING", f"1\nMONOTONIC_USEC={int(self._clock.now() * 1_000_000)}")

    def stopping(self) -> None:
        """HEAT begins to end."""
        if not self._ending:
            self._ending = True
            self._say("STOPPING", "1")
            self._look_now()

    def moved(self) -> None:
        """A monitor's state is another one; many at once make one sentence."""
        if self._look is None:
            self._look = self._timers.at(self._next_look, self._look_now, self._owner)

    def _look_now(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
        self._next_look = self._clock.now() + _PAUSE
        if (text := self._status()) != self._said:
            self._said = text
            self._say("STATUS", text)

    def _mind_watchdog(self) -> None:
        self._timers.at(self._clock.now() + self._half, self._tell_alive, self._owner)

    def _tell_alive(self) -> None:
        self._mind_watchdog()
        self._say("WATCHDOG", "1")

    def _say(self, variable: str, value: str) -> None:
        self._owed.pop(variable, None)
        self._owed[variable] = f"{variable}={value}"
        self._send()

    def _send(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        while self._owed:
            variable = next(iter(self._owed))
            data = self._owed[variable].encode("utf-8", "backslashreplace")
            try:
                self._socket.sendto(data, _AT_ONCE, self._address)
            except BlockingIOError:
                again = self._clock.now() + _PAUSE
                self._again = self._timers.at(again, self._send, self._owner)
                return
            except OSError:
                pass  # Nobody listens there any more.
            del self._owed[variable]

    def close(self) -> None:
        """HEAT has ended: say so, if that was not said, and give the socket back."""
        self.stopping()
        self._look_now()
        self._socket.close()


def watchdog_span(environ: Mapping[str, str]) -> float:
    """Seconds within which systemd wants to hear from this process again; 0 if it does not."""
    span, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not span.isdecimal() or (pid and pid != str(os.getpid())):
        return 0.0
    return int(span) / 1_000_000


def _address(name: str) -> str:
    """A path, or behind a null byte the name of an abstract socket."""
    return f"\0{name[1:]}" if name.startswith("@") else name


class SystemdReport(HeatReport):
    """The journal of HEAT as a whole, which systemd is told as well."""

    __slots__ = ("_systemd",)

    def __init__(self, reporter: Reporter, systemd: Systemd) -> None:
        super().__init__(reporter)
        self._systemd = systemd

    def started(self, what: str) -> None:
        """HEAT begins to watch."""
        super().started(what)
        self._systemd.ready()

    def reopened(self) -> None:
        """The logs were opened anew; that is all, where there is no file to read."""
        super().reopened()
        self._systemd.reloading()
        if not self._reporter.named:
            self._systemd.ready()

    def reloaded(
        self, path: str, added: int, changed: int, removed: int, settings: Sequence[str]
    ) -> None:
        """The configuration was read again."""
        super().reloaded(path, added, changed, removed, settings)
        self._systemd.ready()

    def not_reloaded(self, path: str, diagnostics: list[str]) -> None:
        """The configuration was read again, and is wrong."""
        super().not_reloaded(path, diagnostics)
        self._systemd.ready()

    def ending(self, why: str) -> None:
        """HEAT begins to end."""
        super().ending(why)
        self._systemd.stopping()

    def error(self, reason: str) -> None:
        """HEAT cannot do its work any more."""
        super().error(reason)
        self._systemd.stopping()

    def over(self) -> None:
        """Nothing is said from here on."""
        self._systemd.close()


def with_systemd(
    reporter: Reporter,
    world: tuple[Clock, Timers],
    monitors: Mapping[str, Monitor],
    owner: Owner,
) -> tuple[Reporter, HeatReport]:
    """Books and journal of a HEAT that systemd has started."""

    def status() -> str:
        return worst_first(monitors, named=reporter.named)

    systemd = Systemd(os.environ, world, status, owner)
    return reporter._replace(moved=systemd.moved), SystemdReport(reporter, systemd)
