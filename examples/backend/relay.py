"""A relay between CEC, or a provider, and the bot: messages go in, and answers come out.

    ARRIVAL_KEY=… RELAY_TOKEN=… python relay.py --port 8060 --rasa http://127.0.0.1:5005

CEC owns the channel and the agents. It posts to `/messages`, with `Authorization: Bearer …`:

    {"session": "…", "text": "…", "contextId": "…", "channel": "whatsapp"}

`session` is CEC's id of the conversation, random and new for each login: it becomes Rasa's
`sender_id`, and what the agents' desk gets as `conversation`. `contextId` is in every message, so
that none depends on what Rasa kept of an earlier one; null if nobody is known, which logs nobody
out. It leaves here signed. The answer says who goes on, so that CEC can connect an agent:

    {"answers": [{"text": "Ver?", "buttons": [{"title": "Sim", "payload": "…"}]}], "next": "bot"}

An answer has `text`, `image`, `attachment` or `buttons`. Whoever presses a button says its title as
`text`; its `payload` goes beside that as it came. `next` is `agent` once the bot has handed over,
and as long as it is silent: until the desk returns the conversation by Rasa's API. It is `nobody`
once the customer has logged out. What an agent writes does not pass here: CEC's write over CEC.
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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from arrival_token import arrival_token

sys.path.append(str(Path(__file__).resolve().parents[1] / "channels"))

from customer_text import (
    TOO_LONG,
    TooLongError,
    customer_text,
    open_payload,
    seal_buttons,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DEADLINE = aiohttp.ClientTimeout(15.0)
"""For a turn of the bot. Its lookup takes at most PS7_DEADLINE, four seconds."""
SESSION = re.compile(r"[A-Za-z0-9_-]{16,128}")
NEXT = {"handed_over": "agent", "ended": "nobody"}
"""What the bot says to channels, in `custom` of a response, and who goes on then."""

SHOWN = {"text": str, "image": str, "attachment": str | dict, "buttons": list}
"""What an answer may have, and of which type."""

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
        except (TooLongError, web.HTTPRequestEntityTooLarge):
            return _json({"answers": [{"text": TOO_LONG}], "error": "too long"}, 413)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            wanted = "session, text and contextId, please: see relay.py"
            raise web.HTTPBadRequest(text=wanted) from None
        try:
            async with self._http.post(self._webhook, json=message) as answer:
                parts: list[Any] = _expect(list, await answer.json())
        except (aiohttp.ClientError, asyncio.TimeoutError, TypeError, ValueError) as error:
            _log.warning("Rasa did not answer: %s", type(error).__name__)
            raise web.HTTPBadGateway(text="the bot is away") from None
        answers = [self._answer(message["sender"], each) for each in parts]
        return _json({"answers": [each for each in answers if each], "next": _next(parts)})

    def _to_rasa(self, post: dict[str, Any]) -> dict[str, Any]:
        """Return the message for Rasa's REST channel.

        Raises:
            AttributeError, LookupError, TypeError, ValueError: the post is not as it should be.

        """
        session, text, context = post["session"], customer_text(post["text"]), post["contextId"]
        channel = _expect(str, post.get("channel") or "")
        if not SESSION.fullmatch(session):
            raise ValueError("session")
        metadata = {}
        if context is not None and (known := str(_expect(str | int, context))):
            metadata["contextId"] = arrival_token(self._key, known, session, int(time.time()))
        payload = open_payload(self._key.encode(), session, post.get("payload"))
        if payload is not None:
            metadata["title"], text = text, payload
        said = {"message": text, "metadata": metadata}
        # No channel of Rasa's has this name, so that the desk does not take CEC's WhatsApp for it.
        named = f"cec-{channel}" if channel else "cec"
        return {"sender": session, "input_channel": named, **said}

    def _answer(self, session: str, part: object) -> dict[str, Any]:
        """Return what is for the customer. The log names what cannot be shown."""
        part = part if isinstance(part, dict) else {"an item": part}
        given = {name: part[name] for name in part.keys() - {"recipient_id"} if part[name]}
        answer: dict[str, Any] = {
            name: given[name] for name, kind in SHOWN.items() if isinstance(given.get(name), kind)
        }
        buttons = answer.pop("buttons", [])
        if shown := seal_buttons(self._key.encode(), session, buttons):
            answer["buttons"] = shown
        lost = given.keys() - answer.keys() - ({"custom"} if _signal(part) else set())
        if len(shown) < len(buttons):
            lost.add("buttons")
        if lost:
            _log.warning("Not shown: %s", ", ".join(sorted(lost)))
        return answer


def _expect(kind: Any, value: object) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError
    return value


def _json(content: object, status: int = 200) -> web.Response:
    body = json.dumps(content, ensure_ascii=False).encode(errors="replace")
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")


def _signal(part: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return what the bot says to the channel about the conversation."""
    for name in ("custom", "data", "conversation"):
        part = part.get(name) if isinstance(part, dict) else None
    return part if isinstance(part, str) else None


def _next(parts: list[Any]) -> str:
    """Return who goes on, by what the bot said to the channel. A paused one says nothing."""
    signals = [_signal(each) for each in parts]
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
