"""Blocking work in a thread, which the event loop gives up after a time limit."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def run_aside(work: Callable[[], T], limit: float) -> T:
    """Return what ``work`` returns. Raises TimeoutError after this many seconds.

    The thread is a daemon: work that hangs does not keep the program from its end.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.done():  # Nobody waits any more.
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, trouble = None, None
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - for the caller
            trouble = error
        with contextlib.suppress(RuntimeError):  # The loop may be closed by now.
            loop.call_soon_threadsafe(settle, value, trouble)

    threading.Thread(target=run, daemon=True).start()
    async with asyncio.timeout(limit):
        return await future
