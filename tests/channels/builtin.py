"""Drive every channel that Rasa has, and say as JSON what it does: run by the Python that has Rasa.

Nothing of Rasa is replaced but addresses: what a channel sends goes to a stub on this machine,
which is every service at once. Each channel is posted to as its service would, and without what its
service proves itself by; its answers go out as a text, and as the JSON of a hand-over.
"""

# ruff: noqa: ANN401, T201 - what Rasa and its libraries have no types for; a script that prints

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import socket
import sys
import threading
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import jwt
import requests
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from rasa.core.channels import BUILTIN_CHANNELS
from rasa.core.channels.channel import UserMessage
from rasa.core.channels.telegram import TelegramOutput
from sanic import Sanic

logging.disable(logging.CRITICAL)

SECRET = "made-up-secret"
CREDENTIALS: dict[str, dict[str, Any]] = {
    "botframework": {"app_id": "app", "app_password": SECRET},
    "callback": {"url": "https://callback.example.com/answers"},
    "facebook": {"verify": SECRET, "secret": SECRET, "page-access-token": SECRET},
    "mattermost": {"url": "https://mattermost.example.com/api/v4", "token": SECRET},
    "rocketchat": {"user": "b", "password": SECRET, "server_url": "https://rocket.example.com"},
    "slack": {"slack_token": SECRET, "slack_signing_secret": SECRET},
    "telegram": {"access_token": "1:made-up", "verify": "bot", "webhook_url": "https://a.example"},
    "twilio": {"account_sid": "AC1", "auth_token": SECRET, "twilio_number": "+1"},
    "webexteams": {"access_token": SECRET},
}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWK = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k"}
CHAT = {"id": 7, "type": "private"}
ANSWER = {
    # Each service finds what it looks for in this one answer of the stub.
    "ok": True,
    "result": {"username": "bot", "id": 1, "is_bot": True, "first_name": "b"},
    "jwks_uri": "https://keys.example.com",
    "keys": [JWK],
    "access_token": SECRET,
    "expires_in": 3600,
    "sid": "SM1",
    "status": "success",
    "data": {"authToken": "t", "userId": "u"},
    "success": True,
    "id": "m",
    "roomId": "r",
    "personId": "someone",
    "text": "oi",
    "channel": "C1",
    "ts": "1",
}
MESSAGE = {"message_id": 1, "date": 0, "chat": CHAT, "text": "oi"}
POSTS: dict[str, tuple[str, Any]] = {
    "botframework": (
        "json",
        {
            "type": "message",
            "text": "oi",
            "from": {"id": "7"},
            "conversation": {"id": "c"},
            "recipient": {"id": "b"},
            "serviceUrl": "https://bot.example.com",
            "channelData": {"contextId": "ana"},
        },
    ),
    "callback": ("json", {"sender": "7", "message": "oi", "metadata": {"contextId": "ana"}}),
    "facebook": (
        "json",
        {"entry": [{"messaging": [{"sender": {"id": "7"}, "message": {"text": "oi"}}]}]},
    ),
    "hangouts": (
        "json",
        {
            "type": "MESSAGE",
            "message": {"sender": {"displayName": "Ana"}, "text": "oi"},
            "space": {"type": "DM"},
        },
    ),
    "mattermost": (
        "json",
        {"trigger_word": "b", "text": "b oi", "user_id": "7", "channel_id": "c"},
    ),
    "rest": ("json", {"sender": "7", "message": "oi", "metadata": {"contextId": "ana"}}),
    "rocketchat": ("json", {"user_name": "ana", "text": "oi", "channel_id": "c"}),
    "slack": (
        "json",
        {
            "event": {
                "type": "message",
                "channel_type": "im",
                "channel": "D1",
                "ts": "1",
                "text": "oi",
                "user": "U7",
            }
        },
    ),
    "telegram": ("json", {"update_id": 1, "message": MESSAGE}),
    "twilio": (
        "data",
        {"From": "whatsapp:+5511", "Body": "oi", "WaId": "5511", "ButtonPayload": "p"},
    ),
    "twilio_voice": ("data", {"From": "+5511", "SpeechResult": "oi", "CallSid": "CA1"}),
    "webexteams": (
        "json",
        {"id": "w", "resource": "messages", "event": "created", "data": {"id": "m"}},
    ),
}
HANDOVER = {"data": {"reason": "asked", "cpf_masked": "***.982.247-**"}}


def proof(channel: str, body: bytes) -> dict[str, str]:
    """Return the headers by which a service proves that a post is its own."""
    now = str(int(time.time()))
    if channel == "facebook":
        digest = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
        return {"X-Hub-Signature": f"sha1={digest}"}
    if channel == "slack":
        signed = f"v0:{now}:".encode() + body
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={digest}"}
    if channel == "botframework":
        token = jwt.encode({"aud": "app"}, KEY, algorithm="RS256", headers={"kid": "k"})
        return {"Authorization": f"Bearer {token}"}
    return {}


