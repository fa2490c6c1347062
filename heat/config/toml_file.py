"""The file of --config: its tables become the options of each monitor.

It prints nothing and ends nothing, so that a running HEAT can read its file again. It lists all
mistakes of a file at once, in the file's order.
"""

from collections.abc import Iterator
from typing import Any, cast

from heat.config import keys
from heat.config.conflicts import conflicts, missing
from heat.config.model import Config
from heat.config.options import Options, make, make_readable
from heat.config.readers import monitor_name
from heat.config.schema import BAD, DEFAULTS_IN_FILE, KEYS, KEYS_OF_HEAT, RIVALS, Option
from heat.config.toml_text import contents, tables
from heat.diagnostics import BadValueError, Diagnostic, as_keys, dotted, monitor_place, shown
from heat.text import escaped
from heat.trust import Trust

_TABLES = ("heat", "defaults", "monitor")


def sound_part(
    shown: str, path: str, trust: Trust | None = None
) -> tuple[Config, list[Diagnostic]]:
    """Return the monitors in which nothing is wrong, and all that is wrong with the others."""
    if doubts := (trust or Trust()).doubts(path):
        return _nothing(
            shown, path, *(BadValueError(each.sentence(""), each.hint) for each in doubts)
        )
    try:
        data = contents(path)
    except BadValueError as error:
        return _nothing(shown, path, error)
    return parse(data, shown, path)


def parse(data: bytes, shown: str, path: str = "") -> tuple[Config, list[Diagnostic]]:
    """Return the same for the bytes of a file."""
    reading = _Reading(escaped(shown))
    try:
        reading.read(tables(data))
    except BadValueError as error:
        return _nothing(shown, path, error)
    return reading.config(path, shown), reading.diagnostics


def _nothing(shown: str, path: str, *errors: BadValueError) -> tuple[Config, list[Diagnostic]]:
    reading = _Reading(escaped(shown))
    diagnostics = [
        Diagnostic(f"{escaped(shown)}: {error.complaint}", error.hint) for error in errors
    ]
    return reading.config(path, shown), diagnostics


