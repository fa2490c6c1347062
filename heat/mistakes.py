"""One thing that is wrong with what the user wrote, and how to put it right."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """A sentence that names the option and the value, and the fix where one is known."""

    line: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.line}\n  {self.fix}" if self.fix else self.line


class BadValueError(ValueError):
    """A value that an option does not take: what it is not, and what would do."""

    def __init__(self, complaint: str, fix: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.fix = fix
