"""WhatsApp straight into Rasa: Meta's posts become turns, and a customer arrives by your back-end.

`credentials.yml` names `channels.whatsapp.WhatsAppInput`; README.md has its keys. A conversation's
id is a keyed digest of who writes, so that no phone number is in tracker, log or token. With each
message your back-end is asked who arrives, and nothing is cached: a new contextId counts at once.
A 404 or a failure brings none, and logs nobody out: within the session, a customer of an earlier
message stays known.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from pywa_async import WhatsApp
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, response

from .cloud_api import (
    DEADLINE,
    MAX_AGE,
    REFUSED,
    Said,
    Sender,
    failure,
    moved,
    read,
    split,
    unread,
)
from .customer_text import TOO_LONG, TooLongError, customer_text, open_payload, seal_buttons
from .inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sanic.request import Request
    from sanic.response import HTTPResponse

    Send = Callable[..., Awaitable[str]]
    Handler = Callable[[UserMessage], Awaitable[Any]]

NEEDED = (
    *("phone_number_id", "access_token", "app_secret", "verify_token"),
    *("sender_key", "context_url", "context_token"),
)
KEY_LENGTH, LARGEST = 32, 4 * 1024 * 1024
"""Characters of `sender_key`, at least; bytes of a post, at most: Meta's have three megabytes."""
CONTEXT_DEADLINE, LAST_SECONDS = 1.0, 8.0

_log = logging.getLogger(__name__)
for _name in ("pywa", "httpx"):  # at DEBUG these write numbers and texts
    logging.getLogger(_name).setLevel(logging.ERROR)


class WhatsAppOutput(OutputChannel):
    """Sends what the bot says, and what an agent writes by Rasa's API.

    An agent's words have a `message_key`, and wait for how they end: if not Meta has them, a
    RasaException says `not delivered: …` or `perhaps delivered: …`.
    """

    def __init__(self, sender: Sender, inbox: Inbox, key: bytes, to: str | None = None) -> None:
        """Take the key of payloads, and where to; None: where the one of that id wrote from."""
        self._sender, self._inbox, self._key, self._to = sender, inbox, key, to

    @classmethod
    def name(cls) -> str:
        """Return the name by which responses are chosen."""
        return "whatsapp"

    async def _send(self, who: str, told: dict[str, Any], send: Send, *what: Any) -> None:  # noqa: ANN401
        if to := self._to or await self._inbox.address(who):
            why = await send(to, *what)
        else:
            self._inbox.count("an answer has no address: nobody wrote for a day")
            why = f"{REFUSED}: nobody wrote for a day"
        if why and "message_key" in told:
            raise RasaException(why)

    async def send_text_message(self, who: str, text: str, **told: object) -> None:
        """Send a text."""
        await self._send(who, told, self._sender.text, text)

    async def send_text_with_buttons(
        self, who: str, text: str, buttons: list[Any], **told: object
    ) -> None:
        """Send what can be pressed, each payload sealed for this conversation."""
        shown = seal_buttons(self._key, who, buttons)
        if len(shown) < len(buttons):
            self._inbox.count("a button has no title")
        await self._send(who, told, self._sender.choices, text or "", shown)

    async def send_image_url(self, who: str, image: str, **told: object) -> None:
        """Send a picture by its address."""
        await self._send(who, told, self._sender.picture, str(image))

    async def send_attachment(self, who: str, attachment: Any, **told: object) -> None:  # noqa: ANN401
        """Send the link of a file."""
        for name in ("payload", "src"):
            attachment = attachment.get(name) if isinstance(attachment, dict) else attachment
        if isinstance(attachment, str):
            await self._send(who, told, self._sender.text, attachment)
        else:
            self._inbox.count("an attachment has no link")

    async def send_elements(self, who: str, elements: Any, **told: object) -> None:  # noqa: ANN401
        """Send the cards of a carousel, one after the other."""
        for card in elements:
            text = "\n".join(str(card[name]) for name in ("title", "subtitle") if card.get(name))
            shown = {"text": text, "buttons": card.get("buttons"), "image": card.get("image_url")}
            await self.send_response(who, {**shown, **told})

    async def send_custom_json(self, *_: object, **__: object) -> None:
        """Send nothing: it is for channels, and not for customers."""


