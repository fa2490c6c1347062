"""The pages of `heatctl serve`, and what is done to every request and answer."""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar

from aiohttp import HttpVersion10, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpRequestParser

from heat import __version__
from heat.config.durations import duration_back
from heat.config.readers import monitor_name
from heat.control.async_client import Answer, AskingError, Heat, RefusedError, part
from heat.control.protocol import Kind
from heat.ctl.output import say
from heat.diagnostics import BadValueError
from heat.errors import CommandError
from heat.store.history import NotOnRecordError
from heat.text import escaped
from heat.web.access import UNKNOWN, Access, Asked, Refusal
from heat.web.exposition import CONTENT_TYPE, size
from heat.web.limits import Bounds, House
from heat.web.openapi import describe
from heat.web.redaction import HISTORY, MONITOR, WHY, Shape, redacted
from heat.web.scrape import Numbers, Shared
from heat.web.threads import aside
from heat.web.urls import NAME, NAMED, Url, parse
from states.monitor.model import State

History = Callable[[str, str | None, float | None, float], list[dict[str, Any]]]
"""State file, name or all, how many seconds back, now: as `heatctl history` tells; it blocks."""

HEADERS = {
    "Cache-Control": "no-store",
    "Connection": "close",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": f"heatctl/{__version__}",
    "X-Content-Type-Options": "nosniff",
}
AT_ONCE = 4
"""Large answers; each is in memory until its client has taken it."""
PIECE = 1 << 17
"""Bytes handed to a connection at once."""
READING = 5.0
"""Seconds for what the state file tells, and for a turn of `AT_ONCE`."""
TAKING = 3.0
"""Seconds for a piece: who takes none is gone before those that wait have waited enough."""
HEALTH = "/healthz"

_WORST_FIRST = (State.ERROR, State.RECOVERING, State.FAILING, State.NORMAL)
_STATUSES: Mapping[str, int] = {Kind.UNKNOWN_MONITOR: 404, Kind.BAD_REQUEST: 400}
"""Of HEAT's refusals; the others are 503."""

LINE = 8_190
"""Bytes of a line of the head."""
FIELDS = 128
"""Lines of a head."""

T = TypeVar("T")


class Told(NamedTuple):
    """The needs of the pages: whom they may tell, whom they ask, what reads the past."""

    access: Access
    heat: Heat
    history: History


class Visit(NamedTuple):
    """A request, and its target taken apart."""

    request: web.BaseRequest
    url: Url


Page = Callable[[Visit], Awaitable[web.StreamResponse]]


