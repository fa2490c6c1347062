"""Blocking work done aside of the event loop, and given up when it takes too long."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T], patience: float) -> T:
    """Return what ``work`` returns; TimeoutError after so many seconds.

    Its thread is a daemon: work that hangs keeps the program from nothing, nor from its end.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def tell(value: T | None, error: BaseException | None) -> None:
        if result.done():  # Nobody waits any more.
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, trouble = None, None
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - for the one who waits
            trouble = error
        with contextlib.suppress(RuntimeError):  # The loop has been closed meanwhile.
            loop.call_soon_threadsafe(tell, value, trouble)

    threading.Thread(target=run, daemon=True).start()
    async with asyncio.timeout(patience):
        return await result
