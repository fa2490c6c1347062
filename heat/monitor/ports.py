"""A monitor as its parts see it. Types only, never loaded by a running HEAT."""

from collections.abc import Callable
from typing import Protocol

from heat.monitor.setup import Setup, World
from heat.process.run import Run
from heat.report.monitor_report import MonitorReport
from heat.runtime.ports import Owner
from heat.store.monitor_record import MonitorRecord
from states.monitor.events import Event
from states.monitor.model import Monitor as Model
from states.monitor.model import State

Write = Callable[[State, int], None]
"""Writes an event down, with the state and the count that followed it."""


class Host(Owner, Protocol):
    """The monitor of a check runner, a script runner and the other parts."""

    @property
    def setup(self) -> Setup:
        """Its options, its programs and its target."""
        ...

    @property
    def world(self) -> World:
        """The things that all monitors act on."""
        ...

    @property
    def model(self) -> Model:
        """The state of its machine."""
        ...

    @property
    def exit_code(self) -> int | None:
        """The exit code with which it has ended; None while it watches."""
        ...

    @property
    def report(self) -> MonitorReport:
        """The lines and records about it."""
        ...

    @property
    def record(self) -> MonitorRecord | None:
        """Its record in the state file; None where no state is kept."""
        ...

    @property
    def row(self) -> int:
        """Its row in the counters."""
        ...

    @property
    def age(self) -> float:
        """Seconds since its first check was due."""
        ...

    @property
    def script(self) -> Run | None:
        """The fail or recovery script that runs."""
        ...

    def feed(self, event: Event, write: Write | None = None) -> None:
        """Give the machine an event; ``write`` writes it down."""
        ...

    def write(self, write: Callable[..., None], *values: object) -> None:
        """Call ``write`` as soon as all reactions are out."""
        ...

    def touch(self) -> None:
        """Count a change that those who ask for news must see."""
        ...

    def drop_signal(self) -> None:
        """Forget a signal that waits for the pid file: something else has come up."""
        ...

    def end_if_done(self) -> None:
        """End after the last check of ``--count``."""
        ...

    def leave_if_ended(self) -> None:
        """Leave if it has ended, and nothing of it is left."""
        ...


class Ticking(Owner, Protocol):
    """The monitor of ticks."""

    @property
    def setup(self) -> Setup:
        """Its options."""
        ...

    @property
    def world(self) -> World:
        """The clock and the timers."""
        ...

    def __call__(self) -> None:
        """Tick."""
        ...
