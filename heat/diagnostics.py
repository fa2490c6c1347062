"""One thing that is wrong with what the user wrote, and how to put it right."""

import re

from heat.text import escaped
from states.engine.named_tuple import NamedTuple


class Diagnostic(NamedTuple):
    """A sentence that names the option and the value, and the fix where one is known.

    ``key``, ``message_in_file`` and ``hint_in_file`` say the same for a configuration file.
    """

    message: str
    hint: str = ""
    key: str = ""
    message_in_file: str = ""
    hint_in_file: str = ""

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    def at(self, place: str) -> "Diagnostic":
        """The same, found in the table ``place`` of a file."""
        where = f"{place}.{self.key}" if self.key else place
        return Diagnostic(f"{where}: {self.message_in_file}", self.hint_in_file, self.key)


class BadValueError(ValueError):
    """A value that an option does not take: what it is not, and what would do."""

    def __init__(self, complaint: str, hint: str, hint_in_file: str = "") -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.hint = hint
        self.hint_in_file = hint_in_file


def of_option(
    option: str, value: str, complaint: str, hint: str, hint_in_file: str = ""
) -> Diagnostic:
    """A mistake in an option; ``value`` as `shown`, or empty; the texts name options only."""
    said = f"{value} {complaint}".lstrip()
    told = f"{value} {as_keys(complaint)}".lstrip()
    key = option.removeprefix("--")
    return Diagnostic(f"Error: {option} {said}", hint, key, told, hint_in_file or as_keys(hint))


def of_file(
    option: str, path: str, complaint: str, hint: str, hint_in_file: str = ""
) -> Diagnostic:
    """A mistake in the file that an option names; the texts may hold the user's own words."""
    said = f"{path} {complaint}"
    key = option.removeprefix("--")
    return Diagnostic(f"Failed: {said}", hint, key, said, hint_in_file or hint)


def as_keys(text: str) -> str:
    """A text of HEAT's own that names options, with the keys of a file instead."""
    return re.sub(r"(?<![\w-])--(?=[a-z])", "", text)


def shown(value: object) -> str:
    """A value in a message: text in quotes, a number as it is."""
    if isinstance(value, str):
        return f"'{escaped(value)}'"
    return number_text(value) if isinstance(value, int) else str(value)


def number_text(value: int) -> str:
    """A whole number as text; Python itself refuses to write one of 5,000 digits."""
    return str(value) if value.bit_length() <= 128 else "a huge number"  # noqa: PLR2004


def quoted(text: str) -> str:
    """A text as it is written in a file."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped(plain)}"'


def dotted(name: str) -> str:
    """A name as part of a table's name: in quotes unless it is a plain one."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def monitor_place(shown: str, name: str) -> str:
    """The table of a monitor in a file, in messages."""
    return f"{shown}: monitor.{dotted(name)}"
