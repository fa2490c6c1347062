"""The ports of the report: where lines and records go.

Types only, never loaded by a running HEAT.
"""

from typing import Protocol


class Printer(Protocol):
    """Lines for people: a result a check, and the rest."""

    def result(self, text: str, colour: str = "", at: int | None = None) -> None:
        """One line on stdout, the unix second that it is ``at`` in front if there is one."""
        ...

    def news(self, text: str, colour: str = "") -> None:
        """One line on stderr, with the time in front."""
        ...

    def trouble(self, text: str) -> None:
        """A fault of HEAT's surroundings: on stderr, and on record."""
        ...


class Records(Protocol):
    """A log."""

    @property
    def shown(self) -> str:
        """Where it is, as given."""
        ...

    def write(self, record: str) -> None:
        """Append one record, whole lines."""
        ...