class Bot:
    """What stands behind a channel: it keeps the message, and answers in one of two ways."""

    def __init__(self, custom: dict[str, Any] | None) -> None:
        self.message: UserMessage | None = None
        self.custom = custom
        self.failure = ""

    async def __call__(self, message: UserMessage) -> None:
        self.message = message
        out, sender = message.output_channel, message.sender_id
        try:
            if self.custom is not None:
                await out.send_response(sender, {"custom": json.loads(json.dumps(self.custom))})
            await out.send_response(sender, {"text": "Estou transferindo a conversa."})
        except Exception as error:
            self.failure = type(error).__name__
            raise


def redirect(stub: str) -> None:
    """Let every request of this process go to the stub."""

    def moved(url: object) -> str:
        return f"{stub}{urlsplit(str(url)).path}"

    of_requests: Any = requests.Session
    of_aiohttp: Any = aiohttp.ClientSession
    send, request = of_requests.send, of_aiohttp._request

    def send_there(self: Any, prepared: Any, **options: Any) -> Any:
        prepared.url = moved(prepared.url)
        return send(self, prepared, **{**options, "verify": False})

    async def request_there(self: Any, method: str, url: object, **options: Any) -> Any:
        if urlsplit(str(url)).hostname != "127.0.0.1":
            url = moved(url)
        return await request(self, method, url, **options)

    of_requests.send, of_aiohttp._request = send_there, request_there


def every_service() -> str:
    """Run the stub on a thread, since some channels block the loop; return its address."""

    async def answer(request: web.Request) -> web.Response:
        result = MESSAGE if request.path.endswith("sendMessage") else ANSWER["result"]
        result = True if request.path.endswith("setWebhook") else result
        return web.json_response({**ANSWER, "result": result}, headers={"Token": SECRET})

    async def serve() -> None:
        stub = web.Application()
        stub.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(stub)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        await asyncio.Event().wait()

    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


class Line:
    """A channel in a bot, at an address of its own."""

    def __init__(self, app: Any, name: str, cls: Any, custom: dict[str, Any] | None = None) -> None:
        self.name, self.bot = name, Bot(custom)
        self._where = f"{name}{len(app.blueprints)}"
        channel = cls.from_credentials(CREDENTIALS.get(name))
        app.blueprint(channel.blueprint(self.bot).copy(self._where), url_prefix=self._where)

    async def post(self, bot: str, *, proven: bool = True) -> tuple[Any, int]:
        """Let its service post; return what the bot got, and the status of the answer."""
        self.bot.message = None
        kind, content = POSTS[self.name]
        body = json.dumps(content).encode() if kind == "json" else urlencode(content).encode()
        types = {"json": "application/json", "data": "application/x-www-form-urlencoded"}
        headers = {"Content-Type": types[kind], **(proof(self.name, body) if proven else {})}
        async with aiohttp.ClientSession() as http:
            url = f"{bot}/{self._where}/webhook"
            async with http.post(url, data=body, headers=headers) as answer:
                await answer.read()
        await asyncio.sleep(0.05)  # slack answers before it hands the message on
        return self.bot.message, answer.status


def _telegram(channel: Any) -> TelegramOutput:
    return TelegramOutput(channel.access_token)


class Facts:
    """What a channel does, found by three of its kind: as it is, derived, and handing over."""

    def __init__(self, app: Any, name: str) -> None:
        cls = BUILTIN_CHANNELS[name]
        self._as_it_is = Line(app, name, cls)
        if name == "telegram":  # what it would do if it did not use a loop that is closed
            cls = type("Opened", (cls,), {"get_output_channel": _telegram})

        def get_metadata(self: Any, request: Any) -> dict[str, Any]:
            return {**(cls.get_metadata(self, request) or {}), "contextId": "ana"}

        derived = type("Derived", (cls,), {"get_metadata": get_metadata})
        self.name, self._plain = name, Line(app, name, cls)
        self._derived, self._handing = Line(app, name, derived), Line(app, name, cls, HANDOVER)

    async def found(self, bot: str) -> dict[str, Any]:
        as_it_is, status = await self._as_it_is.post(bot)
        broken = "" if as_it_is else f"HTTP {status}"
        message, _ = await self._plain.post(bot)
        assert message is not None, self.name
        of_derived, _ = await self._derived.post(bot)
        stranger, _ = await self._plain.post(bot, proven=False)
        _, of_json = await self._handing.post(bot)
        return {
            "broken": broken,
            "metadata": sorted(message.metadata or {}),
            "derived": "contextId" in (of_derived.metadata or {}),
            "authenticates": stranger is None,
            "text": self._plain.bot.failure,
            "custom": self._handing.bot.failure or (f"HTTP {of_json}" if of_json >= 400 else ""),
        }


async def main() -> None:
    """Drive them all."""
    redirect(every_service())
    app = Sanic("bot", configure_logging=False)
    channels = [name for name in BUILTIN_CHANNELS if name in POSTS]
    # Some ask their service as they begin, and Telegram's with another loop.
    facts = [await asyncio.to_thread(Facts, app, name) for name in sys.argv[1:] or channels]
    listening = socket.create_server(("127.0.0.1", 0))
    options = {"return_asyncio_server": True, "access_log": False}
    server: Any = await app.create_server(sock=listening, **options)  # type: ignore[arg-type]
    await server.startup()
    await server.start_serving()
    bot = f"http://127.0.0.1:{listening.getsockname()[1]}"
    print(json.dumps({each.name: await each.found(bot) for each in facts}))


asyncio.run(main())
