"""The outside of WhatsApp, on this machine: Meta's Graph API, and the bank's back-end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from examples.channels.try_it import headers_of
from tests.channels.updates import CODE, NUMBER_ID, post
from tests.conversation.talking import Chat, RunningBot
from tests.support.waiting import until

ON_A_REAL_RASA = [
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
]
SECRET = "made up for the services"
SENDER_KEY = "made up, by which senders are named"
ARRIVAL_KEY = "made up, and this back-end's own"
VARIABLES = {"SECRET": SECRET, "SENDER_KEY": SENDER_KEY}
"""What credentials.yml names; STUB is there once the services listen."""


@dataclass
class Services:
    """What the bot sent, by address; and how the services behave."""

    heard: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    asked: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    """A contextId by user id, as the back-end knows them."""
    status: int = 200
    """What the Graph API answers."""
    back_end: str = ""
    """What is wrong with the back-end: `slow`, `broken`, `null`, or nothing."""

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        told = await request.json()
        if request.path == "/contexts":
            return await self._context(told)
        assert request.path == f"/graph/{NUMBER_ID}/messages"
        return self._message(told)

    def _message(self, sent: dict[str, Any]) -> web.Response:
        address = sent.get("to") or sent["recipient"]
        if self.status != 200:
            error = {"code": 131047, "message": f"to {address}"}
            return web.json_response({"error": error}, status=self.status)
        self.heard[address].append(sent)
        contact = {"input": address, "wa_id": address}
        return web.json_response({"contacts": [contact], "messages": [{"id": "wamid.1"}]})

    async def _context(self, asked: dict[str, Any]) -> web.Response:
        self.asked.append(asked)
        if self.back_end == "slow":
            await asyncio.sleep(1.5)
        if self.back_end == "broken":
            return web.Response(text="<html>")
        if self.back_end == "null":
            return web.json_response({"contextId": None})
        known = {**self.known, CODE: "diego"}
        if (context := known.get(asked["code"] or asked["userId"])) is None:
            return web.json_response({}, status=404)
        from arrival_token import arrival_token  # noqa: PLC0415 - pytest alone knows the folder

        token = arrival_token(ARRIVAL_KEY, context, asked["sender"], int(time.time()))
        return web.json_response({"contextId": token})


@dataclass
class Somebody:
    """A customer with a telephone: what they write, and what reaches them."""

    bot: RunningBot
    stub: Services
    hidden: bool = False
    """Whether Meta hides their number."""
    phone: str = field(default_factory=lambda: f"55119{uuid4().int % 10**8:08}")
    user: str = field(default_factory=lambda: f"BR.{uuid4().int % 10**18}")

    @property
    def sender(self) -> str:
        named = f"whatsapp:{self.user}".encode()
        return hmac.new(SENDER_KEY.encode(), named, hashlib.sha256).hexdigest()[:32]

    @property
    def chat(self) -> Chat:
        """Return their conversation, by Rasa's API."""
        return self.bot.chat(self.sender)

    @property
    def address(self) -> str:
        return self.user if self.hidden else self.phone

    def message(self, content: dict[str, Any], **more: object) -> dict[str, Any]:
        writer = {"from_user_id": self.user} | ({} if self.hidden else {"from": self.phone})
        # As Meta's ids do, this one has the number in it.
        envelope = {"id": f"wamid.{self.phone}.{uuid4().hex}", "timestamp": str(int(time.time()))}
        return {**writer, **envelope, **content, **more}

    async def post(self, *messages: object, secret: str = SECRET, **value: object) -> int:
        body = json.dumps(post(*messages, contacts=[], **value)).encode()
        return await self.post_bytes(body, secret)

    async def post_bytes(self, body: bytes, secret: str = SECRET) -> int:
        url, headers = f"{self.bot.url}/webhooks/whatsapp/webhook", headers_of(body, secret)
        async with self.bot.http.post(url, data=BytesIO(body), headers=headers) as answer:
            return answer.status

    async def say(self, text: str, answers: int = 1, **more: object) -> list[str]:
        """Write a text; return what is answered."""
        written = {"type": "text", "text": {"body": text}}
        return await self.send(self.message(written, **more), answers)

    async def send(self, message: object, answers: int = 1) -> list[str]:
        """Post a message; return what is answered, once that many answers are there."""
        assert await self.post(message) == 200
        return await self.hears(answers)

    async def hears(self, answers: int) -> list[str]:
        """Wait for so many answers, and return their texts."""
        return [_text(each) for each in await self.messages(answers)]

    async def messages(self, answers: int) -> list[dict[str, Any]]:
        """Wait for so many answers, and return them as Meta has them."""
        heard = self.stub.heard
        await until(f"{answers} answers", lambda: len(heard[self.address]) >= answers, 20)
        return self.stub.heard.pop(self.address, [])

    async def said(self, turns: int = 0) -> list[dict[str, Any]]:
        """Return the events of what they wrote, once Rasa has saved so many turns.

        It saves one after its last answer has left.
        """
        deadline = time.monotonic() + 20
        while True:
            said = [each for each in await self.chat.events() if each["event"] == "user"]
            if len(said) >= turns:
                return said
            assert time.monotonic() < deadline, f"waited for {turns} turns: {said}"
            await asyncio.sleep(0.02)


def _text(message: dict[str, Any]) -> str:
    body = message[message["type"]]["body"]
    return str(body["text"] if message["type"] == "interactive" else body)
