"""How a test talks to the bot over each channel, and waits for the end of a turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from actions.ps7.conversation.arrival import sign
from tests.channels.services import (
    ARRIVAL_KEY,
    CODE,
    WRITES,
    Post,
    Services,
    sender_of,
    texts,
)
from tests.conversation.talking import RunningBot

_PATIENCE = 20.0


async def tracker_of(bot: RunningBot, sender: str) -> dict[str, Any]:
    """Return what Rasa keeps of a sender."""
    url = f"{bot.url}/conversations/{sender}/tracker"
    async with bot.http.get(url, params={"include_events": "ALL"}) as answer:
        tracker: dict[str, Any] = await answer.json()
    return tracker


async def said_by(bot: RunningBot, sender: str) -> list[dict[str, Any]]:
    """Return the events of what a sender wrote."""
    events = (await tracker_of(bot, sender))["events"]
    return [each for each in events if each["event"] == "user"]


class Customer:
    """Somebody at one end of a channel of examples/channels."""

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
        self.sender = sender_of(self.channel, address)
        self._bot, self._stub = bot, stub
        stub.heard[address].clear()
        self._turns = 0

    async def slots(self) -> dict[str, Any]:
        slots: dict[str, Any] = (await tracker_of(self._bot, self.sender))["slots"]
        return slots

    async def arrive(self) -> list[str]:
        """Open the conversation as this channel does, with a greeting; return the answers."""
        return await self.send(self.write(self.address, **{"text": "oi", **self._arrives}))

    async def say(self, text: str) -> list[str]:
        """Write something; return the answers."""
        return await self.send(self.write(self.address, text))

    async def send(self, post: Post, turns: int = 1) -> list[str]:
        """Post it, and wait for the turns that come of it."""
        status, answer = await post.to(self._bot.http, self._bot.url)
        assert status in {200, 204}, answer
        self._turns += turns
        deadline = time.monotonic() + _PATIENCE
        while len(await said_by(self._bot, self.sender)) < self._turns:
            assert time.monotonic() < deadline, "no turn came of it"
            await asyncio.sleep(0.02)
        heard = self._stub.heard.pop(self.address, [])
        return texts([answer] if self.channel == "twilio_voice" else heard)


CHANNELS = ("sms", *WRITES)


def customer(channel: str, bot: RunningBot, stub: Services) -> Customer:
    """Let Ana take her end of a channel, with a number or an account that is new to the bot."""
    account = f"55119{uuid4().int % 10**8:08}"
    stub.numbers.add(account)
    token = sign(ARRIVAL_KEY, "ana", sender_of("callback", account))
    ends: dict[str, tuple[str, dict[str, Any]]] = {
        "callback": (account, {"metadata": {"contextId": token}}),
        "twilio": (f"whatsapp:+{account}", {}),
        "sms": (f"+{account}", {}),
        "telegram": (account, {"text": f"/start {CODE}"}),
        "facebook": (account, {"text": "", "referral": {"ref": CODE}}),
        "whatsapp_cloud": (account, {}),
        "twilio_voice": (f"+{account}", {"text": ""}),
    }
    address, arrives = ends[channel]
    return Customer(
        bot, stub, WRITES["twilio" if channel == "sms" else channel], address, **arrives
    )