class Pages:
    """The pages; each is asked for with GET or HEAD."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._scrape = Shared(Numbers(told.heat))
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._readers = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> Mapping[str, Page]:
        """The pages by their paths."""
        return {
            "/metrics": self._metrics,
            HEALTH: self._health,
            "/api/status": self._status,
            NAMED + NAME: self._why,
            "/api/history": self._history,
            "/api/openapi.json": self._openapi,
        }

    def _open(self, found: object, shape: Shape) -> Any:  # noqa: ANN401 - values of all kinds
        """All of it for those who have sent the token, else what everybody may read."""
        return found if self._told.access.token is not None else redacted(found, shape)

    async def _metrics(self, visit: Visit) -> web.StreamResponse:
        async with self._turn():
            return await _send(visit.request, await self._scrape.texts(), CONTENT_TYPE)

    async def _health(self, visit: Visit) -> web.StreamResponse:
        """Tell if HEAT answers; who has no token learns that and no more."""
        end = await self._told.heat.ask("hello")
        found: Answer = {"ok": True}
        if self._told.access.may_enter(_authorization(visit.request)):
            about = part(end, "about")
            states = part(about, "states")
            worst = (state.value for state in _WORST_FIRST if states.get(state.value))
            found |= {key: part(about, key) for key in ("version", "pid", "monitors")}
            found["worst"] = next(worst, None)
        return _json(found)

    async def _status(self, visit: Visit) -> web.StreamResponse:
        _only(visit.url, "name")
        names = [_name(text) for text in visit.url.query.get("name", ())]
        monitors: list[bytes] = []

        def take(line: Answer) -> None:
            for each in part(line, "status"):
                comma = b",\n" if monitors else b"["
                monitors.append(comma + _bytes(self._open(each, MONITOR)))

        async with self._turn():
            await self._told.heat.ask("status", take, {"names": names} if names else None)
            pieces = [*monitors, b"]\n"] if monitors else [b"[]\n"]
            return await _send(visit.request, [b"".join(pieces)], "application/json")

    async def _why(self, visit: Visit) -> web.StreamResponse:
        _only(visit.url)
        name = _name(visit.url.name)
        end = await self._told.heat.ask("why", more={"name": name})
        return _json(self._open(part(end, "why"), {**MONITOR, **WHY}))

    async def _history(self, visit: Visit) -> web.StreamResponse:
        _only(visit.url, "name", "since")
        name = _one(visit.url, "name")
        since = _one(visit.url, "since")
        monitor = None if name is None else _name(name)
        back = None if since is None else _span(since)
        end = await self._told.heat.ask("hello")
        path = part(part(end, "about"), "state")
        if path is None:
            hint = "start HEAT with --state FILE"
            raise _Refused(Refusal(404, "HEAT keeps no state file", hint))
        read = partial(self._told.history, path, monitor, back, time.time())
        async with self._turn():
            try:
                outages = await self._aside(read)
            except TimeoutError:
                text = f"{escaped(path)} was not read within {READING:g} s"
                raise _Refused(Refusal(503, text, "ask for less, with since and name")) from None
            body = _bytes(self._open(outages, HISTORY)) + b"\n"
            return await _send(visit.request, [body], "application/json")

    async def _aside(self, read: Callable[[], T]) -> T:
        """Read in a thread that keeps its place to its end: a client that goes away ends none."""
        await self._readers.acquire()
        task = asyncio.create_task(aside(read, READING))
        task.add_done_callback(self._read)
        return await asyncio.shield(task)

    def _read(self, task: asyncio.Task[Any]) -> None:
        self._readers.release()
        if not task.cancelled():
            task.exception()  # Taken note of here, where the client has gone away.

    async def _openapi(self, visit: Visit) -> web.StreamResponse:
        _only(visit.url)
        return _json(describe(has_token=self._told.access.token is not None))

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(READING):
                await self._turns.acquire()
        except TimeoutError:
            text = "too many large answers are being sent"
            raise _Refused(Refusal(503, text, "ask again later")) from None
        try:
            yield
        finally:
            self._turns.release()


@asynccontextmanager
async def house(told: Told, bounds: Bounds) -> AsyncGenerator[House]:
    """A maker of the protocol of a connection, as long as this lasts."""
    quiet = logging.getLogger("heat.web.app")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False  # That a client writes no HTTP is no news.
    # Without aiohttp's router and its own handlers: some of them answer before our rules are asked,
    # and in words of the client's.
    server = web.Server(
        partial(_answer, Pages(told).routes(), told.access),
        handler_cancellation=True,  # Who has gone away holds nothing, and HEAT is asked no more.
        access_log=None,
        logger=quiet,
        lingering_time=bounds.leaving,
        max_line_size=LINE,
        max_field_size=LINE,
        max_headers=FIELDS,
    )
    runner = web.ServerRunner(server, shutdown_timeout=bounds.leaving)
    await runner.setup()
    try:
        yield House(server, _is_request, bounds)
    finally:
        await runner.cleanup()


def _is_request(head: bytes) -> bool:
    """The parser of aiohttp makes a request of it, not an answer of its own, nor nothing at all.

    Its refusals name it, and repeat what was sent; of HTTP/2's preface it makes neither a request
    nor an error.
    """
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(
        BaseProtocol(loop),
        loop,
        len(head),
        max_line_size=LINE,
        max_field_size=LINE,
        max_headers=FIELDS,
    )
    try:
        requests, _, _ = parser.feed_data(head)
    except HttpProcessingError:
        return False
    return len(requests) == 1


class _Refused(Exception):  # noqa: N818 - no fault, but an answer
    """The request gets this answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal


