"""aiohttp with one session for all calls: the fastest that a bot's author writes by hand."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import aiohttp

from benchmarks.peers.common import HEADERS, URL, Peer, request_body, slots

if TYPE_CHECKING:
    from rasa_sdk import Tracker


@cache
def _session() -> aiohttp.ClientSession:
    # Without a limit: else it would wait for connections where the plugin is told to open more.
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


class BareAiohttp(Peer):
    """Asks over a pool of connections."""

    async def run(self, dispatcher: object, tracker: Tracker, domain: object) -> list[Any]:  # noqa: ARG002
        """Look the customer up."""
        async with _session().post(URL, json=request_body(tracker), headers=HEADERS) as answer:
            return slots(await answer.json())
