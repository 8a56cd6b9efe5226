"""Ways of sending that break the connection or the protocol: bytes on the wire, past `aiohttp.web`.

Each is `(request, reply) -> response`, as `delivery` has them. The response that they give is never
sent: their connection is closed by then.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from aiohttp import web

    from .reply import Reply

_HELD_FOR = 300.0
"""Seconds: longer than any deadline that makes sense in a conversation."""
_DRIP = 0.05
"""Seconds between two bytes of a body that drips."""
_PAUSE = 0.05
"""Seconds in which what was sent arrives, before a reset that would overtake it."""
# On and no time at all: what was not sent yet is dropped, and the peer is told so (RST).
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


async def hold() -> None:
    """Let a long time pass. It ends when the client leaves or the simulator stops."""
    await asyncio.sleep(_HELD_FOR)


async def reset(request: web.BaseRequest, _reply: Reply) -> web.StreamResponse:
    """Answer nothing and reset the connection."""
    return _reset(request)


async def closed(request: web.BaseRequest, _reply: Reply) -> web.StreamResponse:
    """Answer nothing and close the connection."""
    return _close(request)


async def reset_body(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the head and half of the body, then reset the connection."""
    _line(request).write(_begun(reply))
    await asyncio.sleep(_PAUSE)
    return _reset(request)


async def closed_body(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the head and half of the body, then close the connection."""
    _line(request).write(_begun(reply))
    return _close(request)


async def held_body(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the head and half of the body, and no more for a long time."""
    return await _send_and_hold(request, _begun(reply))


async def dripped(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the body byte by byte, after so many blanks that nobody waits for its end."""
    body = b" " * round(_HELD_FOR / _DRIP) + reply.body
    line = _line(request)
    line.write(_head(reply, len(body)))
    for byte in body:
        line.write(bytes([byte]))
        await asyncio.sleep(_DRIP)
    return _close(request)


async def short(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the whole body under a Content-Length of half of it. The connection stays open."""
    return await _send_and_hold(request, _head(reply, len(reply.body) // 2) + reply.body)


async def unsized(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the whole body under a Content-Length that is no number. The connection stays open."""
    return await _send_and_hold(request, _head(reply, "many") + reply.body)


async def bare(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send the bytes of the body and nothing around them. The connection stays open."""
    return await _send_and_hold(request, reply.body)


async def _send_and_hold(request: web.BaseRequest, data: bytes) -> web.StreamResponse:
    _line(request).write(data)
    await hold()
    return _close(request)


def _begun(reply: Reply) -> bytes:
    """Give an answer up to the middle of its body; an empty one too lacks something."""
    return _head(reply, len(reply.body) or 1) + reply.body[: len(reply.body) // 2]


def _head(reply: Reply, length: object) -> bytes:
    """Write the head of an answer, whatever its Content-Length is to be."""
    headers = {**reply.headers, "Content-Length": length}
    fields = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {reply.status} Simulated", *fields, "", ""]).encode()


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    line = _line(request)
    line.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    line.abort()
    return _nothing()


def _close(request: web.BaseRequest) -> web.StreamResponse:
    _line(request).close()
    return _nothing()


def _line(request: web.BaseRequest) -> asyncio.Transport:
    """Give the connection. There is one: a client that leaves ends the handler."""
    return cast("asyncio.Transport", request.transport)


def _nothing() -> web.StreamResponse:
    from aiohttp import web  # noqa: PLC0415 - the action server imports this module too

    return web.Response()