class WhatsAppInput(InputChannel):
    """Takes what Meta posts to `/webhooks/whatsapp/webhook`."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the channel, which its address has in it."""
        return "whatsapp"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WhatsAppInput:
        """Read credentials.yml; Rasa calls this."""
        return cls(credentials or {})

    def __init__(self, told: dict[str, Any]) -> None:
        """Take the secrets of the app, the bank's number by Meta's id, and your back-end."""
        if missing := [name for name in NEEDED if not told.get(name)]:
            raise RasaException(f"credentials.yml: missing or blank: {', '.join(missing)}")
        number, token, secret, verify, key, context_url, bearer = (str(told[n]) for n in NEEDED)
        if len(key) < KEY_LENGTH:
            raise RasaException(f"credentials.yml: sender_key needs {KEY_LENGTH} characters")
        graph = httpx.AsyncClient(timeout=DEADLINE)
        self._wa = WhatsApp(number, token, app_secret=secret, verify_token=verify, session=graph)
        graph.base_url = told.get("graph_url") or graph.base_url
        headers = {"Authorization": f"Bearer {bearer}"}
        self._back_end = httpx.AsyncClient(headers=headers, timeout=CONTEXT_DEADLINE)
        self._number, self._key, self._context_url = number, key.encode(), context_url
        self._opening, self._no_text = (
            told.get("opening", "/greet"),
            told.get("media", "/send_media"),
        )
        self._inbox = Inbox(self.name(), told.get("redis_url") or "")
        self._sender = Sender(self._wa, self._inbox.count)

    def get_output_channel(self) -> WhatsAppOutput:
        """Return what reminders, and an agent by Rasa's API, write by."""
        return WhatsAppOutput(self._sender, self._inbox, self._key)

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Return the webhook."""
        webhook = Blueprint("whatsapp", "whatsapp")
        webhook.add_route(partial(self._receive, on_new_message), "/webhook", ["POST"], name="post")

        @webhook.get("/webhook")
        async def verify(request: Request) -> HTTPResponse:
            asked = (request.args.get(f"hub.{name}") for name in ("verify_token", "challenge"))
            said, status = await self._wa.webhook_challenge_handler(*asked)
            return response.text(said or "", status=status)

        @webhook.listener("before_server_stop")  # type: ignore[untyped-decorator]
        async def close(*_: object) -> None:
            await self._inbox.close(LAST_SECONDS)

        return webhook

    async def _receive(self, handler: Handler, request: Request) -> HTTPResponse:
        """Take a post. Whatever is genuine gets a 200, or Meta repeats it for days."""
        given, size = request.headers.get("X-Hub-Signature-256", ""), len(request.body)
        forged = size > LARGEST or not given.isascii()
        if forged or await self._wa.webhook_update_validator(request.body, given):
            _log.warning("whatsapp: a post was refused: signature")
            return response.text("", status=403)
        try:
            values = [*split(json.loads(request.body), self._number)]
        except (ValueError, RecursionError):
            values = []
            self._inbox.count("a post could not be read")
        for value in values:
            if said := await self._read(value):
                await self._take(handler, said)
        return response.text("")

    async def _read(self, value: dict[str, Any]) -> Said | None:
        if "statuses" in value:
            if code := failure(value):
                self._inbox.count(f"an answer was not delivered (code {code})")
            return None
        try:
            if now := moved(value):
                self._inbox.count("a customer has another number or user id")
                await self._inbox.remember(self._digest(now[0]), now[1])
            return read(self._wa, value)
        except Exception as error:  # noqa: BLE001 - whatever pywa meets; its text may be theirs
            self._inbox.count(f"an update could not be read ({type(error).__name__})")
            return unread(value)

    async def _take(self, handler: Handler, said: Said) -> None:
        if not await self._inbox.is_new(self._digest(said.delivery)):
            return
        if time.time() - said.sent_at > MAX_AGE:
            self._inbox.count("a message came too late to be answered")
        else:
            sender = self._digest(said.user_id or str(said.phone))
            self._inbox.take(sender, partial(self._turn, handler, sender, said))

    def _digest(self, text: str) -> str:
        """Return the keyed digest of a number, a user id or a delivery: the same each time."""
        return hmac.new(
            self._key, f"whatsapp:{text}".encode(errors="replace"), hashlib.sha256
        ).hexdigest()[:32]

    async def _turn(self, handler: Handler, sender: str, said: Said) -> None:
        await self._inbox.remember(sender, to := said.phone or said.user_id)
        text = payload = open_payload(self._key, sender, said.pressed)
        if payload is None:
            try:
                text = self._no_text if said.text is None else customer_text(said.text)
            except TooLongError:
                await self._sender.text(to, TOO_LONG)
                return
        context = await self._context_id(sender, said)
        output = WhatsAppOutput(self._sender, self._inbox, self._key, to)
        metadata = {"contextId": context} if context else {}
        if payload is not None:
            metadata["title"] = str(said.text)
        told = {"input_channel": self.name(), "message_id": self._digest(said.delivery)}
        await handler(UserMessage(text or self._opening, output, sender, metadata=metadata, **told))

    async def _context_id(self, sender: str, said: Said) -> str | None:
        """Ask your back-end who writes; None for a stranger, and if it is away."""
        asked = {"sender": sender, "phone": said.phone, "userId": said.user_id, "code": said.code}
        try:
            answer = await self._back_end.post(self._context_url, json=asked)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            known = answer.raise_for_status().json()["contextId"]
            return None if known is None else str(known)
        except Exception as error:  # noqa: BLE001 - its text may hold the address
            self._inbox.count(f"the back-end gave no contextId ({type(error).__name__})")
            return None
