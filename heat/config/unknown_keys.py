"""Complaints about keys and tables that HEAT does not know, with what to write instead.

Only loaded by a mistake.
"""

from collections.abc import Iterable

from heat.config.foreign_keys import hint_of_key, hint_of_table
from heat.config.schema import KEYS, KEYS_OF_HEAT, OF_HEAT
from heat.diagnostics import BadValueError, dotted, quoted

_SHORT = {option.short[1:]: key for key, option in KEYS.items() if option.short}
_IN_A_TABLE = "write it under [defaults] or [monitor.NAME]"


def of_monitor(key: str, raw: object, place: str) -> BadValueError:
    """Complain about a key of a monitor or of [defaults], in the table at this place."""
    if key == "name":
        hint = "the name of a table is the monitor's: [monitor.NAME]"
        return BadValueError("is not a key", hint)
    if start := _on_the_command_line(key):
        return BadValueError("belongs on the command line, not in a file", start)
    if key in KEYS_OF_HEAT:
        return BadValueError("concerns all monitors", "write it under [heat]")
    hint = hint_of_key(key)
    if not hint and isinstance(raw, dict) and ": monitor." in place:
        name = place.rpartition(": monitor.")[2].strip('"')
        hint = f"put a name with a dot in quotes: [monitor.{quoted(f'{name}.{key}')}]"
        return BadValueError("is a table inside a monitor", hint)
    if not hint:
        other = "the keys are the options of 'heat --help' without their dashes, and command"
        near = _SHORT.get(key)
        hint = f"did you mean {near}?" if near else _nearest(key, KEYS, other)
    return BadValueError("is not a key of a monitor", hint)


def of_heat(key: str) -> BadValueError:
    """Complain about a key of [heat]."""
    hint = _IN_A_TABLE if key in KEYS else _on_the_command_line(key) or hint_of_key(key)
    other = f"its keys are {' and '.join(KEYS_OF_HEAT)}"
    return BadValueError("is not a key of [heat]", hint or _nearest(key, KEYS_OF_HEAT, other))


def of_file(key: str, tables: Iterable[str]) -> BadValueError:
    """Complain about a name at the top of a file, which knows these tables."""
    if key in KEYS:
        return BadValueError("is outside any table", _IN_A_TABLE)
    other = f"did you mean [monitor.{dotted(key)}]?"
    return BadValueError(
        "is not a table of HEAT", hint_of_table(key) or _nearest(key, tables, other)
    )


def _on_the_command_line(key: str) -> str:
    option = OF_HEAT.get(f"--{key}")
    return f"start HEAT with {option.name} {option.value}".rstrip() if option else ""


def _nearest(key: str, known: Iterable[str], other: str) -> str:
    import difflib

    near = difflib.get_close_matches(key, known, 1, 0.65)
    return f"did you mean {near[0]}?" if near else other
