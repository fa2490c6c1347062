"""The process of `heatctl serve`, from its listening socket to the signal that ends it."""

import asyncio
import math
import signal
import socket
from collections.abc import Mapping

from heat.control.async_client import Answer, AskingError, Heat
from heat.ctl.output import say
from heat.store import history as store
from heat.store.outages import as_object
from heat.text import escaped
from heat.web.access import Access
from heat.web.app import History, Told, house
from heat.web.limits import Bounds
from heat.web.options import Serving

EXIT_INTERRUPTED = 130
AGAIN = 60.0


def run(serving: Serving, listener: socket.socket, history: History | None = None) -> int:
    """Answer until a signal says stop; the exit status is returned."""
    # heatctl ends by it when nobody reads on. Here each client that hangs up would end it, and
    # systemd would take that for a clean end.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return asyncio.run(_serve(serving, listener, history or read_history))


def read_history(path: str, name: str | None, back: float | None, now: float) -> list[Answer]:
    """Return the objects of `heatctl history --json`. Raises CommandError."""
    accounts = store.read(path, now, name, back=back or store.DEFAULT)
    return [as_object(each) for each in accounts]


async def _serve(serving: Serving, listener: socket.socket, history: History) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(Trouble())
    stop: asyncio.Future[int] = loop.create_future()
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, EXIT_INTERRUPTED)):
        loop.add_signal_handler(number, _stopped, stop, code)
    heat = Heat(serving.control)
    told = Told(Access(serving.token, serving.names), heat, history)
    async with house(told, Bounds()) as doors:
        server = await loop.create_server(doors, sock=listener)
        here = serving._replace(port=listener.getsockname()[1]).place
        say(1, f"http://{here}/metrics tells of {escaped(heat.path)}")
        greeting = asyncio.create_task(_greet(heat))
        try:
            return await stop
        finally:
            greeting.cancel()
            server.close()


async def _greet(heat: Heat) -> None:
    """Whoever starts this without a HEAT learns it now, and not from the first scrape."""
    try:
        await heat.ask("hello")
    except AskingError as error:
        say(2, str(error))
        if error.hint:
            say(2, f"  {error.hint}")


def _stopped(stop: "asyncio.Future[int]", code: int) -> None:
    if not stop.done():
        stop.set_result(code)


class Trouble:
    """Says what asyncio would log with a traceback, such as that descriptors have run out.

    The same is said once a minute: asyncio tells of each connection that it cannot take.
    """

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
        """Say it, unless that has been done."""
        error = context.get("exception")
        text = f"{context.get('message')}: {error}" if error else str(context.get("message"))
        now = loop.time()
        if now - self._said.get(text, -math.inf) >= AGAIN:
            self._said = {old: at for old, at in self._said.items() if now - at < AGAIN}
            self._said[text] = now
            say(2, text)
