"""The file of --config: its tables read and made into the options of each monitor.

Nothing is printed here and nothing ends, so that a running HEAT can read its file anew. All
mistakes of a file are found at once, in its order.
"""

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, cast

from heat.config.conflicts import BAD, COMMAND, conflicts, missing
from heat.config.durations import HOUR, LONGEST_PAST, duration
from heat.config.model import Config
from heat.config.options import (
    HISTORY,
    IN_FILE,
    OF_HEAT,
    OPTIONS,
    Option,
    Options,
    as_far_as_read,
    bad_value,
    made_of,
    monitor_name,
)
from heat.diagnostics import (
    BadValueError,
    Diagnostic,
    as_keys,
    dotted,
    monitor_place,
    number_text,
    quoted,
    shown,
)
from heat.errors import reason_of
from heat.text import escaped
from heat.trust import Trust, is_foreign

LARGEST = 16_000_000
"""Bytes; ten thousand real monitors are 1.5 MB."""
MAX_RUNNING = 256
MOST_RUNNING = 1_000_000

_TYPES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    dict: "a table",
}
_DATE = "a date or a time"
_TAKES: dict[str, tuple[tuple[type, ...], str]] = {
    "SECS": ((str, int, float), "a duration"),
    "N": ((int,), "a whole number"),
    "PID": ((int,), "a process id"),
    "SIG": ((str, int), "a signal"),
    "LIST": ((str, int, list), "a list of exit codes"),
    "WORDS": ((list,), "a list of text"),
}
"""By the word for its value: the types that an option takes, and what they are; else text."""
_TEXT: tuple[tuple[type, ...], str] = ((str,), "text")
_EXAMPLES = {
    "SECS": '30 or "5m"',
    "N": "3",
    "PID": "1234",
    "SIG": '"USR1"',
    "SCRIPT": '"./script"',
    "FILE": '"/run/web.pid"',
    "fail-overlap": '"skip"',
    "on-killed": '"error"',
    "when-spent": '"error"',
    "unknown-codes": "[3, 4]",
    "warn-codes": "[1]",
    "WORDS": '["curl", "-sf", "http://localhost/health_check"]',
}
"""Values that could be written, by the key or by the word for its value."""

KEYS = {
    option.name.removeprefix("--"): option
    for option in (*OPTIONS, Option(COMMAND, "WORDS", None))
    if option.name not in OF_HEAT and option.name != "--name"
}
"""The keys of a monitor."""


def example(key: str) -> str:
    """A value that could stand in a file under this key."""
    return _EXAMPLES.get(key) or _EXAMPLES[KEYS[key].value]


_SHORT = {option.short[1:]: key for key, option in KEYS.items() if option.short}
_TABLES = ("heat", "defaults", "monitor")
_KEYS_OF_HEAT = ("max-running", "history")
_OF_HEAT = {option.name.removeprefix("--"): option for option in OPTIONS if option.name in OF_HEAT}
_RIVALS = (
    ("--script", COMMAND),
    (COMMAND, "--script"),
    ("--pid", "--pid-file"),
    ("--pid-file", "--pid"),
)
"""Where a monitor has the first, it drops the second of the defaults."""

_SHELL_SYNTAX = re.compile(r"[|&;<>()$`\"'*?\[\]{}~\\#=\n]")

_QUOTES = 'text and units stand in quotes: interval = "5m", script = "./check"'
_SYNTAX = (
    # what tomllib says, what HEAT says, fix
    (r"Cannot declare (.*) twice", r"[\1] is there twice", "leave one of them out, or rename it"),
    (r"Cannot overwrite a value", "this is given twice", "leave one of them out"),
    (r"Duplicate inline table key (.*)", r"\1 is given twice", "leave one of them out"),
    (r"Cannot .*", "this table is there already", "write all keys of a table in one place"),
    (r"Illegal character '\\n'", "a text does not end on its line", "close its quotes"),
    (r"(?:Illegal|Found invalid) character (.*)", r"a control character, \1", "leave it out"),
    (r"Invalid value", "this is not a value", _QUOTES),
    (r"Expected newline.*", "here the line should end", _QUOTES),
    (
        r"Invalid statement",
        "neither a key nor a table",
        "write KEY = VALUE, or [monitor.NAME]",
    ),
    (r"Expected '='.*", "'=' is missing behind the key", "write KEY = VALUE"),
    (r"Unclosed array", "a list does not end", "close it with ']'"),
    (r"Unterminated string|Expected .'''.", "a text does not end", "close its quotes"),
    (r"Unescaped '\\' in a string", r"a single '\\' in a text", "write it twice, or use '...'"),
)
_ALL_KEYS = "the keys are the options of 'heat --help' without their dashes, and command"
_TOML = "https://toml.io tells how such a file is written"


