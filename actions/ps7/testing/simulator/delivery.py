"""How an answer goes out on the wire. A new way is one function and one row of `DELIVERIES`."""

from __future__ import annotations

import asyncio
import gzip
import random
import time
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from . import broken
from .reply import to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from ..faults import Delivery
    from .reply import Reply

_JITTER = (0.05, 0.25)
"""Seconds: the shortest and the longest wait of a late answer."""
_MEBIBYTES = 48
"""Of blanks in a packed answer. gzip makes a KiB of each: packed it stays below 64 KiB."""
_CHUNK = b" " * 16 * 1024


async def _whole(_request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send all of it at once."""
    from aiohttp import web  # noqa: PLC0415 - the action server imports this module too

    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


async def _held(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send nothing for a long time."""
    await broken.hold()
    return await _whole(request, reply)


async def _late(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send it after a moment that differs each time."""
    await asyncio.sleep(random.uniform(*_JITTER))  # noqa: S311 - chance, not a secret
    return await _whole(request, reply)


async def _dated(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Turn the seconds of `Retry-After` (1 where there are none) into an HTTP date from now on."""
    seconds = float(reply.headers.get("Retry-After", "1"))
    moment = formatdate(time.time() + seconds, usegmt=True)
    return await _whole(request, replace(reply, headers={**reply.headers, "Retry-After": moment}))


async def _echoed(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the headers of the request back as the body, credentials included."""
    text = ", ".join(f"{name}: {value}" for name, value in request.headers.items())
    body = to_json({"error_code": str(reply.status), "error_msg": f"not with {text}"})
    return await _whole(request, replace(reply, body=body))


async def _packed(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send it as gzip after so many blanks that unpacking it takes a lot of memory."""
    # Packed once and repeated, as members of one file may be (RFC 1952): packing it all takes long.
    body = gzip.compress(b" " * 1024 * 1024) * _MEBIBYTES + gzip.compress(reply.body)
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    return await _whole(request, replace(reply, headers=headers, body=body))


async def _endless(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send it, and then blanks as fast as the client takes them, until it leaves."""
    from aiohttp import web  # noqa: PLC0415 - the action server imports this module too

    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    with suppress(ConnectionError):
        await response.write(reply.body)
        while True:
            await response.write(_CHUNK)
            await asyncio.sleep(0)  # a client in the same event loop gets its turn
    return response


DELIVERIES: dict[Delivery, Callable[[web.BaseRequest, Reply], Awaitable[web.StreamResponse]]] = {
    "whole": _whole,
    "held": _held,
    "late": _late,
    "dated": _dated,
    "echoed": _echoed,
    "packed": _packed,
    "endless": _endless,
    "reset": broken.reset,
    "closed": broken.closed,
    "reset-body": broken.reset_body,
    "closed-body": broken.closed_body,
    "held-body": broken.held_body,
    "dripped": broken.dripped,
    "short": broken.short,
    "unsized": broken.unsized,
    "bare": broken.bare,
}
