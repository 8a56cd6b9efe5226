"""WhatsApp without Meta: `python try_it.py 5511912345678 oi "qual meu saldo"`.

Each text goes to Rasa as Meta would post it, signed. Behind the bot this plays Meta's Graph API, so
that it shows what the bot sends, and the bank's back-end, which knows Ana by any number.
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


def post_of(phone_number_id: str, **message: object) -> bytes:
    """Return what Meta posts when a customer writes."""
    said = {"id": f"wamid.{uuid4().hex}", "timestamp": str(int(time.time())), **message}
    value = {"metadata": {"phone_number_id": phone_number_id}, "messages": [said]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def headers_of(post: bytes, app_secret: str) -> dict[str, str]:
    """Return the headers of a post, as Meta signs it."""
    signed = hmac.new(app_secret.encode(), post, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signed}"}


async def main(number: str, *texts: str) -> None:
    """Send each text, and print what the bot sends until it is silent."""
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/contexts":
            return web.json_response({"contextId": "ana"})
        sent.put_nowait(await request.json())
        taken = {"contacts": [{"input": number, "wa_id": number}], "messages": [{"id": "wamid.1"}]}
        return web.json_response(taken)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", urlsplit(os.environ["GRAPH_URL"]).port).start()
    webhook = f"{os.environ['RASA_URL']}/webhooks/whatsapp/webhook"
    async with aiohttp.ClientSession() as http:
        for text in texts:
            written = {"from": number, "type": "text", "text": {"body": text}}
            post = post_of(os.environ["WHATSAPP_PHONE_NUMBER_ID"], **written)
            headers = headers_of(post, os.environ["WHATSAPP_APP_SECRET"])
            async with http.post(webhook, data=post, headers=headers) as taken:
                print(f"you: {text}   (Rasa answered {taken.status})")
            with suppress(asyncio.TimeoutError):
                while message := await asyncio.wait_for(sent.get(), SILENCE):
                    print(f"bot: {json.dumps(message[message['type']], ensure_ascii=False)}")
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
