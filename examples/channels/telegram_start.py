"""Telegram, with its secret token verified, and deep links: https://t.me/<bot>?start=<code>."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from aiogram.bot.api import TelegramAPIServer
from aiogram.utils.exceptions import TelegramAPIError
from rasa.core.channels.telegram import TelegramInput, TelegramOutput

from .common import Configured, Inbox, Message, parsed, refused, required, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanic import Blueprint
    from sanic.request import Request
    from sanic.response import HTTPResponse

    from .common import Handler

REMEMBERED = 86_400.0
"""Seconds for which Telegram keeps an update that was not taken."""
START = "/start "

_log = logging.getLogger(__name__)


def messages(update: Any) -> Iterator[Message]:  # noqa: ANN401 - JSON
    """Yield what a customer wrote or pressed, which is one thing, and no edit, poll or else."""
    pressed = update.get("callback_query") or {}
    sent = pressed.get("message") or update.get("message") or {}
    text = pressed.get("data") or sent.get("text")
    # In a group, anybody could go on with the customer's conversation.
    if text and sent["chat"]["type"] == "private":
        code = text[len(START) :].strip() if text.startswith(START) else ""
        at = time.time() if pressed else float(sent["date"])  # the date is the bot's own message's
        ask = {"code": code} if code else None
        chat = str(sent["chat"]["id"])
        yield Message(str(update["update_id"]), chat, "" if code else text, at, ask=ask)


class TelegramStartInput(Configured, TelegramInput):
    """Private chats, in place of `telegram:` and at its address."""

    def __init__(self, credentials: dict[str, Any]) -> None:
        """Take the bot's token, and the secret that Telegram puts into its posts."""
        names = ("access_token", "secret_token", "webhook_url")
        token, self._secret, url = required(credentials, *names)
        super().__init__(token, None, url)
        self._inbox = Inbox(self.name(), credentials, REMEMBERED)
        self._output = TelegramOutput(token)
        if api := credentials.get("api_url"):
            self._output.server = TelegramAPIServer.from_base(api)

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Return the webhook."""
        webhook = self._inbox.webhook(on_new_message, self._receive)

        @webhook.listener("after_server_start")  # type: ignore[untyped-decorator]
        async def register(*_: object) -> None:
            where = {"url": self.webhook_url, "secret_token": self._secret}
            try:
                await self._output.request("setWebhook", where)
            except TelegramAPIError as error:
                _log.error("telegram: the webhook was not set: %s", type(error).__name__)

        @webhook.listener("after_server_stop")  # type: ignore[untyped-decorator]
        async def close(*_: object) -> None:
            await self._output.close()

        return webhook

    async def _receive(self, handler: Handler, request: Request) -> HTTPResponse:
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not same(given, self._secret):
            return refused(self.name(), "secret token")
        return self._inbox.take_all(handler, self._output, messages(parsed(request)))
