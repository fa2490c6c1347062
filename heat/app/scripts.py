"""The output of fail and recovery scripts, and the one keeper of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from heat.app.parts import Ground
    from heat.process.keeper import Keeper
    from heat.process.launcher import PosixLauncher
    from heat.process.script_output import ScriptOutput


class Scripts:
    """Make the outputs of scripts; the keeper is loaded ahead, and forked for the first script."""

    __slots__ = ("_ahead", "_ground", "_keeper", "_launcher", "_trouble", "_used")

    def __init__(
        self, ground: Ground, launcher: PosixLauncher, trouble: Callable[[str], None]
    ) -> None:
        self._ground = ground
        self._launcher = launcher
        self._trouble = trouble
        self._keeper: Keeper | None = None
        self._used = self._ahead = False

    def output(self, path: str) -> ScriptOutput:
        """Return the output of a monitor's scripts, which ``path`` keeps."""
        from heat.process.script_output import ScriptOutput

        self._used = True
        if self._ahead:
            self.load()
        world = self._ground.loop, self._ground.inbox
        return ScriptOutput(path, self._trouble, world, self._the_keeper)

    def load(self) -> None:
        """Load the keeper now, and from here on before it is needed, if there are scripts."""
        if self._used:
            from heat.process import keeper

            del keeper
        self._ahead = True

    def _the_keeper(self) -> Keeper:
        from heat.process.keeper import Keeper

        if self._keeper is None:
            ground = self._ground
            self._keeper = Keeper(ground.loop, self._launcher.own, self._trouble, ground.inbox)
        return self._keeper

    def close(self) -> None:
        """Leave the keeper behind if services still print, else end it."""
        if self._keeper is not None:
            self._keeper.close()
