"""The way to the agents' desk, from server to server: neither the channel nor the customer sees it.

`HANDOVER_URL` is where the desk takes hand-overs, `HANDOVER_TOKEN` the bearer token that it wants.
The desk takes a second hand-over with the same `Idempotency-Key` for the first one, come again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from rasa_sdk import Tracker

HANDED_OVER = "handed_over"
"""The bot's slot: whether the last hand-over arrived. `idempotency_key` counts its events."""
DEADLINE = 3.0
"""Seconds for all of it, a second attempt included."""
_ATTEMPTS = 2
_TAKEN, _RETRYABLE = range(200, 300), range(500, 600)

_log = logging.getLogger(__name__)


async def hand_over(tracker: Tracker, context: dict[str, Any]) -> bool:
    """Return whether the desk has taken the conversation. Never raises, and logs no value."""
    url, token = os.environ.get("HANDOVER_URL"), os.environ.get("HANDOVER_TOKEN")
    if not (url and token):
        _log.error("Hand-over failed: HANDOVER_URL and HANDOVER_TOKEN are not set")
        return False
    key = idempotency_key(tracker, token)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    try:
        return await asyncio.wait_for(_post(url, context, headers), DEADLINE)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
        _log.warning("Hand-over failed: %s", type(error).__name__)
        return False


async def _post(url: str, context: dict[str, Any], headers: dict[str, str]) -> bool:
    async with aiohttp.ClientSession(headers=headers) as http:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with http.post(url, json=context, allow_redirects=False) as answer:
                    if answer.status in _TAKEN:
                        return True
                    _log.warning("Hand-over failed: status %d", answer.status)
                    if answer.status not in _RETRYABLE:
                        return False
            except aiohttp.ClientConnectionError:
                if attempt == _ATTEMPTS:
                    raise
        return False


def idempotency_key(tracker: Tracker, token: str) -> str:
    """Return the name of this hand-over, which it keeps until the desk has taken it.

    A turn can be lost after the desk has answered, and an answer after the desk has taken the
    conversation: the customer then asks again, and the desk knows the key. It is made of the
    conversation, its session and how often the session was handed over, and tells none of them.
    """
    session, done = "", 0
    for event in tracker.events:
        if event["event"] == "session_started":
            session, done = str(event.get("timestamp")), 0
        elif event.get("name") == HANDED_OVER and event.get("value"):
            done += 1
    name = f"{tracker.sender_id}\n{session}\n{done}"
    key, text = (each.encode("utf-8", "surrogatepass") for each in (token, name))
    return hmac.new(key, text, hashlib.sha256).hexdigest()
