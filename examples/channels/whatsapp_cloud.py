"""WhatsApp by Meta's Cloud API: posts are signed (X-Hub-Signature-256), answers go by Graph API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
from rasa.core.channels.channel import InputChannel, OutputChannel

from .common import TOKEN, Configured, Inbox, Message, parsed, refused, required, same, signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanic import Blueprint
    from sanic.request import Request
    from sanic.response import HTTPResponse

    from .common import Handler

GRAPH = "https://graph.facebook.com/v23.0"
SEND_DEADLINE = aiohttp.ClientTimeout(10.0)
TEXT, BODY, BUTTON, ROW = 4096, 1024, 20, 24
"""Characters that WhatsApp takes: in a text, beside buttons, on a button, in a row of a list."""
BUTTONS, ROWS = 3, 10
CHOOSE = "Ver opções"
"""What the customer touches to open a list."""

_log = logging.getLogger(__name__)


def messages(post: Any, phone_number_id: str) -> Iterator[Message]:  # noqa: ANN401 - JSON
    """Yield what customers sent to this number. Statuses of what the bot sent are not among it."""
    for entry in post["entry"]:
        for change in entry["changes"]:
            value = change["value"]
            if value["metadata"]["phone_number_id"] != phone_number_id:
                continue
            for sent in value.get("messages", ()):
                if text := said(sent):
                    number, at = sent["from"], float(sent["timestamp"])
                    yield Message(sent["id"], number, text, at, ask={"phone": number})
                else:
                    _log.info("whatsapp_cloud: a message without a text was left out")


def said(message: dict[str, Any]) -> str:
    """Return a text, the payload of a button or of a row of a list, or a caption; else ""."""
    content = message.get(kind := message["type"]) or {}
    if kind == "text":
        return str(content["body"])
    if kind == "button":  # of a template
        payload, title = content["payload"], content["text"]
    elif kind == "interactive" and "nfm_reply" not in content:
        reply = content.get("button_reply") or content["list_reply"]
        payload, title = reply["id"], reply["title"]
    else:
        return str(content.get("caption", "")) if isinstance(content, dict) else ""
    return f"{title} {payload}" if TOKEN.fullmatch(payload) else str(payload)


def interactive(text: str, buttons: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message with buttons, or with a list if there are more or their titles are long."""
    options = [(each.get("payload") or each["title"], each["title"]) for each in buttons]
    if len(options) > ROWS:
        lines = [text, *(f"• {title}" for _, title in options)]
        return {"type": "text", "text": {"body": "\n".join(lines)[:TEXT]}}
    if len(options) <= BUTTONS and all(len(title) <= BUTTON for _, title in options):
        kind = "button"
        replies = [{"type": "reply", "reply": {"id": i, "title": title}} for i, title in options]
        action: dict[str, Any] = {"buttons": replies}
    else:
        kind, rows = "list", [{"id": i, "title": title[:ROW]} for i, title in options]
        action = {"button": CHOOSE, "sections": [{"rows": rows}]}
    shown = {"type": kind, "body": {"text": text[:BODY]}, "action": action}
    return {"type": "interactive", "interactive": shown}


class WhatsAppCloudOutput(OutputChannel):
    """Sends by the Graph API."""

    @classmethod
    def name(cls) -> str:
        """Return the name by which responses are chosen."""
        return "whatsapp_cloud"

    def __init__(self, inbox: Inbox, url: str, access_token: str) -> None:
        """Take the address of the bank's number, and the token to it."""
        self._inbox, self._url = inbox, f"{url}/messages"
        self._headers = {"Authorization": f"Bearer {access_token}"}

    async def send_text_message(self, recipient_id: str, text: str, **_: object) -> None:
        """Send a text, in parts if it is too long for one."""
        for start in range(0, len(text), TEXT):
            body = {"body": text[start : start + TEXT]}
            await self._send(recipient_id, {"type": "text", "text": body})

    async def send_text_with_buttons(
        self, recipient_id: str, text: str, buttons: list[dict[str, Any]], **_: object
    ) -> None:
        """Send what can be touched."""
        await self._send(recipient_id, interactive(text, buttons))

    async def send_image_url(self, recipient_id: str, image: str, **_: object) -> None:
        """Send a picture by its address."""
        await self._send(recipient_id, {"type": "image", "image": {"link": image}})

    async def send_custom_json(
        self, recipient_id: str, json_message: dict[str, Any], **_: object
    ) -> None:
        """Send a message of the Graph API, such as a template. Anything else is for no customer."""
        if "type" in json_message:
            await self._send(recipient_id, json_message)

    async def _send(self, recipient_id: str, message: dict[str, Any]) -> None:
        body = {"messaging_product": "whatsapp", "to": recipient_id, **message}
        options = {"headers": self._headers, "timeout": SEND_DEADLINE}
        async with self._inbox.http.post(self._url, json=body, **options) as answer:
            if not answer.ok:
                _log.error("whatsapp_cloud: an answer was not taken: status %d", answer.status)


class WhatsAppCloudInput(Configured, InputChannel):
    """Takes what Meta posts to the webhook, at `/webhooks/whatsapp_cloud/webhook`."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the channel, which its address has in it."""
        return "whatsapp_cloud"

    def __init__(self, credentials: dict[str, Any]) -> None:
        """Take the secrets of the app, and the bank's number by Meta's id of it."""
        names = ("phone_number_id", "access_token", "app_secret", "verify_token")
        self._number, access_token, self._app_secret, self._verify = required(credentials, *names)
        self._inbox = Inbox(self.name(), credentials)
        url = f"{credentials.get('graph_url', GRAPH)}/{self._number}"
        self._output = WhatsAppCloudOutput(self._inbox, url, access_token)

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Return the webhook."""
        return self._inbox.webhook(on_new_message, self._receive, self._verify)

    async def _receive(self, handler: Handler, request: Request) -> HTTPResponse:
        given = request.headers.get("X-Hub-Signature-256", "")
        if not same(given, signature(self._app_secret, request.body)):
            return refused(self.name(), "signature")
        sent = messages(parsed(request), self._number)
        return self._inbox.take_all(handler, self._output, sent)
