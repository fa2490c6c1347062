"""Tables of rows, and the machine that runs them: for any table, with or without nested states.

All but `NamedTuple` is loaded on first use: many a program only makes values, and `Machine` brings
`transitions` with it, which takes 30 ms.
"""

from typing import TYPE_CHECKING, Any

from states.engine.named_tuple import NamedTuple

if TYPE_CHECKING:
    from states.engine.coupling import Coupling, Link
    from states.engine.machine import Machine, Step
    from states.engine.table import Region, Row, Table

__all__ = ["Coupling", "Link", "Machine", "NamedTuple", "Region", "Row", "Step", "Table"]

_HOMES = {
    "Coupling": "coupling",
    "Link": "coupling",
    "Machine": "machine",
    "Region": "table",
    "Row": "table",
    "Step": "machine",
    "Table": "table",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as Python has it
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(f"states.engine.{_HOMES[name]}"), name)
