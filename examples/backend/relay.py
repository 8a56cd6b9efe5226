"""A relay between CEC, or a provider, and the bot: messages go in, and answers come out.

    ARRIVAL_KEY=… RELAY_TOKEN=… python relay.py --port 8060 --rasa http://127.0.0.1:5005

CEC owns the channel and the agents. It posts to `/messages`, with `Authorization: Bearer …`:

    {"session": "…", "text": "…", "contextId": "…", "channel": "whatsapp"}

`session` is CEC's id of the conversation, random and new for each login: it becomes Rasa's
`sender_id`, and what the agents' desk gets as `conversation`. `contextId` is CEC's, if the customer
is known; it leaves here signed. The answer says who goes on, so that CEC can connect an agent:

    {"answers": [{"text": "…"}], "next": "bot"}

`next` is `agent` once the bot has handed over, and as long as it is silent: until the desk returns
the conversation by Rasa's API. It is `nobody` once the customer has logged out.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import logging
import os
import re
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from arrival_token import arrival_token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DEADLINE = aiohttp.ClientTimeout(15.0)
"""For a turn of the bot. Its lookup takes at most PS7_DEADLINE, four seconds."""
SESSION = re.compile(r"[A-Za-z0-9_-]{16,128}")
NEXT = {"handed_over": "agent", "ended": "nobody"}
"""What the bot says to channels, in `custom` of a response, and who goes on then."""

_log = logging.getLogger("relay")


class Relay:
    """It keeps nothing: any of several takes any message. Rasa answers a conversation in order."""

    def __init__(self, rasa: str, arrival_key: str, token: str) -> None:
        """Take Rasa's address, one of the bot's PS7_ARRIVAL_KEYS, and the token of CEC."""
        self._webhook, self._key = f"{rasa}/webhooks/rest/webhook", arrival_key
        self._token = f"Bearer {token}".encode()
        self._http: aiohttp.ClientSession

    def application(self) -> web.Application:
        """Return the server; the caller decides where it listens."""
        app = web.Application()
        app.cleanup_ctx.append(self._client)
        app.add_routes([web.post("/messages", self._message)])
        return app

    async def _client(self, _: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=DEADLINE, raise_for_status=True) as self._http:
            yield

    async def _message(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._token):
            raise web.HTTPUnauthorized
        try:
            message = self._to_rasa(await request.json())
        except (AttributeError, KeyError, TypeError, ValueError):
            raise web.HTTPBadRequest(text="session and text, please: see relay.py") from None
        try:
            async with self._http.post(self._webhook, json=message) as answer:
                parts: list[dict[str, Any]] = await answer.json()
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
            _log.warning("Rasa did not answer: %s", type(error).__name__)
            raise web.HTTPBadGateway(text="the bot is away") from None
        said = {"answers": _answers(parts), "next": _next(parts)}
        return web.json_response(said, dumps=partial(json.dumps, ensure_ascii=False))

    def _to_rasa(self, post: dict[str, Any]) -> dict[str, Any]:
        """Return the message for Rasa's REST channel.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: the post is not as it should be.

        """
        session, text = post["session"], post["text"]
        if not SESSION.fullmatch(session):
            raise ValueError("session")
        metadata = {}
        if context := post.get("contextId"):
            metadata["contextId"] = arrival_token(
                self._key, str(context), session, int(time.time())
            )
        # A text that begins with a slash would be a command to Rasa.
        said = {"message": text.strip().lstrip("/ \t\n"), "metadata": metadata}
        return {"sender": session, "input_channel": post.get("channel") or "cec", **said}


def _answers(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is for the customer: text, picture, buttons."""
    kept = ("text", "image", "buttons")
    shown = [{name: each[name] for name in kept if name in each} for each in parts]
    return [each for each in shown if each]


def _next(parts: list[dict[str, Any]]) -> str:
    """Return who goes on, by what the bot said to the channel. A paused one says nothing."""
    signals = [((each.get("custom") or {}).get("data") or {}).get("conversation") for each in parts]
    return next((NEXT[each] for each in signals if each in NEXT), "bot" if parts else "agent")


def main() -> None:
    """Relay until Ctrl+C.

    Raises:
        SystemExit: ARRIVAL_KEY or RELAY_TOKEN is not set.

    """
    parser = argparse.ArgumentParser(description="Between CEC and the bot.")
    parser.add_argument("--port", type=int, default=8060)
    parser.add_argument("--rasa", default="http://127.0.0.1:5005")
    options = parser.parse_args()
    key, token = (os.environ.get(name, "") for name in ("ARRIVAL_KEY", "RELAY_TOKEN"))
    if not (key and token):
        sys.exit("ARRIVAL_KEY and RELAY_TOKEN must be set")
    app = Relay(options.rasa, key, token).application()
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
