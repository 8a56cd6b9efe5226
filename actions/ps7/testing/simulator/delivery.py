"""How an answer goes out on the wire. A new way is one function and one row of `DELIVERIES`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from ..faults import Delivery
    from .reply import Reply

_HELD_FOR = 300.0
"""Seconds: longer than any deadline that makes sense in a conversation."""


async def _whole(_request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send all of it at once."""
    from aiohttp import web  # noqa: PLC0415 - the action server imports this module too

    return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


async def _held(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Send nothing for a long time. It ends when the client leaves or the simulator stops."""
    await asyncio.sleep(_HELD_FOR)
    return await _whole(request, reply)


DELIVERIES: dict[Delivery, Callable[[web.BaseRequest, Reply], Awaitable[web.StreamResponse]]] = {
    "whole": _whole,
    "held": _held,
}
