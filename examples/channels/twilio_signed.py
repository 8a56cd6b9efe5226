"""Twilio's channels with X-Twilio-Signature verified: WhatsApp and SMS, and voice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

from rasa.core.channels.twilio import TwilioInput, TwilioOutput
from rasa.core.channels.twilio_voice import TwilioVoiceCollectingOutputChannel, TwilioVoiceInput
from sanic import response
from twilio.request_validator import RequestValidator

from .common import TOKEN, Configured, Inbox, Message, refused, required, same

if TYPE_CHECKING:
    from sanic import Blueprint
    from sanic.request import Request
    from sanic.response import HTTPResponse

    from .common import Handler

SIGNATURE = "X-Twilio-Signature"
REMEMBERED = 86_400.0
"""Seconds: Twilio's posts have no time, so only what is remembered is known to be a replay."""


def verified(request: Request, auth_token: str, url: str) -> dict[str, str] | None:
    """Return the fields of a post, None if Twilio did not sign them for this address.

    The signature is also what a replay is known by: Twilio signs names and values without anything
    between them, so that somebody could make another `MessageSid` of the same text.
    """
    try:
        # Twilio signs blank fields as well; Sanic's `request.form` leaves them out.
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except ValueError:
        return None
    address = f"{url}?{request.query_string}" if request.query_string else url
    expected = RequestValidator(auth_token).compute_signature(address, fields)
    return fields if same(request.headers.get(SIGNATURE, ""), expected) else None


class TwilioSignedOutput(TwilioOutput):
    """Sends as Rasa's does, but on a thread: Twilio's library would block every conversation."""

    async def _send_message(self, message_data: dict[str, Any]) -> Any:  # noqa: ANN401 - Twilio's
        return await asyncio.to_thread(self.messages.create, **message_data)


class TwilioSignedInput(Configured, TwilioInput):
    """WhatsApp and SMS, in place of `twilio:` and at its address.

    Answers come from the number that the customer wrote to.
    """

    def __init__(self, credentials: dict[str, Any]) -> None:
        """Take the account, and the webhook's address as Twilio has it."""
        names = ("account_sid", "auth_token", "webhook_url")
        account, token, self._url = required(credentials, *names)
        super().__init__(account, token, None)
        self._inbox = Inbox(self.name(), credentials, REMEMBERED)
        self._api = credentials.get("api_url")

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Return the webhook."""
        return self._inbox.webhook(on_new_message, self._receive)

    async def _receive(self, handler: Handler, request: Request) -> HTTPResponse:
        fields = verified(request, self.auth_token, self._url)
        if fields is None:
            return refused(self.name(), "signature")
        sender, delivery = fields.get("From", ""), request.headers[SIGNATURE]
        if not self._inbox.is_new(delivery):
            return refused(self.name(), "replayed")
        text = fields.get("ButtonPayload") or fields.get("Body", "")
        if TOKEN.fullmatch(text):
            text = f"{fields.get('ButtonText', '')} {text}"
        if text and sender:
            output = TwilioSignedOutput(self.account_sid, self.auth_token, fields.get("To"))
            if self._api:
                output.api.base_url = self._api
            phone = {"phone": sender.rpartition(":")[2].lstrip("+")}
            self._inbox.take(handler, output, Message(delivery, sender, text, ask=phone))
        return response.text("", status=204)


class TwilioVoiceSignedInput(Configured, TwilioVoiceInput):
    """Calls, in place of `twilio_voice:`. A SIP header `X-Context` may bring an arrival token.

    Who calls can claim any number: a back-end must not take it for proof.
    """

    def __init__(self, credentials: dict[str, Any]) -> None:
        """Take what Rasa's own channel takes, the account's token and the webhook's address."""
        self.__dict__.update(vars(TwilioVoiceInput.from_credentials(credentials)))
        self._token, self._url = required(credentials, "auth_token", "webhook_url")
        self._inbox = Inbox(self.name(), credentials, REMEMBERED)

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Return the webhook."""
        return self._inbox.webhook(on_new_message, self._receive)

    async def _receive(self, handler: Handler, request: Request) -> HTTPResponse:
        fields = verified(request, self._token, self._url)
        if fields is None:
            return refused(self.name(), "signature")
        # Each answer names another address, so that two equal words of a caller are no replay.
        delivery = request.headers[SIGNATURE]
        if not self._inbox.is_new(delivery):
            return refused(self.name(), "replayed")
        text, caller = fields.get("SpeechResult", ""), fields.get("From", "")
        if not text and fields.get("CallStatus") == "ringing":
            text = self.initial_prompt
        collector = TwilioVoiceCollectingOutputChannel()
        if text and caller:
            header = TOKEN.fullmatch(fields.get("SipHeader_X-Context", ""))
            context, phone = header[0] if header else None, {"phone": caller.lstrip("+")}
            message = Message(delivery, caller, text, context=context, ask=phone)
            await asyncio.shield(self._inbox.take(handler, collector, message))
        spoken = [each for each in collector.messages if each.get("text")]
        prompt = {"text": self.reprompt_fallback_phrase}
        answer = self._build_twilio_voice_response(spoken or [prompt])
        for verb in answer.verbs:
            if "action" in verb.attrs:
                verb.attrs["action"] = f"{self._url}?turn={uuid4().hex}"
        return response.text(str(answer), content_type="text/xml")
