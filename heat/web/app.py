"""The pages of `heatctl serve`, and the way of a request to one of them."""

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, NotRequired, TypedDict, TypeVar

from aiohttp import HttpVersion10, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser

from heat.control.answers import Public, State, about, monitors, why
from heat.control.async_client import AsyncClient
from heat.control.protocol import Answer, Kind, RefusedError
from heat.errors import CommandError
from heat.store.history import NotOnRecordError
from heat.text import escaped
from heat.web.access import UNKNOWN, Access, Refusal, Refused, Request
from heat.web.console import say
from heat.web.exposition import CONTENT_TYPE
from heat.web.limits import Bounds, Connections
from heat.web.openapi import describe
from heat.web.redaction import HISTORY, MONITOR, WHY, Shape, redacted
from heat.web.responses import JSON, encode, refuse, send, small
from heat.web.scrape import Numbers, Shared
from heat.web.threads import run_aside
from heat.web.urls import NAME, NAMED, Url, monitor, parse

History = Callable[[str, str | None, float | None, float], list[Any]]
"""State file, name or all, how many seconds back, now: as `heatctl history --json`; it blocks."""

AT_ONCE = 4
"""Large responses; each is in memory until its client has taken it."""
READING = 5.0
"""Seconds to read the state file, and to wait for one of `AT_ONCE`."""
HEALTH = "/healthz"

_WORST_FIRST: tuple[State, ...] = ("ERROR", "RECOVERING", "FAILING", "NORMAL")
_STATUSES: Mapping[str, int] = {Kind.UNKNOWN_MONITOR: 404, Kind.BAD_REQUEST: 400}
"""Statuses of HEAT's refusals; the others are 503."""

_LINE = 8_190
"""Bytes of a line of the head."""
_FIELDS = 128
"""Lines of a head."""

T = TypeVar("T")


class Health(TypedDict):
    """The body of /healthz; a client without the token gets only ``ok``."""

    ok: Public[bool]
    version: NotRequired[Public[str]]
    pid: NotRequired[Public[int]]
    monitors: NotRequired[Public[int]]
    worst: NotRequired[Public[State | None]]


class Setup(NamedTuple):
    """The needs of the pages: who may ask, the HEAT to ask, and a reader of its history."""

    access: Access
    heat: AsyncClient
    history: History


class Visit(NamedTuple):
    """A request, and its target taken apart."""

    request: web.BaseRequest
    url: Url


Page = Callable[[Visit], Awaitable[web.StreamResponse]]


class App:
    """The pages; clients ask for each with GET or HEAD."""

    def __init__(self, setup: Setup) -> None:
        self._access, self._heat, self._read_history = setup
        self._scrape = Shared(Numbers(setup.heat))
        self._large = asyncio.Semaphore(AT_ONCE)
        self._readers = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> Mapping[str, Page]:
        """Return the pages by their paths."""
        return {
            "/metrics": self._metrics,
            HEALTH: self._health,
            "/api/status": self._status,
            NAMED + NAME: self._why,
            "/api/history": self._history,
            "/api/openapi.json": self._openapi,
        }

    def _shown(self, value: object, shape: Shape) -> Any:  # noqa: ANN401 - values of all kinds
        """Keep only what is public, unless clients have sent the token."""
        return value if self._access.token is not None else redacted(value, shape)

    async def _metrics(self, visit: Visit) -> web.StreamResponse:
        async with self._slot():
            return await send(visit.request, await self._scrape.texts(), CONTENT_TYPE)

    async def _health(self, visit: Visit) -> web.StreamResponse:
        """Tell if HEAT answers; without the token, a client learns no more than that."""
        answer = await self._heat.ask("hello")
        health: Health = {"ok": True}
        if self._access.may_enter(_authorization(visit.request)):
            heat = about(answer)
            worst: list[State] = [state for state in _WORST_FIRST if heat["states"].get(state)]
            health["version"] = heat["version"]
            health["pid"] = heat["pid"]
            health["monitors"] = heat["monitors"]
            health["worst"] = worst[0] if worst else None
        return small(health)

    async def _status(self, visit: Visit) -> web.StreamResponse:
        visit.url.allow("name")
        names = visit.url.names()
        texts: list[bytes] = []

        def take(line: Answer) -> None:
            for each in monitors(line):
                comma = b",\n" if texts else b"["
                texts.append(comma + encode(self._shown(each, MONITOR)))

        async with self._slot():
            await self._heat.ask("status", take, {"names": names} if names else None)
            body = b"".join([*texts, b"]\n"] if texts else [b"[]\n"])
            return await send(visit.request, [body], JSON)

    async def _why(self, visit: Visit) -> web.StreamResponse:
        visit.url.allow()
        answer = await self._heat.ask("why", keys={"name": monitor(visit.url.name)})
        return small(self._shown(why(answer), WHY))

    async def _history(self, visit: Visit) -> web.StreamResponse:
        visit.url.allow("name", "since")
        name, since = visit.url.one_name(), visit.url.since()
        path = about(await self._heat.ask("hello"))["state"]
        if path is None:
            raise Refused(404, "HEAT keeps no state file", "start HEAT with --state FILE")
        read = partial(self._read_history, path, name, since, time.time())
        async with self._slot():
            try:
                history = await self._aside(read)
            except TimeoutError:
                message = f"{escaped(path)} was not read within {READING:g} s"
                raise Refused(503, message, "ask for less, with since and name") from None
            body = encode(self._shown(history, HISTORY)) + b"\n"
            return await send(visit.request, [body], JSON)

    async def _aside(self, read: Callable[[], T]) -> T:
        """Read in a thread, which keeps its slot to its end even if the client goes away."""
        await self._readers.acquire()
        task = asyncio.create_task(run_aside(read, READING))
        task.add_done_callback(self._has_read)
        return await asyncio.shield(task)

    def _has_read(self, task: asyncio.Task[Any]) -> None:
        self._readers.release()
        if not task.cancelled():
            task.exception()  # Retrieve it, in case the client has gone away.

    async def _openapi(self, visit: Visit) -> web.StreamResponse:
        visit.url.allow()
        return small(describe(Health, has_token=self._access.token is not None))

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[None]:
        """Take one of the slots for large responses."""
        try:
            async with asyncio.timeout(READING):
                await self._large.acquire()
        except TimeoutError:
            raise Refused(503, "too many large answers are being sent", "ask again later") from None
        try:
            yield
        finally:
            self._large.release()


