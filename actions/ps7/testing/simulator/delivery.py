"""How an answer goes out on the wire. A new way is one row of `DELIVERIES`, at the end.

The ways that break the connection or the protocol write bytes past `aiohttp.web`; the response that
they return is never sent.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import socket
import struct
import time
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING, cast

from .gateway import Reply, to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from ..faults import Delivery

    Deliver = Callable[[web.BaseRequest, Reply], Awaitable[web.StreamResponse]]

_HELD_FOR = 300.0
"""Seconds: longer than any deadline that makes sense in a conversation."""
_JITTER = (0.05, 0.25)
"""Seconds: the shortest and the longest wait of a late answer."""
_DRIP = 0.05
"""Seconds between two bytes of a body that drips."""
_PAUSE = 0.05
"""Seconds in which what was sent arrives, before a reset that would overtake it."""
_MEBIBYTES = 48
"""Of blanks in a packed answer. gzip makes a KiB of each: packed it stays below 64 KiB."""
_CHUNK = b" " * 16 * 1024
# On and no time at all: what was not sent yet is dropped, and the peer is told so (RST).
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


async def _whole(_request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    from aiohttp import web  # the action server imports this module too

    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


def _after(wait: Callable[[], float]) -> Deliver:
    async def deliver(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        await asyncio.sleep(wait())
        return await _whole(request, reply)

    return deliver


async def _dated(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Turn the seconds of `Retry-After` (1 if there are none) into an HTTP date from now on."""
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
    from aiohttp import web  # the action server imports this module too

    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.enable_chunked_encoding()
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(reply.body)
        while True:
            await response.write(_CHUNK)
            await asyncio.sleep(0)  # a client in the same event loop gets its turn
    return response


async def _dripped(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the body byte by byte, after so many blanks that no client waits for its end."""
    body = b" " * round(_HELD_FOR / _DRIP) + reply.body
    line = _line(request)
    line.write(_head(reply, len(body)))
    for byte in body:
        line.write(bytes([byte]))
        await asyncio.sleep(_DRIP)
    line.close()
    return await _whole(request, reply)


def _bytes(
    sent: Callable[[Reply], bytes], end: Callable[[asyncio.Transport], Awaitable[None]]
) -> Deliver:
    async def deliver(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        line = _line(request)
        line.write(sent(reply))
        await end(line)
        return await _whole(request, reply)

    return deliver


def _line(request: web.BaseRequest) -> asyncio.Transport:
    """Return the connection. There is one: a client that leaves ends the handler."""
    return cast("asyncio.Transport", request.transport)


def _half(reply: Reply) -> bytes:
    """Return an answer up to the middle of its body; an empty one too lacks something."""
    return _head(reply, len(reply.body) or 1) + reply.body[: len(reply.body) // 2]


def _head(reply: Reply, length: object) -> bytes:
    """Return the head of an answer, whatever its Content-Length is to be."""
    headers = {**reply.headers, "Content-Length": length}
    fields = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {reply.status} Simulated", *fields, "", ""]).encode()


async def _close(line: asyncio.Transport) -> None:
    line.close()


async def _hold(line: asyncio.Transport) -> None:
    """Keep the connection open for a long time, or until the client leaves."""
    await asyncio.sleep(_HELD_FOR)
    line.close()


async def _reset(line: asyncio.Transport) -> None:
    line.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    line.abort()


async def _reset_later(line: asyncio.Transport) -> None:
    await asyncio.sleep(_PAUSE)
    await _reset(line)


DELIVERIES: dict[Delivery, Deliver] = {
    "whole": _whole,
    "held": _after(lambda: _HELD_FOR),
    "late": _after(lambda: random.uniform(*_JITTER)),  # noqa: S311 - chance, not a secret
    "dated": _dated,
    "echoed": _echoed,
    "packed": _packed,
    "endless": _endless,
    "reset": _bytes(lambda _: b"", _reset),
    "closed": _bytes(lambda _: b"", _close),
    "reset-body": _bytes(_half, _reset_later),
    "closed-body": _bytes(_half, _close),
    "held-body": _bytes(_half, _hold),
    "dripped": _dripped,
    # The whole body under a Content-Length of half of it, and under one that is no number; the
    # bytes of the body and nothing around them.
    "short": _bytes(lambda reply: _head(reply, len(reply.body) // 2) + reply.body, _hold),
    "unsized": _bytes(lambda reply: _head(reply, "many") + reply.body, _hold),
    "bare": _bytes(lambda reply: reply.body, _hold),
}
