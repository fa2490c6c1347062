"""HEAT as a whole, as its clients see it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from heat import __version__
from states.monitor.model import State

if TYPE_CHECKING:
    from heat.app.parts import Ground, Outputs
    from heat.control.answers import About
    from heat.control.handlers import Later
    from heat.runtime.limiter import Limiter
    from heat.store.state_file import StateFile


class Overview:
    """Answer for HEAT itself on the control socket."""

    __slots__ = ("_began", "_ground", "_limiter", "_outputs", "_store")

    def __init__(
        self, ground: Ground, outputs: Outputs, limiter: Limiter, store: StateFile | None
    ) -> None:
        self._ground = ground
        self._outputs = outputs
        self._limiter = limiter
        self._store = store
        self._began = ground.clock.unix()

    def about(self) -> About:
        """Return the facts of HEAT as a whole."""
        ground, limiter = self._ground, self._limiter
        config, monitors = ground.in_force.config, ground.monitors.values()
        states = Counter(monitor.model.state for monitor in monitors)
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started": self._began,
            "now": ground.clock.unix(),
            "config": None if config is None else config.path,
            "state": None if self._store is None else os.path.abspath(self._store.path),
            "log_dir": os.path.abspath(ground.common.log_folder),
            "monitors": len(monitors),
            "states": {state.value: states[state] for state in State},
            "paused": sum(monitor.paused is not None for monitor in monitors),
            "running": limiter.running,
            "max_running": limiter.most,
            "waited": limiter.waited,
            "longest_wait": limiter.longest,
            "trouble": list(self._trouble()),
        }

    def _trouble(self) -> Iterator[str]:
        for file in (*self._outputs.logs, self._store):
            if file is not None and file.trouble:
                yield f"{file.shown}: {file.trouble}"

    def reload(self, reply: Later) -> None:
        """Have the configuration read again; ``reply`` takes the result."""
        self._ground.inbox.reload(reply)
