"""Tables of rows, and the machine that runs them: for any table, with or without nested states.

`Machine` and `Coupling` are loaded on first use: importing `transitions` takes 30 ms, which a
program that only draws, or only makes values, does not have to pay.
"""

from typing import TYPE_CHECKING, Any

from states.engine.named_tuple import NamedTuple
from states.engine.table import Region, Row, Table

if TYPE_CHECKING:
    from states.engine.coupling import Coupling, Link
    from states.engine.machine import Machine, Step

__all__ = ["Coupling", "Link", "Machine", "NamedTuple", "Region", "Row", "Step", "Table"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as Python has it
    if name in {"Machine", "Step"}:
        from states.engine import machine  # noqa: PLC0415 - see above

        return getattr(machine, name)
    if name in {"Coupling", "Link"}:
        from states.engine import coupling  # noqa: PLC0415 - see above

        return getattr(coupling, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
