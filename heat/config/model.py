"""The content of a configuration file, as a value."""

from collections.abc import Mapping
from types import MappingProxyType

from heat.config.durations import written
from heat.config.options import Options
from heat.diagnostics import monitor_place
from heat.text import escaped
from states.engine.named_tuple import NamedTuple


class Config(NamedTuple):
    """The whole file; the monitors in its order, by their names."""

    path: str
    """Absolute."""
    shown: str
    """The path as given."""
    max_running: int
    history: float
    """Seconds for which history is kept."""
    monitors: dict[str, Options]
    unsound: Mapping[str, Options] = MappingProxyType({})
    """Monitors in which something is wrong, as far as preflight can look at them."""

    def settings(self, before: "Config") -> list[str]:
        """List what is different in [heat]; all of it takes effect at once."""
        of_heat = (
            ("max-running", str(before.max_running), str(self.max_running)),
            ("history", written(before.history), written(self.history)),
        )
        return [f"{key} is {now} now (was {was})" for key, was, now in of_heat if was != now]

    def place(self, name: str) -> str:
        """Return the table of a monitor, as in messages."""
        return monitor_place(escaped(self.shown), name)
