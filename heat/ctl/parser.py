"""The words after a command of heatctl."""

from collections.abc import Callable, Sequence

from heat.config.command_line import Grammar, Words, read
from heat.config.usage import usage
from heat.ctl import output
from heat.ctl.errors import UsageError
from heat.diagnostics import BadValueError, of_option, shown


class Request(Words):
    """The values of the options, the flags, and the operands."""

    @property
    def control(self) -> str | None:
        """Return the value of --control."""
        return self.values.get("--control")

    @property
    def json(self) -> bool:
        """True if the answer should be JSON."""
        return "--json" in self.flags

    def seconds(self, option: str, command: str, parse: Callable[[str], float]) -> float | None:
        """Return the duration that an option gives; None without it. Raises UsageError."""
        if (text := self.values.get(option)) is None:
            return None
        try:
            return parse(text)
        except BadValueError as error:
            diagnostic = of_option(option, shown(text), error.complaint, error.hint)
            raise UsageError(command, diagnostic) from None


def parse(text: str, words: Sequence[str]) -> Request | None:
    """Read the words after the command of this docopt text; None if --help is among them.

    Raises UsageError, with all that is wrong.
    """
    command = " ".join(usage(text)[0].split()[:2])
    request = Request(*read(Grammar(command, text), words))
    if "--help" in request.flags:
        output.write(text)
        return None
    if request.diagnostics:
        raise UsageError(command, *request.diagnostics)
    if request.control == "":  # From an unset variable: the usual HEAT is not the one meant.
        hint = "name a file, or leave it out"
        raise UsageError(command, of_option("--control", "''", "is not a valid path", hint))
    return request