class _Reading:
    """One reading of a file: its monitors, the values that they share, and its mistakes."""

    def __init__(self, shown: str) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._shown = shown
        self._heat: dict[str, Any] = {key: option.default for key, option in KEYS_OF_HEAT.items()}
        self._monitors: dict[str, Options] = {}
        self._unsound: dict[str, Options] = {}
        self._known: dict[tuple[str, type, Any], Any] = {}
        self._shared: dict[Any, Any] = {}
        self._raw_defaults: dict[str, Any] = {}
        self._defaults: dict[str, Any] = {}

    def config(self, path: str, shown: str) -> Config:
        """Return all that has been read; ``shown`` is the path as given."""
        heat = self._heat["max-running"], self._heat["history"]
        return Config(path, shown, *heat, self._monitors, self._unsound)

    def read(self, tables: dict[str, Any]) -> None:
        """Read all tables of a file, first the defaults, wherever they are."""
        of_defaults = self._read_defaults(tables.get("defaults", {}))
        for key, table in tables.items():
            if key == "defaults":
                self.diagnostics += of_defaults
            elif key not in _TABLES:
                self._wrong(dotted(key), _no_table(key))
            elif not isinstance(table, dict):
                hint = "write [monitor.NAME]" if key == "monitor" else f"write [{key}]"
                self._wrong(key, BadValueError(keys.not_a("a table", table), hint))
            elif key == "heat":
                self._read_heat(cast("dict[str, Any]", table))
            else:
                self._read_monitors(cast("dict[str, Any]", table))
        if not tables.get("monitor"):
            hint = "write one: [monitor.NAME], with interval, and script or command"
            self.diagnostics.append(Diagnostic(f"{self._shown}: has no monitors", hint))

    def _wrong(self, where: str, error: BadValueError) -> None:
        self.diagnostics.append(
            Diagnostic(f"{self._shown}: {where}: {error.complaint}", error.hint)
        )

    def _read_heat(self, table: dict[str, Any]) -> None:
        for key, raw in table.items():
            try:
                if (option := KEYS_OF_HEAT.get(key)) is None:
                    from heat.config.unknown_keys import of_heat

                    raise of_heat(key)
                self._heat[key] = keys.read(key, option, raw)
            except BadValueError as error:
                self._wrong(f"heat.{dotted(key)}", error)

    def _read_defaults(self, table: object) -> list[Diagnostic]:
        place = f"{self._shown}: defaults"
        if not isinstance(table, dict):
            return [Diagnostic(f"{place}: {keys.not_a('a table', table)}", "write [defaults]")]
        self._raw_defaults = cast("dict[str, Any]", table)
        self._defaults, diagnostics = self._values(self._raw_defaults, place)
        for one, other in RIVALS:
            if one in self._defaults and other in self._defaults:
                del self._defaults[other]  # It would be reported for each monitor.
                key, rival = as_keys(other), as_keys(one)
                line = f"{place}.{key}: has no effect with {rival}"
                diagnostics.append(Diagnostic(line, f"use either {rival} or {key}", key))
        return _in_order(diagnostics, self._raw_defaults)

    def _read_monitors(self, tables: dict[str, Any]) -> None:
        for name, table in tables.items():
            place = monitor_place(self._shown, name)
            if not isinstance(table, dict):
                line = f"{place}: {keys.not_a('a table', table)}"
                self.diagnostics.append(Diagnostic(line, f"write [monitor.{dotted(name)}]"))
                continue
            self._read_monitor(name, cast("dict[str, Any]", table), place)

    def _read_monitor(self, name: str, table: dict[str, Any], place: str) -> None:
        values, diagnostics = self._values(table, place)
        merged = self._merged(values, name)
        diagnostics += [each.at(place) for each in missing(merged)]
        diagnostics += self._conflicts(values, merged, table, place)
        wrong_name = list(_wrong_name(name, place))
        self.diagnostics += wrong_name + _in_order(diagnostics, table)
        if not diagnostics and not wrong_name and BAD not in merged.values():
            options = make(merged)
            self._monitors[name] = options._replace(limits=self._share(options.limits))
        elif not wrong_name:
            self._unsound[name] = make_readable(merged)

    def _values(self, table: dict[str, Any], place: str) -> tuple[dict[str, Any], list[Diagnostic]]:
        """Read the values of a table, by their options, and list what is wrong with it."""
        values: dict[str, Any] = {}
        diagnostics: list[Diagnostic] = []
        for key, raw in table.items():
            option = KEYS.get(key)
            try:
                if option is None:
                    from heat.config.unknown_keys import of_monitor

                    raise of_monitor(key, raw, place)
                values[option.name] = BAD
                values[option.name] = self._value(option, key, raw)
            except BadValueError as error:
                line = f"{place}.{dotted(key)}: {error.complaint}"
                diagnostics.append(Diagnostic(line, error.hint, key))
        return values, diagnostics

    def _value(self, option: Option, key: str, raw: object) -> Any:
        """Read a value once for all monitors that have it."""
        if type(raw) in {list, dict}:  # They cannot be keys of `_known`.
            return self._share(tuple(map(self._share, keys.read(key, option, raw))))
        known = key, type(raw), raw  # With the type: True, 1 and 1.0 are equal.
        if known not in self._known:
            self._known[known] = keys.read(key, option, raw)
        return self._known[known]

    def _share(self, value: Any) -> Any:
        """Return the first of equal values, so that all monitors have the same one."""
        return self._shared.setdefault(value, value)

    def _merged(self, own: dict[str, Any], name: str) -> dict[str, Any]:
        """Return the defaults, overridden by the values of a monitor."""
        merged = {**DEFAULTS_IN_FILE, **self._defaults, **own, "--name": name}
        for pair in RIVALS:
            for one, other in (pair, pair[::-1]):
                if one in own and other not in own:
                    merged.pop(other, None)
        return merged

    def _conflicts(
        self, own: dict[str, Any], merged: dict[str, Any], table: dict[str, Any], place: str
    ) -> Iterator[Diagnostic]:
        """List the conflicts; for a default it is none to have no effect on this monitor."""
        for each in conflicts(merged):
            if each.option in own or not each.idle:
                key = as_keys(each.option)
                raw = table[key] if key in table else self._raw_defaults[key]
                yield each.diagnostic(raw).at(place)


def _no_table(key: str) -> BadValueError:
    from heat.config.unknown_keys import of_file

    return of_file(key, _TABLES)


def _wrong_name(name: str, place: str) -> Iterator[Diagnostic]:
    try:
        monitor_name(name)
    except BadValueError as error:
        yield Diagnostic(f"{place}: {shown(name)} {error.complaint}", error.hint)


def _in_order(diagnostics: list[Diagnostic], table: dict[str, Any]) -> list[Diagnostic]:
    """Sort mistakes by the order of their keys; those without a key come last."""
    order = {key: place for place, key in enumerate(table)}
    return sorted(diagnostics, key=lambda diagnostic: order.get(diagnostic.key, len(order)))
