"""The outcome of a check, whatever kind of check it is."""

from states.engine.named_tuple import NamedTuple


class Outcome(NamedTuple):
    """A check that passed, failed with ``code``, or is ``unknown`` for a reason.

    With ``warning`` it passed, by its code; where it is unknown by its code, both are there.
    """

    started: int
    """Unix second."""
    code: int | None
    pid: int | None = None
    duration: float = 0.0
    killed: int | None = None
    """The signal that ended it."""
    timed_out: bool = False
    unknown: str = ""
    terminal: bool = False
    """It was stopped, waiting for the terminal, until its time was up."""
    text: str = ""
    """The last line that it printed."""
    warning: bool = False

    @property
    def unknown_by_code(self) -> bool:
        """It ran, and its exit code says nothing about the service."""
        return bool(self.unknown) and self.code is not None

    @property
    def passed(self) -> bool:
        """It says that the service is well."""
        return self.warning or (self.code == 0 and not self.unknown)


def exit_code(code: int) -> str:
    """Return an exit code in words."""
    return f"Exit Code {code}"
