"""The exit statuses of heatctl, and its error of usage."""

from heat.diagnostics import Diagnostic
from heat.errors import CommandError

EXIT_WELL = 0
EXIT_UNWELL = 1
"""Something is not NORMAL."""
EXIT_USAGE = CommandError.status
EXIT_NO_ANSWER = 3


class UsageError(CommandError):
    """A mistake in the command line of ``command``, whose --help may help."""

    def __init__(self, command: str, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.command = command
