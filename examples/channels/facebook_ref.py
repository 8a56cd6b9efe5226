"""Facebook Messenger, with X-Hub-Signature-256 verified, and links: https://m.me/<page>?ref=<code>."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rasa.core.channels.facebook import FacebookInput

from .common import Configured, Inbox, Message, parsed, refused, required, same, signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanic import Blueprint
    from sanic.request import Request
    from sanic.response import HTTPResponse

    from .common import Handler


def messages(post: Any) -> Iterator[Message]:  # noqa: ANN401 - JSON
    """Yield what customers wrote, pressed, or opened by a link; Rasa's own reads the first only."""
    for event in (each for entry in post["entry"] for each in entry.get("messaging", ())):
        said, pressed = event.get("message") or {}, event.get("postback") or {}
        link = event.get("referral") or pressed.get("referral") or said.get("referral") or {}
        text = (said.get("quick_reply") or {}).get("payload") or said.get("text") or ""
        text, code = text or pressed.get("payload", ""), link.get("ref")
        if (text or code) and not said.get("is_echo"):
            sender, at = str(event["sender"]["id"]), event["timestamp"]
            delivery = said.get("mid") or pressed.get("mid") or f"{sender} {at}"
            yield Message(delivery, sender, text, at / 1000, ask={"code": code} if code else None)


class FacebookRefInput(Configured, FacebookInput):
    """Messenger, in place of `facebook:` and at its address."""

    def __init__(self, credentials: dict[str, Any]) -> None:
        """Take what Rasa's own channel takes."""
        super().__init__(*required(credentials, "verify", "secret", "page-access-token"))
        self._inbox = Inbox(self.name(), credentials)
        self._output = FacebookInput.get_output_channel(self)
        if graph := credentials.get("graph_url"):
            self._output.messenger_client.graph_url = graph

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Return the webhook."""
        return self._inbox.webhook(on_new_message, self._receive, self.fb_verify)

    async def _receive(self, handler: Handler, request: Request) -> HTTPResponse:
        given = request.headers.get("X-Hub-Signature-256", "")
        if not same(given, signature(self.fb_secret, request.body)):
            return refused(self.name(), "signature")
        return self._inbox.take_all(handler, self._output, messages(parsed(request)))