class _WrongError(Exception):
    """Something of a file cannot be taken: what it is, and what would do."""

    def __init__(self, complaint: str, hint: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.hint = hint


def read(shown: str, path: str) -> tuple[Config | None, list[Diagnostic]]:
    """The file at ``path``, ``shown`` as the user wrote it; None if anything is wrong with it."""
    config, diagnostics = sound_part(shown, path)
    return (None if diagnostics else config), diagnostics


def sound_part(
    shown: str, path: str, trust: Trust | None = None
) -> tuple[Config, list[Diagnostic]]:
    """The monitors in which nothing is wrong, and all that is wrong with the others."""
    if doubts := (trust or Trust()).doubts(path):
        return _nothing(shown, path, *(_WrongError(each.told(""), each.hint) for each in doubts))
    try:
        data = _contents(path)
    except _WrongError as error:
        return _nothing(shown, path, error)
    return parse(data, shown, path)


def parse(data: bytes, shown: str, path: str = "") -> tuple[Config, list[Diagnostic]]:
    """The same of a file's contents."""
    try:
        tables = _tables(data)
    except _WrongError as error:
        return _nothing(shown, path, error)
    reading = _Reading(escaped(shown))
    reading.read(tables)
    heat = reading.max_running, reading.history
    config = Config(path, shown, *heat, reading.monitors, reading.unsound)
    return config, reading.diagnostics


def _nothing(shown: str, path: str, *wrong: _WrongError) -> tuple[Config, list[Diagnostic]]:
    diagnostics = [
        Diagnostic(f"{escaped(shown)}: {error.complaint}", error.hint) for error in wrong
    ]
    return Config(path, shown, MAX_RUNNING, HISTORY, {}), diagnostics


def _contents(path: str) -> bytes:
    """The content of a regular file of a reasonable size; never waits for a writer."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _WrongError("no such file", "name one that is there") from None
    except PermissionError:
        hint = "let the user that HEAT runs as read it, and enter its folder"
        raise _WrongError("may not be read by this user", hint) from None
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
        raise _WrongError(complaint, hint)
    return data


def _unreadable(error: OSError | ValueError) -> _WrongError:
    why = reason_of(error)
    return _WrongError(f"cannot be read: {why}", "name a file that can be read")


def _look_at(about: os.stat_result) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise _WrongError("is a directory", "name the file in it")
    if not stat.S_ISREG(about.st_mode):
        hint = "write it into a file: it is read again on SIGHUP"
        raise _WrongError("is not a regular file", hint)
    if why := is_foreign(about):  # Since it was looked at by name.
        raise _WrongError(why, "look who else writes there")


def _tables(data: bytes) -> dict[str, Any]:
    """The tables as TOML has them; whatever keeps them from being read is put into words."""
    if data.startswith(b"\xef\xbb\xbf"):
        complaint = "line 1: it begins with a byte order mark"
        raise _WrongError(complaint, "save it as UTF-8 without one")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        complaint = f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8"
        raise _WrongError(complaint, "save it as UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _WrongError(f"line {line}: it holds a NUL", "leave it out")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error)) from None
    except RecursionError:
        hint = "no key of HEAT takes more than a list of text"
        raise _WrongError("lists or tables are nested too deeply", hint) from None
    except ValueError:
        # Python reads no number of more than 4,300 digits.
        found = re.search(r"[0-9_]{4300}", text)
        where = f"line {text.count(chr(10), 0, found.start()) + 1}: " if found else ""
        complaint = f"{where}a number is too large to be read"
        raise _WrongError(complaint, "write a smaller one") from None


def _syntax(told: str) -> _WrongError:
    """A complaint of tomllib's, in words that help."""
    found = re.fullmatch(r"(.*) \(at (line \d+)?.*\)", told, re.DOTALL)
    text, line = (found[1], found[2]) if found else (told, None)
    where = f"{line}: " if line else "at its end: "
    for pattern, complaint, hint in _SYNTAX:
        if known := re.fullmatch(pattern, text, re.DOTALL):
            said = re.sub(r"\('(.*?)',?\)", r"\1", known.expand(complaint)).replace("', '", ".")
            return _WrongError(escaped(f"{where}{said}"), hint)
    return _WrongError(escaped(f"{where}{text[:1].lower()}{text[1:]}"), _TOML)


class _Reading:
    """One reading of a file: what was found in it, and the values that its monitors share."""

    def __init__(self, shown: str) -> None:
        self.max_running = MAX_RUNNING
        self.history = HISTORY
        self.monitors: dict[str, Options] = {}
        self.unsound: dict[str, Options] = {}
        self.diagnostics: list[Diagnostic] = []
        self._shown = shown
        self._parsed: dict[tuple[str, type, Any], Any] = {}
        self._shared: dict[Any, Any] = {}
        self._raw_defaults: dict[str, Any] = {}
        self._defaults: dict[str, Any] = {}

    def read(self, tables: dict[str, Any]) -> None:
        """Take all tables of a file; the defaults first, wherever they stand."""
        of_defaults = self._read_defaults(tables.get("defaults", {}))
        for key, table in tables.items():
            if key == "defaults":
                self.diagnostics += of_defaults
            elif key not in _TABLES:
                self._wrong(dotted(key), _no_table(key))
            elif not isinstance(table, dict):
                hint = "write [monitor.NAME]" if key == "monitor" else f"write [{key}]"
                self._wrong(key, _WrongError(_not_this(table, "a table"), hint))
            elif key == "heat":
                self._read_heat(cast("dict[str, Any]", table))
            else:
                self._read_monitors(cast("dict[str, Any]", table))
        if not tables.get("monitor"):
            hint = "write one: [monitor.NAME], with interval, and script or command"
            self.diagnostics.append(Diagnostic(f"{self._shown}: no monitor is in it", hint))

    def _wrong(self, where: str, error: _WrongError) -> None:
        self.diagnostics.append(
            Diagnostic(f"{self._shown}: {where}: {error.complaint}", error.hint)
        )

    def _read_heat(self, table: dict[str, Any]) -> None:
        for key, value in table.items():
            try:
                if key == "history":
                    self.history = _history(value)
                else:
                    self.max_running = _of_heat(key, value)
            except _WrongError as error:
                self._wrong(f"heat.{dotted(key)}", error)

    def _read_defaults(self, table: object) -> list[Diagnostic]:
        place = f"{self._shown}: defaults"
        if not isinstance(table, dict):
            return [Diagnostic(f"{place}: {_not_this(table, 'a table')}", "write [defaults]")]
        self._raw_defaults = cast("dict[str, Any]", table)
        self._defaults, diagnostics = self._values(self._raw_defaults, place)
        for one, other in (("--script", COMMAND), ("--pid-file", "--pid")):
            if one in self._defaults and other in self._defaults:
                del self._defaults[other]  # So that this is not told of each monitor.
                key, rival = as_keys(other), as_keys(one)
                line = f"{place}.{key}: has no effect with {rival}"
                diagnostics.append(Diagnostic(line, f"use either {rival} or {key}", key))
        return _in_order(diagnostics, self._raw_defaults)

    def _read_monitors(self, tables: dict[str, Any]) -> None:
        for name, table in tables.items():
            place = monitor_place(self._shown, name)
            if not isinstance(table, dict):
                line = f"{place}: {_not_this(table, 'a table')}"
                self.diagnostics.append(Diagnostic(line, f"write [monitor.{dotted(name)}]"))
                continue
            self._read_monitor(name, cast("dict[str, Any]", table), place)

    def _read_monitor(self, name: str, table: dict[str, Any], place: str) -> None:
        values, diagnostics = self._values(table, place)
        merged = self._merged(values, name)
        diagnostics += [each.at(place) for each in missing(merged)]
        diagnostics += self._conflicts(values, merged, table, place)
        of_name = list(_of_name(name, place))
        self.diagnostics += of_name + _in_order(diagnostics, table)
        if not diagnostics and not of_name and BAD not in merged.values():
            self.monitors[name] = self._made_of(merged)
        elif not of_name:
            self.unsound[name] = as_far_as_read(merged)

    def _values(self, table: dict[str, Any], place: str) -> tuple[dict[str, Any], list[Diagnostic]]:
        """The values of a table by their options, and what is wrong with its keys and values."""
        values: dict[str, Any] = {}
        diagnostics: list[Diagnostic] = []
        for key, raw in table.items():
            option = KEYS.get(key)
            try:
                if option is None:
                    raise _no_key(key, raw, place)
                values[option.name] = BAD
                values[option.name] = self._value(option, key, raw)
            except _WrongError as error:
                line = f"{place}.{dotted(key)}: {error.complaint}"
                diagnostics.append(Diagnostic(line, error.hint, key))
        return values, diagnostics

    def _value(self, option: Option, key: str, raw: object) -> Any:
        known = key, type(raw), raw  # With the type: True, 1 and 1.0 are equal.
        types, _ = _TAKES.get(option.value, _TEXT)
        if type(raw) not in types:
            raise _wrong_type(option, key, raw)
        if types == (list,):
            return self._share(tuple(map(self._share, _words(cast("list[object]", raw)))))
        if isinstance(raw, list):
            return self._share(_parsed(option, _as_codes(key, cast("list[object]", raw))))
        if known not in self._parsed:
            self._parsed[known] = _parsed(option, raw)
        return self._parsed[known]

    def _share(self, value: Any) -> Any:
        """The first of equal values, so that there is one of them for all monitors."""
        return self._shared.setdefault(value, value)

    def _merged(self, own: dict[str, Any], name: str) -> dict[str, Any]:
        """The defaults, with the values of a monitor in their place."""
        merged = {**IN_FILE, **self._defaults, **own, "--name": name}
        for one, other in _RIVALS:
            if one in own and other not in own:
                merged.pop(other, None)
        return merged

    def _conflicts(
        self, own: dict[str, Any], merged: dict[str, Any], table: dict[str, Any], place: str
    ) -> Iterator[Diagnostic]:
        """The keys that a monitor has in vain, and the mistakes that show with defaults too."""
        for each in conflicts(merged):
            if each.option in own or not each.in_vain:
                key = each.option.removeprefix("--")
                raw = table[key] if key in table else self._raw_defaults[key]
                yield each.diagnostic(raw).at(place)

    def _made_of(self, merged: dict[str, Any]) -> Options:
        made = made_of(merged)
        return made._replace(limits=self._share(made.limits))


def _parsed(option: Option, raw: object) -> Any:
    """The value of a key, read as that of the option on a command line is."""
    text = number_text(raw) if isinstance(raw, int) and option.value != "SECS" else raw
    try:
        return text if option.parse is None else option.parse(text)
    except BadValueError as error:
        diagnostic = bad_value(option.name, raw, error)
        raise _WrongError(diagnostic.message_in_file, diagnostic.hint_in_file) from None


def _as_codes(key: str, given: list[object]) -> str:
    """A list of exit codes as a command line has it; an empty one lifts that of the defaults."""
    for place, each in enumerate(given, 1):
        if type(each) is not int:
            kind = _TYPES.get(type(each), _DATE)
            complaint = f"its part {place} is {kind}, not a whole number"
            raise _WrongError(complaint, f"write {key} = {example(key)}")
    return ",".join(number_text(cast("int", each)) for each in given) or "none"


def _words(given: list[object]) -> tuple[str, ...]:
    """A command: a list of text."""
    if not given:
        raise _WrongError("is empty", f"write command = {_EXAMPLES['WORDS']}")
    for place, word in enumerate(given, 1):
        if not isinstance(word, str):
            kind = _TYPES.get(type(word), _DATE)
            raise _WrongError(f"its word {place} is {kind}, not text", "write it in quotes")
        if "\0" in word:
            raise _WrongError(f"its word {place} holds a NUL", "leave out the NUL")
    if not given[0]:
        raise _WrongError("its first word is empty", "begin it with the name of a program")
    return tuple(map(str, given))


def _wrong_type(option: Option, key: str, raw: object) -> _WrongError:
    said = f"write {key} = {example(key)}"
    types, wanted = _TAKES.get(option.value, _TEXT)
    if isinstance(raw, str):
        if types == (list,):
            return _WrongError(f"{shown(raw)} is text, not a list", _as_list(raw))
        if re.fullmatch(r"[0-9]+", raw):
            said = f"write it without quotes: {key} = {raw}"
    elif types == (str,) and type(raw) in {int, float}:
        said = "write it in quotes"
    return _WrongError(_not_this(raw, wanted), said)


def _not_this(raw: object, wanted: str) -> str:
    """That a value is of one type, and not of the one that is wanted."""
    is_what = f"is {_TYPES.get(type(raw), _DATE)}, not {wanted}"
    return f"{shown(raw)} {is_what}" if type(raw) in {str, int, float} else is_what


def _as_list(command: str) -> str:
    """How a command that was written as one text is written as a list."""
    parts = command.split()
    if _SHELL_SYNTAX.search(command):
        parts = ["sh", "-c", command]
    if not parts:
        return f"write command = {_EXAMPLES['WORDS']}"
    return f"write a list: command = [{', '.join(map(quoted, parts))}]"


def _no_key(key: str, raw: object, place: str) -> _WrongError:
    """A key that no monitor has."""
    from heat.config.foreign_keys import hint_of_key

    if key == "name":
        return _WrongError("is not a key", "the name of a table is the monitor's: [monitor.NAME]")
    if of_heat := _OF_HEAT.get(key):
        hint = f"start HEAT with {of_heat.name} {of_heat.value}".rstrip()
        return _WrongError("belongs to the command line, not into a file", hint)
    if key in _KEYS_OF_HEAT:
        return _WrongError("concerns all monitors", "write it under [heat]")
    hint = hint_of_key(key)
    if not hint and isinstance(raw, dict) and ": monitor." in place:
        name = place.rpartition(": monitor.")[2].strip('"')
        hint = f"a name with a dot stands in quotes: [monitor.{quoted(f'{name}.{key}')}]"
        return _WrongError("is a table within a monitor's", hint)
    if not hint:
        meant = _SHORT.get(key)
        hint = f"did you mean {meant}?" if meant else _nearest(key, KEYS, _ALL_KEYS)
    return _WrongError("is not a key of a monitor", hint)


def _of_name(name: str, place: str) -> Iterator[Diagnostic]:
    try:
        monitor_name(name)
    except BadValueError as error:
        yield Diagnostic(f"{place}: {shown(name)} {error.complaint}", error.hint)


def _of_heat(key: str, value: object) -> int:
    """The value of max-running."""
    from heat.config.foreign_keys import hint_of_key

    if key != "max-running":
        hint = "write it under [defaults] or [monitor.NAME]"
        if of_heat := _OF_HEAT.get(key):
            hint = f"start HEAT with {of_heat.name} {of_heat.value}".rstrip()
        elif key not in KEYS:
            known = f"its keys are {' and '.join(_KEYS_OF_HEAT)}"
            hint = hint_of_key(key) or _nearest(key, _KEYS_OF_HEAT, known)
        raise _WrongError("is not a key of [heat]", hint)
    if not isinstance(value, int) or isinstance(value, bool):
        hint = f"write how many checks may run at once: max-running = {MAX_RUNNING}"
        raise _WrongError(_not_this(value, "a whole number"), hint)
    if not 1 <= value <= MOST_RUNNING:
        hint = f"write a whole number from 1 to {MOST_RUNNING}"
        raise _WrongError(f"{shown(value)} is not a count", hint)
    return value


def _history(value: object) -> float:
    """The value of history, in seconds."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        hint = 'write how long history is kept: history = "90d"'
        raise _WrongError(_not_this(value, "a duration"), hint)
    try:
        span = duration(value, LONGEST_PAST)
        if span < HOUR:
            raise BadValueError("is too short", "the shortest history is 1h")
    except BadValueError as error:
        hint = error.hint_in_file or error.hint
        raise _WrongError(f"{shown(value)} {error.complaint}", hint) from None
    return span


def _no_table(key: str) -> _WrongError:
    """A name at the top of a file that means nothing there."""
    if key in KEYS:
        hint = "write it under [defaults] or [monitor.NAME]"
        return _WrongError("stands under no table", hint)
    from heat.config.foreign_keys import hint_of_table

    hint = hint_of_table(key) or _nearest(key, _TABLES, f"did you mean [monitor.{dotted(key)}]?")
    return _WrongError("is not a table of HEAT", hint)


def _nearest(key: str, known: Iterable[str], otherwise: str) -> str:
    import difflib

    near = difflib.get_close_matches(key, known, 1, 0.65)
    return f"did you mean {near[0]}?" if near else otherwise


def _in_order(diagnostics: list[Diagnostic], table: dict[str, Any]) -> list[Diagnostic]:
    """Mistakes in the order of the keys that they are about; those about none at the end."""
    order = {key: place for place, key in enumerate(table)}
    return sorted(diagnostics, key=lambda diagnostic: order.get(diagnostic.key, len(order)))
