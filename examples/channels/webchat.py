"""A web page straight into Rasa, whose conversation survives a reload and a network that breaks.

`credentials.yml` names `channels.webchat.WebChatInput`. With Rasa's own `socketio`, the socket is
the conversation, or the page chooses its id. Here your back-end does: it makes an id for each
login, random and new, and signs it in a *pass*, a JWT (HS256) with

    sub        the conversation: Rasa's sender_id
    exp        when the pass ends, in seconds since 1970: a minute is enough
    metadata   what the customer brings, such as {"contextId": "…"}

The page shows a pass to connect, as `auth: {pass}`, and with each message. So a browser chooses
neither the conversation nor the contextId. All pages of a login hear all that is said.

Python-socketio 5.10 or newer; one worker, as for Rasa's own socketio.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import jwt
from rasa.core.channels.channel import UserMessage
from rasa.core.channels.socketio import SocketIOInput, SocketIOOutput
from rasa.shared.exceptions import RasaException

from .customer_text import TOO_LONG, TooLongError, customer_text, open_payload, seal_payload
from .said import messages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sanic import Blueprint

KEY_LENGTH, LARGEST = 32, 32 * 1024
"""Characters of the key, at least; bytes of a message, at most: a text, and a pass."""
_CONVERSATION, _ID = re.compile(r"[A-Za-z0-9_-]{16,128}"), re.compile(r"[A-Za-z0-9-]{1,64}")
_TRIES, _PAUSE = 50, 0.1
"""For five seconds an agent's words wait for a page, or for its acknowledgement."""
_NOT = "not delivered: the page is closed"
_PERHAPS = "perhaps delivered: the page did not acknowledge it"


class WebChatOutput(SocketIOOutput):
    """Says to each page of a conversation what the bot says, and delivers what an agent says."""

    def __init__(self, told: WebChatInput) -> None:
        """Take the channel whose pages these are."""
        super().__init__(told.sio, told.bot_message_evt)
        self._key = told.key

    @classmethod
    def name(cls) -> str:
        """Return the name by which responses are chosen."""
        return "webchat"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Say it. What an agent says came through if this returns.

        Raises:
            RasaException: it did not, or perhaps not; Rasa's API then answers 500 with this text.

        """
        for each in messages(message, partial(seal_payload, self._key, recipient_id)):
            if "id" in each:
                await self._deliver(recipient_id, each)
            else:
                await self._send_message(recipient_id, each)

    async def _deliver(self, conversation: str, said: dict[str, Any]) -> None:
        """Wait until a page of the conversation acknowledges; one may be about to come back."""
        heard, asked = asyncio.Event(), set[str]()
        tell = partial(self.sio.emit, self.bot_message_evt, said, callback=lambda *_: heard.set())
        for _ in range(_TRIES):
            for page, _ in self.sio.manager.get_participants("/", conversation):
                if page not in asked:
                    asked.add(page)
                    await tell(to=page)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(heard.wait(), _PAUSE)
                return
        raise RasaException(_PERHAPS if asked else _NOT)


class WebChatInput(SocketIOInput):
    """Takes what a page says, in the conversation that its pass names."""

    @classmethod
    def name(cls) -> str:
        """Return the name of the channel."""
        return "webchat"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebChatInput:
        """Read credentials.yml; Rasa calls this."""
        return cls(**(credentials or {}))

    def __init__(self, key: str = "", opening: str = "/greet") -> None:
        """Take the secret that your back-end signs with, and what a page that opens says."""
        super().__init__()
        if len(key) < KEY_LENGTH:
            raise RasaException(f"credentials.yml: key needs {KEY_LENGTH} characters")
        self.key, self._opening = key.encode(), opening

    def get_output_channel(self) -> WebChatOutput:
        """Return what reminders, and an agent by Rasa's API, write by."""
        return WebChatOutput(self)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return Rasa's own, with other ears."""
        made: Blueprint = super().blueprint(on_new_message)
        self.sio.eio.max_http_buffer_size = LARGEST
        self.sio.on("connect", self._connect)
        self.sio.on(self.user_message_evt, partial(self._hear, on_new_message))
        return made

    async def _connect(self, page: str, _: object, auth: object = None) -> bool:
        """Let a page in that has a pass."""
        if (claims := self._claims(auth)) is None:
            return False
        await self.sio.save_session(page, claims["sub"])
        await self.sio.enter_room(page, claims["sub"])
        return True

    def _claims(self, shown: object) -> dict[str, Any] | None:
        """Return what a pass says; None if there is none, or it is not ours, or too old."""
        given = str(shown.get("pass")) if isinstance(shown, dict) else ""
        try:
            claims: dict[str, Any] = jwt.decode(
                given, self.key, algorithms=["HS256"], options={"require": ["sub", "exp"]}
            )
        except (jwt.PyJWTError, UnicodeError):
            return None
        return claims if _CONVERSATION.fullmatch(claims["sub"]) else None

    async def _hear(self, handler: Any, page: str, said: object = None) -> dict[str, str]:  # noqa: ANN401
        """Let the bot answer. What returns is the acknowledgement: empty, once the turn is over."""
        conversation = await self.sio.get_session(page)
        said = said if isinstance(said, dict) else {}
        try:
            text = customer_text(said.get("message"))
        except TypeError:
            return {"refused": "no_text"}
        except TooLongError:
            return {"refused": "too_long", "text": TOO_LONG}
        metadata, claims = {}, self._claims(said)
        if claims is not None and claims["sub"] == conversation:
            metadata = {**(claims.get("metadata") or {})}
        if isinstance(said.get("id"), str) and _ID.fullmatch(said["id"]):
            metadata["correlationId"] = said["id"]
        if payload := open_payload(self.key, conversation, said.get("payload")):
            metadata["title"] = text
        told = {"input_channel": self.name(), "metadata": metadata}
        output = WebChatOutput(self)
        await handler(UserMessage(payload or text or self._opening, output, conversation, **told))
        return {}
