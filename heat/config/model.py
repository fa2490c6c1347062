"""The content of a configuration file, as a value."""

from collections.abc import Mapping
from types import MappingProxyType

from heat.config.durations import written
from heat.config.options import Options
from heat.diagnostics import monitor_place
from heat.text import escaped
from states.engine.named_tuple import NamedTuple


class Config(NamedTuple):
    """All of it; the monitors in its order, each under its name."""

    path: str
    """Absolute."""
    shown: str
    """The path as given."""
    max_running: int
    history: float
    """Seconds for which history is kept."""
    monitors: dict[str, Options]
    unsound: Mapping[str, Options] = MappingProxyType({})
    """The part that can be looked at of the monitors in which something is wrong."""

    def settings(self, before: "Config") -> list[str]:
        """Tell what of [heat] is another than ``before``; all of it is in force at once."""
        of_heat = (
            ("max-running", str(before.max_running), str(self.max_running)),
            ("history", written(before.history), written(self.history)),
        )
        return [f"{key} is {now} now (was {was})" for key, was, now in of_heat if was != now]

    def place(self, name: str) -> str:
        """The table of a monitor, in messages."""
        return monitor_place(escaped(self.shown), name)
