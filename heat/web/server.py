"""The process of `heatctl serve`, from its listening socket to the signal that ends it."""

import asyncio
import math
import signal
import socket
from collections.abc import Mapping

from heat.control import history as objects
from heat.control.async_client import AsyncClient
from heat.control.protocol import RequestError
from heat.store import history as store
from heat.text import escaped
from heat.web.access import Access
from heat.web.app import History, Setup, listening
from heat.web.console import say
from heat.web.limits import Bounds
from heat.web.options import Serving

EXIT_INTERRUPTED = 130
AGAIN = 60.0
"""Seconds until the same trouble is reported again."""


def run(serving: Serving, listener: socket.socket, history: History | None = None) -> int:
    """Serve until a signal ends it, and return the exit status."""
    # heatctl ends by SIGPIPE when nobody reads on. Here each client that hangs up would end it, and
    # systemd would take that for a clean end.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return asyncio.run(_serve(serving, listener, history or read_history))


def read_history(
    path: str, name: str | None, back: float | None, now: float
) -> list[objects.History]:
    """Return the objects of `heatctl history --json`. Raises CommandError."""
    accounts = store.read(path, now, name, back=back or store.DEFAULT)
    return [objects.as_object(each) for each in accounts]


async def _serve(serving: Serving, listener: socket.socket, history: History) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(Trouble())
    stop: asyncio.Future[int] = loop.create_future()
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, EXIT_INTERRUPTED)):
        loop.add_signal_handler(number, _stop, stop, code)
    heat = AsyncClient(serving.control)
    setup = Setup(Access(serving.token, serving.names), heat, history)
    async with listening(setup, Bounds()) as connections:
        server = await loop.create_server(connections, sock=listener)
        here = serving._replace(port=listener.getsockname()[1]).place
        say(1, f"http://{here}/metrics tells of {escaped(heat.path)}")
        greeting = asyncio.create_task(_greet(heat))
        try:
            return await stop
        finally:
            greeting.cancel()
            server.close()


async def _greet(heat: AsyncClient) -> None:
    """Report a missing HEAT at the start, and not only at the first scrape."""
    try:
        await heat.ask("hello")
    except RequestError as error:
        say(2, error.message)
        if error.hint:
            say(2, f"  {error.hint}")


def _stop(stop: "asyncio.Future[int]", code: int) -> None:
    if not stop.done():
        stop.set_result(code)


class Trouble:
    """Reports what asyncio would log with a traceback, such as that descriptors have run out.

    It reports the same trouble once a minute: asyncio does for each connection that it cannot take.
    """

    def __init__(self) -> None:
        self._reported: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
        """Report a trouble, unless that was done a moment ago."""
        error = context.get("exception")
        text = f"{context.get('message')}: {error}" if error else str(context.get("message"))
        now = loop.time()
        if now - self._reported.get(text, -math.inf) >= AGAIN:
            self._reported = {old: at for old, at in self._reported.items() if now - at < AGAIN}
            self._reported[text] = now
            say(2, text)
