"""A client of the control socket on asyncio, for a program that has other work to do.

Each request has a connection of its own: HEAT closes those that stay silent.
"""

import asyncio
from collections.abc import Callable, Mapping

from heat.control import protocol
from heat.control.paths import short
from heat.control.protocol import Answer, NoAnswerError
from heat.errors import reason_of
from heat.text import escaped

PATIENCE = 8.0
"""Seconds for a whole answer; Prometheus waits 10 for its own."""
AT_ONCE = 8
"""Requests; HEAT takes 64 connections, and others want to ask it, too."""


class AsyncClient:
    """A client of the HEAT that listens at ``path``."""

    def __init__(self, path: str, patience: float = PATIENCE) -> None:
        self.path = path
        self._patience = patience
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def ask(
        self,
        do: str,
        each: Callable[[Answer], None] = lambda _: None,
        keys: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send a request, and return the last line of the answer; ``each`` takes the others.

        Raises NoAnswerError, and RefusedError where HEAT refuses it.
        """
        request = protocol.request(do, **(keys or {}))
        try:
            async with asyncio.timeout(self._patience), self._slots:
                return await self._ask(request, each)
        except TimeoutError:
            raise NoAnswerError(
                f"{self._heat} did not answer within {self._patience:g} s",
                "see whether it is stopped, or its machine overloaded",
            ) from None

    @property
    def _heat(self) -> str:
        return f"the HEAT at {escaped(self.path)}"

    async def _ask(self, request: bytes, each: Callable[[Answer], None]) -> Answer:
        try:
            with short(self.path) as path:
                lines, writer = await asyncio.open_unix_connection(
                    path, limit=protocol.LONGEST_LINE
                )
        except (OSError, ValueError) as error:  # ValueError for a path that holds a NUL.
            raise NoAnswerError(
                f"no HEAT answers at {escaped(self.path)}: {reason_of(error).lower()}",
                "start HEAT with --config or --control, or name its socket with --control PATH",
            ) from None
        try:
            writer.write(request)
            while True:
                answer = protocol.decode(await self._line(lines))
                if protocol.is_last(answer):
                    return answer
                each(answer)
        except (ConnectionError, ValueError) as error:  # ValueError for a line that has no end.
            raise NoAnswerError(f"{self._heat} broke off: {str(error).lower()}") from None
        finally:
            writer.close()

    async def _line(self, lines: asyncio.StreamReader) -> bytes:
        line = await lines.readline()
        if not line.endswith(b"\n"):
            raise NoAnswerError(f"{self._heat} broke off its answer", "see what it says on stderr")
        return line
