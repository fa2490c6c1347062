"""A scrape: the numbers that have changed are asked for, and the text is put together.

All of it is kept from one scrape to the next, so that a HEAT of 10,000 monitors tells of those
alone that have had a check since.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from heat.control.async_client import AbsentError, Answer, Heat
from heat.web.exposition import Exposition, text_of
from heat.web.metrics import Row, of_heat, reader


class Numbers:
    """The knowledge of HEAT's monitors, and up to when."""

    def __init__(self, heat: Heat) -> None:
        self._heat = heat
        self._forget()

    def _forget(self) -> None:
        self._exposition = Exposition()
        self._cursor: Any = None
        self._instance: Any = None

    async def texts(self) -> list[bytes]:
        """The text that Prometheus gets, in pieces.

        Without an answer it says that HEAT is not up, and tells no numbers of before.
        """
        try:
            about = await self._news()
            return [text_of(of_heat(about)), *self._exposition.texts()]
        except AbsentError:
            return [text_of(of_heat(None))]
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            # An answer in other words than those of the protocol; half of it may have been taken.
            self._forget()
            return [text_of(of_heat(None))]

    async def _news(self) -> dict[str, Any]:
        end = await self._asked()
        is_same = self._instance in (None, end["instance"])
        if not is_same or len(self._exposition) != end["monitors"]:
            # Begun anew, or a monitor was removed: only the whole tells which.
            self._forget()
            end = await self._asked()
        self._instance, self._cursor = end["instance"], end["cursor"]
        about: dict[str, Any] = end["about"]
        return about

    async def _asked(self) -> Answer:
        """Ask for what is new, and take it; the last line of the answer."""
        more = {} if self._cursor is None else {"since": self._cursor}
        return await self._heat.ask("metrics", _Taken(self._exposition), more)


class _Taken:
    """The lines of an answer, taken one after the other."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._read: Callable[[Sequence[Any]], Row] = _without_columns

    def __call__(self, line: Answer) -> None:
        if "columns" in line:
            self._read = reader(line["columns"])
        for values in line.get("rows", ()):
            self._exposition.put(self._read(values))


def _without_columns(_: Sequence[Any]) -> Row:
    raise KeyError("columns")


class Shared:
    """One scrape at a time; who comes meanwhile gets the same."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._task: asyncio.Task[list[bytes]] | None = None

    async def texts(self) -> list[bytes]:
        """The text, in pieces, that is being made or is made now."""
        if self._task is None:
            self._task = asyncio.create_task(self._numbers.texts())
            self._task.add_done_callback(self._done)
        # Who goes away meanwhile takes nothing from the others.
        return await asyncio.shield(self._task)

    def _done(self, task: asyncio.Task[list[bytes]]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # Taken note of here, where all who waited for it have gone away.
