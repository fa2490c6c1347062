"""The messages to systemd if HEAT is one of its services: sd_notify, in datagrams.

Loaded only if ``$NOTIFY_SOCKET`` is set. HEAT never waits for the socket: what a full one does not
take is sent again a second later, and HEAT goes on watching when it is gone.
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
"""Seconds between two looks at the states, and between two attempts at a full socket."""
_AT_ONCE = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class Systemd:
    """Notify systemd; ``status`` makes the sentence that ``systemctl status`` shows."""

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
        """Messages by variable, the oldest first; a newer one replaces that of its variable."""
        self._retry: Timer | None = None
        self._due: Timer | None = None
        self._next = 0.0
        self._reported = ""
        self._ending = False
        self._half = watchdog_span(environ) / 2
        if self._half:
            self._feed_watchdog()

    def ready(self) -> None:
        """Report that HEAT watches: it has started, or has read its configuration again."""
        if not self._ending:
            self._post("READY", "1")
            self._report()

    def reloading(self) -> None:
        """Report that HEAT reloads; the time tells systemd for which signal."""
        if not self._ending:
            self._post("RELOADING", f"1\nMONOTONIC_USEC={int(self._clock.now() * 1_000_000)}")

    def stopping(self) -> None:
        """Report that HEAT begins to end."""
        if not self._ending:
            self._ending = True
            self._post("STOPPING", "1")
            self._report()

    def moved(self) -> None:
        """Report a change of state soon; many at once make one sentence."""
        if self._due is None:
            self._due = self._timers.at(self._next, self._report, self._owner)

    def _report(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._next = self._clock.now() + _PAUSE
        if (text := self._status()) != self._reported:
            self._reported = text
            self._post("STATUS", text)

    def _feed_watchdog(self) -> None:
        self._timers.at(self._clock.now() + self._half, self._keep_alive, self._owner)

    def _keep_alive(self) -> None:
        self._feed_watchdog()
        self._post("WATCHDOG", "1")

    def _post(self, variable: str, value: str) -> None:
        self._owed.pop(variable, None)
        self._owed[variable] = f"{variable}={value}"
        self._send()

    def _send(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        while self._owed:
            variable = next(iter(self._owed))
            data = self._owed[variable].encode("utf-8", "backslashreplace")
            try:
                self._socket.sendto(data, _AT_ONCE, self._address)
            except BlockingIOError:
                again = self._clock.now() + _PAUSE
                self._retry = self._timers.at(again, self._send, self._owner)
                return
            except OSError:
                pass  # Nobody listens any more.
            del self._owed[variable]

    def close(self) -> None:
        """Report the end, unless that is done, and close the socket."""
        self.stopping()
        self._report()
        self._socket.close()


def watchdog_span(environ: Mapping[str, str]) -> float:
    """Return the seconds within which systemd expects a sign of life; 0 if it expects none."""
    span, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not span.isdecimal() or (pid and pid != str(os.getpid())):
        return 0.0
    return int(span) / 1_000_000


def _address(name: str) -> str:
    """Return the path, or after a null byte the name of an abstract socket."""
    return f"\0{name[1:]}" if name.startswith("@") else name


class SystemdReport(HeatReport):
    """The report of HEAT as a whole, which notifies systemd as well."""

    __slots__ = ("_systemd",)

    def __init__(self, reporter: Reporter, systemd: Systemd) -> None:
        super().__init__(reporter)
        self._systemd = systemd

    def started(self, what: str) -> None:
        """Report that HEAT begins to watch."""
        super().started(what)
        self._systemd.ready()

    def reopened(self) -> None:
        """Report that the logs are reopened; without a file, that completes the reload."""
        super().reopened()
        self._systemd.reloading()
        if not self._reporter.named:
            self._systemd.ready()

    def reloaded(
        self, path: str, added: int, changed: int, removed: int, settings: Sequence[str]
    ) -> None:
        """Report a reload."""
        super().reloaded(path, added, changed, removed, settings)
        self._systemd.ready()

    def not_reloaded(self, path: str, diagnostics: list[str]) -> None:
        """Report a configuration that is wrong."""
        super().not_reloaded(path, diagnostics)
        self._systemd.ready()

    def ending(self, why: str) -> None:
        """Report that HEAT begins to end."""
        super().ending(why)
        self._systemd.stopping()

    def error(self, reason: str) -> None:
        """Report that HEAT cannot go on."""
        super().error(reason)
        self._systemd.stopping()

    def over(self) -> None:
        """Close the connection to systemd."""
        self._systemd.close()


def with_systemd(
    reporter: Reporter,
    world: tuple[Clock, Timers],
    monitors: Mapping[str, Monitor],
    owner: Owner,
) -> tuple[Reporter, HeatReport]:
    """Return the reporter and the report of a HEAT that systemd has started."""

    def status() -> str:
        return worst_first(monitors, named=reporter.named)

    systemd = Systemd(os.environ, world, status, owner)
    return reporter._replace(moved=systemd.moved), SystemdReport(reporter, systemd)
