"""The ports of the report: where lines and records go.

Types only, never loaded by a running HEAT.
"""

from typing import Protocol


class Printer(Protocol):
    """Lines for people: the result of each check, and the rest."""

    def result(self, text: str, colour: str = "", at: int | None = None) -> None:
        """Print one line on stdout, after the unix second ``at`` if there is one."""
        ...

    def news(self, text: str, colour: str = "") -> None:
        """Print one line on stderr, with the time in front."""
        ...

    def trouble(self, text: str) -> None:
        """Report a fault of HEAT's surroundings, on stderr and on record."""
        ...


class Records(Protocol):
    """A log."""

    @property
    def shown(self) -> str:
        """Its path, as the user gave it."""
        ...

    def write(self, record: str) -> None:
        """Append one record, whole lines."""
        ...
