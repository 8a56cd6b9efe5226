"""WhatsApp without Meta: `python try_it.py 5511912345678 oi "qual meu saldo"`.

Each text goes to Rasa as Meta would post it, signed. Behind the bot this plays Meta's Graph API, so
that it shows what the bot sends, and the bank's back-end, which knows the contextId `ana` of that
number.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sys
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
from aiohttp import web

SILENCE = 3.0  # seconds


def post_of(number: str, text: str, phone_number_id: str, **message: object) -> bytes:
    """Return what Meta posts when a customer writes; `message` is in place of the text."""
    written = {"type": "text", "text": {"body": text}, **message}
    said = {"from": number, "id": f"wamid.{uuid4().hex}", "timestamp": str(int(time.time()))}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551130000000", "phone_number_id": phone_number_id},
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": number}],
        "messages": [{**said, **written}],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def headers_of(post: bytes, app_secret: str) -> dict[str, str]:
    """Return the headers of a post, as Meta signs it."""
    signed = hmac.new(app_secret.encode(), post, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signed}"}


class Stub:
    """Meta's Graph API and the bank's back-end."""

    def __init__(self, contexts: dict[str, str]) -> None:
        """Take the contextId of each number, or code."""
        self.contexts, self.asked = contexts, list[dict[str, str]]()
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.add_routes(
            [web.post("/{number}/messages", self._message), web.post("/contexts", self._context)]
        )
        return app

    async def _message(self, request: web.Request) -> web.Response:
        self.sent.put_nowait(await request.json())
        return web.json_response({"messages": [{"id": f"wamid.{uuid4().hex}"}]})

    async def _context(self, request: web.Request) -> web.Response:
        self.asked.append(question := await request.json())
        context = self.contexts.get(question.get("phone") or question.get("code") or "")
        return web.json_response({"contextId": context}, status=200 if context else 404)


async def main(number: str, *texts: str) -> None:
    """Send each text, and print what the bot sends until it is silent."""
    stub = Stub({number: "ana"})
    runner = web.AppRunner(stub.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", urlsplit(os.environ["GRAPH_URL"]).port).start()
    webhook = f"{os.environ['RASA_URL']}/webhooks/whatsapp_cloud/webhook"
    async with aiohttp.ClientSession() as http:
        for text in texts:
            post = post_of(number, text, os.environ["WHATSAPP_PHONE_NUMBER_ID"])
            headers = headers_of(post, os.environ["WHATSAPP_APP_SECRET"])
            async with http.post(webhook, data=post, headers=headers) as answer:
                print(f"you: {text}   (Rasa answered {answer.status})")
            with suppress(asyncio.TimeoutError):
                while sent := await asyncio.wait_for(stub.sent.get(), SILENCE):
                    print(f"bot: {json.dumps(sent[sent['type']], ensure_ascii=False)}", flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
