"""A file in TOML: its bytes, its tables, and in plain words why there are none."""

import os
import re
import stat
import tomllib
from typing import Any

from heat.diagnostics import BadValueError
from heat.errors import reason_of
from heat.text import escaped
from heat.trust import is_foreign

LARGEST = 16_000_000
"""Bytes; ten thousand real monitors are 1.5 MB."""

_QUOTES = 'text and units stand in quotes: interval = "5m", script = "./check"'
_SYNTAX = (
    # message of tomllib, complaint of HEAT, hint
    (r"Cannot declare (.*) twice", r"[\1] is defined twice", "leave one of them out, or rename it"),
    (r"Cannot overwrite a value", "this key is given twice", "leave one of them out"),
    (r"Duplicate inline table key (.*)", r"\1 is given twice", "leave one of them out"),
    (r"Cannot .*", "this table is defined already", "write all keys of a table in one place"),
    (r"Illegal character '\\n'", "a text is not closed on its line", "close its quotes"),
    (r"(?:Illegal|Found invalid) character (.*)", r"a control character, \1", "leave it out"),
    (r"Invalid value", "this is not a value", _QUOTES),
    (r"Expected newline.*", "the line should end here", _QUOTES),
    (r"Invalid statement", "neither a key nor a table", "write KEY = VALUE, or [monitor.NAME]"),
    (r"Expected '='.*", "'=' is missing behind the key", "write KEY = VALUE"),
    (r"Unclosed array", "a list is not closed", "close it with ']'"),
    (r"Unterminated string|Expected .'''.", "a text is not closed", "close its quotes"),
    (r"Unescaped '\\' in a string", r"a single '\\' in a text", "write it twice, or use '...'"),
)
_TOML = "https://toml.io tells how such a file is written"


def contents(path: str) -> bytes:
    """Read a regular file of a reasonable size, without waiting for a writer."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise BadValueError("no such file", "name one that is there") from None
    except PermissionError:
        hint = "let the user that HEAT runs as read it, and enter its folder"
        raise BadValueError("may not be read by this user", hint) from None
    except (OSError, ValueError) as error:
        raise _unreadable(error) from None
    try:
        _look_at(os.fstat(fd))
        with open(fd, "rb", closefd=False) as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(error) from None
    finally:
        os.close(fd)
    if len(data) > LARGEST:
        complaint = f"is larger than 16 MB ({LARGEST} bytes)"
        hint = "put what monitors share under [defaults], or split it between two HEATs"
        raise BadValueError(complaint, hint)
    return data


def _unreadable(error: OSError | ValueError) -> BadValueError:
    why = reason_of(error)
    return BadValueError(f"cannot be read: {why}", "name a file that can be read")


def _look_at(about: os.stat_result) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise BadValueError("is a directory", "name the file in it")
    if not stat.S_ISREG(about.st_mode):
        hint = "write it into a file: it is read again on SIGHUP"
        raise BadValueError("is not a regular file", hint)
    if why := is_foreign(about):  # It was checked by name before.
        raise BadValueError(why, "look who else writes there")


def tables(data: bytes) -> dict[str, Any]:
    """Return the tables of a file's bytes. Raises BadValueError."""
    if data.startswith(b"\xef\xbb\xbf"):
        complaint = "line 1: it begins with a byte order mark"
        raise BadValueError(complaint, "save it as UTF-8 without one")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        complaint = f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8"
        raise BadValueError(complaint, "save it as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadValueError(f"line {line}: contains a NUL", "leave it out")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error)) from None
    except RecursionError:
        hint = "no key of HEAT takes more than a list of text"
        raise BadValueError("lists or tables are nested too deeply", hint) from None
    except ValueError:
        # Python reads no number of more than 4,300 digits.
        number = re.search(r"[0-9_]{4300}", text)
        where = f"line {text.count(chr(10), 0, number.start()) + 1}: " if number else ""
        complaint = f"{where}a number is too large to be read"
        raise BadValueError(complaint, "write a smaller one") from None


def _syntax(message: str) -> BadValueError:
    """Put a message of tomllib into words that help."""
    parts = re.fullmatch(r"(.*) \(at (line \d+)?.*\)", message, re.DOTALL)
    text, line = (parts[1], parts[2]) if parts else (message, None)
    where = f"{line}: " if line else "at the end: "
    for pattern, complaint, hint in _SYNTAX:
        if known := re.fullmatch(pattern, text, re.DOTALL):
            plain = re.sub(r"\('(.*?)',?\)", r"\1", known.expand(complaint)).replace("', '", ".")
            return BadValueError(escaped(f"{where}{plain}"), hint)
    return BadValueError(escaped(f"{where}{text[:1].lower()}{text[1:]}"), _TOML)
