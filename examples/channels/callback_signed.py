"""Rasa's callback channel, whose posts are signed, with the metadata that Rasa's own one drops.

A back-end of the bank posts `{"sender", "message", "metadata": {"contextId"}}` with two headers:
`X-Timestamp`, in seconds with their decimals, so that no two posts are equal;
`X-Signature-256`, which is `sha256=` and the HMAC of `<timestamp>.<body>` in hex.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa.core.channels.callback import CallbackInput
from rasa.utils.endpoints import EndpointConfig
from sanic import response

from .common import (
    MALFORMED,
    Configured,
    Inbox,
    Message,
    parsed,
    refused,
    required,
    same,
    signature,
)

if TYPE_CHECKING:
    from sanic import Blueprint
    from sanic.request import Request
    from sanic.response import HTTPResponse

    from .common import Handler

HEADERS = ("X-Signature-256", "X-Timestamp")
REMEMBERED = 300.0
"""Seconds for which a post may be under way, and is remembered."""


class CallbackSignedInput(Configured, CallbackInput):
    """In place of `callback:` and at its address."""

    def __init__(self, credentials: dict[str, Any]) -> None:
        """Take the address that answers go to, and the secret of the back-end."""
        url, self._secret = required(credentials, "url", "secret")
        super().__init__(EndpointConfig(url))
        self._output = CallbackInput.get_output_channel(self)
        self._inbox = Inbox(self.name(), credentials, REMEMBERED)

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Return the webhook."""
        return self._inbox.webhook(on_new_message, self._receive)

    async def _receive(self, handler: Handler, request: Request) -> HTTPResponse:
        given, sent_at = (request.headers.get(name, "") for name in HEADERS)
        content = sent_at.encode("utf-8", "surrogatepass") + b"." + request.body
        if not same(given, signature(self._secret, content)):
            return refused(self.name(), "signature")
        try:
            if self._inbox.is_old(float(sent_at)) or not self._inbox.is_new(given):
                return refused(self.name(), "too old, or replayed")
            post = parsed(request)
            sender, text = str(post["sender"]), str(post["message"])
            context = (post.get("metadata") or {}).get("contextId")
        except MALFORMED:
            return response.text("", status=400)
        message = Message(given, sender, text, context=None if context is None else str(context))
        self._inbox.take(handler, self._output, message)
        return response.text("success")
