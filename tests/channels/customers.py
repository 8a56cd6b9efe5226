"""How a test talks to the bot over each channel, and waits for the end of a turn."""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from actions.ps7.dialogue.arrival import sign
from tests.channels import services
from tests.channels.services import ARRIVAL_KEY, CODE, Post, Services, sender_of, texts
from tests.conversation.talking import Chat, RunningBot

_PATIENCE = 20.0


class Customer(ABC):
    """Somebody at one end of a channel."""

    def __init__(self, bot: RunningBot, stub: Services, sender: str) -> None:
        self._bot, self._stub = bot, stub
        self.sender = sender

    @abstractmethod
    async def arrive(self) -> list[str]:
        """Open the conversation as this channel does, with a greeting; return the answers."""

    @abstractmethod
    async def say(self, text: str) -> list[str]:
        """Write something; return the answers."""

    async def tracker(self) -> dict[str, Any]:
        url = f"{self._bot.url}/conversations/{self.sender}/tracker"
        async with self._bot.http.get(url, params={"include_events": "ALL"}) as answer:
            tracker: dict[str, Any] = await answer.json()
        return tracker

    async def slots(self) -> dict[str, Any]:
        slots: dict[str, Any] = (await self.tracker())["slots"]
        return slots

    async def said(self) -> list[dict[str, Any]]:
        """Return the events of what this customer wrote."""
        return [each for each in (await self.tracker())["events"] if each["event"] == "user"]


class ByRest(Customer):
    def __init__(self, bot: RunningBot, stub: Services) -> None:
        self._chat: Chat = bot.chat()
        super().__init__(bot, stub, self._chat.sender)

    async def arrive(self) -> list[str]:
        return await self._chat.say("oi", {"contextId": sign(ARRIVAL_KEY, "ana", self.sender)})

    async def say(self, text: str) -> list[str]:
        return await self._chat.say(text)


class BySocket(Customer):
    """socket.io over one WebSocket: packets of engine.io 4, which `aiohttp` carries."""

    def __init__(self, bot: RunningBot, stub: Services, socket: Any, sender: str) -> None:  # noqa: ANN401
        super().__init__(bot, stub, sender)
        self._socket = socket

    @classmethod
    @asynccontextmanager
    async def connected(cls, bot: RunningBot, stub: Services) -> AsyncIterator[BySocket]:
        url = f"{bot.url}/socket.io/?EIO=4&transport=websocket"
        async with bot.http.ws_connect(url) as socket:
            assert (await socket.receive_str())[0] == "0"
            await socket.send_str("40")
            opened = str(await socket.receive_str())
            yield cls(bot, stub, socket, json.loads(opened.removeprefix("40"))["sid"])

    async def arrive(self) -> list[str]:
        return await self._emit("oi", contextId=sign(ARRIVAL_KEY, "ana", self.sender))

    async def say(self, text: str) -> list[str]:
        return await self._emit(text)

    async def _emit(self, text: str, **metadata: str) -> list[str]:
        message = {"message": text, "metadata": metadata}
        await self._socket.send_str("420" + json.dumps(["user_uttered", message]))
        heard = []
        while not (packet := str(await self._socket.receive_str())).startswith("430"):
            if packet == "2":
                await self._socket.send_str("3")
            else:
                heard.append(json.loads(packet.removeprefix("42"))[1])
        return texts(heard)


class ByPost(Customer):
    """A customer of a channel of examples/channels."""

    def __init__(
        self,
        bot: RunningBot,
        stub: Services,
        write: Callable[..., Post],
        address: str,
        **arrives: Any,  # noqa: ANN401 - what `write` takes
    ) -> None:
        """Take what makes a post, the service's name of the customer, and what opens the chat."""
        self.write, self.address, self._arrives = write, address, arrives
        self.channel = write(address, "").channel
        super().__init__(bot, stub, sender_of(self.channel, address))
        stub.heard[address].clear()
        self._turns = 0

    def expect(self, turns: int) -> None:
        """Wait for so many turns more than `send` brings about."""
        self._turns += turns

    async def arrive(self) -> list[str]:
        return await self.send(self.write(self.address, **{"text": "oi", **self._arrives}))

    async def say(self, text: str) -> list[str]:
        return await self.send(self.write(self.address, text))

    async def send(self, post: Post) -> list[str]:
        """Post it, and wait for the turn that comes of it."""
        status, answer = await post.to(self._bot.http, self._bot.url)
        assert status in {200, 204}, answer
        self._turns += 1
        deadline = time.monotonic() + _PATIENCE
        while len(await self.said()) < self._turns:
            assert time.monotonic() < deadline, "no turn came of it"
            await asyncio.sleep(0.02)
        heard = self._stub.heard.pop(self.address, [])
        return texts([answer] if self.channel == "twilio_voice" else heard)


CHANNELS = (
    *("rest", "socketio", "callback", "twilio", "sms", "telegram", "whatsapp_cloud"),
    *("facebook", "twilio_voice"),
)


@asynccontextmanager
async def customer(channel: str, bot: RunningBot, stub: Services) -> AsyncIterator[Customer]:
    """Let Ana take her end of a channel, with a number or an account that is new to the bot."""
    account = f"55119{uuid4().int % 10**8:08}"
    stub.numbers.add(account)
    token = sign(ARRIVAL_KEY, "ana", sender_of("callback", account))
    by_post: dict[str, tuple[Callable[..., Post], str, dict[str, Any]]] = {
        "callback": (services.callback, account, {"metadata": {"contextId": token}}),
        "twilio": (services.twilio, f"whatsapp:+{account}", {}),
        "sms": (services.twilio, f"+{account}", {}),
        "telegram": (services.telegram, account, {"text": f"/start {CODE}"}),
        "facebook": (services.facebook, account, {"text": "", "referral": {"ref": CODE}}),
        "whatsapp_cloud": (services.whatsapp, account, {}),
        "twilio_voice": (services.voice, f"+{account}", {"text": ""}),
    }
    if channel == "rest":
        yield ByRest(bot, stub)
    elif channel == "socketio":
        async with BySocket.connected(bot, stub) as connected:
            yield connected
    else:
        write, address, arrives = by_post[channel]
        yield ByPost(bot, stub, write, address, **arrives)
