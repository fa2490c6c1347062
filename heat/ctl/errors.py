"""The errors of heatctl; each carries a sentence, what to do, and the exit status."""

from heat.diagnostics import Diagnostic
from heat.errors import CommandError

EXIT_WELL = 0
EXIT_UNWELL = 1
"""Something is not NORMAL."""
EXIT_USAGE = CommandError.status
EXIT_NO_ANSWER = 3

CtlError = CommandError


class UsageError(CtlError):
    """The words of the command line; ``command`` tells whose --help would help."""

    def __init__(self, command: str, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.command = command
