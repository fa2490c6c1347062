"""A scrape: serve asks HEAT for the numbers that have changed, and puts the text together.

It keeps the text from one scrape to the next, so that a HEAT of 10,000 monitors sends only the
numbers of those that have had a check since.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from heat.control import protocol
from heat.control.async_client import AsyncClient
from heat.control.protocol import Answer, NoAnswerError
from heat.web.exposition import Exposition, text_of
from heat.web.metrics import of_heat, reader


class Numbers:
    """The numbers of HEAT's monitors, and the cursor up to which they are known."""

    def __init__(self, heat: AsyncClient) -> None:
        self._heat = heat
        self._forget()

    def _forget(self) -> None:
        self._exposition = Exposition()
        self._cursor: Any = None
        self._instance: Any = None

    async def texts(self) -> list[bytes]:
        """Return the text for Prometheus, in pieces.

        Without an answer it says that HEAT is not up, and has no numbers of before.
        """
        try:
            about = await self._update()
            return [text_of(of_heat(about)), *self._exposition.texts()]
        except NoAnswerError:
            return [text_of(of_heat(None))]
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            # The answer does not follow the protocol; some of it may have been taken.
            self._forget()
            return [text_of(of_heat(None))]

    async def _update(self) -> dict[str, Any]:
        answer = await self._ask()
        is_same = self._instance in (None, answer["instance"])
        if not is_same or len(self._exposition) != answer["monitors"]:
            # HEAT was started again, or a monitor was removed: only the whole tells which.
            self._forget()
            answer = await self._ask()
        self._instance, self._cursor = answer["instance"], answer["cursor"]
        about: dict[str, Any] = answer["about"]
        return about

    async def _ask(self) -> Answer:
        """Take the numbers that are new, and return the last line of the answer."""
        keys = {} if self._cursor is None else {"since": self._cursor}
        return await self._heat.ask("metrics", _Lines(self._exposition), keys)


class _Lines:
    """Takes the lines of an answer one after the other."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._read: Callable[[Sequence[Any]], protocol.Numbers] = _without_columns

    def __call__(self, line: Answer) -> None:
        if "columns" in line:
            self._read = reader(line["columns"])
        for values in line.get("rows", ()):
            self._exposition.put(self._read(values))


def _without_columns(_: Sequence[Any]) -> protocol.Numbers:
    raise KeyError("columns")


class Shared:
    """One scrape at a time; clients that come in the meantime get the same text."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._task: asyncio.Task[list[bytes]] | None = None

    async def texts(self) -> list[bytes]:
        """Return the text, in pieces, of the scrape that runs or begins now."""
        if self._task is None:
            self._task = asyncio.create_task(self._numbers.texts())
            self._task.add_done_callback(self._done)
        # A client that goes away takes nothing from the others.
        return await asyncio.shield(self._task)

    def _done(self, task: asyncio.Task[list[bytes]]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # Retrieve it, in case all clients have gone away.