@asynccontextmanager
async def listening(setup: Setup, bounds: Bounds) -> AsyncGenerator[Connections]:
    """Yield the factory of connections that serve the pages."""
    quiet = logging.getLogger("heat.web.app")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False  # Clients that do not speak HTTP are common.
    # Without aiohttp's router and its own handlers: some of them answer before our rules are
    # applied, and repeat the client's words.
    server = web.Server(
        partial(_respond, App(setup).routes(), setup.access),
        handler_cancellation=True,  # A client that has gone away holds nothing, and HEAT is spared.
        access_log=None,
        logger=quiet,
        lingering_time=bounds.leaving,
        max_line_size=_LINE,
        max_field_size=_LINE,
        max_headers=_FIELDS,
    )
    runner = web.ServerRunner(server, shutdown_timeout=bounds.leaving)
    await runner.setup()
    try:
        yield Connections(server, _is_request, bounds)
    finally:
        await runner.cleanup()


def _is_request(head: bytes) -> bool:
    """Tell if the parser of aiohttp makes one request of it.

    Its own refusals name aiohttp, and repeat what the client sent; of HTTP/2's preface it makes
    neither a request nor an error.
    """
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(
        BaseProtocol(loop),
        loop,
        len(head),
        max_line_size=_LINE,
        max_field_size=_LINE,
        max_headers=_FIELDS,
    )
    try:
        requests, _, _ = parser.feed_data(head)
    except HttpProcessingError:
        return False
    return len(requests) == 1


async def _respond(
    routes: Mapping[str, Page], access: Access, request: web.BaseRequest
) -> web.StreamResponse:
    """Answer a request, or say why not."""
    url = parse(request.raw_path)
    refusal = access.refusal(_parts(request))
    if refusal is None and url.path != HEALTH:
        refusal = None if access.may_enter(_authorization(request)) else UNKNOWN
    if refusal is None:
        try:
            page = routes.get(url.path, _nowhere)
            return await page(Visit(request, url))
        except Refused as error:
            refusal = error.refusal
        except CommandError as error:
            refusal = _refusal(error)
        except ConnectionError:
            raise  # The client has gone away.
        except Exception:  # noqa: BLE001 - a bug in one response stops no other
            say(2, f"a bug of HEAT: {traceback.format_exc().rstrip()}")
            refusal = Refusal(500, "a bug of HEAT", "the traceback is on stderr")
    return refuse(refusal)


async def _nowhere(_: Visit) -> web.StreamResponse:
    raise Refused(404, "there is no such page", "see /api/openapi.json")


def _refusal(error: CommandError) -> Refusal:
    """Say why HEAT, or its state file, gives no answer."""
    diagnostic = error.diagnostics[0]
    message = diagnostic.message.removeprefix("Error: ").removeprefix("Failed: ")
    status = 404 if isinstance(error, NotOnRecordError) else 503
    if isinstance(error, RefusedError):
        status = _STATUSES.get(error.kind, 503)
    return Refusal(status, message, diagnostic.hint)


def _parts(request: web.BaseRequest) -> Request:
    local = request.get_extra_info("sockname", ("",))
    return Request(
        request.method,
        request.raw_path,
        request.body_exists,
        request.headers.getall("Host", []),
        _authorization(request),
        str(local[0]),
        is_old=request.version == HttpVersion10,
    )


def _authorization(request: web.BaseRequest) -> str:
    return request.headers.get("Authorization", "")
