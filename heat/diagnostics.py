"""Diagnostics: what is wrong with the user's command line or file, and how to fix it."""

import re

from heat.text import escaped
from states.engine.named_tuple import NamedTuple


class Diagnostic(NamedTuple):
    """A message that names the option and the value, and a hint that says how to fix it.

    ``key``, ``message_in_file`` and ``hint_in_file`` say the same in terms of a configuration file.
    """

    message: str
    hint: str = ""
    key: str = ""
    message_in_file: str = ""
    hint_in_file: str = ""

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    def at(self, place: str) -> "Diagnostic":
        """Return the same for a file, in whose table ``place`` it is."""
        where = f"{place}.{self.key}" if self.key else place
        return Diagnostic(f"{where}: {self.message_in_file}", self.hint_in_file, self.key)


class BadValueError(ValueError):
    """A value that an option does not take; the complaint goes on after the value: "is ..."."""

    def __init__(self, complaint: str, hint: str, hint_in_file: str = "") -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.hint = hint
        self.hint_in_file = hint_in_file


def of_option(
    option: str, value: str, complaint: str, hint: str, hint_in_file: str = ""
) -> Diagnostic:
    """Return a diagnostic of an option; ``value`` as `shown`, or empty; the texts name options."""
    message = f"Error: {option} " + f"{value} {complaint}".lstrip()
    in_file = f"{value} {as_keys(complaint)}".lstrip()
    key = option.removeprefix("--")
    return Diagnostic(message, hint, key, in_file, hint_in_file or as_keys(hint))


def of_file(
    option: str, path: str, complaint: str, hint: str, hint_in_file: str = ""
) -> Diagnostic:
    """Return a diagnostic of the file that an option names; the texts may quote the user."""
    message = f"{path} {complaint}"
    key = option.removeprefix("--")
    return Diagnostic(f"Failed: {message}", hint, key, message, hint_in_file or hint)


def as_keys(text: str) -> str:
    """Return a text of HEAT's own with the keys of a file in place of the options."""
    return re.sub(r"(?<![\w-])--(?=[a-z])", "", text)


def shown(value: object) -> str:
    """Return a value as messages show it: text in quotes, a number as it is."""
    if isinstance(value, str):
        return f"'{escaped(value)}'"
    return number_text(value) if isinstance(value, int) else str(value)


def number_text(value: int) -> str:
    """Return a whole number as text; Python itself refuses to write one of 5,000 digits."""
    return str(value) if value.bit_length() <= 128 else "a huge number"  # noqa: PLR2004


def quoted(text: str) -> str:
    """Return a text as TOML writes it."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped(plain)}"'


def dotted(name: str) -> str:
    """Return a name as a part of a table's name: in quotes where TOML needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def monitor_place(shown: str, name: str) -> str:
    """Return the table of a monitor in a file, as messages name it."""
    return f"{shown}: monitor.{dotted(name)}"
