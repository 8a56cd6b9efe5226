"""aiohttp with a session for each call, as many examples have it: a new connection every time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp

from benchmarks.peers.common import HEADERS, URL, Peer, request_body, slots

if TYPE_CHECKING:
    from rasa_sdk import Tracker


class SessionPerCall(Peer):
    """Opens a connection, asks, and closes it."""

    async def run(self, dispatcher: object, tracker: Tracker, domain: object) -> list[Any]:  # noqa: ARG002
        """Look the customer up."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(URL, json=request_body(tracker), headers=HEADERS) as answer,
        ):
            return slots(await answer.json())
