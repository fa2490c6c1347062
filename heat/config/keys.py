"""The values of keys in a file: their types, and how to write them.

A value of the right type is read like the value of the option on a command line.
"""

import re
from typing import Any, cast

from heat.config.schema import KEYS, KEYS_OF_HEAT, Option
from heat.diagnostics import BadValueError, as_keys, number_text, quoted, shown
from states.engine.named_tuple import NamedTuple

_TYPES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    dict: "a table",
}
_DATE = "a date or a time"


class _Kind(NamedTuple):
    """The types of the values that texts call by one word, and an example."""

    types: tuple[type, ...]
    name: str
    example: str


_TEXT = _Kind((str,), "text", '"..."')
_KINDS = {
    "SECS": _Kind((str, int, float), "a duration", '30 or "5m"'),
    "N": _Kind((int,), "a whole number", "3"),
    "PID": _Kind((int,), "a process id", "1234"),
    "SIG": _Kind((str, int), "a signal", '"USR1"'),
    "LIST": _Kind((str, int, list), "a list of exit codes", "[3, 4]"),
    "WORDS": _Kind((list,), "a list of text", '["curl", "-sf", "http://localhost/health_check"]'),
    "SCRIPT": _Kind((str,), "text", '"./script"'),
    "FILE": _Kind((str,), "text", '"/run/web.pid"'),
}
_SHELL_SYNTAX = re.compile(r"[|&;<>()$`\"'*?\[\]{}~\\#=\n]")


def kind_of(raw: object) -> str:
    """Name the type of a value."""
    return _TYPES.get(type(raw), _DATE)


def not_a(name: str, raw: object) -> str:
    """Complain that a value is not of the type with this name."""
    complaint = f"is {kind_of(raw)}, not {name}"
    return f"{shown(raw)} {complaint}" if type(raw) in {str, int, float} else complaint


def example(key: str) -> str:
    """Return a value as a file could have it under this key."""
    option = KEYS.get(key) or KEYS_OF_HEAT[key]
    return option.example or _kind(option).example


def read(key: str, option: Option, raw: object) -> Any:
    """Read the value of a key. Raises BadValueError, whose complaint names the value."""
    if type(raw) not in _kind(option).types:
        raise _wrong_type(key, option, raw)
    if option.parse is None:
        return _words(cast("list[object]", raw))
    value = raw
    if isinstance(raw, list):
        value = _codes(key, cast("list[object]", raw))
    elif isinstance(raw, int) and option.value != "SECS":
        value = number_text(raw)
    try:
        return option.parse(value)
    except BadValueError as error:
        hint = error.hint_in_file or as_keys(error.hint)
        text = shown(value if isinstance(raw, list) else raw)
        raise BadValueError(f"{text} {as_keys(error.complaint)}", hint) from None


def _kind(option: Option) -> _Kind:
    return _KINDS.get(option.value, _TEXT)


def _codes(key: str, codes: list[object]) -> str:
    """Write exit codes as on a command line; an empty list overrides the defaults."""
    for place, code in enumerate(codes, 1):
        if type(code) is not int:
            complaint = f"item {place} is {kind_of(code)}, not a whole number"
            raise BadValueError(complaint, f"write {key} = {example(key)}")
    return ",".join(number_text(cast("int", code)) for code in codes) or "none"


def _words(words: list[object]) -> tuple[str, ...]:
    """Read a command: a list of text."""
    if not words:
        raise BadValueError("is empty", f"write command = {example('command')}")
    for place, word in enumerate(words, 1):
        if not isinstance(word, str):
            raise BadValueError(f"word {place} is {kind_of(word)}, not text", "write it in quotes")
        if "\0" in word:
            raise BadValueError(f"word {place} contains a NUL", "leave out the NUL")
    if not words[0]:
        raise BadValueError("the first word is empty", "begin it with the name of a program")
    return tuple(map(str, words))


def _wrong_type(key: str, option: Option, raw: object) -> BadValueError:
    hint = f"write {key} = {example(key)}"
    types, name, _ = _kind(option)
    if isinstance(raw, str):
        if types == (list,):
            return BadValueError(f"{shown(raw)} is text, not a list", _as_list(raw))
        if re.fullmatch(r"[0-9]+", raw):
            hint = f"write it without quotes: {key} = {raw}"
    elif types == (str,) and type(raw) in {int, float}:
        hint = "write it in quotes"
    return BadValueError(not_a(name, raw), hint)


def _as_list(command: str) -> str:
    """Tell how to write a command that is one text."""
    words = command.split()
    if _SHELL_SYNTAX.search(command):
        words = ["sh", "-c", command]
    if not words:
        return f"write command = {example('command')}"
    return f"write a list: command = [{', '.join(map(quoted, words))}]"
