"""Asking HEAT over its control socket, for a program that has more to do meanwhile.

docs/protocol.md says what is asked and answered. A connection serves one question:
HEAT closes those that stay silent.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from heat.control.paths import short
from heat.errors import HeatError
from heat.text import escaped

VERSION = 1
PATIENCE = 8.0
"""Seconds for a whole answer; Prometheus waits 10 for its own."""
AT_ONCE = 8
"""Questions; HEAT takes 64 connections, and others want to ask it, too."""
LONGEST = 1 << 24
"""Bytes of a line."""

Answer = dict[str, Any]


class AskingError(HeatError):
    """A reason that a question was not answered, and the fix where one is known."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


class AbsentError(AskingError):
    """No HEAT answers, or none that can be understood."""


class RefusedError(AskingError):
    """HEAT answers that it will not; ``kind`` is docs/protocol.md's word for why."""

    def __init__(self, reason: str, hint: str, kind: str) -> None:
        super().__init__(reason, hint)
        self.kind = kind


class Heat:
    """The HEAT that listens at ``path``."""

    def __init__(self, path: str, patience: float = PATIENCE) -> None:
        self.path = path
        self._patience = patience
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(
        self,
        do: str,
        each: Callable[[Answer], None] = lambda _: None,
        more: Mapping[str, object] | None = None,
    ) -> Answer:
        """The last line of the answer; those before it are handed to ``each`` as they come."""
        request = json.dumps({"heat": VERSION, "do": do, **(more or {})}) + "\n"
        try:
            async with asyncio.timeout(self._patience), self._turns:
                return await self._ask(request.encode(), each)
        except TimeoutError:
            raise AbsentError(
                f"{self._who} has not answered within {self._patience:g} s",
                "see whether it is stopped, or its machine overloaded",
            ) from None

    @property
    def _who(self) -> str:
        return f"the HEAT at {escaped(self.path)}"

    async def _ask(self, request: bytes, each: Callable[[Answer], None]) -> Answer:
        try:
            with short(self.path) as path:
                lines, writer = await asyncio.open_unix_connection(path, limit=LONGEST)
        except (OSError, ValueError) as error:  # ValueError for a path that holds a NUL.
            why = str(getattr(error, "strerror", None) or error).lower()
            raise AbsentError(
                f"no HEAT answers at {escaped(self.path)}: {why}",
                "start HEAT with --config or --control, or name its socket with --control PATH",
            ) from None
        try:
            writer.write(request)
            while True:
                answer = self._understood(await lines.readline())
                if "ok" not in answer:
                    each(answer)
                elif answer["ok"]:
                    return answer
                else:
                    told = [str(answer.get(key) or "") for key in ("error", "fix", "kind")]
                    raise RefusedError(*told)
        except (ConnectionError, ValueError) as error:  # ValueError for a line that has no end.
            raise AbsentError(f"{self._who} broke off: {str(error).lower()}") from None
        finally:
            writer.close()

    def _understood(self, line: bytes) -> Answer:
        if not line.endswith(b"\n"):
            raise AbsentError(f"{self._who} broke off its answer", "see what it says on stderr")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise AbsentError(f"what listens at {escaped(self.path)} is no HEAT")
        found = cast("Answer", answer)
        if found.get("heat") != VERSION:
            theirs = found.get("heat")
            raise AbsentError(
                f"{self._who} speaks version {theirs} of the protocol, heatctl {VERSION}",
                "use the heatctl of the same version as HEAT",
            )
        return found


def part(answer: Answer, key: str) -> Any:  # noqa: ANN401 - values of all kinds
    """A part that an answer has to have."""
    if key not in answer:
        raise AbsentError(f"HEAT's answer tells no {key}", "use the heatctl of HEAT's own version")
    return answer[key]