async def _answer(
    routes: Mapping[str, Page], access: Access, request: web.BaseRequest
) -> web.StreamResponse:
    """Do what a request asks for, or say why not."""
    url = parse(request.raw_path)
    refusal = access.refusal(_asked(request))
    if refusal is None and url.path != HEALTH:
        refusal = None if access.may_enter(_authorization(request)) else UNKNOWN
    if refusal is None:
        try:
            page = routes.get(url.path, _nowhere)
            return await page(Visit(request, url))
        except _Refused as error:
            refusal = error.refusal
        except AskingError as error:
            refusal = _of_heat(error)
        except CommandError as error:
            refusal = _of_file(error)
        except ConnectionError:
            raise  # The client has gone away.
        except Exception:  # noqa: BLE001 - one request's bug is not the others'
            say(2, f"a bug of HEAT: {traceback.format_exc().rstrip()}")
            refusal = Refusal(500, "a bug of HEAT", "the traceback is on stderr")
    return _refuse(refusal)


async def _nowhere(_: Visit) -> web.StreamResponse:
    raise _Refused(Refusal(404, "there is no such page", "see /api/openapi.json"))


def _of_heat(error: AskingError) -> Refusal:
    kind = error.kind if isinstance(error, RefusedError) else ""
    return Refusal(_STATUSES.get(kind, 503), str(error), error.hint)


def _of_file(error: CommandError) -> Refusal:
    diagnostic = error.diagnostics[0]
    text = diagnostic.message.removeprefix("Error: ").removeprefix("Failed: ")
    return Refusal(404 if isinstance(error, NotOnRecordError) else 503, text, diagnostic.hint)


def _refuse(refusal: Refusal) -> web.Response:
    told = {"error": refusal.error}
    if refusal.hint:
        told["fix"] = refusal.hint
    response = _json(told, refusal.status)
    response.headers.extend(refusal.headers)
    return response


def _asked(request: web.BaseRequest) -> Asked:
    local = request.get_extra_info("sockname", ("",))
    return Asked(
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


async def _send(request: web.BaseRequest, texts: Sequence[bytes], kind: str) -> web.StreamResponse:
    """Send a large answer piece by piece, as the client takes it."""
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": kind})
    response.content_length = size(texts)
    response.force_close()
    await response.prepare(request)
    if request.method != "HEAD":
        for text in texts:
            view = memoryview(text)
            for start in range(0, len(text), PIECE):
                await _write(response, view[start : start + PIECE], request)
    await response.write_eof()
    return response


async def _write(response: web.StreamResponse, piece: memoryview, request: web.BaseRequest) -> None:
    try:
        async with asyncio.timeout(TAKING):
            await response.write(piece)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError from None


def _json(found: object, status: int = 200) -> web.Response:
    headers = {**HEADERS, "Content-Type": "application/json"}
    response = web.Response(body=_bytes(found) + b"\n", status=status, headers=headers)
    response.force_close()
    return response


def _bytes(found: object) -> bytes:
    return json.dumps(found).encode()


def _only(url: Url, *known: str) -> None:
    for key in url.query:
        if key not in known:
            hint = f"known: {', '.join(known)}" if known else "it takes none"
            raise _Refused(Refusal(400, f"{escaped(key)} is not a parameter of this page", hint))


def _one(url: Url, key: str) -> str | None:
    values = url.query.get(key, ())
    if len(values) > 1:
        raise _Refused(Refusal(400, f"{key} is given twice", "leave one of them out"))
    return values[0] if values else None


def _name(text: str) -> str:
    return _parsed("name", text, monitor_name)


def _span(text: str) -> float:
    return _parsed("since", text, duration_back)


def _parsed(key: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except BadValueError as error:
        line = f"{key} '{escaped(text)}' {error.complaint}"
        raise _Refused(Refusal(400, line, error.hint)) from None
