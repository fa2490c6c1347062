"""The responses of `heatctl serve`: their headers, and how they are sent."""

import asyncio
import json
from collections.abc import Sequence
from typing import NotRequired, TypedDict

from aiohttp import web

from heat import __version__
from heat.control.answers import Public
from heat.web.access import Refusal

HEADERS = {
    "Cache-Control": "no-store",
    "Connection": "close",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": f"heatctl/{__version__}",
    "X-Content-Type-Options": "nosniff",
}
JSON = "application/json"
PIECE = 1 << 17
"""Bytes that a connection gets at once."""
TAKING = 3.0
"""Seconds for a piece. A client that takes none must be gone before others have waited enough."""


class Error(TypedDict):
    """The body of a refusal."""

    error: Public[str]
    fix: NotRequired[Public[str]]


def encode(value: object) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value).encode()


def small(value: object, status: int = 200) -> web.Response:
    """Return a small response, which is sent at once."""
    headers = {**HEADERS, "Content-Type": JSON}
    response = web.Response(body=encode(value) + b"\n", status=status, headers=headers)
    response.force_close()
    return response


def refuse(refusal: Refusal) -> web.Response:
    """Return the response to an unwelcome request."""
    error: Error = {"error": refusal.error}
    if refusal.hint:
        error["fix"] = refusal.hint
    response = small(error, refusal.status)
    response.headers.extend(refusal.headers)
    return response


async def send(request: web.BaseRequest, texts: Sequence[bytes], kind: str) -> web.StreamResponse:
    """Send a large response piece by piece, as the client takes it."""
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": kind})
    response.content_length = sum(map(len, texts))
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
