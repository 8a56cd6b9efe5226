"""The way to the agents' desk, from server to server: neither the channel nor the customer sees it.

`HANDOVER_URL` is where the desk takes hand-overs: https, or http on this machine. `HANDOVER_TOKEN`
is the bearer token that it wants. The desk takes a second hand-over with the same `Idempotency-Key`
for the first one, come again, and answers 409 if its body is another one.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rasa_sdk import Tracker

HANDED_OVER = "handed_over"
"""The bot's slot: whether the desk has the conversation. `idempotency_key` counts its events."""
DEADLINE = 3.0
"""Seconds for all of it, a second attempt included."""
_ATTEMPTS = 2
_THERE_ALREADY = 409
_TAKEN, _RETRYABLE = {*range(200, 300), _THERE_ALREADY}, range(500, 600)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_OF_THE_MOMENT = ("reason", "correlation_id")
LINES, LONGEST = 30, 500
"""How much of the conversation an agent gets: its last lines, and characters of each."""
NO_TEXT, FILE = "/send_media", "(arquivo que este canal não traz)"
"""What a channel sends for a picture or a voice note, and what the agent reads."""
_NUMBER = re.compile(r"\d(?:[ .,/-]{0,3}\d){3,}")
"""Four digits or more, as an account, a CPF, a password or an amount is written."""
_SPEAKERS = {"user": "customer", "bot": "bot"}
_BORDERS = {"session_started", "restart", "session_ended", "pause", "resume"}

_log = logging.getLogger(__name__)


async def hand_over(tracker: Tracker, context: dict[str, Any]) -> bool:
    """Return whether the desk has the conversation. Never raises, and logs no value.

    `context` is what `handover(tracker)` returned. The desk also gets what was said, the
    conversation's id, by which it returns the conversation, and the channel.
    """
    url, token = os.environ.get("HANDOVER_URL"), os.environ.get("HANDOVER_TOKEN")
    if not (url and token):
        _log.error("Hand-over failed: HANDOVER_URL and HANDOVER_TOKEN are not set")
        return False
    channels = [each.get("input_channel") for each in tracker.events if each["event"] == "user"]
    channel = channels[-1] if channels else None
    said = {"channel": channel, "transcript": transcript(tracker.events)}
    body = {**context, "conversation": tracker.sender_id, **said}
    key = idempotency_key(tracker, token, context)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    try:
        address = urlsplit(url)
        here = address.scheme == "http" and address.hostname in _LOOPBACK
        if address.scheme != "https" and not here:
            _log.error("Hand-over failed: HANDOVER_URL must be https")
            return False
        return await asyncio.wait_for(_post(url, body, headers), DEADLINE)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
        _log.warning("Hand-over failed: %s", type(error).__name__)
        return False


async def _post(url: str, body: dict[str, Any], headers: dict[str, str]) -> bool:
    async with aiohttp.ClientSession(headers=headers) as http:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with http.post(url, json=body, allow_redirects=False) as answer:
                    if answer.status in _TAKEN:
                        return True
                    _log.warning("Hand-over failed: status %d", answer.status)
                    if answer.status not in _RETRYABLE:
                        return False
            except aiohttp.ClientConnectionError:
                if attempt == _ATTEMPTS:
                    raise
        return False


def transcript(events: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Return what this customer and the bot said in this session, oldest first, without numbers.

    It begins anew with whatever ends a customer's part: a session, a log-out, an earlier hand-over,
    and the message that brought another customer, whom only the slot `cpf_masked` tells.
    """
    lines: list[dict[str, str]] = []
    who = None
    for event in events:
        kind, name, value = event["event"], event.get("name"), event.get("value")
        if kind in _BORDERS or (kind, name) == ("action", "action_ps7_forget"):
            lines, who = [], None
        elif (kind, name) == ("slot", "cpf_masked") and value not in (None, who):
            lines, who = lines[-1:] if who else lines, value
        elif kind in _SPEAKERS and (text := event.get("text")):
            if kind == "user" and text.startswith("/"):  # a channel's: a button, or no text
                title = (event.get("metadata") or {}).get("title")
                text = FILE if text == NO_TEXT else title or text
            masked = _NUMBER.sub("••••", text)[:LONGEST]
            lines.append({"who": _SPEAKERS[kind], "text": masked})
    return lines[-LINES:]


def idempotency_key(tracker: Tracker, token: str, context: dict[str, Any]) -> str:
    """Return the name of this hand-over, which it keeps until the desk has taken it.

    A turn can be lost after the desk has answered, and an answer after the desk has taken the
    conversation: the customer then asks again, and the desk knows the key. It is made of the
    conversation, its session, how often the session was handed over, and **who is handed over**:
    another customer in the same session is another hand-over. It tells none of them. What differs
    from one wish to the next, such as the reason, is no part of it: the desk may then answer 409,
    and has this customer already.
    """
    session, done = "", 0
    for event in tracker.events:
        if event["event"] == "session_started":
            session, done = str(event.get("timestamp")), 0
        elif event.get("name") == HANDED_OVER and event.get("value"):
            done += 1
    who = sorted((name, value) for name, value in context.items() if name not in _OF_THE_MOMENT)
    name = json.dumps([tracker.sender_id, session, done, who])
    return hmac.new(
        token.encode("utf-8", "surrogatepass"), name.encode(), hashlib.sha256
    ).hexdigest()
