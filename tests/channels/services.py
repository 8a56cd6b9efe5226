"""The outside of each channel: what its service posts and how it signs that, and what it is sent.

One small server is Meta, Twilio, Telegram, a customer of `callback`, and the bank's back-end.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
from aiohttp import web

from actions.ps7.conversation.arrival import sign
from examples.channels.try_it import headers_of, post_of
from tests.support.processes import free_port

URL = f"http://127.0.0.1:{free_port()}"
SECRET = "made up for the services"
SENDER_KEY = "made up, by which senders are named"
ARRIVAL_KEY = "made up, and this back-end's own"
VARIABLES = {"STUB": URL, "SECRET": SECRET, "SENDER_KEY": SENDER_KEY}
NUMBER_ID = "15550001"
CODE = "code-of-ana"
"""What stands in a link that the back-end gave to Ana."""
PUBLIC = "https://bot.example.com/webhooks"


def sender_of(channel: str, address: str) -> str:
    """Return the sender id of somebody, as the bank's back-end makes it for an arrival token."""
    name = f"{channel}:{address}".encode()
    return hmac.new(SENDER_KEY.encode(), name, hashlib.sha256).hexdigest()[:32]


@dataclass
class Services:
    """What the bot sent, by address; and how the services behave."""

    heard: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    asked: list[dict[str, Any]] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    """Ana's, as the back-end knows them."""
    registered: dict[str, str] = field(default_factory=dict)
    away: bool = False
    """Nothing that the bot sends is taken."""
    back_end: str = ""
    """What is wrong with the back-end: `slow`, `broken`, or nothing."""

    def application(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/graph/me/messages", self._facebook),
                web.post("/graph/{number}/messages", self._whatsapp),
                web.post("/2010-04-01/Accounts/{account}/Messages.json", self._twilio),
                web.post("/bot{token}/{method}", self._telegram),
                web.post("/callback", self._callback),
                web.post("/contexts", self._contexts),
            ]
        )
        return app

    def _take(self, address: object, message: object, answer: object) -> web.Response:
        if self.away:
            return web.json_response({"error": {"message": f"to {address}"}}, status=500)
        self.heard[str(address)].append(message)
        return web.json_response(answer)

    async def _whatsapp(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        sent = await request.json()
        assert sent.pop("messaging_product") == "whatsapp"
        return self._take(sent.pop("to"), sent, {"messages": [{"id": "wamid.1"}]})

    async def _facebook(self, request: web.Request) -> web.Response:
        sent = await request.json()
        return self._take(sent["recipient"]["id"], sent["message"], {})

    async def _twilio(self, request: web.Request) -> web.Response:
        sent = await request.post()
        return self._take(sent["To"], {**sent}, {"sid": "SM1"})

    async def _telegram(self, request: web.Request) -> web.Response:
        sent = await request.post()
        if request.match_info["method"] == "setWebhook":
            self.registered = {name: str(value) for name, value in sent.items()}
            return web.json_response({"ok": True, "result": True})
        chat = {"id": 1, "type": "private"}
        taken = {"ok": True, "result": {"message_id": 1, "date": 0, "chat": chat}}
        return self._take(sent["chat_id"], {**sent}, taken)

    async def _callback(self, request: web.Request) -> web.Response:
        sent = await request.json()
        return self._take(sent["recipient_id"], sent, {})

    async def _contexts(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        asked = await request.json()
        self.asked.append(asked)
        if self.back_end == "slow":
            await asyncio.sleep(1)
        if self.back_end == "broken":
            return web.Response(text="<html>", status=200)
        if asked.get("phone") not in self.numbers and asked.get("code") != CODE:
            return web.json_response({}, status=404)
        return web.json_response({"contextId": sign(ARRIVAL_KEY, "ana", asked["sender"])})


@dataclass
class Post:
    """A request to a webhook of the bot."""

    channel: str
    body: bytes
    headers: dict[str, str]
    query: str = ""

    async def to(self, http: aiohttp.ClientSession, rasa: str) -> tuple[int, str]:
        """Send it; return the status and the text of the answer."""
        url = f"{rasa}/webhooks/{self.channel}/webhook{self.query}"
        async with http.post(url, data=self.body, headers=self.headers) as answer:
            return answer.status, await answer.text()


JSON = {"Content-Type": "application/json"}


def meta_post(channel: str, content: object, secret: str = SECRET) -> Post:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Post(channel, body, headers_of(body, secret))


def whatsapp(address: str, text: str, secret: str = SECRET, **message: object) -> Post:
    """Return what Meta posts for a number; `message` stands in place of the text."""
    content = json.loads(post_of(address, text, NUMBER_ID))
    written = content["entry"][0]["changes"][0]["value"]["messages"][0]
    # As Meta's ids do, this one has the number in it.
    written["id"] = f"wamid.{base64.b64encode(f'{address} {uuid4().hex}'.encode()).decode()}"
    written.update(message)
    return meta_post("whatsapp_cloud", content, secret)


def facebook(address: str, text: str, secret: str = SECRET, **event: object) -> Post:
    said = {"message": {"mid": uuid4().hex, "text": text}} if text else {}
    at = int(time.time() * 1000)
    happened = {"sender": {"id": address}, "timestamp": at, **said, **event}
    return meta_post("facebook", {"entry": [{"messaging": [happened]}]}, secret)


def telegram(address: str, text: str, secret: str = SECRET, **update: object) -> Post:
    message = {"date": int(time.time()), "chat": {"id": int(address), "type": "private"}}
    content = {"update_id": uuid4().int, "message": {**message, "text": text}, **update}
    headers = {**JSON, "X-Telegram-Bot-Api-Secret-Token": secret}
    return Post("telegram", json.dumps(content).encode(), headers)


def twilio_post(channel: str, fields: Mapping[str, str], secret: str, query: str = "") -> Post:
    """Return a post, with blank fields in it and signed as Twilio documents it."""
    fields = {"AccountSid": "AC15550001", "FromCity": "", **fields}
    signed = f"{PUBLIC}/{channel}/webhook{query}" + "".join(
        f"{name}{fields[name]}" for name in sorted(fields)
    )
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers["X-Twilio-Signature"] = base64.b64encode(digest).decode()
    return Post(channel, urlencode(fields).encode(), headers, query)


def twilio(address: str, text: str, secret: str = SECRET, **fields: str) -> Post:
    written = {"From": address, "To": "whatsapp:+15550001", "Body": text}
    return twilio_post("twilio", {"MessageSid": uuid4().hex, **written, **fields}, secret)


def voice(address: str, text: str, secret: str = SECRET, **fields: str) -> Post:
    spoken = {"SpeechResult": text} if text else {"CallStatus": "ringing"}
    call = {"CallSid": "CA1", "From": address, **spoken, **fields}
    return twilio_post("twilio_voice", call, secret, f"?turn={uuid4().hex}")


def callback(
    address: str, text: str, secret: str = SECRET, *, at: float | None = None, **post: object
) -> Post:
    content = {"sender": address, "message": text, **post}
    return signed_callback(json.dumps(content).encode(), secret, at)


def signed_callback(body: bytes, secret: str = SECRET, at: float | None = None) -> Post:
    sent_at = str(at or time.time())
    digest = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {**JSON, "X-Timestamp": sent_at, "X-Signature-256": f"sha256={digest}"}
    return Post("callback", body, headers)


WRITES: dict[str, Callable[..., Post]] = {
    "whatsapp_cloud": whatsapp,
    "facebook": facebook,
    "telegram": telegram,
    "twilio": twilio,
    "twilio_voice": voice,
    "callback": callback,
}


def texts(messages: list[Any]) -> list[str]:
    """Return what a customer reads of what was sent to them, by any service."""
    found: list[str] = []
    for message in messages:
        if isinstance(message, str):  # TwiML
            found += re.findall(r"<Say[^>]*>([^<]*)</Say>", message)
        elif "interactive" in message:
            found.append(message["interactive"]["body"]["text"])
        elif "attachment" in message:  # Messenger's buttons
            found.append(message["attachment"]["payload"]["text"])
        else:
            said = message.get("text", message.get("Body"))
            found.append(said["body"] if isinstance(said, dict) else str(said))
    return found
