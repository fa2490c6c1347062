"""The event pump of a monitor: one event after another, and all reactions before any output.

Events that arrive while effects are performed wait until that is done, so each list of effects is
performed as a whole. Output is written only after every reaction has been issued.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from heat.records import Changed
from states.monitor.effects import Effect
from states.monitor.events import Event
from states.monitor.machine import step
from states.monitor.model import Monitor as Model
from states.monitor.model import State

if TYPE_CHECKING:
    from heat.monitor.ports import Write
    from heat.monitor.setup import Setup, World
    from heat.report.monitor_report import MonitorReport
    from heat.store.monitor_record import MonitorRecord


class EventPump(ABC):
    """Steps the model of a monitor with each event, and has the effects performed."""

    __slots__ = (
        "_events",
        "_outputs",
        "_unwritten",
        "exit_code",
        "model",
        "record",
        "report",
        "setup",
        "world",
    )

    def __init__(
        self, setup: Setup, world: World, report: MonitorReport, record: MonitorRecord | None
    ) -> None:
        self.setup = setup
        self.world = world
        self.report = report
        self.record = record
        """Its record in the state file; None where no state is kept."""
        self.model = Model(setup.options.limits)
        self.exit_code: int | None = None
        """The exit code with which it has ended; None while it watches."""
        self._events: list[tuple[Event, Write | None]] | None = None
        """Events that came while effects were performed; a list only then: monitors are many."""
        self._outputs: list[Callable[[], None]] | None = None
        """Output to write after all reactions; None while none is under way."""
        self._unwritten: list[Callable[[], None]] | None = None
        """Output that is left after a crash in writing."""

    def feed(self, event: Event, write: Write | None = None) -> None:
        """Give the machine an event; ``write`` writes it down with the state that followed."""
        if self.exit_code is not None:
            if write is not None:
                self.write(write, self.model.state, self.model.count)
            return
        if self._outputs is not None:
            self._events = [*(self._events or ()), (event, write)]
            return
        outputs = self._outputs = []
        try:
            self._take(event, write, outputs)
            while self._events:
                first, *self._events = self._events
                self._take(*first, outputs)
        finally:
            self._events = self._outputs = None
            if outputs:
                self.write_all(outputs)
        if self.model.limits.checks is not None:  # Most monitors watch for ever.
            self.end_if_done()
        self.leave_if_ended()

    def _take(self, event: Event, write: Write | None, outputs: list[Callable[[], None]]) -> None:
        model, here = self.model, len(outputs)
        before = model.state
        issued = step(model, event)
        after, count = model.state, model.count
        change = None if after is before else self._change_state(before, event, issued)
        if self.record is not None:
            self.record.stepped(model, change, self.world.clock.unix)
        for effect in issued:
            self._perform(effect)
        if change is not None:
            outputs.insert(here, partial(self.report.changed, before, after, count))
        if write is not None:
            outputs.insert(here, partial(write, after, count))

    def write(self, write: Callable[..., None], *values: object) -> None:
        """Call ``write`` as soon as all reactions are out."""
        if self._outputs is None:
            write(*values)
        else:
            self._outputs.append(partial(write, *values))

    def write_all(self, outputs: Iterable[Callable[[], None]]) -> None:
        """Write one after another, and keep the rest if one of them crashes."""
        rest = iter(outputs)
        try:
            for write in rest:
                write()
        finally:
            self._unwritten = [*rest] or None

    @property
    def reacts(self) -> bool:
        """Reactions are under way."""
        return self._outputs is not None

    def clear(self) -> Sequence[Callable[[], None]]:
        """Drop the events of a crash; return what is left to write."""
        self._events = self._outputs = None
        unwritten, self._unwritten = self._unwritten, None
        return unwritten or ()

    @abstractmethod
    def _perform(self, effect: Effect) -> None:
        """Do what the machine decided."""

    @abstractmethod
    def _change_state(self, before: State, event: Event, issued: Sequence[Effect]) -> Changed:
        """Keep the change of state, with the reason for it."""

    @abstractmethod
    def end_if_done(self) -> None:
        """End after the last check of ``--count``."""

    @abstractmethod
    def leave_if_ended(self) -> None:
        """Leave if it has ended, and nothing of it is left."""
